// prctl(2), arch_prctl(2): operations that only tell, or that can only be asked for what is so already.
#include "check.h"
#include <sys/prctl.h>

enum { USER_DISPATCH = 59, SET_MDWE = 65, GET_MDWE = 66, ARCH_GET_CPUID = 0x1011 };

TEST(the_only_choice) {
    EXPECT_OK(prctl(PR_SET_TIMING, PR_TIMING_STATISTICAL));
    EXPECT_ERRNO(EINVAL, prctl(PR_SET_TIMING, PR_TIMING_TIMESTAMP));
    EXPECT_OK(prctl(USER_DISPATCH, 0, 0, 0, 0));
    EXPECT_ERRNO(EINVAL, prctl(USER_DISPATCH, 0, 1, 0, 0));
    EXPECT_ERRNO(EINVAL, prctl(USER_DISPATCH, 9, 0, 0, 0));
    EXPECT_EQ(1, RAW2(SYS_arch_prctl, ARCH_GET_CPUID, 0));
}

TEST(signals_to_a_zombie) {
    pid_t pid = CHILD({ _exit(0); });
    EXPECT_OK(waitid(P_PID, pid, NULL, WEXITED | WNOWAIT));
    EXPECT_EQ(0, RAW2(SYS_tkill, pid, SIGKILL));
    EXPECT_EQ(0, RAW3(SYS_tgkill, pid, pid, 0));
    EXPECT_EQ(-EINVAL, RAW2(SYS_tkill, pid, 65));
    EXPECT_OK(kill(pid, SIGKILL));
    EXPECT_EXIT(0, pid);
    EXPECT_EQ(-ESRCH, RAW2(SYS_tkill, pid, 0));
}

TEST(sizes_of_huge_pages) {
    EXPECT_ERRNO(EINVAL, mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB | 55 << 26, -1, 0));
}

static int may_become_executable(void) {
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return mprotect(page, 4096, PROT_READ | PROT_EXEC) == 0;
}

TEST(memory_that_was_writable_never_becomes_executable) {
    EXPECT_ERRNO(EINVAL, prctl(SET_MDWE, 0, 1, 0, 0));
    EXPECT_ERRNO(EINVAL, prctl(SET_MDWE, 8, 0, 0, 0));
    EXPECT_EQ(0, prctl(GET_MDWE, 0, 0, 0, 0));
    EXPECT_TRUE(may_become_executable());
    EXPECT_EXIT(0, CHILD({
        EXPECT_OK(prctl(SET_MDWE, 1, 0, 0, 0));
        EXPECT_ERRNO(EPERM, prctl(SET_MDWE, 0, 0, 0, 0));
        EXPECT_TRUE(!may_become_executable());
        EXPECT_EXIT(0, CHILD({
            EXPECT_EQ(1, prctl(GET_MDWE, 0, 0, 0, 0));
            EXPECT_TRUE(!may_become_executable());
            char *argv[] = {"true", NULL}, *none[] = {NULL};
            execve("/bin/true", argv, none);
        }));
    }));
}

TEST(machine_checks) {
    EXPECT_EQ(PR_MCE_KILL_DEFAULT, prctl(PR_MCE_KILL_GET, 0, 0, 0, 0));
    EXPECT_ERRNO(EINVAL, prctl(PR_MCE_KILL, 7, 0, 0, 0));
    EXPECT_ERRNO(EINVAL, prctl(PR_MCE_KILL, PR_MCE_KILL_SET, 7, 0, 0));
    EXPECT_OK(prctl(PR_MCE_KILL, PR_MCE_KILL_SET, PR_MCE_KILL_EARLY, 0, 0));
    EXPECT_EQ(PR_MCE_KILL_EARLY, prctl(PR_MCE_KILL_GET, 0, 0, 0, 0));
    EXPECT_OK(prctl(PR_MCE_KILL, PR_MCE_KILL_CLEAR, 0, 0, 0));
}

TEST(performance_events_of_which_there_are_none) {
    EXPECT_OK(prctl(PR_TASK_PERF_EVENTS_DISABLE, 0, 0, 0, 0));
    EXPECT_OK(prctl(PR_TASK_PERF_EVENTS_ENABLE, 0, 0, 0, 0));
}

TEST(speculation) {
    for (int what = 0; what < 4; what++) {
        SHOW(prctl(PR_GET_SPECULATION_CTRL, what, 0, 0, 0));
        SHOW(prctl(PR_SET_SPECULATION_CTRL, what, 0x4000, 0, 0));
        SHOW(prctl(PR_SET_SPECULATION_CTRL, what, 0, 1, 0));
    }
}

TEST(arguments_of_set_mm) {
    EXPECT_ERRNO(EINVAL, prctl(PR_SET_MM, PR_SET_MM_BRK, 0, 0, 1));
    EXPECT_ERRNO(EINVAL, prctl(PR_SET_MM, PR_SET_MM_BRK, 0, 1, 0));
}
