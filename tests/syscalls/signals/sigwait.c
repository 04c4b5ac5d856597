// sigwaitinfo(2), sigtimedwait(2): blocked signals are taken without a handler.
#include "check.h"

static sigset_t set;

static void prepare(void) {
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigaddset(&set, SIGRTMIN + 3);
    NEED(sigprocmask(SIG_BLOCK, &set, NULL));
}

TEST(takes_a_pending_signal) {
    siginfo_t info;
    prepare();
    kill(getpid(), SIGUSR1);
    EXPECT_EQ(SIGUSR1, sigwaitinfo(&set, &info));
    EXPECT_EQ(SI_USER, info.si_code);
    EXPECT_TRUE(info.si_pid == getpid());
    sigset_t pending;
    sigpending(&pending);
    EXPECT_EQ(0, sigismember(&pending, SIGUSR1));
}

TEST(timeout) {
    struct timespec zero = {0, 0}, little = {0, 1000000}, bad = {0, 2000000000};
    EXPECT_ERRNO(EAGAIN, sigtimedwait(&set, NULL, &zero));
    EXPECT_ERRNO(EAGAIN, sigtimedwait(&set, NULL, &little));
    EXPECT_ERRNO(EINVAL, sigtimedwait(&set, NULL, &bad));
}

TEST(queue_keeps_values_in_order) {
    siginfo_t info;
    for (int i = 0; i < 3; i++) NEED(sigqueue(getpid(), SIGRTMIN + 3, (union sigval){.sival_int = i}));
    for (int i = 0; i < 3; i++) {
        EXPECT_TRUE(sigwaitinfo(&set, &info) == SIGRTMIN + 3);
        EXPECT_EQ(i, info.si_value.sival_int);
    }
}

TEST(from_another_process) {
    siginfo_t info;
    pid_t parent = getpid(), pid = CHILD({ kill(parent, SIGUSR1); });
    EXPECT_EQ(SIGUSR1, sigwaitinfo(&set, &info));
    EXPECT_TRUE(info.si_pid == pid);
    EXPECT_EXIT(0, pid);
}

TEST(errors) {
    EXPECT_EQ(-EINVAL, RAW4(SYS_rt_sigtimedwait, &set, 0, 0, 4));
    EXPECT_EQ(-EFAULT, RAW4(SYS_rt_sigtimedwait, BAD_PTR, 0, 0, 8));
}
