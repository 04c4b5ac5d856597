// mount(2) of overlay: whiteouts, opaque folders, copy-up, redirect on rename, merged listings (Linux: overlayfs.rst).
// guest: root caps=SYS_ADMIN,SYS_CHROOT,MKNOD,DAC_OVERRIDE,CHOWN,FOWNER
#include "check.h"
#include <dirent.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/statfs.h>
#include <sys/xattr.h>

// Everything happens on a tmpfs of our own: an overlay on an overlay may be refused natively.
static void begin(void) {
    NEED(unshare(CLONE_NEWNS));
    NEED(mount(0, "/", 0, MS_REC | MS_PRIVATE, 0));
    NEED(mkdir("t", 0755));
    NEED(mount("t", "t", "tmpfs", 0, ""));
    NEED(chdir("t"));
    const char *names[] = {"l1", "l2", "u", "w", "m"};
    for (int i = 0; i < 5; i++) NEED(mkdir(names[i], 0755));
}
static void put(const char *path, const char *text) {
    int fd = NEED(open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644));
    NEED(write(fd, text, strlen(text)));
    close(fd);
}
static const char *get(const char *path) {
    static char text[4][64];
    static int turn;
    char *at = text[turn++ & 3];
    int fd = open(path, O_RDONLY);
    if (fd < 0) return check_errno_name(errno);
    ssize_t n = read(fd, at, 63);
    close(fd);
    at[n < 0 ? 0 : n] = 0;
    return at;
}
static int by_name(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }
static void list(const char *path) {
    char *names[64];
    int n = 0;
    DIR *d = opendir(path);
    if (!d) {
        printf("%s: %s\n", path, check_errno_name(errno));
        return;
    }
    for (struct dirent *e; (e = readdir(d));) {
        char full[600], line[400];
        snprintf(full, sizeof full, "%s/%s", path, e->d_name);
        struct stat st;
        int r = lstat(full, &st);
        int is_same = r == 0 && (st.st_ino == e->d_ino || e->d_name[0] == '.');
        snprintf(line, sizeof line, "%s type %d mode %o rdev %d same %d", e->d_name, e->d_type, st.st_mode, (int)st.st_rdev, is_same);
        if (strcmp(e->d_name, "..")) names[n++] = strdup(line);
    }
    closedir(d);
    qsort(names, n, sizeof *names, by_name);
    printf("%s:\n", path);
    for (int i = 0; i < n; i++) printf("  %s\n", names[i]);
}
static void attribute(const char *path, const char *name) {
    char value[100];
    ssize_t n = lgetxattr(path, name, value, 99);
    printf("%s %s: %.*s\n", path, name, n < 0 ? 10 : (int)n, n < 0 ? check_errno_name(errno) : value);
}
static int overlay(const char *more) {
    char options[300];
    snprintf(options, sizeof options, "lowerdir=l1:l2,upperdir=u,workdir=w%s", more);
    return mount("overlay", "m", "overlay", 0, options);
}

TEST(copy_up) {
    begin();
    put("l2/a", "two"), put("l1/a", "one"), put("l2/b", "below");
    NEED(chmod("l2/b", 0640)), NEED(setxattr("l2/b", "trusted.x", "v", 1, 0)), NEED(chown("l2/b", 5, 6));
    NEED(symlink("a", "l2/s")), NEED(mkfifo("l2/f", 0604));
    EXPECT_OK(overlay(""));
    struct statfs fs;
    EXPECT_OK(statfs("m", &fs));
    EXPECT_EQ(0x794c7630, fs.f_type);
    list("m");
    printf("%s %s\n", get("m/a"), get("m/b"));
    struct stat before, after;
    EXPECT_OK(stat("m/b", &before));
    int old = EXPECT_OK(open("m/b", O_RDONLY)), fd = EXPECT_OK(open("m/b", O_WRONLY | O_APPEND));
    EXPECT_EQ(4, write(fd, " up!", 4));
    EXPECT_OK(fstat(fd, &after));
    EXPECT_TRUE(before.st_ino == after.st_ino && before.st_dev == after.st_dev);
    SHOW(after.st_size), SHOW(after.st_mode), SHOW(after.st_uid), SHOW(after.st_gid), SHOW(after.st_nlink);
    EXPECT_OK(fstat(old, &after));
    SHOW(after.st_size);
    printf("%s|%s|%s\n", get("m/b"), get("u/b"), get("l2/b"));
    attribute("u/b", "trusted.x");
    EXPECT_OK(lchown("m/s", 7, 8)), EXPECT_OK(chmod("m/f", 0600)), EXPECT_OK(truncate("m/a", 2));
    list("u");
    printf("%s %s\n", get("u/a"), get("l1/a"));
    close(fd), close(old);
    EXPECT_OK(umount("m"));
}
TEST(whiteouts) {
    begin();
    put("l2/a", "a"), put("l1/a", "a1"), put("l2/b", "b"), NEED(mkdir("l2/d", 0755)), put("l2/d/x", "x"), put("u/own", "o");
    NEED(mkdir("l1/d", 0700)), put("l1/d/y", "y");
    EXPECT_OK(overlay(""));
    list("m/d");
    EXPECT_OK(unlink("m/a")), EXPECT_ERRNO(ENOENT, unlink("m/a")), EXPECT_OK(unlink("m/own"));
    int fd = EXPECT_OK(open("m/b", O_RDONLY));
    EXPECT_OK(unlink("m/b"));
    struct stat st;
    EXPECT_OK(fstat(fd, &st));
    EXPECT_EQ(1, st.st_nlink);
    EXPECT_ERRNO(ENOTEMPTY, rmdir("m/d"));
    EXPECT_OK(unlink("m/d/x")), EXPECT_OK(unlink("m/d/y"));
    list("m/d"), list("u/d");
    EXPECT_OK(rmdir("m/d"));
    list("m"), list("u");
    put("m/a", "again");
    EXPECT_OK(mkdir("m/d", 0755));
    list("m/d");
    attribute("u/d", "trusted.overlay.opaque"), attribute("m/d", "trusted.overlay.opaque");
    char names[100];
    SHOW(listxattr("m/d", names, 100));
    EXPECT_ERRNO(EPERM, mknod("m/z", S_IFCHR, 0));
    list("m"), list("u");
    close(fd);
    EXPECT_OK(umount("m"));
    EXPECT_OK(overlay(""));
    list("m"), list("m/d");
    printf("%s\n", get("m/a"));
    EXPECT_OK(umount("m"));
}
TEST(renames) {
    begin();
    put("l2/a", "a"), put("l2/b", "b"), NEED(mkdir("l2/d", 0755)), put("l2/d/x", "x"), NEED(mkdir("l2/e", 0755)), put("l1/c", "c");
    EXPECT_OK(overlay(""));
    EXPECT_OK(rename("m/a", "m/b"));
    printf("%s %s\n", get("m/a"), get("m/b"));
    EXPECT_ERRNO(EXDEV, rename("m/d", "m/d2"));
    EXPECT_OK(mkdir("m/new", 0755));
    put("m/new/n", "n");
    EXPECT_OK(rename("m/new", "m/new2"));
    EXPECT_OK(rename("m/new2", "m/e"));
    list("m/e");
    attribute("u/e", "trusted.overlay.opaque");
    EXPECT_OK(renameat2(AT_FDCWD, "m/b", AT_FDCWD, "m/c", RENAME_EXCHANGE));
    printf("%s %s\n", get("m/b"), get("m/c"));
    EXPECT_ERRNO(EEXIST, renameat2(AT_FDCWD, "m/b", AT_FDCWD, "m/c", RENAME_NOREPLACE));
    EXPECT_ERRNO(EINVAL, renameat2(AT_FDCWD, "m/b", AT_FDCWD, "m/k", RENAME_WHITEOUT));
    EXPECT_OK(link("m/d/x", "m/x2"));
    printf("%s\n", get("m/x2"));
    struct stat st;
    EXPECT_OK(stat("m/d/x", &st));
    EXPECT_EQ(2, st.st_nlink);
    list("m"), list("u"), list("u/d");
    EXPECT_OK(umount("m"));
}
TEST(redirects) {
    begin();
    NEED(mkdir("l2/d", 0755)), put("l2/d/x", "x"), NEED(mkdir("l2/d/sub", 0755)), put("l2/d/sub/deep", "deep");
    NEED(mkdir("l2/e", 0755)), NEED(mkdir("l1/d", 0755)), put("l1/d/y", "y");
    EXPECT_OK(overlay(",redirect_dir=on"));
    EXPECT_OK(rename("m/d", "m/d2"));
    list("m/d2"), list("m");
    attribute("u/d2", "trusted.overlay.redirect");
    EXPECT_OK(rename("m/d2/sub", "m/e/moved"));
    attribute("u/e/moved", "trusted.overlay.redirect");
    printf("%s\n", get("m/e/moved/deep"));
    put("m/e/moved/deep", "changed");
    EXPECT_OK(rename("m/e/moved", "m/e/again"));
    attribute("u/e/again", "trusted.overlay.redirect");
    EXPECT_OK(mkdir("m/d", 0755));
    list("m/d");
    EXPECT_OK(umount("m"));
    EXPECT_OK(overlay(",redirect_dir=on"));
    list("m"), list("m/d"), list("m/d2"), list("m/e/again");
    printf("%s %s %s\n", get("m/d2/y"), get("m/d2/x"), get("m/e/again/deep"));
    EXPECT_OK(umount("m"));
    EXPECT_OK(overlay(",redirect_dir=nofollow"));
    list("m/d2");
    EXPECT_OK(umount("m"));
}
TEST(lower_only) {
    begin();
    put("l1/a", "1"), put("l2/a", "2"), put("l2/b", "b");
    NEED(mknod("l1/b", S_IFCHR, 0)), NEED(mkdir("l1/d", 0755)), NEED(mkdir("l2/d", 0755)), put("l2/d/h", "h");
    NEED(setxattr("l1/d", "trusted.overlay.opaque", "y", 1, 0));
    EXPECT_ERRNO(EINVAL, mount("o", "m", "overlay", 0, "lowerdir=l1"));
    EXPECT_OK(mount("o", "m", "overlay", 0, "lowerdir=l1:l2"));
    list("m"), list("m/d");
    printf("%s\n", get("m/a"));
    EXPECT_ERRNO(EROFS, open("m/a", O_WRONLY));
    EXPECT_ERRNO(EROFS, mkdir("m/q", 0755));
    EXPECT_ERRNO(EROFS, unlink("m/a"));
    EXPECT_ERRNO(EROFS, chmod("m/a", 0600));
    EXPECT_OK(umount("m"));
}
TEST(wrong) {
    begin();
    EXPECT_ERRNO(EINVAL, mount("o", "m", "overlay", 0, ""));
    EXPECT_ERRNO(EINVAL, mount("o", "m", "overlay", 0, "lowerdir=l1,upperdir=u"));
    EXPECT_ERRNO(ENOENT, mount("o", "m", "overlay", 0, "lowerdir=l1,upperdir=u,workdir=missing"));
    EXPECT_ERRNO(ENOENT, mount("o", "m", "overlay", 0, "lowerdir=missing,upperdir=u,workdir=w"));
    EXPECT_ERRNO(EINVAL, mount("o", "m", "overlay", 0, "lowerdir=l1,upperdir=u,workdir=w,nonsense=1"));
    EXPECT_ERRNO(EINVAL, mount("o", "m", "overlay", 0, "lowerdir=l1,upperdir=u,workdir=u"));
    EXPECT_ERRNO(ELOOP, mount("o", "m", "overlay", 0, "lowerdir=l1:l1,upperdir=u,workdir=w"));
    EXPECT_ERRNO(ELOOP, mount("o", "m", "overlay", 0, "lowerdir=u,upperdir=u,workdir=w"));
    put("plain", "x");
    SHOW(mount("o", "m", "overlay", 0, "lowerdir=plain,upperdir=u,workdir=w"));
    printf("%s\n", check_errno_name(errno));
    NEED(mkdir("a:b", 0755)), put("a:b/in", "in");
    EXPECT_OK(mount("o", "m", "overlay", 0, "lowerdir=a\\:b,upperdir=u,workdir=w"));
    printf("%s\n", get("m/in"));
    EXPECT_OK(umount("m"));
}
TEST(unmounted_layers) {
    begin();
    NEED(mkdir("low", 0755)), NEED(mount("low", "low", "tmpfs", 0, "")), put("low/a", "a");
    EXPECT_OK(mount("o", "m", "overlay", 0, "lowerdir=low,upperdir=u,workdir=w"));
    EXPECT_OK(umount("low"));
    printf("%s\n", get("m/a"));
    put("m/a", "new");
    printf("%s\n", get("u/a"));
    EXPECT_ERRNO(EBUSY, rename("m", "l1"));
    EXPECT_OK(umount("m"));
}
TEST(new_calls) {
    begin();
    put("l1/a", "1"), put("l2/b", "2");
    int fs = EXPECT_OK(syscall(SYS_fsopen, "overlay", 0));
    EXPECT_OK(syscall(SYS_fsconfig, fs, 1, "lowerdir+", "l1", 0));
    EXPECT_OK(syscall(SYS_fsconfig, fs, 1, "lowerdir+", "l2", 0));
    EXPECT_OK(syscall(SYS_fsconfig, fs, 1, "upperdir", "u", 0));
    EXPECT_OK(syscall(SYS_fsconfig, fs, 1, "workdir", "w", 0));
    EXPECT_OK(syscall(SYS_fsconfig, fs, 6, 0, 0, 0));
    int m = EXPECT_OK(syscall(SYS_fsmount, fs, 0, 0));
    EXPECT_OK(syscall(SYS_move_mount, m, "", AT_FDCWD, "m", 4));
    list("m");
    close(m), close(fs);
    EXPECT_OK(umount("m"));
}
TEST(hard_links_below) {
    begin();
    put("l2/a", "same"), NEED(link("l2/a", "l2/b"));
    EXPECT_OK(overlay(""));
    printf("%s %s\n", get("m/a"), get("m/b"));
    put("m/a", "changed");
    printf("%s %s\n", get("m/a"), get("m/b"));
    EXPECT_OK(rename("m/b", "m/c"));
    printf("%s %s %s\n", get("m/a"), get("m/b"), get("m/c"));
    list("m"), list("u");
    EXPECT_OK(umount("m"));
}
TEST(layer_changed_behind) {
    begin();
    put("u/a", "a"), put("u/b", "b");
    EXPECT_OK(overlay(""));
    printf("%s %s\n", get("m/a"), get("m/b"));
    EXPECT_OK(unlink("u/a"));
    rename("m/a", "m/c"), unlink("m/b"), list("u");
    EXPECT_OK(umount("m"));
}

/* What a list says of a name below is true above it, goes up with the copy, and is handed down in a folder that shines through. */
static void show_list(const char *path, const char *name) {
    unsigned char value[200];
    struct stat st;
    ssize_t n = getxattr(path, name, value, sizeof value);
    if (n < 0) printf("%s: %s\n", path, check_errno_name(errno));
    NEED(stat(path, &st));
    printf("%s %s mode %o:", path, name + 17, st.st_mode);
    for (ssize_t i = 4; i < n; i += 8) printf(" %d:%d", value[i], value[i + 2]);
    printf("\n");
}
TEST(lists) {
    begin();
    static const unsigned char list[] = {2, 0, 0, 0, 1, 0, 6, 0, 255, 255, 255, 255, 2, 0, 7, 0, 232, 3, 0, 0, 4, 0, 4, 0, 255, 255, 255, 255,
        16, 0, 5, 0, 255, 255, 255, 255, 32, 0, 0, 0, 255, 255, 255, 255};
    put("l1/f", "x");
    put("l1/g", "x");
    NEED(mkdir("l1/d", 0777));
    NEED(setxattr("l1/f", "system.posix_acl_access", list, sizeof list, 0));
    NEED(setxattr("l1/d", "system.posix_acl_default", list, sizeof list, 0));
    NEED(mount("o", "m", "overlay", 0, "lowerdir=l1,upperdir=u,workdir=w"));
    show_list("m/f", "system.posix_acl_access");
    show_list("m/d", "system.posix_acl_default");
    put("m/f", "longer");
    show_list("u/f", "system.posix_acl_access");
    show_list("m/f", "system.posix_acl_access");
    NEED(chmod("m/f", 0771));
    show_list("m/f", "system.posix_acl_access");
    show_list("l1/f", "system.posix_acl_access");
    NEED(setxattr("m/g", "system.posix_acl_access", list, sizeof list, 0));
    show_list("m/g", "system.posix_acl_access");
    show_list("l1/g", "system.posix_acl_access");
    put("m/d/new", "x");
    show_list("m/d/new", "system.posix_acl_access");
    NEED(mkdir("m/d/sub", 0777));
    show_list("m/d/sub", "system.posix_acl_access");
    show_list("m/d/sub", "system.posix_acl_default");
    show_list("u/d", "system.posix_acl_default");
    SHOW(removexattr("m/d", "system.posix_acl_default"));
    show_list("m/d", "system.posix_acl_default");
    pid_t pid = CHILD({
        NEED(setresuid(1000, 1000, 1000));
        SHOW(access("m/f", W_OK));
        SHOW(access("m/g", R_OK | X_OK));
        SHOW(access("m/g", W_OK));
    });
    EXPECT_EXIT(0, pid);
    NEED(chdir("/"));
}
