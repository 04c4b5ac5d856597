// truncate(2), ftruncate(2), holes.
#include "check.h"

TEST(shrink_and_grow) {
    struct stat st;
    char text[16];
    int fd = make_file("f", "0123456789");
    EXPECT_OK(ftruncate(fd, 4));
    EXPECT_OK(ftruncate(fd, 8));
    EXPECT_EQ(8, pread(fd, text, 16, 0));
    EXPECT_EQ(0, memcmp(text, "0123\0\0\0\0", 8));
    EXPECT_OK(truncate("f", 2));
    EXPECT_OK(fstat(fd, &st));
    EXPECT_EQ(2, st.st_size);
    EXPECT_EQ(10, lseek(fd, 0, SEEK_CUR));
    EXPECT_EQ(1, write(fd, "x", 1));
    EXPECT_EQ(11, pread(fd, text, 16, 0));
    EXPECT_EQ('x', text[10]);
    EXPECT_EQ(0, text[5]);
    close(fd);
}

TEST(errors) {
    int fd = NEED(open("f", O_RDONLY));
    EXPECT_ERRNO(EINVAL, ftruncate(fd, 1));
    EXPECT_ERRNO(EBADF, ftruncate(-1, 1));
    EXPECT_ERRNO(EINVAL, truncate("f", -1));
    EXPECT_ERRNO(ENOENT, truncate("none", 1));
    EXPECT_ERRNO(EISDIR, truncate(".", 1));
    int fds[2];
    NEED(pipe(fds));
    EXPECT_ERRNO(EINVAL, ftruncate(fds[1], 1));
    close(fd);
}

TEST(a_large_hole_costs_nothing) {
    struct stat st;
    char c = 'x';
    int fd = NEED(open("big", O_RDWR | O_CREAT | O_TRUNC, 0644));
    EXPECT_OK(ftruncate(fd, 1L << 32));
    EXPECT_EQ(1, pread(fd, &c, 1, (1L << 32) - 1));
    EXPECT_EQ(0, c);
    EXPECT_EQ(1, pwrite(fd, "y", 1, 1L << 31));
    EXPECT_EQ(1, pread(fd, &c, 1, 1L << 31));
    EXPECT_EQ('y', c);
    EXPECT_OK(fstat(fd, &st));
    EXPECT_TRUE(st.st_size == 1L << 32);
    EXPECT_TRUE(st.st_blocks < 1000);
    close(fd);
    NEED(unlink("big"));
}

TEST(mode_matters_only_for_truncate) {
    int fd = make_file("ro", "123");
    NEED(fchmod(fd, 0));
    EXPECT_OK(ftruncate(fd, 1));
    close(fd);
}
