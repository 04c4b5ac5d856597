/* ioctl_tty(2) and termios(3): the three layouts of the modes, speeds, flushing, flow, exclusive mode, packet mode, queues. */
// guest: timeout=120
#include <asm/termbits.h>
#include <poll.h>
#include <sys/ioctl.h>
#include "check.h"

#define P(name) (void *)(name)
#define TCGETA_ 0x5405
#define TCSETA_ 0x5406
#define TCSETAF_ 0x5408
#define GPTN 0x80045430
#define SPTLCK 0x40045431
#define GPTLCK 0x80045439
#define GPKT 0x80045438
#define GEXCL 0x80045440
#define GPTPEER 0x5441
#define GDEV 0x80045432

static int master, slave, number;

static void open_pair(void) {
    master = NEED(open("/dev/ptmx", O_RDWR | O_NOCTTY | O_NONBLOCK));
    int zero = 0;
    NEED(ioctl(master, SPTLCK, &zero));
    NEED(ioctl(master, GPTN, &number));
    char name[40];
    snprintf(name, sizeof name, "/dev/pts/%d", number);
    slave = NEED(open(name, O_RDWR | O_NOCTTY | O_NONBLOCK));
}

static void close_pair(void) { close(slave); close(master); }

static void show_modes(const char *what, int fd) {
    struct termios2 t;
    memset(&t, 0xee, sizeof t);
    NEED(ioctl(fd, TCGETS2, &t));
    printf("%s: %x %x %x %x line %d speeds %u %u cc", what, t.c_iflag, t.c_oflag, t.c_cflag, t.c_lflag, t.c_line, t.c_ispeed, t.c_ospeed);
    for (int i = 0; i < 19; i++) printf(" %d", t.c_cc[i]);
    printf("\n");
}

static void type(const char *text) {
    NEED(write(master, text, strlen(text)));
    struct pollfd p = {slave, POLLIN, 0};
    poll(&p, 1, 0);
}

static void show_master(const char *what) {
    printf("%s:", what);
    for (;;) { /* poll brings what is on its way only if nothing has arrived yet */
        struct pollfd p = {master, POLLIN, 0};
        poll(&p, 1, 0);
        unsigned char got[200];
        long n = read(master, got, sizeof got);
        for (long i = 0; i < n; i++) printf(" %02x", got[i]);
        if (n < 0) {
            printf(" %s\n", check_errno_name(errno));
            return;
        }
    }
}

static void show_slave(const char *what) {
    char got[200];
    long n = read(slave, got, sizeof got);
    if (n < 0) printf("%s: %s\n", what, check_errno_name(errno));
    else printf("%s: %.*s\n", what, (int)n, got);
}

TEST(layouts) {
    open_pair();
    show_modes("new", slave);
    show_modes("new, master", master);
    struct { struct termios t; char after[4]; } t = {.after = "xyz"};
    EXPECT_OK(ioctl(slave, TCGETS, &t.t));
    EXPECT_STR("xyz", t.after);
    t.t.c_iflag = ~0u;
    t.t.c_oflag = 0x5;
    t.t.c_lflag = 0x8a3b;
    t.t.c_line = 0;
    for (int i = 0; i < 19; i++) t.t.c_cc[i] = 100 + i;
    EXPECT_OK(ioctl(slave, TCSETS, &t.t));
    show_modes("all set", slave);
    struct { struct termio t; char after[4]; } old = {.after = "xyz"};
    memset(&old.t, 0xee, sizeof old.t);
    EXPECT_OK(ioctl(slave, TCGETA_, &old.t));
    EXPECT_STR("xyz", old.after);
    printf("termio %x %x %x %x %d", old.t.c_iflag, old.t.c_oflag, old.t.c_cflag, old.t.c_lflag, old.t.c_line);
    for (int i = 0; i < 8; i++) printf(" %d", old.t.c_cc[i]);
    printf("\n");
    old.t.c_iflag = 0x500;
    old.t.c_lflag = 0x3b;
    old.t.c_cc[3] = 7;
    EXPECT_OK(ioctl(slave, TCSETA_, &old.t));
    show_modes("after termio", slave);
    close_pair();
}

TEST(speeds) {
    open_pair();
    static const unsigned codes[] = {0, 1, 13, 14, 15, 0x1001, 0x1002, 0x1004, 0x100f};
    for (unsigned i = 0; i < sizeof codes / sizeof *codes; i++)
        for (unsigned in = 0; in < 3; in++) {
            struct termios t;
            NEED(ioctl(slave, TCGETS, &t));
            t.c_cflag = (t.c_cflag & ~0x100f100fu) | codes[i] | (in == 1 ? 0xd0000u : in == 2 ? 0x10020000u : 0);
            SHOW(ioctl(slave, TCSETS, &t));
            show_modes("speed", slave);
        }
    struct termios2 t;
    NEED(ioctl(slave, TCGETS2, &t));
    t.c_cflag = (t.c_cflag & ~0x100f100fu) | 0x1000;
    t.c_ospeed = 12345;
    t.c_ispeed = 54321;
    EXPECT_OK(ioctl(slave, TCSETS2, &t));
    show_modes("any speed", slave);
    t.c_cflag |= 0x10000000;
    t.c_ispeed = 54321;
    EXPECT_OK(ioctl(slave, TCSETS2, &t));
    show_modes("any input speed", slave);
    close_pair();
}

TEST(bad_addresses) {
    open_pair();
    static const unsigned long requests[] = {TCGETS, TCSETS, TCGETS2, TCSETS2, TCGETA_, TCSETA_, TIOCGWINSZ, TIOCSWINSZ, TIOCGETD,
        TIOCSETD, TIOCOUTQ, FIONREAD, GEXCL, TIOCSETD};
    for (unsigned i = 0; i < sizeof requests / sizeof *requests; i++) {
        SHOW(ioctl(slave, requests[i], P(8)));
        SHOW(ioctl(master, requests[i], P(8)));
    }
    static const unsigned long own[] = {GPTN, SPTLCK, GPTLCK, TIOCPKT, GPKT};
    for (unsigned i = 0; i < 5; i++) {
        SHOW(ioctl(master, own[i], P(8)));
        SHOW(ioctl(slave, own[i], P(8)));
    }
    SHOW(ioctl(slave, 0x54fe, 0));
    SHOW(ioctl(slave, TIOCMGET, P(8)));
    SHOW(ioctl(slave, GPTPEER, O_RDWR));
    close_pair();
}

TEST(setters_that_flush) {
    open_pair();
    struct termios t;
    struct termios2 t2;
    struct termio old;
    NEED(ioctl(slave, TCGETS, &t));
    NEED(ioctl(slave, TCGETS2, &t2));
    NEED(ioctl(slave, TCGETA_, &old));
    struct { unsigned long request; void *data; } setters[] = {{TCSETS, &t}, {TCSETSW, &t}, {TCSETSF, &t}, {TCSETS2, &t2},
        {TCSETSW2, &t2}, {TCSETSF2, &t2}, {TCSETA_, &old}, {0x5407, &old}, {TCSETAF_, &old}};
    for (int i = 0; i < 9; i++) {
        type("line\n");
        show_master("echo");
        SHOW(ioctl(slave, setters[i].request, setters[i].data));
        show_slave("left");
    }
    close_pair();
}

TEST(flushing) {
    open_pair();
    for (int side = 0; side < 2; side++)
        for (int which = -1; which < 4; which++) {
            type("in\n");
            if (side) {
                NEED(write(slave, "out", 3));
                struct pollfd p = {master, POLLIN, 0};
                poll(&p, 1, 0);
            } else show_master("echo");
            SHOW(ioctl(side ? master : slave, TCFLSH, which));
            show_slave("input");
            if (which > 0) show_master("output"); /* what was on its way may be lost or not */
            else ioctl(master, TCFLSH, 2);
        }
    close_pair();
}

TEST(flow) {
    open_pair();
    SHOW(ioctl(slave, TCXONC, TCOOFF));
    SHOW(write(slave, "held", 4));
    SHOW(ioctl(slave, TCXONC, TCOOFF));
    SHOW(ioctl(slave, TCXONC, TCOON));
    SHOW(write(slave, "free", 4));
    show_master("after");
    SHOW(ioctl(slave, TCXONC, TCIOFF));
    show_master("STOP sent");
    SHOW(ioctl(slave, TCXONC, TCION));
    show_master("START sent");
    SHOW(ioctl(slave, TCXONC, 4));
    SHOW(ioctl(slave, TCXONC, -1));
    struct termios t;
    NEED(ioctl(slave, TCGETS, &t));
    t.c_cc[8] = t.c_cc[9] = 0;
    NEED(ioctl(slave, TCSETS, &t));
    SHOW(ioctl(slave, TCXONC, TCIOFF));
    SHOW(ioctl(slave, TCXONC, TCION));
    show_master("no characters");
    SHOW(ioctl(slave, TCSBRK, 0));
    SHOW(ioctl(slave, TCSBRK, 1));
    SHOW(ioctl(slave, TCSBRKP, 0));
    close_pair();
}

TEST(window) {
    open_pair();
    struct { struct winsize w; char after[4]; } w = {.after = "xyz"};
    w.w = (struct winsize){1, 2, 3, 4};
    EXPECT_OK(ioctl(slave, TIOCSWINSZ, &w.w));
    w.w = (struct winsize){9, 9, 9, 9};
    EXPECT_OK(ioctl(master, TIOCGWINSZ, &w.w));
    printf("window %d %d %d %d %s\n", w.w.ws_row, w.w.ws_col, w.w.ws_xpixel, w.w.ws_ypixel, w.after);
    w.w = (struct winsize){65535, 0, 65535, 65535};
    EXPECT_OK(ioctl(master, TIOCSWINSZ, &w.w));
    EXPECT_OK(ioctl(slave, TIOCGWINSZ, &w.w));
    printf("window %d %d %d %d\n", w.w.ws_row, w.w.ws_col, w.w.ws_xpixel, w.w.ws_ypixel);
    close_pair();
}

TEST(discipline_and_device) {
    open_pair();
    int value = 77;
    EXPECT_OK(ioctl(slave, TIOCGETD, &value));
    EXPECT_EQ(0, value);
    EXPECT_OK(ioctl(slave, TIOCSETD, &value));
    value = 29;
    SHOW(ioctl(slave, TIOCSETD, &value));
    struct stat st;
    NEED(fstat(slave, &st));
    EXPECT_OK(ioctl(slave, GDEV, &value));
    EXPECT_EQ(st.st_rdev, value);
    close_pair();
}

TEST(queues) {
    open_pair();
    int value = 77;
    type("one\ntwo\nth");
    EXPECT_OK(ioctl(slave, FIONREAD, &value));
    SHOW(value);
    show_slave("line");
    EXPECT_OK(ioctl(slave, FIONREAD, &value));
    SHOW(value);
    value = 77;
    EXPECT_OK(ioctl(slave, TIOCOUTQ, &value));
    SHOW(value);
    show_master("echo");
    value = 77;
    EXPECT_OK(ioctl(master, FIONREAD, &value));
    SHOW(value);
    EXPECT_OK(ioctl(master, TIOCOUTQ, &value));
    SHOW(value);
    close_pair();
}

TEST(exclusive) {
    open_pair();
    int value = 77;
    EXPECT_OK(ioctl(slave, GEXCL, &value));
    EXPECT_EQ(0, value);
    EXPECT_OK(ioctl(slave, TIOCEXCL, 0));
    EXPECT_OK(ioctl(slave, GEXCL, &value));
    EXPECT_EQ(1, value);
    EXPECT_OK(ioctl(slave, TIOCNXCL, 0));
    EXPECT_OK(ioctl(slave, GEXCL, &value));
    EXPECT_EQ(0, value);
    close_pair();
}

TEST(lock) {
    open_pair();
    int value = 77, one = 5;
    char name[40];
    snprintf(name, sizeof name, "/dev/pts/%d", number);
    EXPECT_OK(ioctl(master, GPTLCK, &value));
    EXPECT_EQ(0, value);
    EXPECT_OK(ioctl(master, SPTLCK, &one));
    EXPECT_OK(ioctl(master, GPTLCK, &value));
    EXPECT_EQ(1, value);
    EXPECT_ERRNO(EIO, open(name, O_RDWR | O_NOCTTY));
    SHOW(ioctl(slave, GPTLCK, &value));
    close_pair();
}

TEST(peer) {
    open_pair();
    int peer = EXPECT_OK(ioctl(master, GPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC));
    SHOW(fcntl(peer, F_GETFD));
    SHOW(fcntl(peer, F_GETFL) & (O_ACCMODE | O_NONBLOCK));
    int other = EXPECT_OK(ioctl(master, GPTPEER, O_WRONLY | O_NOCTTY | O_NONBLOCK));
    SHOW(fcntl(other, F_GETFD));
    SHOW(fcntl(other, F_GETFL) & (O_ACCMODE | O_NONBLOCK));
    EXPECT_ERRNO(EBADF, read(other, &number, 1));
    EXPECT_EQ(3, write(other, "abc", 3));
    show_master("from the peer");
    close(other);
    close(peer);
    close_pair();
}

TEST(packets) {
    open_pair();
    int value = 77, one = 1, zero = 0;
    EXPECT_OK(ioctl(master, GPKT, &value));
    EXPECT_EQ(0, value);
    EXPECT_OK(ioctl(master, TIOCPKT, &one));
    EXPECT_OK(ioctl(master, GPKT, &value));
    EXPECT_EQ(1, value);
    show_master("nothing");
    NEED(write(slave, "abc", 3));
    char c[3] = "..";
    EXPECT_EQ(1, read(master, c, 1));
    SHOW(c[0]);
    show_master("data");
    for (int which = 0; which < 3; which++) {
        SHOW(ioctl(slave, TCFLSH, which));
        struct pollfd p = {master, POLLIN | POLLPRI | POLLOUT, 0};
        SHOW(poll(&p, 1, 0));
        SHOW(p.revents);
        show_master("flushed");
        SHOW(poll(&p, 1, 0));
        SHOW(p.revents);
    }
    SHOW(ioctl(master, TCFLSH, 2));
    show_master("flushed by the master");
    ioctl(slave, TCXONC, TCOOFF);
    ioctl(slave, TCXONC, TCOON);
    show_master("stopped and started");
    struct termios t;
    NEED(ioctl(slave, TCGETS, &t));
    t.c_iflag &= ~IXON;
    NEED(ioctl(slave, TCSETS, &t));
    show_master("no flow control");
    t.c_iflag |= IXON;
    NEED(ioctl(slave, TCSETS, &t));
    show_master("flow control");
    t.c_cc[8] = 1;
    NEED(ioctl(slave, TCSETS, &t));
    show_master("another START");
    t.c_lflag |= EXTPROC;
    NEED(ioctl(slave, TCSETS, &t));
    show_master("EXTPROC");
    ioctl(slave, TCFLSH, 0);
    EXPECT_OK(ioctl(master, TIOCPKT, &zero));
    NEED(write(slave, "abc", 3));
    show_master("no packets");
    EXPECT_OK(ioctl(master, TIOCPKT, &one));
    show_master("nothing");
    close_pair();
}

TEST(sessions) {
    open_pair();
    int value = 77;
    EXPECT_EXIT(0, CHILD({
        SHOW(ioctl(slave, TIOCGPGRP, &value));
        SHOW(ioctl(slave, TIOCGSID, &value));
        SHOW(ioctl(slave, TIOCNOTTY, 0));
        value = getpgrp();
        SHOW(ioctl(slave, TIOCSPGRP, &value));
        SHOW(ioctl(master, TIOCSCTTY, 0));
        SHOW(ioctl(slave, TIOCSCTTY, 0));
        SHOW(ioctl(slave, TIOCSCTTY, 1));
        SHOW(ioctl(master, TIOCGPGRP, &value));
        SHOW(value);
        SHOW(ioctl(master, TIOCGSID, &value));
    }));
    EXPECT_EXIT(0, CHILD({
        setsid();
        signal(SIGHUP, SIG_IGN);
        SHOW(ioctl(master, TIOCSCTTY, 0));
        EXPECT_OK(ioctl(slave, TIOCSCTTY, 0));
        EXPECT_OK(ioctl(slave, TIOCSCTTY, 0));
        EXPECT_OK(ioctl(slave, TIOCGPGRP, &value));
        EXPECT_EQ(getpid(), value);
        EXPECT_OK(ioctl(master, TIOCGPGRP, &value));
        EXPECT_EQ(getpid(), value);
        EXPECT_OK(ioctl(master, TIOCGSID, &value));
        EXPECT_EQ(getpid(), value);
        EXPECT_OK(ioctl(slave, TIOCGSID, &value));
        EXPECT_EQ(getpid(), value);
        value = -5;
        SHOW(ioctl(slave, TIOCSPGRP, &value));
        value = 4000000;
        SHOW(ioctl(slave, TIOCSPGRP, &value));
        value = 0;
        SHOW(ioctl(slave, TIOCSPGRP, &value));
        value = getppid();
        SHOW(ioctl(slave, TIOCSPGRP, P(8)));
        int other = open("/dev/ptmx", O_RDWR | O_NOCTTY);
        int peer = ioctl(other, SPTLCK, &(int){0}) ? -1 : ioctl(other, GPTPEER, O_RDWR | O_NOCTTY);
        SHOW(ioctl(peer, TIOCSCTTY, 0));
        SHOW(ioctl(peer, TIOCSPGRP, &value));
        SHOW(ioctl(peer, TIOCNOTTY, 0));
        EXPECT_EXIT(0, CHILD({
            SHOW(ioctl(slave, TIOCNOTTY, 0));
            SHOW(ioctl(slave, TIOCGPGRP, &value));
            SHOW(open("/dev/tty", O_RDWR));
        }));
        EXPECT_OK(ioctl(slave, TIOCGPGRP, &value));
        EXPECT_OK(ioctl(slave, TIOCNOTTY, 0));
        SHOW(ioctl(slave, TIOCGPGRP, &value));
        SHOW(open("/dev/tty", O_RDWR));
        EXPECT_OK(ioctl(slave, TIOCSCTTY, 0));
        int tty = EXPECT_OK(open("/dev/tty", O_RDWR));
        EXPECT_OK(ioctl(tty, TIOCGSID, &value));
    }));
    close_pair();
}

TEST(half_closed) {
    open_pair();
    close(slave);
    show_master("closed");
    SHOW(write(master, "x\n", 2));
    char name[40];
    snprintf(name, sizeof name, "/dev/pts/%d", number);
    slave = EXPECT_OK(open(name, O_RDWR | O_NOCTTY | O_NONBLOCK));
    struct pollfd q = {slave, POLLIN, 0};
    poll(&q, 1, 0);
    show_slave("typed while closed");
    show_master("echo");
    close_pair();
    open_pair();
    close(master);
    show_slave("hung up");
    SHOW(write(slave, "x", 1));
    struct pollfd p = {slave, POLLIN | POLLOUT, 0};
    SHOW(poll(&p, 1, 0));
    SHOW(p.revents);
    SHOW(ioctl(slave, TCGETS, P(8)));
    SHOW(ioctl(slave, TIOCSPGRP, P(8)));
    close(slave);
}
