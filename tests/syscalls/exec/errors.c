// execve(2): every refusal, and that the process lives on after it.
#include "check.h"

static char *argv[] = {"x", NULL};
static int run(const char *path) { return execve(path, argv, NULL); }
static void file(const char *name, const char *text, int mode) { close(make_file(name, text)); NEED(chmod(name, mode)); }

TEST(refusals) {
    EXPECT_ERRNO(ENOENT, run("none"));
    EXPECT_ERRNO(ENOENT, run(""));
    file("plain", "text", 0644);
    EXPECT_ERRNO(EACCES, run("plain"));
    EXPECT_ERRNO(EACCES, run("."));
    EXPECT_ERRNO(ENOTDIR, run("plain/x"));
    file("garbage", "not an executable", 0755);
    EXPECT_ERRNO(ENOEXEC, run("garbage"));
    file("empty", "", 0755);
    EXPECT_ERRNO(ENOEXEC, run("empty"));
    file("elfish", "\177ELF\2\1\1 and then nothing that makes sense at all, really nothing......", 0755);
    EXPECT_ERRNO(ENOEXEC, run("elfish"));
    EXPECT_ERRNO(EFAULT, run(BAD_PTR));
    NEED(symlink("loop", "loop"));
    EXPECT_ERRNO(ELOOP, run("loop"));
    EXPECT_ERRNO(EACCES, run("/dev/null"));
}

TEST(scripts) {
    file("nointerp", "#!/none/such\n", 0755);
    EXPECT_ERRNO(ENOENT, run("nointerp"));
    file("noname", "#!\n", 0755);
    EXPECT_ERRNO(ENOEXEC, run("noname"));
    file("itself", "#!itself\n", 0755);
    EXPECT_ERRNO(ELOOP, run("itself"));
    file("notexec", "#!plain\n", 0755);
    EXPECT_ERRNO(EACCES, run("notexec"));
    file("dirinterp", "#!.\n", 0755);
    EXPECT_ERRNO(EACCES, run("dirinterp"));
}

TEST(text_file_busy) {
    char path[PATH_MAX] = "";
    NEED(readlink("/proc/self/exe", path, sizeof path - 1));
    int in = NEED(open(path, O_RDONLY)), out = NEED(open("copy", O_RDWR | O_CREAT, 0755));
    char block[8192];
    long n;
    while ((n = read(in, block, sizeof block)) > 0) NEED(write(out, block, n));
    SHOW(run("copy") == -1 && errno == ETXTBSY);
    close(out);
}

TEST(flags) {
    EXPECT_ERRNO(EINVAL, syscall(SYS_execveat, AT_FDCWD, "plain", argv, NULL, 0x4000));
    EXPECT_ERRNO(EBADF, syscall(SYS_execveat, 999, "plain", argv, NULL, 0));
    EXPECT_ERRNO(EBADF, syscall(SYS_execveat, 999, "", argv, NULL, AT_EMPTY_PATH));
    NEED(symlink("/bin/true", "truelink"));
    EXPECT_ERRNO(ELOOP, syscall(SYS_execveat, AT_FDCWD, "truelink", argv, NULL, AT_SYMLINK_NOFOLLOW));
    EXPECT_EXIT(0, CHILD({ int fd = open("/bin/true", O_RDONLY | O_CLOEXEC); syscall(SYS_execveat, fd, "", argv, NULL, AT_EMPTY_PATH); }));
    EXPECT_EXIT(0, CHILD({ int fd = open("/bin/true", O_PATH); fexecve(fd, argv, argv + 1); }));
}
