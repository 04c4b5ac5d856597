// dup(2), dup2(2), dup3(2), fcntl(F_DUPFD): numbers, flags, replaced descriptors.
#include "check.h"

TEST(dup2_cases) {
    int fd = NEED(open("/dev/null", O_RDWR));
    EXPECT_EQ(fd, dup2(fd, fd));
    EXPECT_EQ(100, dup2(fd, 100));
    EXPECT_ERRNO(EBADF, dup2(99, 5));
    EXPECT_ERRNO(EBADF, dup2(99, 99));
    EXPECT_ERRNO(EBADF, dup2(fd, -1));
    EXPECT_ERRNO(EBADF, dup2(fd, 1 << 30));
    EXPECT_ERRNO(EINVAL, dup3(fd, fd, 0));
    EXPECT_ERRNO(EINVAL, dup3(fd, 101, O_APPEND));
    EXPECT_EQ(101, dup3(fd, 101, O_CLOEXEC));
    EXPECT_EQ(FD_CLOEXEC, fcntl(101, F_GETFD));
    EXPECT_EQ(100, RAW2(SYS_dup2, GARBAGE(fd), GARBAGE(100)));
    close(fd);
}

TEST(replacing_closes) {
    int fds[2];
    char c;
    NEED(pipe(fds));
    int null = NEED(open("/dev/null", O_RDONLY));
    EXPECT_EQ(fds[1], dup2(null, fds[1]));
    EXPECT_EQ(0, read(fds[0], &c, 1));
}

TEST(flags_are_per_descriptor) {
    int fd = NEED(open("/dev/null", O_RDONLY | O_CLOEXEC));
    EXPECT_EQ(FD_CLOEXEC, fcntl(fd, F_GETFD));
    int copy = NEED(dup(fd));
    EXPECT_EQ(0, fcntl(copy, F_GETFD));
    EXPECT_OK(fcntl(copy, F_SETFD, FD_CLOEXEC));
    EXPECT_EQ(FD_CLOEXEC, fcntl(copy, F_GETFD));
    int high = EXPECT_OK(fcntl(fd, F_DUPFD, 200));
    EXPECT_EQ(200, high);
    EXPECT_EQ(0, fcntl(high, F_GETFD));
    EXPECT_EQ(201, fcntl(fd, F_DUPFD_CLOEXEC, 200));
    EXPECT_EQ(FD_CLOEXEC, fcntl(201, F_GETFD));
    EXPECT_ERRNO(EINVAL, fcntl(fd, F_DUPFD, -1));
    EXPECT_ERRNO(EBADF, fcntl(999, F_GETFD));
    EXPECT_ERRNO(EINVAL, fcntl(fd, 9999, 0));
}
