// The edges of reads and writes: offsets 0, -1 and -2, the largest count and offset, descriptors of the wrong direction.
#include "check.h"
#include <sys/uio.h>

TEST(offsets) {
    char c = 'q', text[4];
    struct iovec part = {text, 3};
    int fd = make_file("f", "abcdef");
    EXPECT_EQ(1, pread(fd, &c, 1, 0));
    EXPECT_EQ('a', c);
    EXPECT_EQ(-EINVAL, RAW4(SYS_pread64, fd, &c, 1, -1));
    EXPECT_EQ(-EINVAL, RAW4(SYS_pwrite64, fd, &c, 1, -1));
    EXPECT_EQ(-EINVAL, RAW5(SYS_preadv, fd, &part, 1, -1, 0));
    EXPECT_EQ(-EINVAL, RAW5(SYS_pwritev, fd, &part, 1, -1, 0));
    EXPECT_EQ(-EINVAL, RAW6(SYS_preadv2, fd, &part, 1, -2, 0, 0));
    EXPECT_EQ(-EINVAL, RAW6(SYS_pwritev2, fd, &part, 1, -2, 0, 0));
    NEED(lseek(fd, 1, SEEK_SET));
    EXPECT_EQ(3, RAW6(SYS_preadv2, fd, &part, 1, -1, 0, 0));
    EXPECT_EQ(0, memcmp(text, "bcd", 3));
    EXPECT_EQ(4, lseek(fd, 0, SEEK_CUR));
    EXPECT_EQ(3, RAW6(SYS_preadv2, fd, &part, 1, 0, 0, 0));
    EXPECT_EQ(4, lseek(fd, 0, SEEK_CUR));
    EXPECT_EQ(-EOPNOTSUPP, RAW6(SYS_preadv2, fd, &part, 1, 0, 0, 0x1000));
    EXPECT_EQ(-EINVAL, RAW4(SYS_pwrite64, fd, &c, 2, 0x7fffffffffffffff));
    EXPECT_EQ(-EINVAL, RAW3(SYS_lseek, fd, 0x7fffffffffffffff, SEEK_END));
    close(fd);
}

TEST(directions) {
    char c = 0;
    int fds[2], wo = NEED(open("f", O_WRONLY)), ro = NEED(open("f", O_RDONLY));
    struct iovec part = {&c, 1};
    NEED(pipe(fds));
    EXPECT_ERRNO(EBADF, pread(wo, &c, 1, 0));
    EXPECT_ERRNO(EBADF, readv(wo, &part, 1));
    EXPECT_ERRNO(EBADF, pwrite(ro, &c, 1, 0));
    EXPECT_ERRNO(EBADF, writev(ro, &part, 1));
    EXPECT_ERRNO(EBADF, read(fds[1], &c, 1));
    EXPECT_ERRNO(EBADF, write(fds[0], &c, 1));
    EXPECT_EQ(1, write(wo, "A", 1));
    EXPECT_EQ(1, read(ro, &c, 1));
    EXPECT_EQ('A', c);
}

TEST(counts) {
    char *page = guarded_page();
    int fd = NEED(open("f", O_RDWR));
    EXPECT_EQ(0, read(fd, NULL, 0));
    EXPECT_EQ(0, write(fd, NULL, 0));
    EXPECT_EQ(0, readv(fd, NULL, 0));
    EXPECT_EQ(6, RAW3(SYS_read, fd, page, 4096));
    EXPECT_EQ(0, RAW3(SYS_read, fd, page, 1));
    EXPECT_EQ(-EFAULT, RAW3(SYS_write, fd, page + 4096, 1));
    EXPECT_EQ(1, RAW3(SYS_write, fd, page + 4095, 1));
    EXPECT_EQ(7, lseek(fd, 0, SEEK_END));
    struct iovec parts[1024];
    for (int i = 0; i < 1024; i++) parts[i] = (struct iovec){page, 1};
    EXPECT_EQ(1024, writev(fd, parts, 1024));
    EXPECT_EQ(-EINVAL, RAW3(SYS_writev, fd, parts, 1025));
    EXPECT_EQ(1031, lseek(fd, 0, SEEK_END));
    close(fd);
}
