// ppoll(2), pselect(2), epoll_pwait(2): the mask holds exactly while the call sleeps, signals end it, readiness and time do too.
#include "check.h"
#include <poll.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/select.h>

static volatile sig_atomic_t hits;
static volatile sig_atomic_t mask_in_handler;
static void hit(int sig) {
    sigset_t now;
    (void)sig;
    hits++;
    sigprocmask(SIG_BLOCK, NULL, &now);
    mask_in_handler = sigismember(&now, SIGUSR1) * 2 + sigismember(&now, SIGUSR2);
}

static int fds[2];
static sigset_t none, only_usr2, saved;

static void prepare(void) {
    struct sigaction act = {.sa_handler = hit};
    hits = 0;
    NEED(sigaction(SIGUSR1, &act, NULL));
    NEED(sigaction(SIGUSR2, &act, NULL));
    NEED(pipe(fds));
    sigset_t block;
    sigemptyset(&none);
    sigemptyset(&only_usr2);
    sigaddset(&only_usr2, SIGUSR2);
    sigemptyset(&block);
    sigaddset(&block, SIGUSR1);
    NEED(sigprocmask(SIG_SETMASK, &block, &saved));
}
static void finish(void) {
    sigset_t now;
    NEED(sigprocmask(SIG_BLOCK, NULL, &now));
    EXPECT_EQ(1, sigismember(&now, SIGUSR1));
    NEED(sigprocmask(SIG_SETMASK, &saved, NULL));
    close(fds[0]);
    close(fds[1]);
}
static void kill_parent_when_asleep(int sig) {
    // The parent's state letter tells when it sleeps; no time is measured.
    char path[64], text[512];
    snprintf(path, sizeof path, "/proc/%d/stat", getppid());
    for (int i = 0; i < 20000; i++) {
        int fd = open(path, O_RDONLY);
        ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
        close(fd);
        if (n > 0) {
            text[n] = 0;
            char *p = strrchr(text, ')');
            if (p && p[2] == 'S') break;
        }
        sched_yield();
    }
    kill(getppid(), sig);
}

TEST(ppoll_takes_a_pending_signal_that_the_mask_lets_through) {
    prepare();
    raise(SIGUSR1);
    struct pollfd p = {.fd = fds[0], .events = POLLIN};
    EXPECT_EQ(0, hits);
    EXPECT_ERRNO(EINTR, ppoll(&p, 1, NULL, &none));
    EXPECT_EQ(1, hits);
    EXPECT_EQ(2, mask_in_handler);
    finish();
}

TEST(ppoll_is_ended_by_a_signal_while_it_sleeps) {
    prepare();
    struct pollfd p = {.fd = fds[0], .events = POLLIN};
    pid_t child = CHILD(kill_parent_when_asleep(SIGUSR1));
    EXPECT_ERRNO(EINTR, ppoll(&p, 1, NULL, &none));
    EXPECT_EQ(1, hits);
    EXPECT_EXIT(0, child);
    finish();
}

TEST(ppoll_is_ended_by_readiness) {
    prepare();
    struct pollfd p[2] = {{.fd = fds[0], .events = POLLIN}, {.fd = -1, .events = POLLIN, .revents = 77}};
    pid_t child = CHILD(tell(fds[1]));
    EXPECT_EQ(1, ppoll(p, 2, NULL, &none));
    EXPECT_EQ(POLLIN, p[0].revents);
    EXPECT_EQ(0, p[1].revents);
    EXPECT_EXIT(0, child);
    finish();
}

TEST(ppoll_is_ended_by_time) {
    prepare();
    struct pollfd p = {.fd = fds[0], .events = POLLIN, .revents = 77};
    struct timespec t = {0, 3000000};
    EXPECT_EQ(0, ppoll(&p, 1, &t, &none));
    EXPECT_EQ(0, p.revents);
    t = (struct timespec){0, 0};
    EXPECT_EQ(0, ppoll(&p, 1, &t, &only_usr2));
    finish();
}

TEST(ppoll_prefers_readiness_to_a_pending_signal) {
    prepare();
    tell(fds[1]);
    raise(SIGUSR1);
    struct pollfd p = {.fd = fds[0], .events = POLLIN};
    EXPECT_EQ(1, ppoll(&p, 1, NULL, &none));
    EXPECT_EQ(0, hits);
    finish();
}

TEST(the_mask_holds_back_what_it_names) {
    prepare();
    struct pollfd p = {.fd = fds[0], .events = POLLIN};
    pid_t child = CHILD(kill_parent_when_asleep(SIGUSR2); tell(fds[1]));
    EXPECT_EQ(1, ppoll(&p, 1, NULL, &only_usr2));
    EXPECT_EXIT(0, child);
    EXPECT_EQ(1, hits);  // delivered on return, when the old mask is back
    finish();
}

TEST(pselect_with_a_mask) {
    prepare();
    fd_set set;
    FD_ZERO(&set);
    FD_SET(fds[0], &set);
    raise(SIGUSR1);
    EXPECT_ERRNO(EINTR, pselect(fds[0] + 1, &set, NULL, NULL, NULL, &none));
    EXPECT_EQ(1, hits);
    EXPECT_TRUE(FD_ISSET(fds[0], &set));
    struct timespec t = {0, 2000000};
    EXPECT_EQ(0, pselect(fds[0] + 1, &set, NULL, NULL, &t, &none));
    EXPECT_TRUE(!FD_ISSET(fds[0], &set));
    FD_SET(fds[0], &set);
    pid_t child = CHILD(tell(fds[1]));
    EXPECT_EQ(1, pselect(fds[0] + 1, &set, NULL, NULL, NULL, &none));
    EXPECT_TRUE(FD_ISSET(fds[0], &set));
    EXPECT_EXIT(0, child);
    finish();
}

TEST(epoll_pwait_with_a_mask) {
    prepare();
    int ep = NEED(epoll_create1(0));
    struct epoll_event e = {.events = EPOLLIN, .data.u64 = 5}, got;
    NEED(epoll_ctl(ep, EPOLL_CTL_ADD, fds[0], &e));
    raise(SIGUSR1);
    EXPECT_ERRNO(EINTR, epoll_pwait(ep, &got, 1, -1, &none));
    EXPECT_EQ(1, hits);
    EXPECT_EQ(0, epoll_pwait(ep, &got, 1, 2, &none));
    pid_t child = CHILD(tell(fds[1]));
    EXPECT_EQ(1, epoll_pwait(ep, &got, 1, -1, &none));
    EXPECT_EQ(5, got.data.u64);
    EXPECT_EXIT(0, child);
    child = CHILD(kill_parent_when_asleep(SIGUSR1));
    await_byte(fds[0]);
    EXPECT_ERRNO(EINTR, epoll_pwait(ep, &got, 1, -1, &none));
    EXPECT_EXIT(0, child);
    EXPECT_ERRNO(EINVAL, syscall(SYS_epoll_pwait, ep, &got, 1, 0, &none, 4));
    close(ep);
    finish();
}
