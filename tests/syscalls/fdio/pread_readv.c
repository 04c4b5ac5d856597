// pread(2), readv(2), preadv2(2): vectors, positions, limits.
#include "check.h"
#include <sys/uio.h>

TEST(positions) {
    char text[16] = "";
    int fd = make_file("f", "0123456789");
    EXPECT_EQ(4, pread(fd, text, 4, 3));
    EXPECT_EQ(0, memcmp(text, "3456", 4));
    EXPECT_EQ(10, lseek(fd, 0, SEEK_CUR));
    EXPECT_EQ(0, pread(fd, text, 4, 100));
    EXPECT_ERRNO(EINVAL, pread(fd, text, 4, -1));
    EXPECT_EQ(2, pwrite(fd, "xx", 2, 20));
    EXPECT_EQ(16, pread(fd, text, 16, 6));
    EXPECT_EQ(0, text[5]);
    int fds[2];
    NEED(pipe(fds));
    EXPECT_ERRNO(ESPIPE, pread(fds[0], text, 1, 0));
    EXPECT_ERRNO(ESPIPE, pwrite(fds[1], text, 1, 0));
    EXPECT_ERRNO(ESPIPE, pread(fds[1], text, 1, 0));
    EXPECT_ERRNO(ESPIPE, pwrite(fds[0], text, 1, 0));
    close(fd);
}

TEST(vectors) {
    char a[3], b[5], c[10];
    struct iovec parts[] = {{a, 3}, {NULL, 0}, {b, 5}, {c, 10}};
    int fd = make_file("g", "abcdefghijkl");
    NEED(lseek(fd, 0, SEEK_SET));
    EXPECT_EQ(12, readv(fd, parts, 4));
    EXPECT_EQ(0, memcmp(a, "abc", 3) | memcmp(b, "defgh", 5) | memcmp(c, "ijkl", 4));
    EXPECT_EQ(8, writev(fd, parts, 3));
    EXPECT_EQ(20, lseek(fd, 0, SEEK_CUR));
    EXPECT_EQ(8, preadv(fd, parts, 3, 12));
    EXPECT_EQ(0, memcmp(a, "abc", 3));
    EXPECT_EQ(0, writev(fd, parts, 0));
    EXPECT_ERRNO(EINVAL, writev(fd, parts, -1));
    EXPECT_ERRNO(EINVAL, writev(fd, parts, 1025));
    EXPECT_ERRNO(EFAULT, writev(fd, BAD_PTR, 1));
    struct iovec negative[] = {{a, 3}, {b, (size_t)-1}};
    EXPECT_ERRNO(EINVAL, writev(fd, negative, 2));
    close(fd);
}

TEST(partly_bad_vectors) {
    char a[4] = "good";
    struct iovec parts[] = {{a, 4}, {BAD_PTR, 4}};
    int fds[2];
    NEED(pipe(fds));
    long n = writev(fds[1], parts, 2);
    EXPECT_TRUE(n == 4 || (n == -1 && errno == EFAULT));
    struct iovec bad[] = {{BAD_PTR, 4}, {a, 4}};
    EXPECT_ERRNO(EFAULT, writev(fds[1], bad, 2));
}

TEST(preadv2_flags) {
    char text[8];
    struct iovec part = {text, 4};
    int fd = NEED(open("g", O_RDWR));
    EXPECT_EQ(4, preadv2(fd, &part, 1, 0, 0));
    EXPECT_EQ(4, preadv2(fd, &part, 1, -1, 0));
    EXPECT_EQ(4, lseek(fd, 0, SEEK_CUR));
    EXPECT_ERRNO(EOPNOTSUPP, preadv2(fd, &part, 1, 0, 0x40000000));
    EXPECT_EQ(4, pwritev2(fd, &part, 1, 0, RWF_APPEND));
    struct stat st;
    NEED(fstat(fd, &st));
    EXPECT_EQ(24, st.st_size);
    close(fd);
}
