// sched_setattr(2), sched_setscheduler(2): every error, and what an ordinary program may change.
#include "check.h"
#include <sched.h>
#include <sys/resource.h>

enum { NOBODY_HAS = 0x3ffffff0, EXT = 7 };
struct attributes {
    uint32_t size, policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime, deadline, period;
    uint32_t util_min, util_max;
};
static struct attributes attr;
static long set(int pid, unsigned flags) { return RAW3(SYS_sched_setattr, pid, &attr, flags); }
static long get(int pid, unsigned size, unsigned flags) { return RAW4(SYS_sched_getattr, pid, &attr, size, flags); }

TEST(set_attributes) {
    pid_t pid = CHILD({
        attr = (struct attributes){.size = 48, .nice = 3};
        EXPECT_EQ(0, set(0, 0));
        EXPECT_EQ(3, getpriority(PRIO_PROCESS, 0));
        attr.policy = SCHED_BATCH; attr.nice = 4; attr.flags = 1;
        EXPECT_EQ(0, set(getpid(), 0));
        EXPECT_EQ(SCHED_BATCH | SCHED_RESET_ON_FORK, sched_getscheduler(0));
        memset(&attr, 0xee, sizeof attr);
        EXPECT_EQ(0, get(0, sizeof attr, 0));
        SHOW(attr.size); SHOW(attr.policy); SHOW(attr.flags); SHOW(attr.nice); SHOW(attr.priority);
        pid_t child = CHILD({ EXPECT_EQ(SCHED_BATCH, sched_getscheduler(0)); });
        EXPECT_EXIT(0, child);
        attr = (struct attributes){.size = 0, .policy = SCHED_IDLE, .flags = 1, .nice = 19};
        EXPECT_EQ(0, set(0, 0));
    });
    EXPECT_EXIT(0, pid);
}

TEST(errors) {
    attr = (struct attributes){.size = 10};
    EXPECT_EQ(-E2BIG, set(0, 0));
    EXPECT_EQ(56, attr.size);
    EXPECT_EQ(-EINVAL, set(0, 1));
    EXPECT_EQ(-EINVAL, set(-1, 0));
    EXPECT_EQ(-ESRCH, set(NOBODY_HAS, 0));
    EXPECT_EQ(-EINVAL, RAW3(SYS_sched_setattr, 0, 0, 0));
    EXPECT_EQ(-EFAULT, RAW3(SYS_sched_setattr, 0, BAD_PTR, 0));
    attr.policy = 99;
    EXPECT_EQ(-EINVAL, set(0, 0));
    attr.policy = SCHED_FIFO;
    EXPECT_EQ(-EINVAL, set(0, 0));
    attr.policy = 0; attr.flags = 0x1000;
    EXPECT_EQ(-EINVAL, set(0, 0));
    EXPECT_EQ(-EINVAL, get(0, 47, 0));
    EXPECT_EQ(-EINVAL, get(0, 56, 1));
    EXPECT_EQ(-EINVAL, get(-1, 56, 0));
    EXPECT_EQ(-EINVAL, get(0, 4097, 0));
    EXPECT_EQ(-ESRCH, get(NOBODY_HAS, 56, 0));
}

TEST(priorities_belong_to_real_time) {
    struct sched_param param = {0};
    EXPECT_ERRNO(EINVAL, sched_setscheduler(0, SCHED_FIFO, &param));
    EXPECT_ERRNO(EINVAL, sched_setscheduler(0, 6, &param));
    param.sched_priority = 100;
    EXPECT_ERRNO(EINVAL, sched_setscheduler(0, SCHED_RR, &param));
    param.sched_priority = 1;
    EXPECT_ERRNO(EINVAL, sched_setscheduler(0, SCHED_OTHER, &param));
    EXPECT_ERRNO(EINVAL, sched_setscheduler(0, 4, &param));
    EXPECT_ERRNO(EINVAL, sched_setscheduler(0, -1, &param));
    EXPECT_ERRNO(EINVAL, sched_setscheduler(0, 0, NULL));
    EXPECT_EQ(-EFAULT, RAW3(SYS_sched_setscheduler, 0, 0, BAD_PTR));
    EXPECT_EQ(0, sched_get_priority_max(EXT));
    EXPECT_EQ(0, sched_get_priority_min(EXT));
    EXPECT_ERRNO(EINVAL, sched_get_priority_max(8));
}

TEST(real_time_is_privileged) {
    pid_t pid = CHILD({
        if (geteuid() == 0) NEED(setuid(1934711));
        struct rlimit none = {0, 0};
        NEED(setrlimit(RLIMIT_RTPRIO, &none));
        struct sched_param param = {1};
        EXPECT_ERRNO(EPERM, sched_setscheduler(0, SCHED_FIFO, &param));
        attr = (struct attributes){.size = 56, .policy = SCHED_RR, .priority = 1};
        EXPECT_EQ(-EPERM, set(0, 0));
        attr = (struct attributes){.size = 56, .policy = 6, .runtime = 1000000, .deadline = 10000000, .period = 10000000};
        EXPECT_EQ(-EPERM, set(0, 0));
    });
    EXPECT_EXIT(0, pid);
}
