// lseek(2), pread(2), splice(2), sendfile(2), copy_file_range(2), write(2) on descriptors that are no plain files: who says what.
#include "check.h"
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/sendfile.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/un.h>

static const char *said(long r) {
    static char text[8][32];
    static int turn;
    char *at = text[turn++ & 7];
    snprintf(at, 32, "%ld %s", r, r < 0 ? check_errno_name(errno) : "");
    return at;
}
TEST(matrix) {
    sigset_t none;
    sigemptyset(&none);
    int file = make_file("f", "contents"), p[2], q[2];
    NEED(pipe2(p, O_NONBLOCK)), NEED(pipe2(q, O_NONBLOCK)), NEED(write(p[1], "12345678", 8));
    struct {
        const char *name;
        int fd;
    } kinds[] = {{"eventfd", eventfd(3, EFD_NONBLOCK)},
                 {"timerfd", timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK)},
                 {"signalfd", signalfd(-1, &none, SFD_NONBLOCK)},
                 {"epoll", epoll_create1(0)},
                 {"inotify", inotify_init1(IN_NONBLOCK)},
                 {"null", open("/dev/null", O_RDWR)},
                 {"zero", open("/dev/zero", O_RDWR)},
                 {"folder", open(".", O_RDONLY)},
                 {"write-only pipe", p[1]}};
    char b[16];
    for (unsigned i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        int fd = kinds[i].fd;
        off_t o = 0, o2 = 0, o3 = 0;
        printf("%s:", kinds[i].name);
        printf(" seek %s %s pread %s pwrite %s", said(lseek(fd, 7, SEEK_SET)), said(lseek(fd, 0, SEEK_CUR)), said(pread(fd, b, 8, 0)),
               said(pwrite(fd, "12345678", 8, 0)));
        printf(" in %s %s", said(splice(fd, 0, q[1], 0, 4, SPLICE_F_NONBLOCK)), said(splice(fd, &o, q[1], 0, 4, SPLICE_F_NONBLOCK)));
        if (fd != p[1])
            printf(" out %s %s", said(splice(p[0], 0, fd, 0, 1, SPLICE_F_NONBLOCK)), said(splice(p[0], 0, fd, &o2, 1, SPLICE_F_NONBLOCK)));
        printf(" send %s %s", said(sendfile(kinds[5].fd, fd, 0, 1)), said(sendfile(kinds[5].fd, fd, &o3, 1)));
        printf(" copy %s %s\n", said(copy_file_range(fd, 0, file, 0, 1, 0)), said(copy_file_range(file, 0, fd, 0, 1, 0)));
    }
    SHOW(write(kinds[0].fd, "1234567890", 10)), SHOW(write(kinds[0].fd, "1234", 4));
    SHOW(sendfile(q[1], p[0], 0, 0)), SHOW(sendfile(q[1], p[0], 0, 1)), SHOW(sendfile(file, kinds[6].fd, 0, 5));
    int temporary = NEED(open(".", O_TMPFILE | O_RDWR, 0600));
    printf("%o\n", fcntl(temporary, F_GETFL));
}
TEST(own_locks) {
    int fd = make_file("l", "0123456789"), other = NEED(open("l", O_RDWR));
    struct flock mine = {.l_type = F_WRLCK, .l_start = 2, .l_len = 3}, ask = {.l_type = F_UNLCK, .l_start = 0, .l_len = 100};
    EXPECT_OK(fcntl(fd, F_OFD_SETLK, &mine));
    EXPECT_OK(fcntl(fd, F_OFD_GETLK, &ask));
    printf("%d %ld %ld\n", ask.l_type, (long)ask.l_start, (long)ask.l_len);
    ask = (struct flock){.l_type = F_UNLCK, .l_start = 0, .l_len = 100};
    EXPECT_OK(fcntl(other, F_OFD_GETLK, &ask));
    printf("%d %ld %ld\n", ask.l_type, (long)ask.l_start, (long)ask.l_len);
    EXPECT_ERRNO(EINVAL, fcntl(fd, F_GETLK, &ask));
}
TEST(sockets) {
    struct sockaddr_un at = {.sun_family = AF_UNIX, .sun_path = "s"}, second = {.sun_family = AF_UNIX, .sun_path = "t"};
    int s = NEED(socket(AF_UNIX, SOCK_STREAM, 0)), c = NEED(socket(AF_UNIX, SOCK_STREAM, 0)), q[2];
    NEED(bind(s, (void *)&at, sizeof at));
    EXPECT_ERRNO(EADDRINUSE, bind(s, (void *)&at, sizeof at));
    EXPECT_ERRNO(EINVAL, bind(s, (void *)&second, sizeof second));
    EXPECT_ERRNO(ENOENT, access("t", F_OK));
    EXPECT_ERRNO(EOPNOTSUPP, sendto(c, "x", 1, MSG_NOSIGNAL, (void *)&at, sizeof at));
    NEED(listen(s, 1)), NEED(connect(c, (void *)&at, sizeof at));
    EXPECT_ERRNO(EISCONN, sendto(c, "x", 1, MSG_NOSIGNAL, (void *)&at, sizeof at));
    EXPECT_ERRNO(EISCONN, sendto(c, "x", 1, MSG_NOSIGNAL, (void *)&second, sizeof second));
    EXPECT_OK(shutdown(s, SHUT_RDWR));
    EXPECT_ERRNO(ENOTCONN, send(s, "x", 1, MSG_NOSIGNAL));
    NEED(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, q));
    EXPECT_EQ(1, sendto(q[0], "x", 1, MSG_NOSIGNAL, (void *)&second, sizeof second));
}
