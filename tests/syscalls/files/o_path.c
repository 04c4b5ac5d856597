// O_PATH and O_TMPFILE descriptors.
#include "check.h"

TEST(o_path_names_only) {
    char c;
    struct stat st;
    close(make_file("f", "abc"));
    NEED(symlink("f", "l"));
    int fd = EXPECT_OK(open("f", O_PATH));
    EXPECT_ERRNO(EBADF, read(fd, &c, 1));
    EXPECT_ERRNO(EBADF, write(fd, "x", 1));
    EXPECT_ERRNO(EBADF, lseek(fd, 0, SEEK_SET));
    EXPECT_OK(fstat(fd, &st));
    EXPECT_EQ(O_PATH, fcntl(fd, F_GETFL) & O_PATH);
    int copy = EXPECT_OK(dup(fd));
    close(copy);
    close(fd);
    fd = EXPECT_OK(open("l", O_PATH | O_NOFOLLOW));
    EXPECT_OK(fstat(fd, &st));
    EXPECT_TRUE(S_ISLNK(st.st_mode));
    char text[8] = "";
    EXPECT_EQ(1, readlinkat(fd, "", text, sizeof text));
    close(fd);
}

TEST(reopen_through_proc) {
    char name[64], text[4] = "";
    int fd = NEED(open("f", O_PATH));
    sprintf(name, "/proc/self/fd/%d", fd);
    int again = EXPECT_OK(open(name, O_RDONLY));
    EXPECT_EQ(3, read(again, text, 3));
    EXPECT_STR("abc", text);
    close(again);
    close(fd);
}

TEST(o_tmpfile) {
    struct stat st;
    char name[64];
    int fd = EXPECT_OK(open(".", O_TMPFILE | O_RDWR, 0600));
    EXPECT_EQ(3, write(fd, "tmp", 3));
    EXPECT_OK(fstat(fd, &st));
    EXPECT_EQ(0, st.st_nlink);
    EXPECT_EQ(0100600, st.st_mode);
    sprintf(name, "/proc/self/fd/%d", fd);
    EXPECT_OK(linkat(AT_FDCWD, name, AT_FDCWD, "named", AT_SYMLINK_FOLLOW));
    EXPECT_OK(stat("named", &st));
    EXPECT_EQ(3, st.st_size);
    EXPECT_ERRNO(EINVAL, open(".", O_TMPFILE | O_RDONLY, 0600));
    close(fd);
}
