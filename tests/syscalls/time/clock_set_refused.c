// clock_settime(2), settimeofday(2), adjtimex(2): what is wrong is said before it is forbidden.
#include "check.h"
#include <sys/time.h>
#include <sys/timex.h>

static clockid_t clock_of(pid_t pid) { return (~(clockid_t)pid << 3) | 2; }

TEST(clock_settime_errors) {
    struct timespec ts = {-1, 0};
    EXPECT_ERRNO(EINVAL, clock_settime(CLOCK_REALTIME, &ts));
    ts = (struct timespec){1, 1000000000};
    EXPECT_ERRNO(EINVAL, clock_settime(CLOCK_REALTIME, &ts));
    ts = (struct timespec){1, 0};
    EXPECT_ERRNO(EINVAL, clock_settime(CLOCK_MONOTONIC, &ts));
    EXPECT_ERRNO(EINVAL, clock_settime(99, &ts));
    EXPECT_EQ(-EFAULT, RAW2(SYS_clock_settime, CLOCK_REALTIME, BAD_PTR));
    EXPECT_ERRNO(EPERM, clock_settime(clock_of(getpid()), &ts));
    EXPECT_ERRNO(EINVAL, clock_settime(clock_of(0x0ffffff0), &ts));
}

TEST(settimeofday_errors) {
    struct timeval tv = {1, 1000000};
    EXPECT_EQ(-EFAULT, RAW2(SYS_settimeofday, BAD_PTR, 0));
    EXPECT_EQ(-EFAULT, RAW2(SYS_settimeofday, 0, BAD_PTR));
    EXPECT_EQ(-EINVAL, RAW2(SYS_settimeofday, &tv, 0));
    tv.tv_usec = -1;
    EXPECT_EQ(-EINVAL, RAW2(SYS_settimeofday, &tv, 0));
    tv = (struct timeval){-1, 0};
    EXPECT_EQ(-EINVAL, RAW2(SYS_settimeofday, &tv, 0));
}

TEST(adjtimex_errors) {
    struct timex t = {.modes = 0x8000};
    EXPECT_ERRNO(EINVAL, adjtimex(&t));
}
