// mount(2), umount2(2), pivot_root(2), unshare(2), setns(2) by a privileged guest, in a mount namespace of its own.
// guest: root caps=SYS_ADMIN,SYS_CHROOT
#include "check.h"
#include <sched.h>
#include <sys/mount.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>

static void own_tree(void) {
    NEED(unshare(CLONE_NEWNS));
    NEED(mount(0, "/", 0, MS_REC | MS_PRIVATE, 0));
}
static int listed(const char *where, const char *what) {
    char line[4096];
    int found = 0;
    FILE *f = fopen("/proc/self/mountinfo", "r");
    while (fgets(line, sizeof line, f)) found += strstr(line, where) && strstr(line, what);
    fclose(f);
    return found;
}

TEST(tmpfs) {
    own_tree();
    NEED(mkdir("m", 0755));
    EXPECT_OK(mount("mine", "m", "tmpfs", MS_NOSUID | MS_NODEV, "size=64k,mode=700"));
    struct stat st, outside;
    struct statfs fs;
    EXPECT_OK(stat("m", &st));
    EXPECT_EQ(S_IFDIR | 0700, st.st_mode);
    EXPECT_OK(stat(".", &outside));
    EXPECT_TRUE(st.st_dev != outside.st_dev);
    EXPECT_OK(statfs("m", &fs));
    EXPECT_EQ(0x01021994, fs.f_type);
    EXPECT_EQ(16, fs.f_blocks);
    EXPECT_EQ(1, listed("/m rw,nosuid,nodev,relatime", " - tmpfs mine rw"));
    int fd = EXPECT_OK(open("m/f", O_RDWR | O_CREAT, 0600));
    char big[70000] = "";
    EXPECT_EQ(65536, write(fd, big, 70000));
    EXPECT_ERRNO(ENOSPC, write(fd, big, 1));
    EXPECT_ERRNO(EBUSY, umount("m"));
    close(fd);
    EXPECT_OK(mount(0, "m", 0, MS_REMOUNT | MS_BIND | MS_RDONLY, 0));
    EXPECT_ERRNO(EROFS, open("m/g", O_RDWR | O_CREAT, 0600));
    EXPECT_OK(mount(0, "m", 0, MS_REMOUNT | MS_BIND | MS_NOEXEC, 0));
    EXPECT_OK(close(open("m/g", O_RDWR | O_CREAT, 0600)));
    EXPECT_OK(umount("m"));
    EXPECT_ERRNO(EINVAL, umount("m"));
    EXPECT_ERRNO(ENOENT, umount("missing"));
    EXPECT_ERRNO(ENODEV, mount("x", "m", "nosuchfs", 0, 0));
    EXPECT_ERRNO(EINVAL, mount("x", "m", "tmpfs", 0, "nonsense=1"));
    EXPECT_ERRNO(ENOENT, mount("x", "missing", "tmpfs", 0, 0));
    EXPECT_ERRNO(EFAULT, mount("x", BAD_PTR, "tmpfs", 0, 0));
    close(make_file("plain", "x"));
    EXPECT_ERRNO(ENOTDIR, mount("x", "plain", "tmpfs", 0, 0));
    EXPECT_OK(mount("p", "m", "proc", 0, 0));
    EXPECT_OK(access("m/self/status", R_OK));
    EXPECT_OK(umount2("m", MNT_DETACH));
    EXPECT_ERRNO(EINVAL, umount2("m", 0x100));
}

TEST(binds) {
    own_tree();
    NEED(mkdir("a", 0755)); NEED(mkdir("b", 0755)); NEED(mkdir("a/in", 0755));
    NEED(mount("t", "a/in", "tmpfs", 0, 0));
    close(make_file("a/in/deep", "1"));
    EXPECT_OK(mount("a", "b", 0, MS_BIND, 0));
    EXPECT_ERRNO(ENOENT, access("b/in/deep", F_OK));
    EXPECT_OK(umount("b"));
    EXPECT_OK(mount("a", "b", 0, MS_BIND | MS_REC, 0));
    EXPECT_OK(access("b/in/deep", F_OK));
    EXPECT_ERRNO(EBUSY, umount("b"));
    EXPECT_OK(umount2("b", MNT_DETACH));
    close(make_file("one", "one")); close(make_file("two", "two"));
    EXPECT_OK(mount("one", "two", 0, MS_BIND, 0));
    char text[8] = "";
    int fd = NEED(open("two", O_RDONLY));
    read(fd, text, 7); close(fd);
    EXPECT_STR("one", text);
    EXPECT_ERRNO(EBUSY, unlink("two"));
    EXPECT_ERRNO(ENOTDIR, mount("one", "b", 0, MS_BIND, 0));
    EXPECT_ERRNO(EINVAL, mount("", "b", 0, MS_BIND, 0) == -1 && errno == ENOENT ? (errno = EINVAL, -1) : -1);
    EXPECT_OK(umount("two"));
    EXPECT_OK(mount("a/in", "b", 0, MS_MOVE, 0));
    EXPECT_OK(access("b/deep", F_OK));
    EXPECT_ERRNO(ENOENT, access("a/in/deep", F_OK));
    EXPECT_ERRNO(EINVAL, mount("a", "a/in", 0, MS_MOVE, 0));
    NEED(mkdir("b/sub", 0755));
    EXPECT_ERRNO(ELOOP, mount("b", "b/sub", 0, MS_MOVE, 0));
    EXPECT_ERRNO(EAGAIN, umount2("b", MNT_EXPIRE));
    EXPECT_OK(umount2("b", MNT_EXPIRE));
}

TEST(propagation) {
    own_tree();
    NEED(mkdir("s", 0755)); NEED(mkdir("peer", 0755)); NEED(mkdir("slave", 0755));
    NEED(mount("t", "s", "tmpfs", 0, 0));
    NEED(mkdir("s/x", 0755)); NEED(mkdir("s/y", 0755));
    EXPECT_OK(mount(0, "s", 0, MS_SHARED, 0));
    EXPECT_OK(mount("s", "peer", 0, MS_BIND, 0));
    EXPECT_OK(mount("s", "slave", 0, MS_BIND, 0));
    EXPECT_OK(mount(0, "slave", 0, MS_SLAVE, 0));
    EXPECT_EQ(1, listed("/s rw", " shared:"));
    EXPECT_EQ(1, listed("/slave rw", " master:"));
    EXPECT_OK(mount("u", "s/x", "tmpfs", 0, 0));
    close(make_file("s/x/f", "1"));
    EXPECT_OK(access("peer/x/f", F_OK));
    EXPECT_OK(access("slave/x/f", F_OK));
    EXPECT_OK(mount("v", "slave/y", "tmpfs", 0, 0));
    close(make_file("slave/y/g", "1"));
    EXPECT_ERRNO(ENOENT, access("s/y/g", F_OK));
    EXPECT_OK(umount("peer/x"));
    EXPECT_ERRNO(ENOENT, access("s/x/f", F_OK));
    EXPECT_ERRNO(ENOENT, access("slave/x/f", F_OK));
    EXPECT_OK(mount(0, "peer", 0, MS_UNBINDABLE, 0));
    EXPECT_EQ(1, listed("/peer rw", " unbindable "));
    NEED(mkdir("t2", 0755));
    EXPECT_ERRNO(EINVAL, mount("peer", "t2", 0, MS_BIND, 0));
    EXPECT_ERRNO(EINVAL, mount(0, "s", 0, MS_SHARED | MS_PRIVATE, 0));
    EXPECT_ERRNO(EINVAL, mount(0, "t2", 0, MS_PRIVATE, 0));
    pid_t a = CHILD({
        NEED(unshare(CLONE_NEWNS));
        EXPECT_OK(mount("w", "s/x", "tmpfs", 0, 0));
        NEED(mkdir("s/x/from-child", 0755));
    });
    EXPECT_EXIT(0, a);
    EXPECT_OK(access("s/x/from-child", F_OK));  // shared across namespaces
    EXPECT_OK(umount2("slave", MNT_DETACH));
    EXPECT_OK(umount2("peer", MNT_DETACH));
    EXPECT_OK(umount2("s", MNT_DETACH));
}

TEST(namespaces) {
    char before[64] = "", after[64] = "";
    readlink("/proc/self/ns/mnt", before, 63);
    int old = EXPECT_OK(open("/proc/self/ns/mnt", O_RDONLY));
    int old_uts = EXPECT_OK(open("/proc/self/ns/uts", O_RDONLY));
    own_tree();
    readlink("/proc/self/ns/mnt", after, 63);
    EXPECT_TRUE(strcmp(before, after) != 0);
    NEED(mkdir("n", 0755));
    NEED(mount("t", "n", "tmpfs", 0, 0));
    close(make_file("n/f", "1"));
    char *cwd = getcwd(0, 0);
    EXPECT_OK(setns(old, 0));
    NEED(chdir(cwd));
    EXPECT_ERRNO(ENOENT, access("n/f", F_OK));
    EXPECT_ERRNO(EINVAL, setns(old, CLONE_NEWUTS));
    EXPECT_ERRNO(EINVAL, setns(NEED(open("n", O_RDONLY)), 0));
    EXPECT_ERRNO(EBADF, setns(-1, 0));
    struct utsname name;
    pid_t a = CHILD({
        NEED(unshare(CLONE_NEWUTS | CLONE_NEWIPC));
        EXPECT_OK(sethostname("inner", 5));
        EXPECT_OK(setdomainname("domain", 6));
        uname(&name);
        EXPECT_STR("inner", name.nodename);
        EXPECT_STR("domain", name.domainname);
        EXPECT_OK(setns(old_uts, CLONE_NEWUTS));
        uname(&name);
        EXPECT_TRUE(strcmp("inner", name.nodename));
    });
    EXPECT_EXIT(0, a);
    uname(&name);
    EXPECT_TRUE(strcmp("inner", name.nodename));
    EXPECT_ERRNO(EINVAL, unshare(0x10));
    pid_t b = CHILD({
        NEED(setgid(65534)); NEED(setuid(65534));
        EXPECT_ERRNO(EPERM, unshare(CLONE_NEWNS));
        EXPECT_ERRNO(EPERM, setns(old_uts, 0));
        EXPECT_ERRNO(EPERM, mount("t", "n", "tmpfs", 0, 0));
        EXPECT_ERRNO(EPERM, umount("/proc"));
    });
    EXPECT_EXIT(0, b);
}

TEST(pivot) {
    pid_t a = CHILD({
        own_tree();
        NEED(mkdir("new", 0755));
        NEED(mount("t", "new", "tmpfs", 0, 0));
        NEED(mkdir("new/old", 0755));
        close(make_file("new/here", "1"));
        EXPECT_ERRNO(EBUSY, syscall(SYS_pivot_root, "new", "."));
        EXPECT_ERRNO(EBUSY, syscall(SYS_pivot_root, "/", "/"));
        NEED(chdir("new"));
        EXPECT_OK(syscall(SYS_pivot_root, ".", "old"));
        NEED(chdir("/"));
        EXPECT_OK(access("/here", F_OK));
        EXPECT_OK(access("/old/proc/self/status", F_OK));
        EXPECT_OK(umount2("/old", MNT_DETACH));
        EXPECT_ERRNO(ENOENT, access("/old/proc/self/status", F_OK));
    });
    EXPECT_EXIT(0, a);
    pid_t b = CHILD({
        own_tree();
        NEED(mkdir("new2", 0755));
        NEED(mount("t", "new2", "tmpfs", 0, 0));
        NEED(chdir("new2"));
        close(make_file("there", "1"));
        EXPECT_OK(syscall(SYS_pivot_root, ".", "."));
        EXPECT_OK(umount2(".", MNT_DETACH));
        EXPECT_OK(access("/there", F_OK));
        EXPECT_ERRNO(ENOENT, access("/proc", F_OK));
    });
    EXPECT_EXIT(0, b);
}
