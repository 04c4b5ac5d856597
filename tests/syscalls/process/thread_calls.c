// tkill(2), tgkill(2), get_robust_list(2), set_robust_list, set_tid_address(2), rseq, kcmp(2), unshare(2), personality(2): calls of threads.
#include "check.h"
#include <linux/futex.h>
#include <linux/kcmp.h>
#include <sched.h>
#include <sys/personality.h>

static volatile int hits;
static void on_signal(int sig) { hits++; }

TEST(tkill_and_tgkill) {
    signal(SIGUSR1, on_signal);
    pid_t me = getpid();
    EXPECT_EQ(0, RAW2(SYS_tkill, me, SIGUSR1));
    EXPECT_EQ(0, RAW3(SYS_tgkill, me, me, SIGUSR1));
    EXPECT_EQ(2, hits);
    EXPECT_EQ(0, RAW2(SYS_tkill, me, 0));
    EXPECT_EQ(-EINVAL, RAW2(SYS_tkill, 0, SIGUSR1));
    EXPECT_EQ(-EINVAL, RAW3(SYS_tgkill, me, -1, SIGUSR1));
    EXPECT_EQ(-EINVAL, RAW3(SYS_tgkill, me, me, 65));
    EXPECT_EQ(-ESRCH, RAW3(SYS_tgkill, 0x3ffffff0, me, SIGUSR1));
    EXPECT_EQ(-ESRCH, RAW2(SYS_tkill, 0x3ffffff0, SIGUSR1));
}

TEST(robust_list) {
    struct robust_list_head head = {{&head.list}, 0, NULL}, *got = NULL;
    size_t length = 0;
    EXPECT_EQ(0, RAW2(SYS_set_robust_list, &head, sizeof head));
    EXPECT_EQ(0, RAW3(SYS_get_robust_list, 0, &got, &length));
    EXPECT_TRUE(got == &head && length == sizeof head);
    EXPECT_EQ(-EINVAL, RAW2(SYS_set_robust_list, &head, 3));
    EXPECT_EQ(-ESRCH, RAW3(SYS_get_robust_list, 0x3ffffff0, &got, &length));
    EXPECT_EQ(-EFAULT, RAW3(SYS_get_robust_list, 0, BAD_PTR, &length));
}

TEST(tid_address_returns_the_number) {
    int word = 0;
    EXPECT_TRUE(RAW1(SYS_set_tid_address, &word) == getpid());
}

TEST(rseq_is_checked) {
    char area[64] __attribute__((aligned(32)));
    EXPECT_TRUE(RAW4(SYS_rseq, area, 3, 0, 0) < 0);
}

TEST(kcmp_compares) {
    int fd = NEED(dup(1)), other = NEED(open("/dev/null", O_RDONLY));
    pid_t me = getpid();
    EXPECT_EQ(0, RAW5(SYS_kcmp, me, me, KCMP_FILE, 1, fd));
    EXPECT_TRUE(RAW5(SYS_kcmp, me, me, KCMP_FILE, 1, other) > 0);
    EXPECT_EQ(-EBADF, RAW5(SYS_kcmp, me, me, KCMP_FILE, 1, 999));
    pid_t child = CHILD({ for (;;) pause(); });
    EXPECT_EQ(0, RAW5(SYS_kcmp, me, child, KCMP_SYSVSEM, 0, 0));
    EXPECT_TRUE(RAW5(SYS_kcmp, me, child, KCMP_VM, 0, 0) > 0);
    EXPECT_TRUE(RAW5(SYS_kcmp, me, child, KCMP_FILES, 0, 0) > 0);
    kill(child, SIGKILL);
    EXPECT_KILLED(SIGKILL, child);
    EXPECT_EQ(0, RAW5(SYS_kcmp, me, me, KCMP_FILES, 0, 0));
    EXPECT_EQ(-ESRCH, RAW5(SYS_kcmp, me, 0x3ffffff0, KCMP_FILES, 0, 0));
    EXPECT_EQ(-EINVAL, RAW5(SYS_kcmp, me, me, 99, 0, 0));
}

TEST(unshare_of_files) {
    EXPECT_EQ(0, unshare(CLONE_FILES | CLONE_FS));
    EXPECT_ERRNO(EINVAL, unshare(1));
}

TEST(personality_is_read_and_set) {
    EXPECT_EQ(0, personality(0xffffffff));
    EXPECT_EQ(0, personality(ADDR_NO_RANDOMIZE));
    EXPECT_EQ(ADDR_NO_RANDOMIZE, personality(0));
}

TEST(scheduling_attributes) {
    struct { unsigned size, policy; unsigned long long flags; int nice; unsigned priority; unsigned long long rest[5]; } attr = {0};
    struct timespec slice;
    EXPECT_EQ(0, RAW4(SYS_sched_getattr, 0, &attr, sizeof attr, 0));
    EXPECT_EQ(0, attr.policy);
    EXPECT_EQ(-EINVAL, RAW4(SYS_sched_getattr, 0, &attr, sizeof attr, 1));
    EXPECT_EQ(-EINVAL, RAW4(SYS_sched_getattr, 0, NULL, sizeof attr, 0));
    EXPECT_EQ(-ESRCH, RAW4(SYS_sched_getattr, 0x3ffffff0, &attr, sizeof attr, 0));
    EXPECT_EQ(0, RAW2(SYS_sched_rr_get_interval, 0, &slice));
    EXPECT_EQ(-EINVAL, RAW2(SYS_sched_rr_get_interval, -1, &slice));
}
