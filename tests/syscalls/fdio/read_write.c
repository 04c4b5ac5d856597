// read(2), write(2): counts, faults at page ends, bad descriptors, zero lengths.
#include "check.h"

TEST(counts) {
    char text[32];
    int fd = make_file("f", "hello world");
    EXPECT_EQ(0, read(fd, text, 5));
    NEED(lseek(fd, 0, SEEK_SET));
    EXPECT_EQ(5, read(fd, text, 5));
    EXPECT_EQ(6, read(fd, text, 32));
    EXPECT_EQ(0, read(fd, text, 32));
    EXPECT_EQ(0, read(fd, text, 0));
    EXPECT_EQ(0, write(fd, text, 0));
    EXPECT_EQ(0, RAW3(SYS_read, GARBAGE(fd), text, 10));
    close(fd);
}

TEST(faults) {
    char *page = guarded_page();
    int fd = make_file("g", "0123456789"), fds[2];
    EXPECT_ERRNO(EFAULT, write(fd, BAD_PTR, 4));
    EXPECT_ERRNO(EFAULT, write(fd, KERNEL_PTR, 4));
    EXPECT_ERRNO(EFAULT, write(fd, page + 4096, 4));
    NEED(lseek(fd, 0, SEEK_SET));
    EXPECT_ERRNO(EFAULT, read(fd, BAD_PTR, 4));
    EXPECT_ERRNO(EFAULT, read(fd, KERNEL_PTR, 4));
    EXPECT_EQ(0, lseek(fd, 0, SEEK_CUR));
    EXPECT_EQ(4, read(fd, page + 4096 - 4, 4));
    EXPECT_EQ(0, memcmp(page + 4092, "0123", 4));
    NEED(pipe(fds));
    EXPECT_ERRNO(EFAULT, write(fds[1], BAD_PTR, 4));
    NEED(write(fds[1], "abcd", 4));
    EXPECT_ERRNO(EFAULT, read(fds[0], BAD_PTR, 4));
    char text[8];
    EXPECT_EQ(4, read(fds[0], text, 8));
    const char *readonly = "constant";
    NEED(write(fds[1], "abcd", 4));
    EXPECT_ERRNO(EFAULT, read(fds[0], (char *)readonly, 4));
}

TEST(bad_descriptors) {
    char c;
    EXPECT_ERRNO(EBADF, read(-1, &c, 1));
    EXPECT_ERRNO(EBADF, read(999, &c, 1));
    EXPECT_ERRNO(EBADF, write(INT_MAX, &c, 1));
    EXPECT_ERRNO(EBADF, close(-1));
    EXPECT_ERRNO(EBADF, close(999));
    EXPECT_ERRNO(EBADF, read(999, BAD_PTR, 0));
}

TEST(huge_counts) {
    char *page = guarded_page();
    int fd = make_file("h", "data");
    NEED(lseek(fd, 0, SEEK_SET));
    EXPECT_EQ(-EFAULT, RAW3(SYS_read, fd, page, -1));
    EXPECT_EQ(4, RAW3(SYS_read, fd, page, 0x7fffffff));
    close(fd);
}

TEST(large_transfer) {
    size_t size = 3 << 20;
    unsigned char *data = malloc(size), *back = malloc(size);
    for (size_t i = 0; i < size; i++) data[i] = i * 7 + (i >> 10);
    int fd = make_file("big", "");
    EXPECT_EQ(size, write(fd, data, size));
    EXPECT_EQ(size, pread(fd, back, size + 10, 0));
    EXPECT_EQ(0, memcmp(data, back, size));
    EXPECT_EQ(1000, pread(fd, back, 1000, 12345));
    EXPECT_EQ(0, memcmp(data + 12345, back, 1000));
    close(fd);
}
