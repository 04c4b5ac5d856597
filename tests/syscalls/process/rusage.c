// getrusage(2), times(2): they grow, and children count once they are reaped.
#include "check.h"
#include <sys/resource.h>
#include <sys/times.h>

static long micros(struct timeval t) { return t.tv_sec * 1000000L + t.tv_usec; }

static void burn(void) {
    struct timespec now;
    do clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    while (now.tv_sec == 0 && now.tv_nsec < 60000000);
}

TEST(own_time_grows) {
    struct rusage usage;
    burn();
    EXPECT_OK(getrusage(RUSAGE_SELF, &usage));
    EXPECT_TRUE(micros(usage.ru_utime) + micros(usage.ru_stime) >= 20000);
    EXPECT_TRUE(usage.ru_maxrss > 500);
    EXPECT_OK(getrusage(RUSAGE_THREAD, &usage));
    EXPECT_TRUE(micros(usage.ru_utime) + micros(usage.ru_stime) >= 20000);
}

TEST(children_count_when_reaped) {
    struct rusage before, after;
    struct tms clocks;
    EXPECT_OK(getrusage(RUSAGE_CHILDREN, &before));
    EXPECT_EQ(0, micros(before.ru_utime));
    pid_t pid = CHILD({ burn(); });
    EXPECT_EXIT(0, pid);
    EXPECT_OK(getrusage(RUSAGE_CHILDREN, &after));
    EXPECT_TRUE(micros(after.ru_utime) + micros(after.ru_stime) >= 20000);
    EXPECT_TRUE(times(&clocks) != -1);
    EXPECT_TRUE(clocks.tms_cutime + clocks.tms_cstime >= 2);
}

TEST(bad_arguments) {
    struct rusage usage;
    EXPECT_ERRNO(EINVAL, getrusage(5, &usage));
    EXPECT_ERRNO(EFAULT, getrusage(RUSAGE_SELF, BAD_PTR));
    EXPECT_EQ(-EFAULT, RAW1(SYS_times, BAD_PTR));
    EXPECT_TRUE(RAW1(SYS_times, 0) != -EFAULT);
}
