// preadv2(2), pwritev2(2): RWF_ flags on files, pipes and files opened with O_APPEND.
#include "check.h"
#include <sys/uio.h>
#ifndef RWF_NOAPPEND
#define RWF_NOAPPEND 0x20
#endif

static char buf[20];
static struct iovec out = {"abcd", 4}, in = {buf, 10};

TEST(synced) {
    int fd = NEED(open("f", O_RDWR | O_CREAT | O_TRUNC, 0600));
    EXPECT_EQ(4, pwritev2(fd, &out, 1, 0, RWF_DSYNC));
    EXPECT_EQ(4, pwritev2(fd, &out, 1, -1, RWF_SYNC | RWF_HIPRI));
    EXPECT_EQ(4, lseek(fd, 0, SEEK_CUR));
    EXPECT_EQ(4, preadv2(fd, &in, 1, 0, RWF_HIPRI));
    EXPECT_ERRNO(EOPNOTSUPP, pwritev2(fd, &out, 1, 0, 0x40000));
    EXPECT_ERRNO(EOPNOTSUPP, preadv2(fd, &in, 1, 0, 0x40000));
    EXPECT_ERRNO(EINVAL, pwritev2(fd, &out, 1, -2, 0));
    EXPECT_ERRNO(EBADF, pwritev2(-1, &out, 1, 0, 0));
}

TEST(append) {
    int fd = NEED(open("f", O_RDWR));
    EXPECT_EQ(4, pwritev2(fd, &out, 1, 0, RWF_APPEND));
    EXPECT_EQ(8, lseek(fd, 0, SEEK_END));
    int ap = NEED(open("f", O_RDWR | O_APPEND));
    EXPECT_EQ(4, pwritev2(ap, &out, 1, 0, 0));
    EXPECT_EQ(12, lseek(fd, 0, SEEK_END));
    struct iovec x = {"XY", 2};
    EXPECT_EQ(2, pwritev2(ap, &x, 1, 1, RWF_NOAPPEND));
    EXPECT_EQ(12, lseek(fd, 0, SEEK_END));
    memset(buf, 0, sizeof buf);
    EXPECT_EQ(10, preadv2(fd, &in, 1, 0, 0));
    EXPECT_STR("aXYdabcdab", buf);
    EXPECT_ERRNO(EINVAL, pwritev2(ap, &x, 1, 1, RWF_NOAPPEND | RWF_APPEND));
    struct stat a, b;
    EXPECT_OK(fstat(fd, &a));
    EXPECT_OK(stat("f", &b));
    EXPECT_EQ(a.st_size, b.st_size);
}

TEST(pipes) {
    int p[2];
    NEED(pipe(p));
    EXPECT_ERRNO(EAGAIN, preadv2(p[0], &in, 1, -1, RWF_NOWAIT));
    EXPECT_EQ(4, pwritev2(p[1], &out, 1, -1, RWF_NOWAIT));
    EXPECT_EQ(4, preadv2(p[0], &in, 1, -1, RWF_NOWAIT));
    EXPECT_ERRNO(ESPIPE, preadv2(p[0], &in, 1, 0, RWF_NOWAIT));
}
