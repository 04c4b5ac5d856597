// prctl(2), arch_prctl(2): operations that only tell, or that can only be asked for what is so already.
#include "check.h"
#include <sys/prctl.h>

enum { USER_DISPATCH = 59, ARCH_GET_CPUID = 0x1011 };

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
