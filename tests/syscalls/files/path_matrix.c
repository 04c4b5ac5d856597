/* Every call that takes a path against every awkward path: what each answers, and that it leaves no more than it should. */
// guest: timeout=120
#include <ftw.h>
#include <sys/inotify.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <sys/time.h>
#include <sys/xattr.h>
#include <utime.h>
#include <linux/openat2.h>
#include "check.h"

static char name255[256], name256[257], path4095[4096], path4096[4097];

static const char *const paths[] = {
    "", ".", "..", "./", "file", "./file", "file/", "file/.", "file/..", "file/x", "none", "none/", "none/x", "none/..", "dir", "dir/", "dir/.",
    "dir/..", "dir/new", "dir/new/", "full", "full/", "full/f", "full/../file", "link", "link/", "link/x", "dlink", "dlink/", "dlink/.", "dlink/new",
    "dang", "dang/", "dang/x", "loop", "loop/", "loop/x", "fifo", "fifo/", name255, name256, path4095, path4096, "full//f", ".//file",
};
#define PATHS (sizeof paths / sizeof *paths)
static const char *const pairs[] = {"", ".", "file", "file/", "other", "file/x", "none", "none/", "none/x", "dir", "dir/", "dir/new", "full", "full/", "full/f",
    "full/sub", "link", "dlink", "dlink/", "dang", "dang/", "loop", "fifo", "..", "dir/.", "hard"};
#define PAIRS (sizeof pairs / sizeof *pairs)

/* A path of that length to the file: dot, slashes, name. */
static void slashes(char *out, size_t length) {
    memset(out, '/', length);
    out[0] = '.';
    memcpy(out + length - 4, "file", 5);
}

static int remove_one(const char *path, const struct stat *state, int type, struct FTW *walk) { return remove(path); }

static void clean(void) {
    nftw("world", remove_one, 20, FTW_DEPTH | FTW_PHYS);
    NEED(mkdir("world", 0755));
    NEED(chdir("world"));
    close(make_file("file", "0123456789"));
    close(make_file("other", "x"));
    NEED(link("other", "hard"));
    NEED(mkdir("dir", 0755));
    NEED(mkdir("full", 0755));
    NEED(mkdir("full/sub", 0755));
    close(make_file("full/f", "y"));
    NEED(symlink("file", "link"));
    NEED(symlink("dir", "dlink"));
    NEED(symlink("none", "dang"));
    NEED(symlink("loop", "loop"));
    NEED(mkfifo("fifo", 0644));
    NEED(chdir(".."));
}

static long closed(long fd) {
    if (fd >= 0) close(fd);
    return fd < 0 ? -1 : 0;
}

static struct stat st;
static char buffer[5000];
static int home;

static long c_open(const char *p) { return closed(open(p, O_RDONLY | O_NONBLOCK)); }
static long c_open_w(const char *p) { return closed(open(p, O_WRONLY | O_NONBLOCK)); }
static long c_open_trunc(const char *p) { return closed(open(p, O_RDWR | O_TRUNC | O_NONBLOCK)); }
static long c_creat(const char *p) { return closed(open(p, O_RDWR | O_CREAT | O_NONBLOCK, 0640)); }
static long c_excl(const char *p) { return closed(open(p, O_RDWR | O_CREAT | O_EXCL | O_NONBLOCK, 0640)); }
static long c_creat_nofollow(const char *p) { return closed(open(p, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK, 0640)); }
static long c_nofollow(const char *p) { return closed(open(p, O_RDONLY | O_NOFOLLOW | O_NONBLOCK)); }
static long c_directory(const char *p) { return closed(open(p, O_RDONLY | O_DIRECTORY)); }
static long c_directory_nofollow(const char *p) { return closed(open(p, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)); }
static long c_directory_creat(const char *p) { return closed(open(p, O_RDONLY | O_DIRECTORY | O_CREAT | O_NONBLOCK, 0644)); }
static long c_path(const char *p) { return closed(open(p, O_PATH)); }
static long c_path_nofollow(const char *p) { return closed(open(p, O_PATH | O_NOFOLLOW)); }
static long c_tmpfile(const char *p) { return closed(open(p, O_TMPFILE | O_RDWR, 0600)); }
static long openat2_with(const char *p, uint64_t resolve, uint64_t flags) {
    struct open_how how = {.flags = flags | O_NONBLOCK, .mode = flags & O_CREAT ? 0600 : 0, .resolve = resolve};
    return closed(syscall(SYS_openat2, AT_FDCWD, p, &how, sizeof how));
}
static long c_beneath(const char *p) { return openat2_with(p, RESOLVE_BENEATH, O_RDONLY); }
static long c_in_root(const char *p) { return openat2_with(p, RESOLVE_IN_ROOT, O_RDONLY); }
static long c_no_symlinks(const char *p) { return openat2_with(p, RESOLVE_NO_SYMLINKS, O_RDONLY); }
static long c_no_xdev(const char *p) { return openat2_with(p, RESOLVE_NO_XDEV | RESOLVE_NO_MAGICLINKS, O_RDWR | O_CREAT); }
static long c_stat(const char *p) { return stat(p, &st) ? -1L : (long)(st.st_mode & S_IFMT) >> 12; }
static long c_lstat(const char *p) { return lstat(p, &st) ? -1L : (long)(st.st_mode & S_IFMT) >> 12; }
static long c_fstatat_empty(const char *p) { return fstatat(home, p, &st, AT_EMPTY_PATH) ? -1L : (long)(st.st_mode & S_IFMT) >> 12; }
static long c_statx(const char *p) {
    struct statx x;
    return statx(AT_FDCWD, p, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, &x) ? -1L : (long)(x.stx_mode & S_IFMT) >> 12;
}
static long c_access(const char *p) { return access(p, R_OK | W_OK); }
static long c_faccessat(const char *p) { return syscall(SYS_faccessat2, AT_FDCWD, p, X_OK, AT_SYMLINK_NOFOLLOW | AT_EACCESS); }
static long c_chmod(const char *p) { return chmod(p, 0700); }
static long c_chmod_link(const char *p) { return syscall(452 /* fchmodat2 */, AT_FDCWD, p, 0700, AT_SYMLINK_NOFOLLOW); }
static long c_chown(const char *p) { return chown(p, -1, -1); }
static long c_lchown(const char *p) { return lchown(p, geteuid(), getegid()); }
static long c_truncate(const char *p) { return truncate(p, 3); }
static long c_truncate_negative(const char *p) { return truncate(p, -1); }
static long c_utimens(const char *p) { return utimensat(AT_FDCWD, p, NULL, 0); }
static long c_utimens_link(const char *p) { return utimensat(AT_FDCWD, p, NULL, AT_SYMLINK_NOFOLLOW); }
static long c_utime(const char *p) { struct utimbuf t = {1, 2}; return utime(p, &t); }
static long c_futimesat(const char *p) { struct timeval t[2] = {{1, 2}, {3, 4}}; return syscall(SYS_futimesat, AT_FDCWD, p, t); }
static long c_readlink(const char *p) { return readlink(p, buffer, sizeof buffer); }
static long c_readlink_short(const char *p) { return readlink(p, buffer, 2); }
static long c_statfs(const char *p) { struct statfs f; return statfs(p, &f); }
static long c_mkdir(const char *p) { return mkdir(p, 0700); }
static long c_rmdir(const char *p) { return rmdir(p); }
static long c_unlink(const char *p) { return unlink(p); }
static long c_unlinkat_dir(const char *p) { return unlinkat(AT_FDCWD, p, AT_REMOVEDIR); }
static long c_mkfifo(const char *p) { return mknod(p, S_IFIFO | 0600, 0); }
static long c_mknod(const char *p) { return mknod(p, 0600, 0); }
static long c_mknod_dir(const char *p) { return mknod(p[0] == '.' && p[1] == '/' ? "file" : p, S_IFDIR | 0600, 0); }
static long c_symlink(const char *p) { return symlink("target", p); }
static long c_symlink_to(const char *p) { return symlink(p, "made"); }
static long c_chdir(const char *p) {
    long result = chdir(p);
    if (!result) NEED(fchdir(home));
    return result;
}
static long c_getxattr(const char *p) { return getxattr(p, "user.none", buffer, 10); }
static long c_lgetxattr(const char *p) { return lgetxattr(p, "trusted.none", buffer, 10); }
static long c_listxattr(const char *p) { return listxattr(p, buffer, sizeof buffer) >= 0 ? 0 : -1; }
static long c_removexattr(const char *p) { return removexattr(p, "user.none"); }
static long c_watch(const char *p) {
    int fd = inotify_init1(0);
    long result = inotify_add_watch(fd, p, IN_MODIFY | IN_DONT_FOLLOW);
    int error = errno;
    close(fd);
    errno = error;
    return result < 0 ? -1 : 0;
}
static long c_watch_dir(const char *p) {
    int fd = inotify_init1(0);
    long result = inotify_add_watch(fd, p, IN_CREATE | IN_ONLYDIR);
    int error = errno;
    close(fd);
    errno = error;
    return result < 0 ? -1 : 0;
}
static long c_exec(const char *p) {
    char *argv[] = {"x", NULL};
    return syscall(SYS_execveat, AT_FDCWD, p, argv, argv + 1, AT_SYMLINK_NOFOLLOW);
}

#define CALL(name) {#name, name}
static const struct { const char *name; long (*call)(const char *); } calls[] = {
    CALL(c_open), CALL(c_open_w), CALL(c_open_trunc), CALL(c_creat), CALL(c_excl), CALL(c_creat_nofollow), CALL(c_nofollow), CALL(c_directory),
    CALL(c_directory_nofollow), CALL(c_directory_creat), CALL(c_path), CALL(c_path_nofollow), CALL(c_tmpfile), CALL(c_beneath), CALL(c_in_root),
    CALL(c_no_symlinks), CALL(c_no_xdev), CALL(c_stat), CALL(c_lstat), CALL(c_fstatat_empty), CALL(c_statx), CALL(c_access), CALL(c_faccessat), CALL(c_chmod),
    CALL(c_chmod_link), CALL(c_chown), CALL(c_lchown), CALL(c_truncate), CALL(c_truncate_negative), CALL(c_utimens), CALL(c_utimens_link), CALL(c_utime),
    CALL(c_futimesat), CALL(c_readlink), CALL(c_readlink_short), CALL(c_statfs), CALL(c_mkdir), CALL(c_rmdir), CALL(c_unlink), CALL(c_unlinkat_dir),
    CALL(c_mkfifo), CALL(c_mknod), CALL(c_mknod_dir), CALL(c_symlink), CALL(c_symlink_to), CALL(c_chdir), CALL(c_getxattr), CALL(c_lgetxattr),
    CALL(c_listxattr), CALL(c_removexattr), CALL(c_watch), CALL(c_watch_dir), CALL(c_exec),
};

static void run_all(int from, int to) {
    memset(name255, 'n', 255);
    memset(name256, 'n', 256);
    slashes(path4095, 4095);
    slashes(path4096, 4096);
    for (int c = from; c < to; c++) {
        clean();
        NEED(chdir("world"));
        home = NEED(open(".", O_RDONLY | O_DIRECTORY));
        printf("%s", calls[c].name + 2);
        for (unsigned i = 0; i < PATHS; i++) {
            errno = 0;
            long value = calls[c].call(paths[i]);
            printf(" %s", value < 0 ? check_errno_name(errno) : value == 0 ? "ok" : "");
            if (value > 0) printf("%ld", value);
            if (value >= 0 && (strstr(calls[c].name, "mk") || strstr(calls[c].name, "rm") || strstr(calls[c].name, "unlink") || strstr(calls[c].name, "symlink")
                                  || strstr(calls[c].name, "cr") || strstr(calls[c].name, "excl") || strstr(calls[c].name, "xdev"))) {
                close(home);
                NEED(chdir(".."));
                clean();
                NEED(chdir("world"));
                home = NEED(open(".", O_RDONLY | O_DIRECTORY));
            }
        }
        printf("\n");
        close(home);
        NEED(chdir(".."));
    }
}

#define CALLS (int)(sizeof calls / sizeof *calls)
TEST(first_third) { run_all(0, CALLS / 3); }
TEST(second_third) { run_all(CALLS / 3, 2 * CALLS / 3); }
TEST(last_third) { run_all(2 * CALLS / 3, CALLS); }

static long t_rename(const char *a, const char *b) { return rename(a, b); }
static long t_noreplace(const char *a, const char *b) { return renameat2(AT_FDCWD, a, AT_FDCWD, b, RENAME_NOREPLACE); }
static long t_exchange(const char *a, const char *b) { return renameat2(AT_FDCWD, a, AT_FDCWD, b, RENAME_EXCHANGE); }
static long t_link(const char *a, const char *b) { return link(a, b); }
static long t_link_follow(const char *a, const char *b) { return linkat(AT_FDCWD, a, AT_FDCWD, b, AT_SYMLINK_FOLLOW); }

static void run_pairs(const char *what, long (*call)(const char *, const char *)) {
    clean();
    for (unsigned i = 0; i < PAIRS; i++) {
        NEED(chdir("world"));
        printf("%s \"%s\":", what, pairs[i]);
        for (unsigned j = 0; j < PAIRS; j++) {
            errno = 0;
            long value = call(pairs[i], pairs[j]);
            printf(" %s", value < 0 ? check_errno_name(errno) : "ok");
            if (value == 0) {
                NEED(chdir(".."));
                clean();
                NEED(chdir("world"));
            }
        }
        printf("\n");
        NEED(chdir(".."));
    }
}

TEST(renaming) { run_pairs("rename", t_rename); }
TEST(renaming_without_replacing) { run_pairs("noreplace", t_noreplace); }
TEST(exchanging) { run_pairs("exchange", t_exchange); }
TEST(linking) { run_pairs("link", t_link); }
TEST(linking_what_links_lead_to) { run_pairs("link follow", t_link_follow); }
