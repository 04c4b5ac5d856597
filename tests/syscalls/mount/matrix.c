// Mount calls by table: every flag, option and bad argument, what each mount then is, and what a caller without rights may do.
// guest: root caps=SYS_ADMIN,SYS_CHROOT timeout=120
#include "check.h"
#include <linux/mount.h>
#include <sched.h>
#include <sys/statfs.h>
#undef MS_RDONLY
int mount(const char *, const char *, const char *, unsigned long, const void *);
int umount2(const char *, int);
#define fsopen_(n, f) syscall(SYS_fsopen, n, f)
#define fsconfig_(fd, c, k, v, a) syscall(SYS_fsconfig, fd, c, k, v, a)
#define fsmount_(fd, f, a) syscall(SYS_fsmount, fd, f, a)
#define fspick_(d, p, f) syscall(SYS_fspick, d, p, f)
#define move_mount_(a, b, c, d, f) syscall(SYS_move_mount, a, b, c, d, f)
#define open_tree_(d, p, f) syscall(SYS_open_tree, d, p, f)
#define setattr_(d, p, f, a, s) syscall(SYS_mount_setattr, d, p, f, a, (long)(s))
#define READ_ONLY 1ul
#define NOSUID 2ul
#define NODEV 4ul
#define NOEXEC 8ul
#define REMOUNT 32ul
#define NOSYMFOLLOW 256ul
#define NOATIME 1024ul
#define NODIRATIME 2048ul
#define BIND 4096ul
#define MOVE 8192ul
#define REC 16384ul
#define UNBINDABLE (1ul << 17)
#define PRIVATE (1ul << 18)
#define SLAVE (1ul << 19)
#define SHARED (1ul << 20)
#define RELATIME (1ul << 21)
#define STRICTATIME (1ul << 24)
#define MNT_FORCE 1
#define MNT_DETACH 2
#define MNT_EXPIRE 4
#define UMOUNT_NOFOLLOW 8

static void own_tree(void) {
    NEED(unshare(CLONE_NEWNS));
    NEED(mount(0, "/", 0, REC | PRIVATE, 0));
}

/* The mount's own options, and those of its file system, as mountinfo shows them. */
static void show_line(const char *what, const char *name) {
    char line[4096], *at;
    char where[PATH_MAX];
    NEED(realpath(name, where) ? 0 : -1);
    FILE *f = fopen("/proc/self/mountinfo", "r");
    printf("%s:", what);
    while (fgets(line, sizeof line, f)) {
        if (!(at = strstr(line, where)) || at[strlen(where)] != ' ') continue;
        at += strlen(where);
        *strstr(at, " - ") = 0;
        char *shared;
        while ((shared = strpbrk(at, "0123456789")) && strstr(at, ":") && shared == strstr(at, ":") + 1) memset(shared, '#', strspn(shared, "0123456789"));
        printf("%s;", at);
    }
    fclose(f);
    printf("\n");
}

TEST(options) {
    own_tree();
    NEED(mkdir("m", 0755));
    NEED(mkdir("other", 0755));
    static const char *const options[] = {"", "size=8k", "size=1m,mode=0700", "mode=1777", "mode=755", "mode=17777", "uid=5,gid=6", "uid=-1", "nr_inodes=3",
        "nr_blocks=2", "size=100%", "size=", "size=abc", "size=1x", "mode=8", "mode=", "nonsense", "size=4096,size=8192", "nr_inodes=0", "nr_blocks=0", "size=0",
        "size=1K", "size=4097", "huge=never", "uid=70000,mode=07", ",", "size=8k,", "mode=0"};
    for (unsigned i = 0; i < sizeof options / sizeof *options; i++) {
        long result = mount("src", "m", "tmpfs", 0, options[i]);
        printf("\"%s\": %s", options[i], result ? check_errno_name(errno) : "ok");
        if (!result) {
            struct stat st;
            struct statfs fs;
            NEED(stat("m", &st));
            NEED(statfs("m", &fs));
            printf(" mode %o owner %d %d", st.st_mode, st.st_uid, st.st_gid);
            if (strstr(options[i], "size") || strstr(options[i], "blocks"))
                if (!strstr(options[i], "%") && !strstr(options[i], "=0")) printf(" blocks %ld of %ld", (long)fs.f_bfree, (long)fs.f_blocks);
            if (strstr(options[i], "nr_inodes=3")) printf(" files %ld of %ld", (long)fs.f_ffree, (long)fs.f_files);
            NEED(umount2("m", 0));
        }
        printf("\n");
    }
}

TEST(few_files) {
    own_tree();
    NEED(mount("src", "m", "tmpfs", 0, "nr_inodes=3,size=8k"));
    EXPECT_OK(mkdir("m/a", 0700));
    EXPECT_OK(symlink("x", "m/b"));
    EXPECT_ERRNO(ENOSPC, mkdir("m/c", 0700));
    EXPECT_ERRNO(ENOSPC, symlink("x", "m/c"));
    EXPECT_ERRNO(ENOSPC, mkfifo("m/c", 0700));
    EXPECT_ERRNO(ENOSPC, open("m/c", O_CREAT | O_RDWR, 0600));
    EXPECT_OK(rmdir("m/a"));
    int fd = EXPECT_OK(open("m/c", O_CREAT | O_RDWR, 0600));
    char big[10000] = "";
    SHOW(write(fd, big, 5000));
    SHOW(write(fd, big, 5000));
    SHOW(write(fd, big, 1));
    SHOW(ftruncate(fd, 100));
    SHOW(pwrite(fd, big, 10000, 100));
    struct stat st;
    NEED(fstat(fd, &st));
    SHOW(st.st_size);
    close(fd);
    NEED(umount2("m", 0));
}

TEST(flags) {
    own_tree();
    static const unsigned long flags[] = {0, READ_ONLY, NOSUID, NODEV, NOEXEC, NOATIME, NODIRATIME, RELATIME, STRICTATIME, NOATIME | STRICTATIME,
        READ_ONLY | NOSUID | NODEV | NOEXEC, NOATIME | NODIRATIME, 0xC0ED0000ul | NOEXEC, NOSYMFOLLOW, NOSYMFOLLOW | NOATIME | READ_ONLY};
    for (unsigned i = 0; i < sizeof flags / sizeof *flags; i++) {
        long result = mount("src", "m", "tmpfs", flags[i], "mode=700");
        printf("%lx: %s ", flags[i], result ? check_errno_name(errno) : "ok");
        if (!result) {
            char line[4096];
            char where[PATH_MAX];
            NEED(realpath("m", where) ? 0 : -1);
            FILE *f = fopen("/proc/self/mountinfo", "r");
            while (fgets(line, sizeof line, f)) {
                char *at = strstr(line, where);
                if (at && (at = strstr(at, " ") + 1)) printf("%.*s", (int)strcspn(at, " "), at);
            }
            fclose(f);
            struct statfs fs;
            NEED(statfs("m", &fs));
            printf(" statfs %lx", (long)fs.f_flags);
            printf(" %s", mkdir("m/x", 0700) ? check_errno_name(errno) : "written");
            NEED(umount2("m", 0));
        }
        printf("\n");
    }
}

TEST(binding) {
    own_tree();
    close(make_file("plain", "x"));
    NEED(symlink("m", "to_m"));
    NEED(mount("src", "m", "tmpfs", 0, "mode=700"));
    NEED(mkdir("m/sub", 0755));
    NEED(mount("in", "m/sub", "tmpfs", NOEXEC, "mode=700"));
    NEED(close(open("m/file", O_CREAT | O_RDWR, 0600)));
    SHOW(mount(NULL, "other", NULL, BIND, NULL));
    SHOW(mount("", "other", NULL, BIND, NULL));
    SHOW(mount("missing", "other", NULL, BIND, NULL));
    SHOW(mount("m/file", "other", NULL, BIND, NULL));
    SHOW(mount("m", "plain", NULL, BIND, NULL));
    SHOW(mount("m/file", "plain", NULL, BIND, NULL));
    SHOW(access("plain", F_OK));
    SHOW(umount2("plain", 0));
    SHOW(mount("to_m", "other", NULL, BIND | READ_ONLY, NULL));
    SHOW(mkdir("other/new", 0700));
    SHOW(mkdir("other/sub/hidden", 0700));
    SHOW(access("m/sub/hidden", F_OK));
    SHOW(umount2("to_m", UMOUNT_NOFOLLOW));
    SHOW(umount2("other", UMOUNT_NOFOLLOW));
    SHOW(mount("m", "other", NULL, BIND | REC, NULL));
    SHOW(mkdir("other/sub/seen", 0700));
    SHOW(access("m/sub/seen", F_OK));
    SHOW(mount(NULL, "other", NULL, REMOUNT | BIND | READ_ONLY | NOSUID, NULL));
    SHOW(mkdir("other/no", 0700));
    SHOW(mkdir("other/sub/yes", 0700));
    SHOW(mkdir("m/yes", 0700));
    SHOW(mount(NULL, "other/new", NULL, REMOUNT | BIND, NULL));
    SHOW(umount2("other", 0));
    SHOW(umount2("other", MNT_EXPIRE));
    SHOW(umount2("other", MNT_EXPIRE | MNT_DETACH));
    SHOW(umount2("other", MNT_EXPIRE | MNT_FORCE));
    SHOW(umount2("other", MNT_DETACH));
    SHOW(umount2("other", MNT_DETACH));
    SHOW(umount2("m/new", 0));
    NEED(umount2("m", MNT_DETACH));
}

TEST(moving_and_sharing) {
    own_tree();
    NEED(mount("src", "m", "tmpfs", 0, "mode=700"));
    SHOW(mount("m", "other", NULL, MOVE, NULL));
    SHOW(mount("m", "other", NULL, MOVE, NULL));
    SHOW(mount("other", "plain", NULL, MOVE, NULL));
    SHOW(mount(NULL, "m", NULL, MOVE, NULL));
    NEED(mkdir("other/in", 0700));
    SHOW(mount("other", "other/in", NULL, MOVE, NULL));
    SHOW(mount("other/in", "m", NULL, MOVE, NULL));
    SHOW(mount("other", "m", NULL, MOVE, NULL));
    SHOW(access("m/in", F_OK));
    SHOW(mount(NULL, "m/in", NULL, SHARED, NULL));
    SHOW(mount(NULL, "m", NULL, SHARED | PRIVATE, NULL));
    SHOW(mount(NULL, "m", NULL, SHARED | READ_ONLY, NULL));
    SHOW(mount(NULL, "m", NULL, SHARED, NULL));
    SHOW(mount("m", "other", NULL, BIND, NULL));
    SHOW(mount("x", "m/in", "tmpfs", 0, NULL));
    SHOW(mkdir("other/in/through", 0700));
    SHOW(access("m/in/through", F_OK));
    SHOW(umount2("other/in", 0));
    SHOW(access("m/in/through", F_OK));
    SHOW(mount(NULL, "other", NULL, SLAVE, NULL));
    SHOW(mount("x", "other/in", "tmpfs", 0, NULL));
    SHOW(mkdir("other/in/alone", 0700));
    SHOW(access("m/in/alone", F_OK));
    SHOW(mount("x", "m/in", "tmpfs", 0, NULL));
    SHOW(umount2("other/in", 0));
    SHOW(umount2("other/in", 0));
    SHOW(mount(NULL, "m", NULL, UNBINDABLE, NULL));
    SHOW(mount("m", "plain", NULL, BIND, NULL));
    SHOW(umount2("other", 0));
    SHOW(mount("m", "other", NULL, BIND, NULL));
    SHOW(open_tree_(AT_FDCWD, "m", OPEN_TREE_CLONE));
    SHOW(mount(NULL, "m", NULL, PRIVATE, NULL));
    SHOW(umount2("m", MNT_DETACH));
}

TEST(step_by_step) {
    own_tree();
    static const struct { unsigned cmd; const char *key, *value; int aux; } steps[] = {
        {FSCONFIG_SET_FLAG, "ro", NULL, 0}, {FSCONFIG_SET_FLAG, "rw", NULL, 0}, {FSCONFIG_SET_FLAG, "ro", "x", 0}, {FSCONFIG_SET_FLAG, "ro", NULL, 1},
        {FSCONFIG_SET_FLAG, NULL, NULL, 0}, {FSCONFIG_SET_STRING, "size", NULL, 0}, {FSCONFIG_SET_STRING, "size", "8k", 1},
        {FSCONFIG_SET_STRING, "size", "8k", 0}, {FSCONFIG_SET_STRING, "nope", "8k", 0}, {FSCONFIG_SET_STRING, "source", "me", 0},
        {FSCONFIG_CMD_RECONFIGURE, NULL, NULL, 0}, {FSCONFIG_CMD_CREATE, NULL, "x", 0}, {FSCONFIG_CMD_CREATE, NULL, NULL, 1}, {9, NULL, NULL, 0},
        {FSCONFIG_CMD_CREATE, NULL, NULL, 0}, {FSCONFIG_CMD_CREATE, NULL, NULL, 0}, {FSCONFIG_SET_STRING, "size", "8k", 0},
    };
    SHOW(fsopen_("tmpfs", FSOPEN_CLOEXEC | 2));
    SHOW(fsopen_(NULL, 0));
    int fs = NEED(fsopen_("tmpfs", 0));
    SHOW(fcntl(fs, F_GETFD));
    SHOW(fcntl(NEED(fsopen_("tmpfs", FSOPEN_CLOEXEC)), F_GETFD));
    SHOW(fsmount_(fs, 0, 0));
    for (unsigned i = 0; i < sizeof steps / sizeof *steps; i++) {
        long result = fsconfig_(fs, steps[i].cmd, steps[i].key, steps[i].value, steps[i].aux);
        printf("step %u: %s\n", i, result ? check_errno_name(errno) : "ok");
    }
    SHOW(fsconfig_(0, FSCONFIG_SET_FLAG, "ro", NULL, 0));
    SHOW(fsconfig_(900, FSCONFIG_SET_FLAG, "ro", NULL, 0));
    SHOW(fsmount_(fs, 2, 0));
    SHOW(fsmount_(fs, 0, MOUNT_ATTR_NOATIME | MOUNT_ATTR_STRICTATIME));
    SHOW(fsmount_(0, 0, 0));
    SHOW(fsmount_(900, 0, 0));
    int mnt = NEED(fsmount_(fs, 0, MOUNT_ATTR_NODEV | MOUNT_ATTR_NOATIME));
    SHOW(fcntl(mnt, F_GETFD));
    SHOW(fsmount_(fs, 0, 0));
    SHOW(move_mount_(mnt, "", AT_FDCWD, "m", 0));
    SHOW(move_mount_(mnt, "", AT_FDCWD, "m", 0x1000));
    SHOW(move_mount_(mnt, "", AT_FDCWD, "plain", MOVE_MOUNT_F_EMPTY_PATH));
    SHOW(move_mount_(mnt, "", AT_FDCWD, "to_m", MOVE_MOUNT_F_EMPTY_PATH));
    SHOW(move_mount_(mnt, "", AT_FDCWD, "missing", MOVE_MOUNT_F_EMPTY_PATH));
    SHOW(move_mount_(mnt, "", AT_FDCWD, "to_m", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_SYMLINKS));
    SHOW(move_mount_(mnt, "", AT_FDCWD, "other", MOVE_MOUNT_F_EMPTY_PATH));
    show_line("moved", "other");
    struct statfs stats;
    NEED(statfs("other", &stats));
    SHOW(stats.f_blocks);
    SHOW(fspick_(AT_FDCWD, "m", 0));
    SHOW(fspick_(AT_FDCWD, "other", 0x100));
    int pick = NEED(fspick_(AT_FDCWD, "other", FSPICK_CLOEXEC));
    SHOW(fcntl(pick, F_GETFD));
    SHOW(fcntl(NEED(fspick_(AT_FDCWD, "other", 0)), F_GETFD));
    SHOW(fsconfig_(pick, FSCONFIG_CMD_CREATE, NULL, NULL, 0));
    SHOW(fsmount_(pick, 0, 0));
    int place = NEED(open("other", O_PATH));
    SHOW(fspick_(place, "", 0));
    SHOW(close(fspick_(place, "", FSPICK_EMPTY_PATH)));
    close(place);
    close(mnt);
    NEED(umount2("other", MNT_DETACH));
}

TEST(attributes) {
    own_tree();
    NEED(mount("src", "m", "tmpfs", 0, "mode=700"));
    NEED(mkdir("m/sub", 0700));
    NEED(mount("in", "m/sub", "tmpfs", 0, "mode=700"));
    static const struct { unsigned long set, clear, propagation; unsigned flags; } changes[] = {
        {MOUNT_ATTR_RDONLY, 0, 0, 0}, {MOUNT_ATTR_NOEXEC | MOUNT_ATTR_NOSUID, MOUNT_ATTR_RDONLY, 0, 0}, {0, MOUNT_ATTR_NOEXEC, 0, AT_RECURSIVE},
        {MOUNT_ATTR_NODEV, 0, 0, AT_RECURSIVE}, {MOUNT_ATTR_NOATIME, 0, 0, 0}, {MOUNT_ATTR_NOATIME, MOUNT_ATTR__ATIME, 0, 0},
        {MOUNT_ATTR_STRICTATIME, MOUNT_ATTR__ATIME, 0, 0}, {0, MOUNT_ATTR__ATIME, 0, 0}, {0, MOUNT_ATTR_NOATIME, 0, 0},
        {0x30, MOUNT_ATTR__ATIME, 0, 0}, {MOUNT_ATTR_NODIRATIME, 0, 0, 0}, {0, 0, SHARED, 0}, {0, 0, SHARED | PRIVATE, 0}, {0, 0, 5, 0},
        {0, 0, PRIVATE, AT_RECURSIVE}, {1ul << 40, 0, 0, 0}, {0, 1ul << 40, 0, 0}, {MOUNT_ATTR_RDONLY, MOUNT_ATTR_RDONLY, 0, 0}, {0, 0, 0, 0},
        {MOUNT_ATTR_RDONLY, 0, 0, 0x10}, {0x200000, 0, 0, 0}, {0, 0x200000, 0, 0},
    };
    for (unsigned i = 0; i < sizeof changes / sizeof *changes; i++) {
        uint64_t attr[4] = {changes[i].set, changes[i].clear, changes[i].propagation, 0};
        long result = setattr_(AT_FDCWD, "m", changes[i].flags, attr, sizeof attr);
        printf("change %u: %s", i, result ? check_errno_name(errno) : "ok");
        show_line("", "m");
        show_line("  below", "m/sub");
    }
    uint64_t long_attr[6] = {MOUNT_ATTR_RDONLY};
    SHOW(setattr_(AT_FDCWD, "m", 0, long_attr, 31));
    SHOW(setattr_(AT_FDCWD, "m", 0, long_attr, 40));
    long_attr[4] = 1;
    SHOW(setattr_(AT_FDCWD, "m", 0, long_attr, 40));
    SHOW(setattr_(AT_FDCWD, "m", 0, long_attr, 5000));
    SHOW(setattr_(AT_FDCWD, "m/sub/..", 0, long_attr, 32));
    NEED(mkdir("m/sub/deep", 0700) == -1 && errno != EROFS ? -1 : 0);
    SHOW(setattr_(AT_FDCWD, "m/sub/none", 0, long_attr, 32));
    SHOW(setattr_(AT_FDCWD, "other", 0, long_attr, 32));
    SHOW(setattr_(AT_FDCWD, "", 0, long_attr, 32));
    int place = NEED(open("m", O_PATH));
    SHOW(setattr_(place, "", AT_EMPTY_PATH, long_attr, 32));
    SHOW(open_tree_(AT_FDCWD, "m", AT_RECURSIVE));
    SHOW(open_tree_(AT_FDCWD, "m", 0x40));
    SHOW(fcntl(NEED(open_tree_(AT_FDCWD, "m", OPEN_TREE_CLOEXEC)), F_GETFD));
    SHOW(fcntl(NEED(open_tree_(place, "", AT_EMPTY_PATH | OPEN_TREE_CLONE)), F_GETFD));
    SHOW(umount2("m", MNT_DETACH));
}

/* Links stay readable, and lead nowhere: whatever follows them, the last component or one on the way. */
TEST(no_links_followed) {
    own_tree();
    NEED(mount("src", "m", "tmpfs", NOSYMFOLLOW, "mode=755"));
    close(make_file("m/file", "x"));
    NEED(mkdir("m/folder", 0755));
    NEED(symlink("file", "m/link"));
    NEED(symlink("folder", "m/to_folder"));
    NEED(symlink("nothing", "m/dangling"));
    NEED(symlink("m/file", "outside"));
    char text[100];
    struct stat st;
    struct statfs fs;
    SHOW(readlink("m/link", text, sizeof text));
    SHOW(lstat("m/link", &st));
    SHOW(stat("m/link", &st));
    SHOW(open("m/link", O_RDONLY));
    SHOW(open("m/link", O_WRONLY | O_CREAT, 0600));
    SHOW(open("m/dangling", O_WRONLY | O_CREAT, 0600));
    SHOW(open("m/link", O_WRONLY | O_CREAT | O_EXCL, 0600));
    SHOW(close(open("m/link", O_PATH | O_NOFOLLOW)));
    SHOW(open("m/link", O_PATH));
    SHOW(open("m/to_folder", O_DIRECTORY));
    SHOW(access("m/to_folder/x", F_OK));
    SHOW(access("m/to_folder/", F_OK));
    SHOW(unlink("m/to_folder/x"));
    SHOW(mkdir("m/to_folder/x", 0700));
    SHOW(rename("m/link", "m/moved"));
    SHOW(link("m/moved", "m/again"));
    SHOW(linkat(AT_FDCWD, "m/moved", AT_FDCWD, "m/third", AT_SYMLINK_FOLLOW));
    SHOW(access("outside", F_OK));
    SHOW(statfs("m", &fs));
    printf("%lx\n", (long)fs.f_flags);
    SHOW(mount(NULL, "m", NULL, REMOUNT | BIND, NULL));
    SHOW(access("m/moved", F_OK));
    SHOW(mount(NULL, "m", NULL, REMOUNT | BIND | NOATIME, NULL));
    show_line("noatime", "m");
    SHOW(mount(NULL, "m", NULL, REMOUNT | BIND | NOSYMFOLLOW, NULL));
    show_line("kept", "m");
    SHOW(mount("m", "other", NULL, BIND, NULL));
    show_line("bound", "other");
    SHOW(access("other/moved", F_OK));
    SHOW(umount2("other", 0));
    SHOW(umount2("m", 0));
    NEED(mount("p", "m", "proc", NOSYMFOLLOW, NULL));
    SHOW(access("m/self/exe", F_OK));
    SHOW(access("m/1/exe", F_OK));
    SHOW(umount2("m", 0));
}

/* Without the right to mount everything is EPERM, and what would be found out before that is not. */
TEST(without_rights) {
    pid_t pid = CHILD({
        NEED(setresuid(1000, 1000, 1000));
        SHOW(mount("x", "m", "tmpfs", 0, NULL));
        SHOW(mount("x", "missing", "tmpfs", 0, NULL));
        SHOW(mount("m", "other", NULL, BIND, NULL));
        SHOW(umount2("m", 0));
        SHOW(umount2("m", 0x100));
        SHOW(umount2("missing", 0));
        SHOW(fsopen_("tmpfs", 0));
        SHOW(fsopen_("nope", 9));
        SHOW(fspick_(AT_FDCWD, "m", 0));
        SHOW(open_tree_(AT_FDCWD, "m", OPEN_TREE_CLONE));
        SHOW(close(open_tree_(AT_FDCWD, "m", 0)));
        SHOW(move_mount_(AT_FDCWD, "m", AT_FDCWD, "other", 0));
        SHOW(fsmount_(0, 0, 0));
        uint64_t attr[4] = {1};
        SHOW(setattr_(AT_FDCWD, "m", 0, attr, 32));
        SHOW(syscall(SYS_pivot_root, "m", "m"));
        SHOW(unshare(CLONE_NEWNS));
        SHOW(chroot("m"));
    });
    EXPECT_EXIT(0, pid);
}

TEST(turning_the_tree) {
    own_tree();
    NEED(mkdir("base", 0755));
    NEED(mount("base", "base", "tmpfs", 0, NULL));
    NEED(mkdir("base/new", 0755));
    NEED(mkdir("base/plain", 0755));
    NEED(close(open("base/file", O_CREAT | O_RDWR, 0600)));
    NEED(mount("new", "base/new", "tmpfs", 0, NULL));
    NEED(mkdir("base/new/old", 0755));
    NEED(mkdir("base/new/shared", 0755));
    NEED(mount("s", "base/new/shared", "tmpfs", 0, NULL));
    NEED(mount(NULL, "base/new/shared", NULL, SHARED, NULL));
    NEED(chdir("base"));
    NEED(chroot("."));
    static const char *const places[] = {"/", "/new", "/new/old", "/plain", "/file", "/missing", "/new/shared", "new", ".", ""};
    for (int i = 0; i < 10; i++)
        for (int j = 0; j < 10; j++) {
            if (i == 1 && j == 2) continue;
            if (i == 7 && j == 2) continue;
            if ((i == 1 || i == 7) && (j == 1 || j == 7)) continue;
            long result = syscall(SYS_pivot_root, places[i], places[j]);
            printf("\"%s\" \"%s\": %s\n", places[i], places[j], result ? check_errno_name(errno) : "ok");
        }
    NEED(mount(NULL, "/new", NULL, SHARED, NULL));
    SHOW(syscall(SYS_pivot_root, "/new", "/new/old"));
    NEED(mount(NULL, "/new", NULL, PRIVATE, NULL));
    NEED(mount(NULL, "/", NULL, SHARED, NULL));
    SHOW(syscall(SYS_pivot_root, "/new", "/new/old"));
    NEED(mount(NULL, "/", NULL, PRIVATE, NULL));
    SHOW(syscall(SYS_pivot_root, "/new", "/new/old"));
    SHOW(access("/old/file", F_OK));
    SHOW(access("/shared", F_OK));
    SHOW(access("old/plain", F_OK));
    SHOW(syscall(SYS_pivot_root, "/", "/old"));
}
