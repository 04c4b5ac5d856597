// sigaction(2): what is stored comes back; flags do what they say.
#include "check.h"

static volatile int calls, blocked_inside, last;

static void handler(int sig) {
    sigset_t now;
    sigprocmask(SIG_BLOCK, NULL, &now);
    blocked_inside = sigismember(&now, SIGUSR1) * 2 + sigismember(&now, SIGUSR2);
    last = sig;
    calls++;
}

TEST(stored_and_returned) {
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART | SA_NODEFER}, old;
    sigemptyset(&action.sa_mask);
    sigaddset(&action.sa_mask, SIGHUP);
    EXPECT_OK(sigaction(SIGUSR1, &action, &old));
    EXPECT_TRUE(old.sa_handler == SIG_DFL);
    EXPECT_OK(sigaction(SIGUSR1, NULL, &old));
    EXPECT_TRUE(old.sa_handler == handler);
    EXPECT_TRUE(old.sa_flags & SA_RESTART);
    EXPECT_TRUE(sigismember(&old.sa_mask, SIGHUP));
    EXPECT_TRUE(!sigismember(&old.sa_mask, SIGINT));
}

TEST(mask_during_the_handler) {
    struct sigaction action = {.sa_handler = handler};
    sigemptyset(&action.sa_mask);
    sigaction(SIGUSR1, &action, NULL);
    raise(SIGUSR1);
    EXPECT_EQ(2, blocked_inside);
    sigaddset(&action.sa_mask, SIGUSR2);
    action.sa_flags = SA_NODEFER;
    sigaction(SIGUSR1, &action, NULL);
    raise(SIGUSR1);
    EXPECT_EQ(1, blocked_inside);
    sigset_t now;
    sigprocmask(SIG_BLOCK, NULL, &now);
    EXPECT_TRUE(sigisemptyset(&now));
}

TEST(resethand) {
    struct sigaction action = {.sa_handler = handler, .sa_flags = (int)SA_RESETHAND}, old;
    sigemptyset(&action.sa_mask);
    sigaction(SIGUSR2, &action, NULL);
    calls = 0;
    raise(SIGUSR2);
    EXPECT_EQ(1, calls);
    sigaction(SIGUSR2, NULL, &old);
    EXPECT_TRUE(old.sa_handler == SIG_DFL);
}

TEST(errors) {
    struct sigaction action = {.sa_handler = handler};
    EXPECT_ERRNO(EINVAL, sigaction(SIGKILL, &action, NULL));
    EXPECT_ERRNO(EINVAL, sigaction(SIGSTOP, &action, NULL));
    EXPECT_ERRNO(EINVAL, sigaction(0, &action, NULL));
    EXPECT_ERRNO(EINVAL, sigaction(65, &action, NULL));
    EXPECT_OK(sigaction(SIGKILL, NULL, &action));
    EXPECT_EQ(-EINVAL, RAW4(SYS_rt_sigaction, SIGUSR1, 0, 0, 4));
    EXPECT_EQ(-EFAULT, RAW4(SYS_rt_sigaction, SIGUSR1, BAD_PTR, 0, 8));
    EXPECT_EQ(0, RAW4(SYS_rt_sigaction, GARBAGE(SIGUSR1), 0, 0, 8));
}

TEST(ignored_signals_leave_no_trace) {
    signal(SIGUSR1, SIG_IGN);
    EXPECT_OK(raise(SIGUSR1));
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, NULL);
    raise(SIGUSR1);
    sigpending(&set);
    EXPECT_TRUE(!sigismember(&set, SIGUSR1) || sigismember(&set, SIGUSR1));
    signal(SIGUSR1, SIG_IGN);
    sigpending(&set);
    EXPECT_TRUE(!sigismember(&set, SIGUSR1));
    sigemptyset(&set);
    sigprocmask(SIG_SETMASK, &set, NULL);
}

TEST(child_inherits_handlers) {
    signal(SIGUSR1, handler);
    pid_t pid = CHILD({ calls = 0; raise(SIGUSR1); EXPECT_EQ(1, calls); });
    EXPECT_EXIT(0, pid);
}
