// sigsuspend(2), pause(2), ppoll(2) with a mask: the mask counts only while waiting, with no gap.
#include "check.h"
#include <poll.h>
#include <sys/epoll.h>
#include <sys/select.h>

static volatile int hits;
static void handler(int sig) { hits++; }

static sigset_t one(int sig) {
    sigset_t set;
    sigemptyset(&set);
    if (sig) sigaddset(&set, sig);
    return set;
}

static void prepare(void) {
    struct sigaction action = {.sa_handler = handler};
    sigset_t set = one(SIGUSR1);
    sigaction(SIGUSR1, &action, NULL);
    sigprocmask(SIG_BLOCK, &set, NULL);
    hits = 0;
}

static int still_blocked(void) {
    sigset_t now;
    sigprocmask(SIG_BLOCK, NULL, &now);
    return sigismember(&now, SIGUSR1);
}

TEST(suspend_takes_a_pending_signal) {
    prepare();
    raise(SIGUSR1);
    EXPECT_EQ(0, hits);
    sigset_t none = one(0);
    EXPECT_ERRNO(EINTR, sigsuspend(&none));
    EXPECT_EQ(1, hits);
    EXPECT_EQ(1, still_blocked());
}

TEST(suspend_waits_for_another_process) {
    prepare();
    pid_t parent = getpid();
    pid_t pid = CHILD({ kill(parent, SIGUSR1); });
    sigset_t none = one(0);
    EXPECT_ERRNO(EINTR, sigsuspend(&none));
    EXPECT_EQ(1, hits);
    EXPECT_EXIT(0, pid);
}

TEST(ppoll_with_a_mask) {
    prepare();
    raise(SIGUSR1);
    sigset_t none = one(0);
    struct timespec wait = {20, 0}, zero = {0, 0};
    EXPECT_ERRNO(EINTR, ppoll(NULL, 0, &wait, &none));
    EXPECT_EQ(1, hits);
    EXPECT_EQ(1, still_blocked());
    EXPECT_EQ(0, ppoll(NULL, 0, &zero, &none));
    int fds[2];
    NEED(pipe(fds));
    tell(fds[1]);
    struct pollfd entry = {fds[0], POLLIN, 0};
    EXPECT_EQ(1, ppoll(&entry, 1, &wait, &none));
    EXPECT_EQ(POLLIN, entry.revents);
    EXPECT_EQ(1, still_blocked());
    pid_t parent = getpid();
    close(fds[0]);
    NEED(pipe(fds));
    entry.fd = fds[0];
    pid_t pid = CHILD({ tell(fds[1]); (void)parent; });
    EXPECT_EQ(1, ppoll(&entry, 1, NULL, &none));
    EXPECT_EXIT(0, pid);
}

TEST(pselect_and_epoll_pwait_with_a_mask) {
    prepare();
    sigset_t none = one(0);
    struct timespec wait = {20, 0};
    struct epoll_event event;
    raise(SIGUSR1);
    EXPECT_ERRNO(EINTR, pselect(0, NULL, NULL, NULL, &wait, &none));
    EXPECT_EQ(1, hits);
    raise(SIGUSR1);
    int ep = NEED(epoll_create1(0));
    EXPECT_ERRNO(EINTR, epoll_pwait(ep, &event, 1, 20000, &none));
    EXPECT_EQ(2, hits);
    EXPECT_EQ(1, still_blocked());
    EXPECT_EQ(0, epoll_pwait(ep, &event, 1, 0, &none));
}

TEST(a_signal_from_outside_ends_a_masked_wait) {
    prepare();
    sigset_t none = one(0);
    pid_t parent = getpid();
    pid_t pid = CHILD({ kill(parent, SIGUSR1); });
    EXPECT_ERRNO(EINTR, ppoll(NULL, 0, NULL, &none));
    EXPECT_EQ(1, hits);
    EXPECT_EXIT(0, pid);
}

TEST(errors) {
    EXPECT_EQ(-EINVAL, RAW2(SYS_rt_sigsuspend, BAD_PTR, 4));
    EXPECT_EQ(-EFAULT, RAW2(SYS_rt_sigsuspend, BAD_PTR, 8));
    sigset_t none = one(0);
    EXPECT_EQ(-EINVAL, RAW5(SYS_ppoll, 0, 0, 0, &none, 4));
    EXPECT_EQ(-EFAULT, RAW5(SYS_ppoll, 0, 0, 0, BAD_PTR, 8));
}
