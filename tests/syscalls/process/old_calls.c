// fork(2), getrlimit(2), setrlimit, sched_setscheduler(2), membarrier(2), sched_setparam: by number.
#include "check.h"
#include <linux/membarrier.h>
#include <sched.h>
#include <sys/resource.h>

TEST(fork_by_number) {
    long pid = RAW0(SYS_fork);
    if (pid == 0) RAW1(SYS_exit_group, 6);
    EXPECT_EXIT(6, (pid_t)pid);
}

TEST(limits_by_number) {
    struct rlimit limit, back;
    EXPECT_EQ(0, RAW2(SYS_getrlimit, RLIMIT_NOFILE, &limit));
    EXPECT_TRUE(limit.rlim_cur <= limit.rlim_max);
    limit.rlim_cur = 64;
    EXPECT_EQ(0, RAW2(SYS_setrlimit, RLIMIT_NOFILE, &limit));
    EXPECT_EQ(0, RAW2(SYS_getrlimit, RLIMIT_NOFILE, &back));
    EXPECT_EQ(64, back.rlim_cur);
    EXPECT_EQ(-EMFILE, RAW3(SYS_fcntl, 1, F_DUPFD, 63) == 63 ? RAW3(SYS_fcntl, 1, F_DUPFD, 63) : 0);
    limit.rlim_cur = limit.rlim_max + 1;
    if (limit.rlim_max != RLIM_INFINITY) EXPECT_EQ(-EINVAL, RAW2(SYS_setrlimit, RLIMIT_NOFILE, &limit));
    EXPECT_EQ(-EINVAL, RAW2(SYS_getrlimit, 99, &limit));
    EXPECT_EQ(-EFAULT, RAW2(SYS_setrlimit, RLIMIT_NOFILE, BAD_PTR));
}

TEST(policies) {
    struct sched_param param = {0}, bad = {7};
    EXPECT_EQ(0, RAW3(SYS_sched_setscheduler, 0, SCHED_BATCH, &param));
    EXPECT_EQ(SCHED_BATCH, RAW1(SYS_sched_getscheduler, 0));
    EXPECT_EQ(0, RAW2(SYS_sched_setparam, 0, &param));
    EXPECT_EQ(-EINVAL, RAW2(SYS_sched_setparam, 0, &bad));
    EXPECT_EQ(0, RAW3(SYS_sched_setscheduler, 0, SCHED_IDLE, &param));
    EXPECT_EQ(-EINVAL, RAW3(SYS_sched_setscheduler, 0, SCHED_BATCH, &bad));
    EXPECT_EQ(-EINVAL, RAW3(SYS_sched_setscheduler, 0, SCHED_BATCH, NULL));
    EXPECT_EQ(-ESRCH, RAW3(SYS_sched_setscheduler, 0x3ffffff0, SCHED_BATCH, &param));
}

TEST(barriers) {
    EXPECT_TRUE(RAW3(SYS_membarrier, MEMBARRIER_CMD_QUERY, 0, 0) > 0);
    EXPECT_EQ(-EPERM, RAW3(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0));
    EXPECT_EQ(0, RAW3(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0));
    EXPECT_EQ(0, RAW3(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0));
    EXPECT_EQ(-EINVAL, RAW3(SYS_membarrier, 1 << 20, 0, 0));
}
