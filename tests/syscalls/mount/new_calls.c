// fsopen(2), fsconfig(2), fsmount(2), fspick(2), open_tree(2), move_mount(2), mount_setattr(2).
// guest: root caps=SYS_ADMIN,SYS_CHROOT
#include "check.h"
#include <linux/mount.h>
#include <sched.h>
#undef MS_RDONLY
int mount(const char *, const char *, const char *, unsigned long, const void *);
int umount2(const char *, int);
#define fsopen_(n, f) syscall(SYS_fsopen, n, f)
#define fsconfig_(fd, c, k, v, a) syscall(SYS_fsconfig, fd, c, k, v, a)
#define fsmount_(fd, f, a) syscall(SYS_fsmount, fd, f, a)
#define move_mount_(a, b, c, d, f) syscall(SYS_move_mount, a, b, c, d, f)
#define open_tree_(d, p, f) syscall(SYS_open_tree, d, p, f)
#define setattr_(d, p, f, a, s) syscall(SYS_mount_setattr, d, p, f, a, (long)(s))

static void own_tree(void) {
    NEED(unshare(CLONE_NEWNS));
    NEED(mount(0, "/", 0, (1 << 14) | (1 << 18), 0));
}
static int listed(const char *where, const char *what) {
    char line[4096];
    int found = 0;
    FILE *f = fopen("/proc/self/mountinfo", "r");
    while (fgets(line, sizeof line, f)) found += strstr(line, where) && strstr(line, what);
    fclose(f);
    return found;
}

TEST(step_by_step) {
    own_tree();
    NEED(mkdir("m", 0755));
    EXPECT_ERRNO(ENODEV, fsopen_("nosuchfs", 0));
    EXPECT_ERRNO(EINVAL, fsopen_("tmpfs", 8));
    EXPECT_ERRNO(EFAULT, fsopen_(BAD_PTR, 0));
    int fs = EXPECT_OK(fsopen_("tmpfs", FSOPEN_CLOEXEC));
    EXPECT_EQ(FD_CLOEXEC, fcntl(fs, F_GETFD));
    EXPECT_ERRNO(EINVAL, fsmount_(fs, 0, 0));
    EXPECT_OK(fsconfig_(fs, FSCONFIG_SET_STRING, "source", "mine", 0));
    EXPECT_OK(fsconfig_(fs, FSCONFIG_SET_STRING, "size", "64k", 0));
    EXPECT_OK(fsconfig_(fs, FSCONFIG_SET_STRING, "mode", "700", 0));
    EXPECT_ERRNO(EINVAL, fsconfig_(fs, FSCONFIG_SET_STRING, "nonsense", "1", 0));
    EXPECT_ERRNO(EINVAL, fsconfig_(fs, FSCONFIG_SET_STRING, 0, "1", 0));
    EXPECT_ERRNO(EOPNOTSUPP, fsconfig_(fs, 99, 0, 0, 0));
    EXPECT_ERRNO(EINVAL, fsconfig_(fs, FSCONFIG_CMD_CREATE, "x", 0, 0));
    EXPECT_OK(fsconfig_(fs, FSCONFIG_CMD_CREATE, 0, 0, 0));
    EXPECT_ERRNO(EBUSY, fsconfig_(fs, FSCONFIG_CMD_CREATE, 0, 0, 0));
    EXPECT_ERRNO(EINVAL, fsmount_(fs, 0, 0x40000000));
    int mnt = EXPECT_OK(fsmount_(fs, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC));
    EXPECT_ERRNO(EBUSY, fsmount_(fs, 0, 0));
    int file = EXPECT_OK(openat(mnt, "early", O_RDWR | O_CREAT, 0600));
    close(file);
    EXPECT_EQ(0, listed("/m rw", "mine"));
    EXPECT_OK(move_mount_(mnt, "", AT_FDCWD, "m", MOVE_MOUNT_F_EMPTY_PATH));
    EXPECT_EQ(1, listed("/m rw,nosuid,noexec,relatime", " - tmpfs mine rw"));
    EXPECT_OK(access("m/early", F_OK));
    close(mnt); close(fs);
    EXPECT_OK(access("m/early", F_OK));
    NEED(mkdir("other", 0755));
    EXPECT_OK(move_mount_(AT_FDCWD, "m", AT_FDCWD, "other", 0));
    EXPECT_OK(access("other/early", F_OK));
    EXPECT_ERRNO(ENOENT, access("m/early", F_OK));
    EXPECT_ERRNO(EINVAL, move_mount_(AT_FDCWD, "m", AT_FDCWD, "other", 0));
    EXPECT_ERRNO(EINVAL, move_mount_(AT_FDCWD, "other", AT_FDCWD, "m", 0x4000));
    int pick = EXPECT_OK(syscall(SYS_fspick, AT_FDCWD, "other", 0));
    EXPECT_OK(fsconfig_(pick, FSCONFIG_CMD_RECONFIGURE, 0, 0, 0));
    EXPECT_ERRNO(EINVAL, syscall(SYS_fspick, AT_FDCWD, "m", 0));
    close(pick);
    EXPECT_OK(umount2("other", 0));
}

TEST(trees) {
    own_tree();
    NEED(mkdir("t", 0755));
    NEED(mount("t", "t", "tmpfs", 0, 0));
    NEED(mkdir("t/in", 0755));
    NEED(mount("u", "t/in", "tmpfs", 0, 0));
    close(make_file("t/in/deep", "1"));
    NEED(mkdir("copy", 0755));
    int path = EXPECT_OK(open_tree_(AT_FDCWD, "t", OPEN_TREE_CLOEXEC));
    EXPECT_OK(faccessat(path, "in/deep", F_OK, 0));
    EXPECT_TRUE(fcntl(path, F_GETFL) & O_PATH);
    close(path);
    int shallow = EXPECT_OK(open_tree_(AT_FDCWD, "t", OPEN_TREE_CLONE));
    EXPECT_ERRNO(ENOENT, faccessat(shallow, "in/deep", F_OK, 0));
    close(shallow);
    int tree = EXPECT_OK(open_tree_(AT_FDCWD, "t", OPEN_TREE_CLONE | AT_RECURSIVE));
    EXPECT_OK(faccessat(tree, "in/deep", F_OK, 0));
    EXPECT_OK(move_mount_(tree, "", AT_FDCWD, "copy", MOVE_MOUNT_F_EMPTY_PATH));
    EXPECT_OK(access("copy/in/deep", F_OK));
    close(tree);
    EXPECT_OK(umount2("t", 2));
    EXPECT_OK(access("copy/in/deep", F_OK));
    for (int i = 0; i < 3; i++) {  // attached, taken away and closed in this order: counted once
        int again = EXPECT_OK(open_tree_(AT_FDCWD, "copy", OPEN_TREE_CLONE));
        EXPECT_OK(move_mount_(again, "", AT_FDCWD, "t", MOVE_MOUNT_F_EMPTY_PATH));
        EXPECT_OK(umount2("t", 2));
        EXPECT_OK(faccessat(again, "in", F_OK, 0));
        close(again);
    }
    EXPECT_OK(access("copy/in/deep", F_OK));
    EXPECT_ERRNO(EINVAL, open_tree_(AT_FDCWD, "copy", AT_RECURSIVE));
    EXPECT_ERRNO(EINVAL, open_tree_(AT_FDCWD, "copy", 2));
    EXPECT_ERRNO(ENOENT, open_tree_(AT_FDCWD, "missing", 0));
    EXPECT_OK(umount2("copy", 2));
}

TEST(attributes) {
    own_tree();
    NEED(mkdir("a", 0755));
    NEED(mount("t", "a", "tmpfs", 0, 0));
    struct mount_attr attr = {.attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NODEV};
    EXPECT_OK(setattr_(AT_FDCWD, "a", 0, &attr, sizeof attr));
    EXPECT_ERRNO(EROFS, mkdir("a/x", 0755));
    EXPECT_EQ(1, listed("/a ro,nodev,relatime", " - tmpfs t"));
    attr = (struct mount_attr){.attr_clr = MOUNT_ATTR_RDONLY | MOUNT_ATTR__ATIME, .attr_set = MOUNT_ATTR_NOATIME};
    EXPECT_OK(setattr_(AT_FDCWD, "a", 0, &attr, sizeof attr));
    EXPECT_OK(mkdir("a/x", 0755));
    EXPECT_EQ(1, listed("/a rw,nodev,noatime", " - tmpfs t"));
    attr = (struct mount_attr){.propagation = 1 << 20};
    EXPECT_OK(setattr_(AT_FDCWD, "a", AT_RECURSIVE, &attr, sizeof attr));
    EXPECT_EQ(1, listed("/a rw", " shared:"));
    attr = (struct mount_attr){.attr_set = MOUNT_ATTR_NOATIME};
    EXPECT_ERRNO(EINVAL, setattr_(AT_FDCWD, "a", 0, &attr, sizeof attr));
    attr = (struct mount_attr){.attr_set = 1ull << 40};
    EXPECT_ERRNO(EINVAL, setattr_(AT_FDCWD, "a", 0, &attr, sizeof attr));
    attr = (struct mount_attr){.attr_set = MOUNT_ATTR_RDONLY};
    EXPECT_ERRNO(EINVAL, setattr_(AT_FDCWD, "a/x", 0, &attr, sizeof attr));
    EXPECT_ERRNO(EINVAL, setattr_(AT_FDCWD, "a", 0, &attr, 8));
    EXPECT_ERRNO(E2BIG, setattr_(AT_FDCWD, "a", 0, &attr, 5000));
    EXPECT_ERRNO(EFAULT, setattr_(AT_FDCWD, "a", 0, BAD_PTR, sizeof attr));
    EXPECT_OK(umount2("a", 0));
    pid_t b = CHILD({
        NEED(setgid(65534)); NEED(setuid(65534));
        EXPECT_ERRNO(EPERM, fsopen_("tmpfs", 0));
        EXPECT_ERRNO(EPERM, open_tree_(AT_FDCWD, "/", OPEN_TREE_CLONE));
        EXPECT_ERRNO(EPERM, move_mount_(AT_FDCWD, "/", AT_FDCWD, "/", 0));
        EXPECT_ERRNO(EPERM, setattr_(AT_FDCWD, "/", 0, &attr, sizeof attr));
    });
    EXPECT_EXIT(0, b);
}
