// path_resolution(7): lengths, dots, slashes, absolute names with any dirfd, strings at page ends.
#include "check.h"

TEST(lengths) {
    char name[300], path[5000];
    memset(name, 'n', sizeof name);
    name[256] = 0;
    EXPECT_ERRNO(ENAMETOOLONG, mkdir(name, 0755));
    name[255] = 0;
    EXPECT_OK(mkdir(name, 0755));
    EXPECT_OK(rmdir(name));
    memset(path, '/', sizeof path);
    path[4095] = 0;
    EXPECT_OK(access(path, F_OK));
    path[4095] = '/';
    path[4096] = 0;
    EXPECT_ERRNO(ENAMETOOLONG, access(path, F_OK));
}

TEST(dots_and_slashes) {
    struct stat a, b;
    NEED(mkdir("d", 0755));
    NEED(mkdir("d/e", 0755));
    close(make_file("d/f", "x"));
    EXPECT_OK(stat("d", &a));
    EXPECT_OK(stat("d/.", &b));
    EXPECT_TRUE(a.st_ino == b.st_ino);
    EXPECT_OK(stat("d/e/..", &b));
    EXPECT_TRUE(a.st_ino == b.st_ino);
    EXPECT_OK(stat(".//d///e//..//", &b));
    EXPECT_TRUE(a.st_ino == b.st_ino);
    EXPECT_ERRNO(ENOTDIR, stat("d/f/.", &b));
    EXPECT_ERRNO(ENOTDIR, stat("d/f/..", &b));
    EXPECT_ERRNO(ENOTDIR, stat("d/f/", &b));
    EXPECT_ERRNO(ENOENT, stat("d/none/..", &b));
    EXPECT_OK(stat("/", &a));
    EXPECT_OK(stat("/../../..", &b));
    EXPECT_TRUE(a.st_ino == b.st_ino && a.st_dev == b.st_dev);
}

TEST(empty) {
    struct stat st;
    EXPECT_ERRNO(ENOENT, stat("", &st));
    EXPECT_ERRNO(ENOENT, mkdir("", 0755));
    EXPECT_ERRNO(ENOENT, chdir(""));
    EXPECT_ERRNO(ENOENT, rename("", "x"));
    EXPECT_ERRNO(ENOENT, fstatat(AT_FDCWD, "", &st, 0));
    EXPECT_OK(fstatat(AT_FDCWD, "", &st, AT_EMPTY_PATH));
}

TEST(the_last_dot) {
    EXPECT_ERRNO(EINVAL, rmdir("d/."));
    EXPECT_ERRNO(ENOTEMPTY, rmdir("d/e/.."));
    EXPECT_ERRNO(EEXIST, mkdir("d/.", 0755));
    EXPECT_ERRNO(EEXIST, mkdir("d/..", 0755));
    EXPECT_ERRNO(EBUSY, rename("d/.", "x"));
    EXPECT_ERRNO(EISDIR, unlink("d/."));
}

TEST(string_at_the_end_of_a_page) {
    char *page = guarded_page();
    strcpy(page + 4096 - 4, "d/e");
    EXPECT_OK(access(page + 4096 - 4, F_OK));
    memcpy(page + 4096 - 3, "d/e", 3);
    EXPECT_ERRNO(EFAULT, access(page + 4096 - 3, F_OK));
}

TEST(dirfd) {
    struct stat st;
    int fd = NEED(open("d", O_RDONLY | O_DIRECTORY));
    EXPECT_OK(fstatat(fd, "e", &st, 0));
    EXPECT_OK(fstatat(-1, "/", &st, 0));
    EXPECT_ERRNO(EBADF, fstatat(-1, "e", &st, 0));
    EXPECT_OK(mkdirat(fd, "new", 0755));
    EXPECT_OK(unlinkat(fd, "new", AT_REMOVEDIR));
    close(fd);
}
