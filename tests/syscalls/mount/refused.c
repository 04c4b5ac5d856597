// mount(2), umount2(2) without privilege: what is checked before it is missed.
#include "check.h"
#include <sys/mount.h>

static void become_nobody(void) {
    if (geteuid() == 0) {
        NEED(setgid(65534));
        NEED(setuid(65534));
    }
}

TEST(mount_needs_privilege) {
    become_nobody();
    EXPECT_ERRNO(EPERM, mount("none", "/", "tmpfs", 0, NULL));
    EXPECT_ERRNO(EPERM, mount("/", "/", NULL, MS_BIND, NULL));
    EXPECT_ERRNO(EPERM, mount(NULL, "/", NULL, MS_REMOUNT | MS_RDONLY, NULL));
    EXPECT_ERRNO(ENOENT, mount("none", "/does/not/exist", "tmpfs", 0, NULL));
    EXPECT_ERRNO(EFAULT, mount("none", (void *)8, "tmpfs", 0, NULL));
    EXPECT_ERRNO(EFAULT, mount("none", "/", (void *)8, 0, NULL));
}

TEST(umount_needs_privilege) {
    EXPECT_ERRNO(EINVAL, umount2("/", 0x10));
    EXPECT_ERRNO(ENOENT, umount2("/does/not/exist", 0));
    EXPECT_ERRNO(EPERM, umount2("/", 0));
    EXPECT_ERRNO(EPERM, umount2("/", MNT_DETACH));
}

TEST(chroot_needs_privilege) {
    EXPECT_ERRNO(EPERM, chroot("/"));
    EXPECT_ERRNO(ENOENT, chroot("/does/not/exist"));
    EXPECT_ERRNO(ENOTDIR, chroot("/etc/passwd"));
}
