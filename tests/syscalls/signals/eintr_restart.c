// signal(7), "Interruption of system calls": SA_RESTART restarts, its absence gives EINTR, poll never restarts.
#include "check.h"
#include <poll.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/time.h>

static volatile int ticks, feed = -1;
static void handler(int sig) {
    ticks++;
    if (feed >= 0 && ticks >= 2) { if (write(feed, "y", 1) != 1) _exit(1); feed = -1; }
}

/* A signal every 10 ms, so that one always comes after the call began. */
static void start(int flags) {
    struct sigaction action = {.sa_handler = handler, .sa_flags = flags};
    sigemptyset(&action.sa_mask);
    NEED(sigaction(SIGALRM, &action, NULL));
    struct itimerval timer = {{0, 10000}, {0, 10000}};
    ticks = 0;
    NEED(setitimer(ITIMER_REAL, &timer, NULL));
}

static void stop(void) {
    struct itimerval timer = {{0, 0}, {0, 0}};
    NEED(setitimer(ITIMER_REAL, &timer, NULL));
}

TEST(read_without_restart) {
    int fds[2];
    char c;
    NEED(pipe(fds));
    start(0);
    EXPECT_ERRNO(EINTR, read(fds[0], &c, 1));
    EXPECT_TRUE(ticks >= 1);
    stop();
}

TEST(read_with_restart) {
    int fds[2];
    char c = 0;
    NEED(pipe(fds));
    feed = fds[1];
    start(SA_RESTART);
    EXPECT_EQ(1, read(fds[0], &c, 1));
    EXPECT_EQ('y', c);
    EXPECT_TRUE(ticks >= 2);
    stop();
}

TEST(write_to_a_full_pipe) {
    int fds[2];
    static char block[1 << 17];
    NEED(pipe(fds));
    start(0);
    long n = write(fds[1], block, sizeof block);
    EXPECT_EQ(65536, n);
    EXPECT_ERRNO(EINTR, write(fds[1], block, 1));
    stop();
}

TEST(poll_family_never_restarts) {
    struct timespec wait = {20, 0};
    struct epoll_event event;
    struct pollfd none = {-1, 0, 0};
    int ep = NEED(epoll_create1(0));
    start(SA_RESTART);
    EXPECT_ERRNO(EINTR, poll(&none, 1, 20000));
    EXPECT_ERRNO(EINTR, poll(NULL, 0, -1));
    EXPECT_ERRNO(EINTR, ppoll(NULL, 0, &wait, NULL));
    EXPECT_ERRNO(EINTR, select(0, NULL, NULL, NULL, NULL));
    EXPECT_ERRNO(EINTR, pselect(0, NULL, NULL, NULL, &wait, NULL));
    EXPECT_ERRNO(EINTR, epoll_wait(ep, &event, 1, 20000));
    EXPECT_ERRNO(EINTR, pause());
    EXPECT_ERRNO(EINTR, nanosleep(&wait, NULL));
    stop();
}

TEST(wait_restarts) {
    int gate[2];
    NEED(pipe(gate));
    pid_t pid = CHILD({ close(gate[1]); await_byte(gate[0]); _exit(6); });
    feed = gate[1];
    start(SA_RESTART);
    int status = 0;
    EXPECT_TRUE(waitpid(pid, &status, 0) == pid);
    EXPECT_EQ(0x600, status);
    stop();
    pid = CHILD({ for (;;) pause(); });
    start(0);
    EXPECT_ERRNO(EINTR, waitpid(pid, &status, 0));
    stop();
    kill(pid, SIGKILL);
    reap(pid);
}

TEST(sockets) {
    int fds[2];
    char c;
    NEED(socketpair(AF_UNIX, SOCK_STREAM, 0, fds));
    start(0);
    EXPECT_ERRNO(EINTR, recv(fds[0], &c, 1, 0));
    stop();
    feed = fds[1];
    start(SA_RESTART);
    EXPECT_EQ(1, recv(fds[0], &c, 1, 0));
    stop();
}

TEST(an_ignored_signal_interrupts_nothing) {
    int fds[2];
    char c;
    NEED(pipe(fds));
    signal(SIGUSR1, SIG_IGN);
    pid_t parent = getpid();
    pid_t pid = CHILD({ for (int i = 0; i < 50; i++) { kill(parent, SIGUSR1); kill(parent, SIGCHLD); kill(parent, SIGWINCH); } tell(fds[1]); });
    EXPECT_EQ(1, read(fds[0], &c, 1));
    EXPECT_EXIT(0, pid);
}
