// getpid(2) and its family: stable, consistent between calls, deaf to argument garbage.
#include "check.h"
#include <sys/prctl.h>

TEST(pids_agree) {
    EXPECT_TRUE(getpid() > 0);
    EXPECT_TRUE(syscall(SYS_getpid) == getpid());
    EXPECT_TRUE(syscall(SYS_gettid) == getpid());
    EXPECT_TRUE(RAW6(SYS_getpid, -1, -1, -1, -1, -1, -1) == getpid());
    EXPECT_TRUE(getpgid(0) == getpgrp());
    EXPECT_TRUE(RAW1(SYS_getpgid, GARBAGE(0)) == getpgrp());
    EXPECT_TRUE(RAW1(SYS_getsid, GARBAGE(getpid())) == getsid(0));
}

TEST(name) {
    char name[16];
    EXPECT_OK(prctl(PR_SET_NAME, "a-name-that-is-far-too-long"));
    EXPECT_OK(prctl(PR_GET_NAME, name));
    EXPECT_STR("a-name-that-is-", name);
    pid_t pid = CHILD({ char own[16]; prctl(PR_GET_NAME, own); EXPECT_STR("a-name-that-is-", own); });
    EXPECT_EXIT(0, pid);
    EXPECT_ERRNO(EFAULT, prctl(PR_SET_NAME, BAD_PTR));
    EXPECT_ERRNO(EFAULT, prctl(PR_GET_NAME, BAD_PTR));
}

TEST(name_is_in_proc) {
    char text[64] = "";
    NEED(prctl(PR_SET_NAME, "changed"));
    int fd = EXPECT_OK(open("/proc/self/comm", O_RDONLY));
    EXPECT_EQ(8, read(fd, text, sizeof text));
    EXPECT_STR("changed\n", text);
    close(fd);
}

TEST(parent_death_signal) {
    int got = -1;
    EXPECT_OK(prctl(PR_GET_PDEATHSIG, &got));
    EXPECT_EQ(0, got);
    EXPECT_OK(prctl(PR_SET_PDEATHSIG, SIGUSR1));
    EXPECT_OK(prctl(PR_GET_PDEATHSIG, &got));
    EXPECT_EQ(SIGUSR1, got);
    EXPECT_ERRNO(EINVAL, prctl(PR_SET_PDEATHSIG, 999));
    pid_t pid = CHILD({ int own = -1; prctl(PR_GET_PDEATHSIG, &own); EXPECT_EQ(0, own); });
    EXPECT_EXIT(0, pid);
}

TEST(unknown_option) {
    EXPECT_ERRNO(EINVAL, prctl(0x7fffffff, 1, 2, 3, 4));
    EXPECT_ERRNO(EINVAL, prctl(-1));
}
