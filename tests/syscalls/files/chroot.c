// chroot(2): the new root, `..` at it, the way out that stays open, rights.
// guest: root
#include "check.h"

TEST(a_new_root) {
    NEED(mkdir("jail", 0755));
    NEED(mkdir("jail/in", 0755));
    close(make_file("jail/here", "1"));
    NEED(symlink("/here", "jail/link"));
    pid_t a = CHILD({
        int outside = NEED(open(".", O_RDONLY));
        EXPECT_OK(chroot("jail"));
        EXPECT_OK(access("/here", F_OK));
        EXPECT_OK(access("/link", F_OK));
        EXPECT_OK(access("/../../here", F_OK));
        EXPECT_ERRNO(ENOENT, access("/jail", F_OK));
        EXPECT_OK(access("jail/here", F_OK));  // the working directory has not changed
        NEED(chdir("/in"));
        char *name = getcwd(0, 0);
        EXPECT_STR("/in", name);
        EXPECT_OK(fchdir(outside));
        EXPECT_OK(access("jail", F_OK));
        EXPECT_ERRNO(ENOENT, access("/proc/self", F_OK));
    });
    EXPECT_EXIT(0, a);
    EXPECT_ERRNO(ENOTDIR, chroot("jail/here"));
    EXPECT_ERRNO(ENOENT, chroot("missing"));
    EXPECT_ERRNO(EFAULT, chroot(BAD_PTR));
    pid_t b = CHILD({ NEED(setgid(65534)); NEED(setuid(65534)); EXPECT_ERRNO(EPERM, chroot("jail")); });
    EXPECT_EXIT(0, b);
}
