// Handlers that interrupt handlers, longjmp out of one, and fork inside one.
#include "check.h"
#include <setjmp.h>

static volatile int depth, deepest, trace[8], steps;
static sigjmp_buf back;

static void inner(int sig) { depth++; if (depth > deepest) deepest = depth; trace[steps++] = sig; depth--; }
static void outer(int sig) { depth++; trace[steps++] = sig; raise(SIGUSR2); trace[steps++] = -sig; depth--; }
static void leave(int sig) { siglongjmp(back, sig); }

TEST(nesting) {
    signal(SIGUSR1, outer);
    signal(SIGUSR2, inner);
    raise(SIGUSR1);
    EXPECT_EQ(2, deepest);
    EXPECT_EQ(SIGUSR1, trace[0]);
    EXPECT_EQ(SIGUSR2, trace[1]);
    EXPECT_EQ(-SIGUSR1, trace[2]);
}

TEST(longjmp_restores_the_mask) {
    signal(SIGUSR1, leave);
    for (int i = 0; i < 3; i++) {
        int got = sigsetjmp(back, 1);
        if (got == 0) { raise(SIGUSR1); EXPECT_TRUE(0); }
        else EXPECT_EQ(SIGUSR1, got);
    }
}

TEST(longjmp_out_of_a_blocking_read) {
    int fds[2];
    char c;
    NEED(pipe(fds));
    signal(SIGALRM, leave);
    if (sigsetjmp(back, 1) == 0) {
        struct itimerspec when = {{0, 10000000}, {0, 10000000}};
        timer_t timer;
        NEED(timer_create(CLOCK_MONOTONIC, NULL, &timer));
        NEED(timer_settime(timer, 0, &when, NULL));
        read(fds[0], &c, 1);
        EXPECT_TRUE(0);
    }
    signal(SIGALRM, SIG_IGN);
    tell(fds[1]);
    EXPECT_EQ(1, read(fds[0], &c, 1));
}

static volatile pid_t born;
static void forker(int sig) { born = fork(); if (born == 0) _exit(21); }

TEST(fork_in_a_handler) {
    signal(SIGUSR1, forker);
    raise(SIGUSR1);
    EXPECT_EXIT(21, born);
}
