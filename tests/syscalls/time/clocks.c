// clock_gettime(2), clock_getres(2), gettimeofday(2), time(2): by the vDSO and by the call.
#include "check.h"
#include <sys/time.h>

static long long ns(struct timespec t) { return t.tv_sec * 1000000000ll + t.tv_nsec; }

TEST(every_clock_answers_and_advances) {
    int clocks[] = {CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_PROCESS_CPUTIME_ID, CLOCK_THREAD_CPUTIME_ID, CLOCK_MONOTONIC_RAW,
                    CLOCK_REALTIME_COARSE, CLOCK_MONOTONIC_COARSE, CLOCK_BOOTTIME, CLOCK_TAI};
    for (int i = 0; i < 9; i++) {
        struct timespec a, b, res;
        EXPECT_OK(clock_gettime(clocks[i], &a));
        EXPECT_EQ(0, RAW2(SYS_clock_gettime, GARBAGE(clocks[i]), &b));
        EXPECT_TRUE(ns(b) >= ns(a) && ns(b) - ns(a) < 5000000000ll);
        EXPECT_OK(clock_getres(clocks[i], &res));
        EXPECT_TRUE(res.tv_sec == 0 && res.tv_nsec > 0);
    }
}

TEST(they_agree) {
    struct timespec t;
    struct timeval v;
    clock_gettime(CLOCK_REALTIME, &t);
    EXPECT_OK(gettimeofday(&v, NULL));
    EXPECT_TRUE(v.tv_sec - t.tv_sec <= 1);
    EXPECT_TRUE(time(NULL) - t.tv_sec <= 1);
    EXPECT_TRUE(t.tv_sec > 1700000000);
    EXPECT_TRUE(RAW1(SYS_time, 0) - t.tv_sec <= 2);
}

TEST(errors) {
    struct timespec t;
    EXPECT_EQ(-EINVAL, RAW2(SYS_clock_gettime, 99, &t));
    EXPECT_EQ(-EFAULT, RAW2(SYS_clock_gettime, CLOCK_REALTIME, BAD_PTR));
    EXPECT_EQ(-EINVAL, RAW2(SYS_clock_getres, 99, &t));
    EXPECT_EQ(0, RAW2(SYS_clock_getres, CLOCK_REALTIME, 0));
    EXPECT_EQ(-EINVAL, RAW2(SYS_clock_settime, CLOCK_MONOTONIC, &t));
    EXPECT_EQ(-EFAULT, RAW2(SYS_clock_settime, CLOCK_REALTIME, BAD_PTR));
    EXPECT_EQ(-EFAULT, RAW2(SYS_gettimeofday, BAD_PTR, 0));
}

TEST(monotonic_over_fork) {
    struct timespec a, b;
    clock_gettime(CLOCK_MONOTONIC, &a);
    pid_t pid = CHILD({ clock_gettime(CLOCK_MONOTONIC, &b); EXPECT_TRUE(ns(b) >= ns(a)); });
    EXPECT_EXIT(0, pid);
}
