// chdir(2), fchdir(2), getcwd(2).
#include "check.h"

TEST(getcwd_sizes) {
    char text[PATH_MAX], *page = guarded_page();
    long n = RAW2(SYS_getcwd, text, sizeof text);
    EXPECT_TRUE(n == (long)strlen(text) + 1);
    EXPECT_EQ(-ERANGE, RAW2(SYS_getcwd, text, 3));
    EXPECT_EQ(-ERANGE, RAW2(SYS_getcwd, text, n - 1));
    EXPECT_TRUE(RAW2(SYS_getcwd, text, n) == n);
    EXPECT_TRUE(RAW2(SYS_getcwd, page + 4096 - n, n) == n);
    EXPECT_EQ(-EFAULT, RAW2(SYS_getcwd, BAD_PTR, 4096));
}

TEST(changing) {
    struct stat here, there;
    NEED(mkdir("d", 0755));
    NEED(stat(".", &here));
    int fd = NEED(open(".", O_RDONLY));
    EXPECT_OK(chdir("d"));
    EXPECT_OK(chdir(".."));
    NEED(stat(".", &there));
    EXPECT_TRUE(here.st_ino == there.st_ino);
    EXPECT_OK(chdir("/"));
    EXPECT_OK(fchdir(fd));
    NEED(stat(".", &there));
    EXPECT_TRUE(here.st_ino == there.st_ino);
    close(make_file("f", ""));
    int file = NEED(open("f", O_RDONLY));
    EXPECT_ERRNO(ENOTDIR, fchdir(file));
    EXPECT_ERRNO(ENOTDIR, chdir("f"));
    EXPECT_ERRNO(ENOENT, chdir("none"));
    EXPECT_ERRNO(EBADF, fchdir(999));
    EXPECT_ERRNO(EFAULT, chdir(BAD_PTR));
    close(file);
    close(fd);
}

TEST(a_child_has_its_own) {
    struct stat before, after;
    NEED(stat(".", &before));
    pid_t pid = CHILD({ EXPECT_OK(chdir("/")); });
    EXPECT_EXIT(0, pid);
    NEED(stat(".", &after));
    EXPECT_TRUE(before.st_ino == after.st_ino);
}

TEST(through_a_symlink_the_real_name_is_told) {
    char text[PATH_MAX];
    NEED(symlink("d", "l"));
    EXPECT_OK(chdir("l"));
    NEED(getcwd(text, sizeof text) ? 0 : -1);
    EXPECT_STR("d", strrchr(text, '/') + 1);
}
