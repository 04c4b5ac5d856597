// nanosleep(2), clock_nanosleep(2): never short, remaining time, absolute deadlines.
#include "check.h"

static long long now(void) { struct timespec t; clock_gettime(CLOCK_MONOTONIC, &t); return t.tv_sec * 1000000000ll + t.tv_nsec; }
static void handler(int sig) {}

TEST(never_short) {
    struct timespec t = {0, 20000000};
    long long start = now();
    EXPECT_OK(nanosleep(&t, NULL));
    EXPECT_TRUE(now() - start >= 20000000);
    EXPECT_EQ(0, clock_nanosleep(CLOCK_REALTIME, 0, &t, NULL));
}

TEST(absolute) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    EXPECT_EQ(0, clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL));
    t.tv_sec = 1;
    EXPECT_EQ(0, clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &t, NULL));
}

TEST(interrupted_tells_the_rest) {
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};
    struct timespec t = {30, 0}, rest = {0, 0};
    sigaction(SIGALRM, &action, NULL);
    timer_t timer;
    struct itimerspec when = {{0, 10000000}, {0, 10000000}}, off = {{0, 0}, {0, 0}};
    NEED(timer_create(CLOCK_MONOTONIC, NULL, &timer));
    NEED(timer_settime(timer, 0, &when, NULL));
    EXPECT_ERRNO(EINTR, nanosleep(&t, &rest));
    EXPECT_TRUE(rest.tv_sec >= 25 && rest.tv_sec < 30);
    EXPECT_EQ(EINTR, clock_nanosleep(CLOCK_MONOTONIC, 0, &t, &rest));
    NEED(timer_settime(timer, 0, &off, NULL));
}

TEST(errors) {
    struct timespec bad = {0, 1000000000}, negative = {-1, 0};
    EXPECT_ERRNO(EINVAL, nanosleep(&bad, NULL));
    EXPECT_ERRNO(EINVAL, nanosleep(&negative, NULL));
    EXPECT_ERRNO(EFAULT, nanosleep(BAD_PTR, NULL));
    EXPECT_EQ(EINVAL, clock_nanosleep(99, 0, &bad, NULL));
    EXPECT_EQ(EINVAL, clock_nanosleep(CLOCK_THREAD_CPUTIME_ID, 0, &negative, NULL));
}
