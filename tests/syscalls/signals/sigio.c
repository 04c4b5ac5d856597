// guest: timeout=20
// fcntl(2), F_SETOWN, F_SETSIG, O_ASYNC: signal-driven I/O on pipes, sockets and terminals.
#include "check.h"
#include <poll.h>
#include <pthread.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <termios.h>

static siginfo_t seen;
static volatile int hits, taker;
static void keep(int sig, siginfo_t *info, void *context) { seen = *info; taker = gettid(); hits++; }
static void catch(int sig) {
    struct sigaction action = {.sa_sigaction = keep, .sa_flags = SA_SIGINFO | SA_RESTART};
    NEED(sigaction(sig, &action, NULL));
    memset(&seen, 0x5a, sizeof seen);
    hits = 0;
}
static int waited(void) { for (int i = 0; i < 400 && !hits; i++) poll(NULL, 0, 5); return hits; }
static void ask(int fd, int sig) {
    NEED(fcntl(fd, F_SETOWN, getpid()));
    NEED(fcntl(fd, F_SETSIG, sig));
    NEED(fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_ASYNC));
}

TEST(nothing_set) {
    int fds[2];
    NEED(pipe(fds));
    EXPECT_EQ(0, fcntl(fds[0], F_GETOWN));
    EXPECT_EQ(0, fcntl(fds[0], F_GETSIG));
    catch(SIGIO);
    NEED(fcntl(fds[0], F_SETFL, O_ASYNC));
    NEED(write(fds[1], "x", 1));
    EXPECT_EQ(0, hits);
    EXPECT_TRUE(fcntl(fds[0], F_GETFL) & O_ASYNC);
    close(fds[0]);
    close(fds[1]);
}

TEST(plain_sigio) {
    int fds[2];
    NEED(pipe(fds));
    catch(SIGIO);
    ask(fds[0], 0);
    EXPECT_TRUE(fcntl(fds[0], F_GETOWN) == getpid());
    NEED(write(fds[1], "x", 1));
    EXPECT_EQ(1, hits);
    EXPECT_EQ(SIGIO, seen.si_signo);
    EXPECT_EQ(SI_KERNEL, seen.si_code);
    EXPECT_EQ(0, seen.si_pid);
    NEED(fcntl(fds[0], F_SETFL, 0));
    NEED(write(fds[1], "x", 1));
    EXPECT_EQ(1, hits);
    close(fds[0]);
    close(fds[1]);
}

TEST(a_signal_of_ones_own) {
    int fds[2];
    NEED(pipe(fds));
    catch(SIGRTMIN + 4);
    ask(fds[0], SIGRTMIN + 4);
    NEED(write(fds[1], "x", 1));
    EXPECT_EQ(1, hits);
    EXPECT_EQ(POLL_IN, seen.si_code);
    EXPECT_TRUE(seen.si_fd == fds[0]);
    EXPECT_EQ(POLLIN | POLLRDNORM, seen.si_band);
    char c;
    NEED(read(fds[0], &c, 1));
    NEED(write(fds[1], "y", 1));
    EXPECT_EQ(2, hits);
    close(fds[0]);
    close(fds[1]);
}

TEST(room_to_write) {
    int fds[2];
    static char big[65536];
    NEED(pipe(fds));
    NEED(fcntl(fds[1], F_SETFL, O_NONBLOCK));
    EXPECT_EQ(65536, write(fds[1], big, sizeof big));
    catch(SIGRTMIN + 4);
    ask(fds[1], SIGRTMIN + 4);
    EXPECT_EQ(65536, read(fds[0], big, sizeof big));
    EXPECT_EQ(1, hits);
    EXPECT_EQ(POLL_OUT, seen.si_code);
    EXPECT_EQ(POLLOUT | POLLWRNORM, seen.si_band & ~0x200);
    close(fds[0]);
    close(fds[1]);
}

TEST(sockets) {
    int fds[2];
    NEED(socketpair(AF_UNIX, SOCK_STREAM, 0, fds));
    catch(SIGRTMIN + 4);
    ask(fds[0], SIGRTMIN + 4);
    pid_t pid = CHILD({ NEED(write(fds[1], "hello", 5)); });
    EXPECT_TRUE(waited() > 0);
    EXPECT_EQ(POLL_IN, seen.si_code);
    EXPECT_TRUE(seen.si_fd == fds[0]);
    EXPECT_EXIT(0, pid);
    int on = 0;
    NEED(ioctl(fds[0], FIOASYNC, &on));
    hits = 0;
    NEED(write(fds[1], "x", 1));
    EXPECT_EQ(0, hits);
    EXPECT_EQ(0, fcntl(fds[0], F_GETFL) & O_ASYNC);
    on = 1;
    NEED(ioctl(fds[0], FIOASYNC, &on));
    NEED(write(fds[1], "x", 1));
    EXPECT_EQ(1, hits);
    close(fds[0]);
    close(fds[1]);
}

TEST(terminals) {
    int master, slave;
    struct termios raw;
    NEED(openpty(&master, &slave, NULL, NULL, NULL));
    tcgetattr(slave, &raw);
    cfmakeraw(&raw);
    tcsetattr(slave, TCSANOW, &raw);
    catch(SIGRTMIN + 4);
    ask(slave, SIGRTMIN + 4);
    NEED(write(master, "x", 1));
    EXPECT_TRUE(waited() > 0);
    EXPECT_EQ(POLL_IN, seen.si_code);
    EXPECT_TRUE(seen.si_fd == slave);
    close(slave);
    close(master);
}

static int ready[2];
static void *owner(void *arg) {
    int fd = (int)(long)arg;
    struct f_owner_ex me = {F_OWNER_TID, gettid()}, told;
    EXPECT_EQ(0, fcntl(fd, F_SETOWN_EX, &me));
    EXPECT_EQ(0, fcntl(fd, F_GETOWN_EX, &told));
    EXPECT_TRUE(told.type == F_OWNER_TID && told.pid == gettid());
    tell(ready[1]);
    waited();
    EXPECT_TRUE(taker == gettid());
    return NULL;
}

TEST(a_thread_owns) {
    int fds[2];
    pthread_t thread;
    NEED(pipe(fds)); NEED(pipe(ready));
    catch(SIGRTMIN + 5);
    pthread_create(&thread, NULL, owner, (void *)(long)fds[0]);
    await_byte(ready[0]);
    NEED(fcntl(fds[0], F_SETSIG, SIGRTMIN + 5));
    NEED(fcntl(fds[0], F_SETFL, O_ASYNC));
    NEED(write(fds[1], "x", 1));
    pthread_join(thread, NULL);
    EXPECT_EQ(1, hits);
    close(fds[0]);
    close(fds[1]);
}

TEST(a_process_group_owns) {
    int fds[2], back[2];
    NEED(pipe(fds)); NEED(pipe(back));
    pid_t kids[2];
    for (int i = 0; i < 2; i++) {
        kids[i] = CHILD({ catch(SIGIO); tell(back[1]); EXPECT_EQ(1, waited()); });
        setpgid(kids[i], kids[0]);
        await_byte(back[0]);
    }
    NEED(fcntl(fds[0], F_SETOWN, -kids[0]));
    EXPECT_TRUE(fcntl(fds[0], F_GETOWN) == -kids[0]);
    NEED(fcntl(fds[0], F_SETFL, O_ASYNC));
    NEED(write(fds[1], "x", 1));
    for (int i = 0; i < 2; i++) reap(kids[i]);
    close(fds[0]);
    close(fds[1]);
}

TEST(regular_files_and_errors) {
    int fd = make_file("plain", "data"), on = 1;
    EXPECT_ERRNO(ENOTTY, ioctl(fd, FIOASYNC, &on));
    EXPECT_EQ(0, fcntl(fd, F_SETFL, O_ASYNC));
    EXPECT_ERRNO(EINVAL, fcntl(fd, F_SETSIG, 65));
    EXPECT_ERRNO(ESRCH, fcntl(fd, F_SETOWN, 999999));
    struct f_owner_ex bad = {7, getpid()};
    EXPECT_ERRNO(EINVAL, fcntl(fd, F_SETOWN_EX, &bad));
    close(fd);
}
