// sigprocmask(2), sigpending(2): blocked signals wait, once each; real-time ones queue in order.
#include "check.h"

static volatile int order[16], count;
static void handler(int sig) { if (count < 16) order[count] = sig; count++; }

static void block(int how, int sig) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, sig);
    NEED(sigprocmask(how, &set, NULL));
}

TEST(pending_then_delivered) {
    sigset_t set;
    signal(SIGUSR1, handler);
    block(SIG_BLOCK, SIGUSR1);
    raise(SIGUSR1);
    raise(SIGUSR1);
    EXPECT_EQ(0, count);
    EXPECT_OK(sigpending(&set));
    EXPECT_EQ(1, sigismember(&set, SIGUSR1));
    block(SIG_UNBLOCK, SIGUSR1);
    EXPECT_EQ(1, count);
    EXPECT_OK(sigpending(&set));
    EXPECT_EQ(0, sigismember(&set, SIGUSR1));
}

TEST(realtime_signals_queue) {
    count = 0;
    signal(SIGRTMIN + 1, handler);
    signal(SIGRTMIN, handler);
    block(SIG_BLOCK, SIGRTMIN + 1);
    block(SIG_BLOCK, SIGRTMIN);
    for (int i = 0; i < 3; i++) raise(SIGRTMIN + 1);
    for (int i = 0; i < 2; i++) raise(SIGRTMIN);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    EXPECT_EQ(5, count);
    int sum = 0;
    for (int i = 0; i < 5; i++) sum += order[i] - SIGRTMIN;
    EXPECT_EQ(3, sum);
}

TEST(kill_and_stop_cannot_be_blocked) {
    sigset_t all, got;
    sigfillset(&all);
    EXPECT_OK(sigprocmask(SIG_SETMASK, &all, NULL));
    EXPECT_OK(sigprocmask(SIG_BLOCK, NULL, &got));
    EXPECT_EQ(0, sigismember(&got, SIGKILL));
    EXPECT_EQ(0, sigismember(&got, SIGSTOP));
    EXPECT_EQ(1, sigismember(&got, SIGTERM));
    sigemptyset(&all);
    EXPECT_OK(sigprocmask(SIG_SETMASK, &all, NULL));
}

TEST(child_inherits_mask_but_not_pending) {
    block(SIG_BLOCK, SIGUSR1);
    raise(SIGUSR1);
    pid_t pid = CHILD({
        sigset_t set;
        sigprocmask(SIG_BLOCK, NULL, &set);
        EXPECT_EQ(1, sigismember(&set, SIGUSR1));
        sigpending(&set);
        EXPECT_EQ(0, sigismember(&set, SIGUSR1));
    });
    EXPECT_EXIT(0, pid);
    signal(SIGUSR1, SIG_IGN);
    block(SIG_UNBLOCK, SIGUSR1);
}

TEST(errors) {
    sigset_t set;
    sigemptyset(&set);
    EXPECT_ERRNO(EINVAL, sigprocmask(99, &set, NULL));
    EXPECT_OK(sigprocmask(99, NULL, &set));
    EXPECT_EQ(-EINVAL, RAW4(SYS_rt_sigprocmask, SIG_BLOCK, &set, 0, 4));
    EXPECT_EQ(-EFAULT, RAW4(SYS_rt_sigprocmask, SIG_BLOCK, BAD_PTR, 0, 8));
    EXPECT_EQ(-EFAULT, RAW4(SYS_rt_sigprocmask, SIG_BLOCK, 0, BAD_PTR, 8));
    EXPECT_EQ(-EFAULT, RAW2(SYS_rt_sigpending, BAD_PTR, 8));
}
