// capget(2), prctl capability options, no_new_privs, dumpable, securebits: the answers of an unprivileged program.
// guest: root
#include "check.h"
#include <grp.h>
#include <linux/capability.h>
#include <sys/prctl.h>

TEST(nobody_has_none) {
    EXPECT_EXIT(0, CHILD({
        struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
        struct __user_cap_data_struct data[2];
        NEED(setgroups(0, NULL));
        NEED(setresgid(1000, 1000, 1000));
        NEED(setresuid(1000, 1000, 1000));
        EXPECT_OK(syscall(SYS_capget, &header, data));
        EXPECT_EQ(0, data[0].effective | data[1].effective | data[0].permitted | data[1].permitted);
        data[0].effective = 1;
        EXPECT_ERRNO(EPERM, syscall(SYS_capset, &header, data));
        EXPECT_ERRNO(EPERM, chroot("."));
        EXPECT_ERRNO(EPERM, syscall(SYS_sethostname, "x", 1));
        EXPECT_ERRNO(EPERM, mknod("device", S_IFCHR | 0666, 0x103));
        EXPECT_ERRNO(EPERM, syscall(SYS_mount, "none", "/tmp", "tmpfs", 0, NULL));
        EXPECT_ERRNO(EPERM, syscall(SYS_umount2, "/proc", 0));
        EXPECT_ERRNO(EPERM, syscall(SYS_settimeofday, &(struct timespec){1, 1}, NULL));
        EXPECT_ERRNO(EPERM, syscall(SYS_reboot, 0xfee1dead, 672274793, 0x89abcdef, NULL));
        EXPECT_ERRNO(EPERM, syscall(SYS_swapon, "x", 0));
        EXPECT_ERRNO(EPERM, syscall(SYS_acct, NULL));
    }));
}

TEST(version_negotiation) {
    struct __user_cap_header_struct header = {0x1234, 0};
    EXPECT_EQ(0, RAW2(SYS_capget, &header, 0));
    EXPECT_EQ(_LINUX_CAPABILITY_VERSION_3, header.version);
    header.version = 0x1234;
    struct __user_cap_data_struct data[2];
    EXPECT_EQ(-EINVAL, RAW2(SYS_capget, &header, data));
    header.pid = 0x3ffffff0;
    EXPECT_EQ(-ESRCH, RAW2(SYS_capget, &header, data));
}

TEST(no_new_privs) {
    EXPECT_EXIT(0, CHILD({
        SHOW(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) >= 0);
        EXPECT_OK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
        EXPECT_EQ(1, prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
        EXPECT_ERRNO(EINVAL, prctl(PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0));
        EXPECT_ERRNO(EINVAL, prctl(PR_SET_NO_NEW_PRIVS, 1, 1, 0, 0));
    }));
}

TEST(dumpable_and_keepcaps) {
    EXPECT_EXIT(0, CHILD({
        EXPECT_EQ(1, prctl(PR_GET_DUMPABLE));
        EXPECT_OK(prctl(PR_SET_DUMPABLE, 0));
        EXPECT_EQ(0, prctl(PR_GET_DUMPABLE));
        EXPECT_ERRNO(EINVAL, prctl(PR_SET_DUMPABLE, 7));
        EXPECT_EQ(0, prctl(PR_GET_KEEPCAPS));
        EXPECT_ERRNO(EINVAL, prctl(PR_SET_KEEPCAPS, 9));
        EXPECT_ERRNO(EINVAL, prctl(PR_CAPBSET_READ, 200));
    }));
}
