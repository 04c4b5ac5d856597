/* Every call with AT_ flags against every flag bit, by name, through a link and by descriptor, as root and as a nobody. */
// guest: root timeout=120
#include <sys/statfs.h>
#include "check.h"

static int home, file, path_only, link_only;
static const unsigned flags[] = {0, 1, 2, 4, 8, 0x10, 0x20, 0x40, 0x80, 0x100, 0x200, 0x400, 0x800, 0x1000, 0x1100, 0x2000, 0x4000, 0x8000, 0x10000, 0x80000000u};
#define FLAGS (int)(sizeof flags / sizeof *flags)

static long a_stat(int at, const char *path, unsigned flag) {
    struct stat st;
    return syscall(SYS_newfstatat, at, path, &st, flag) ? -1L : (long)(st.st_mode & S_IFMT) >> 12;
}
static long a_statx(int at, const char *path, unsigned flag) {
    struct statx x;
    return syscall(SYS_statx, at, path, flag, 0xfff, &x) ? -1L : (long)(x.stx_mode & S_IFMT) >> 12;
}
static long a_access(int at, const char *path, unsigned flag) { return syscall(SYS_faccessat2, at, path, R_OK, flag); }
static long a_chmod(int at, const char *path, unsigned flag) { return syscall(452 /* fchmodat2 */, at, path, !*path && (at == home || at == AT_FDCWD) ? 0777 : 0644, flag); }
static long a_chown(int at, const char *path, unsigned flag) { return syscall(SYS_fchownat, at, path, -1, -1, flag); }
static long a_times(int at, const char *path, unsigned flag) {
    struct timespec times[2] = {{5, 6}, {7, UTIME_OMIT}};
    return syscall(SYS_utimensat, at, path, times, flag);
}
static long a_link(int at, const char *path, unsigned flag) {
    long result = syscall(SYS_linkat, at, path, home, "made", flag);
    int error = errno;
    struct stat st;
    if (!result && !fstatat(home, "made", &st, AT_SYMLINK_NOFOLLOW)) result = 10 + ((st.st_mode & S_IFMT) >> 12);
    unlinkat(home, "made", 0);
    errno = error;
    return result;
}
static long a_unlink(int at, const char *path, unsigned flag) {
    NEED(mkdirat(home, "gone", 0777));
    long result = syscall(SYS_unlinkat, at, *path == 'f' ? "gone" : path, flag);
    int error = errno;
    unlinkat(home, "gone", AT_REMOVEDIR);
    if (!faccessat(home, "link", F_OK, AT_SYMLINK_NOFOLLOW)) errno = error;
    else NEED(symlinkat("file", home, "link"));
    errno = error;
    return result;
}
static long a_handle(int at, const char *path, unsigned flag) {
    struct { struct file_handle h; char room[8]; } handle = {.h.handle_bytes = 200};
    int id;
    return syscall(SYS_name_to_handle_at, at, path, &handle.h, &id, flag); /* EINVAL for the size: found, and the flags are good */
}
static long a_exec(int at, const char *path, unsigned flag) {
    char *argv[] = {"x", NULL};
    return syscall(SYS_execveat, at, path, argv, argv + 1, flag);
}
static long a_rename(int at, const char *path, unsigned flag) {
    if (!*path) return syscall(SYS_renameat2, at, path, home, "other", flag);
    NEED(close(openat(home, "from", O_CREAT | O_WRONLY, 0666)));
    long result = syscall(SYS_renameat2, home, "from", home, *path == 'l' ? "other" : "new", flag);
    int error = errno;
    unlinkat(home, "from", 0);
    unlinkat(home, "new", 0);
    close(openat(home, "other", O_CREAT | O_WRONLY, 0666));
    errno = error;
    return result;
}

static const struct { const char *name; long (*call)(int, const char *, unsigned); } calls[] = {
    {"fstatat", a_stat}, {"statx", a_statx}, {"faccessat2", a_access}, {"fchmodat2", a_chmod}, {"fchownat", a_chown}, {"utimensat", a_times},
    {"linkat", a_link}, {"unlinkat", a_unlink}, {"name_to_handle_at", a_handle}, {"execveat", a_exec}, {"renameat2", a_rename},
};

static void run(const char *who) {
    const struct { const char *name; int at; const char *path; } places[] = {
        {"file", home, "file"}, {"link", home, "link"}, {"empty of folder", home, ""}, {"empty of file", file, ""}, {"empty of O_PATH", path_only, ""},
        {"empty of link", link_only, ""}, {"empty of cwd", AT_FDCWD, ""}, {"empty of nothing", 900, ""}, {"below a file", file, "x"},
    };
    for (unsigned c = 0; c < sizeof calls / sizeof *calls; c++)
        for (unsigned p = 0; p < sizeof places / sizeof *places; p++) {
            printf("%s %s %s:", who, calls[c].name, places[p].name);
            for (int f = 0; f < FLAGS; f++) {
                if (calls[c].call == a_handle && (flags[f] == 2 || flags[f] == 0x200)) continue; /* newer kernels know them */
                if (calls[c].call == a_exec && flags[f] & ~0x1100u) continue; /* newer kernels look at an empty path first */
                errno = 0;
                long value = calls[c].call(places[p].at, places[p].path, flags[f]);
                if (value == -1) printf(" %s", check_errno_name(errno));
                else printf(" %ld", value);
            }
            printf("\n");
        }
}

TEST(all) {
    NEED(chmod(".", 0777));
    close(make_file("file", "x"));
    close(make_file("other", "y"));
    NEED(chmod("file", 0644));
    NEED(symlink("file", "link"));
    home = NEED(open(".", O_RDONLY | O_DIRECTORY));
    file = NEED(open("file", O_RDONLY));
    path_only = NEED(open("file", O_PATH));
    link_only = NEED(open("link", O_PATH | O_NOFOLLOW));
    run("root");
    EXPECT_EXIT(0, CHILD({
        NEED(setresgid(1000, 1000, 1000));
        NEED(setresuid(1000, 1000, 1000));
        run("nobody");
    }));
}

/* utimensat(2): which times are set, which values are refused, who may. */
TEST(times) {
    static const struct { long seconds[2], nanoseconds[2]; } values[] = {
        {{1, 2}, {3, 4}}, {{1, 2}, {999999999, 999999999}}, {{1, 2}, {1000000000, 0}}, {{1, 2}, {0, 1000000000}}, {{1, 2}, {-1, 0}}, {{1, 2}, {UTIME_OMIT, 4}},
        {{1, 2}, {3, UTIME_OMIT}}, {{1, 2}, {UTIME_OMIT, UTIME_OMIT}}, {{-5, -6}, {7, 8}}, {{1, 2}, {UTIME_OMIT, 1000000000}}, {{1, 2}, {UTIME_NOW, 1000000000}},
    };
    for (int who = 0; who < 3; who++)
        EXPECT_EXIT(0, CHILD({
            if (who == 1) NEED(chmod("file", 0666));
            if (who == 2) NEED(chmod("file", 0644));
            if (who) {
                NEED(setresgid(1000, 1000, 1000));
                NEED(setresuid(1000, 1000, 1000));
            }
            for (unsigned i = 0; i < sizeof values / sizeof *values; i++) {
                struct timespec times[2] = {{values[i].seconds[0], values[i].nanoseconds[0]}, {values[i].seconds[1], values[i].nanoseconds[1]}};
                SHOW(utimensat(home, "file", times, 0));
                struct stat st;
                NEED(stat("file", &st));
                if (st.st_atim.tv_sec > 1000000000) printf("now ");
                else printf("%ld.%ld ", (long)st.st_atim.tv_sec, st.st_atim.tv_nsec);
                if (st.st_mtim.tv_sec > 1000000000) printf("now\n");
                else printf("%ld.%ld\n", (long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
            }
            struct timespec now[2] = {{0, UTIME_NOW}, {0, UTIME_NOW}};
            SHOW(utimensat(home, "link", now, AT_SYMLINK_NOFOLLOW));
            SHOW(utimensat(home, "file", now, 0));
            SHOW(utimensat(home, "file", NULL, 0));
            SHOW(utimensat(file, NULL, NULL, 0));
            SHOW(utimensat(file, NULL, NULL, AT_SYMLINK_NOFOLLOW));
            SHOW(utimensat(AT_FDCWD, NULL, NULL, 0));
            SHOW(utimensat(path_only, NULL, NULL, 0));
            SHOW(utimensat(900, NULL, NULL, 0));
            SHOW(syscall(SYS_utimensat, home, "file", BAD_PTR, 0));
            SHOW(syscall(SYS_utime, "file", BAD_PTR));
            SHOW(syscall(SYS_utimes, "file", BAD_PTR));
            long microseconds[4] = {1, 1000000, 2, 0};
            SHOW(syscall(SYS_utimes, "file", microseconds));
            microseconds[1] = -1;
            SHOW(syscall(SYS_futimesat, home, "file", microseconds));
            microseconds[1] = 999999;
            SHOW(syscall(SYS_futimesat, home, "file", microseconds));
            SHOW(syscall(SYS_futimesat, file, NULL, NULL));
        }));
}
