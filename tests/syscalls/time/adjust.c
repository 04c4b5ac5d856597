// adjtimex(2), clock_adjtime(2): reading the clock's discipline; errors. What it says is the host's own affair.
#include "check.h"
#include <sys/timex.h>
#include <time.h>

TEST(reading) {
    struct timex t = {0};
    EXPECT_TRUE(syscall(SYS_adjtimex, &t) >= 0);
    EXPECT_TRUE(t.tick >= 9000 && t.tick <= 11000);
    EXPECT_TRUE(labs(t.time.tv_sec - time(NULL)) < 1000);
    memset(&t, 0, sizeof t);
    EXPECT_TRUE(clock_adjtime(CLOCK_REALTIME, &t) >= 0);
    EXPECT_TRUE(t.tick >= 9000 && t.tick <= 11000);
}

TEST(errors) {
    struct timex t = {0};
    EXPECT_ERRNO(EFAULT, syscall(SYS_adjtimex, BAD_PTR));
    EXPECT_ERRNO(EFAULT, syscall(SYS_clock_adjtime, CLOCK_REALTIME, BAD_PTR));
    EXPECT_ERRNO(EINVAL, syscall(SYS_clock_adjtime, 99, &t));
    EXPECT_ERRNO(EOPNOTSUPP, syscall(SYS_clock_adjtime, CLOCK_MONOTONIC, &t));
    EXPECT_ERRNO(EOPNOTSUPP, syscall(SYS_clock_adjtime, CLOCK_PROCESS_CPUTIME_ID, &t));
    EXPECT_ERRNO(EOPNOTSUPP, syscall(SYS_clock_adjtime, -1, &t));
    EXPECT_ERRNO(EINVAL, syscall(SYS_clock_adjtime, 10, &t));
    EXPECT_ERRNO(EFAULT, syscall(SYS_clock_adjtime, 99, BAD_PTR));
}
