// getpriority(2), setpriority(2), sched_*(2): what an ordinary program asks.
#include "check.h"
#include <sched.h>
#include <sys/resource.h>

TEST(nice_values) {
    SHOW(getpriority(PRIO_PROCESS, 0));
    pid_t pid = CHILD({
        EXPECT_OK(setpriority(PRIO_PROCESS, 0, 5));
        EXPECT_EQ(5, getpriority(PRIO_PROCESS, 0));
        EXPECT_EQ(15, RAW2(SYS_getpriority, GARBAGE(PRIO_PROCESS), GARBAGE(0)));
        EXPECT_OK(setpriority(PRIO_PROCESS, 0, 100));
        EXPECT_EQ(19, getpriority(PRIO_PROCESS, 0));
    });
    EXPECT_EXIT(0, pid);
    EXPECT_ERRNO(EINVAL, getpriority(9, 0));
    EXPECT_ERRNO(ESRCH, getpriority(PRIO_PROCESS, 0x3ffffff0));
}

TEST(scheduler) {
    struct sched_param param = {-1};
    EXPECT_EQ(SCHED_OTHER, sched_getscheduler(0));
    EXPECT_OK(sched_getparam(0, &param));
    EXPECT_EQ(0, param.sched_priority);
    EXPECT_ERRNO(EINVAL, sched_setscheduler(0, 99, &param));
    EXPECT_ERRNO(ESRCH, sched_getscheduler(0x3ffffff0));
    EXPECT_EQ(99, sched_get_priority_max(SCHED_FIFO));
    EXPECT_EQ(1, sched_get_priority_min(SCHED_FIFO));
    EXPECT_EQ(0, sched_get_priority_max(SCHED_OTHER));
    EXPECT_ERRNO(EINVAL, sched_get_priority_max(99));
    EXPECT_OK(sched_yield());
}

TEST(affinity) {
    cpu_set_t set;
    EXPECT_OK(sched_getaffinity(0, sizeof set, &set));
    EXPECT_TRUE(CPU_COUNT(&set) > 0);
    EXPECT_TRUE(CPU_COUNT(&set) == sysconf(_SC_NPROCESSORS_ONLN) || CPU_COUNT(&set) > 0);
    EXPECT_ERRNO(EINVAL, sched_getaffinity(0, 1, &set));
    EXPECT_ERRNO(ESRCH, sched_getaffinity(0x3ffffff0, sizeof set, &set));
    CPU_ZERO(&set);
    EXPECT_ERRNO(EINVAL, sched_setaffinity(0, sizeof set, &set));
}

enum { WHO_PROCESS = 1, WHO_PGRP, WHO_USER, CLASS_BE = 2 << 13, CLASS_IDLE = 3 << 13 };
static long ioprio_get(int which, int who) { return syscall(SYS_ioprio_get, which, who); }
static long ioprio_set(int which, int who, int value) { return syscall(SYS_ioprio_set, which, who, value); }

TEST(io_priorities) {
    pid_t pid = CHILD({
        EXPECT_OK(ioprio_set(WHO_PROCESS, 0, CLASS_BE | 6));
        EXPECT_EQ(CLASS_BE | 6, ioprio_get(WHO_PROCESS, 0));
        EXPECT_EQ(CLASS_BE | 6, ioprio_get(WHO_PROCESS, getpid()));
        EXPECT_OK(ioprio_set(WHO_PROCESS, getpid(), CLASS_IDLE));
        EXPECT_EQ(CLASS_IDLE, ioprio_get(WHO_PROCESS, 0) & ~7);
        pid_t child = CHILD({ EXPECT_EQ(CLASS_IDLE, ioprio_get(WHO_PROCESS, 0) & ~7); });
        EXPECT_EXIT(0, child);
    });
    EXPECT_EXIT(0, pid);
    EXPECT_ERRNO(EINVAL, ioprio_get(9, 0));
    EXPECT_ERRNO(EINVAL, ioprio_set(9, 0, CLASS_BE));
    EXPECT_ERRNO(EINVAL, ioprio_set(WHO_PROCESS, 0, 7 << 13));
    EXPECT_ERRNO(EINVAL, ioprio_set(WHO_PROCESS, 0, 4));
    EXPECT_ERRNO(ESRCH, ioprio_get(WHO_PROCESS, 0x3ffffff0));
    EXPECT_ERRNO(ESRCH, ioprio_set(WHO_PROCESS, 0x3ffffff0, CLASS_BE));
    EXPECT_ERRNO(ESRCH, ioprio_get(WHO_PGRP, 0x3ffffff0));
}
