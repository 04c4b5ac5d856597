// fcntl(2): status flags that can and cannot be changed; pipe sizes; O_NONBLOCK by ioctl.
#include "check.h"
#include <sys/ioctl.h>

TEST(status_flags) {
    int fd = make_file("f", "");
    SHOW(fcntl(fd, F_GETFL) & (O_ACCMODE | O_APPEND | O_NONBLOCK));
    EXPECT_OK(fcntl(fd, F_SETFL, O_RDONLY | O_APPEND | O_NONBLOCK | O_CREAT | O_TRUNC));
    SHOW(fcntl(fd, F_GETFL) & (O_ACCMODE | O_APPEND | O_NONBLOCK | O_CREAT | O_TRUNC));
    EXPECT_OK(fcntl(fd, F_SETFL, 0));
    SHOW(fcntl(fd, F_GETFL) & (O_ACCMODE | O_APPEND | O_NONBLOCK));
    close(fd);
}

TEST(access_modes) {
    close(make_file("g", ""));
    int modes[] = {O_RDONLY, O_WRONLY, O_RDWR};
    for (int i = 0; i < 3; i++) {
        int fd = NEED(open("g", modes[i] | O_CLOEXEC));
        EXPECT_EQ(modes[i], fcntl(fd, F_GETFL) & O_ACCMODE);
        EXPECT_EQ(0, fcntl(fd, F_GETFL) & O_CLOEXEC);
        close(fd);
    }
}

TEST(pipe_size) {
    int fds[2];
    NEED(pipe(fds));
    EXPECT_EQ(65536, fcntl(fds[0], F_GETPIPE_SZ));
    EXPECT_EQ(131072, fcntl(fds[1], F_SETPIPE_SZ, 100000));
    EXPECT_EQ(131072, fcntl(fds[0], F_GETPIPE_SZ));
    EXPECT_ERRNO(EBADF, fcntl(NEED(open("g", O_RDONLY)), F_GETPIPE_SZ));
}

TEST(ioctls) {
    int fds[2], on = 1, n = -1;
    NEED(pipe(fds));
    EXPECT_OK(ioctl(fds[0], FIONBIO, &on));
    EXPECT_EQ(O_NONBLOCK, fcntl(fds[0], F_GETFL) & O_NONBLOCK);
    NEED(write(fds[1], "abc", 3));
    EXPECT_OK(ioctl(fds[0], FIONREAD, &n));
    EXPECT_EQ(3, n);
    EXPECT_OK(ioctl(fds[0], FIOCLEX));
    EXPECT_EQ(FD_CLOEXEC, fcntl(fds[0], F_GETFD));
    EXPECT_OK(ioctl(fds[0], FIONCLEX));
    EXPECT_EQ(0, fcntl(fds[0], F_GETFD));
    EXPECT_ERRNO(ENOTTY, ioctl(fds[0], TIOCGWINSZ, &n));
    EXPECT_ERRNO(ENOTTY, ioctl(fds[0], 0x1234, &n));
    EXPECT_ERRNO(EFAULT, ioctl(fds[0], FIONREAD, BAD_PTR));
    EXPECT_ERRNO(EBADF, ioctl(999, FIONREAD, &n));
    int fd = make_file("h", "12345");
    NEED(lseek(fd, 2, SEEK_SET));
    EXPECT_OK(ioctl(fd, FIONREAD, &n));
    EXPECT_EQ(3, n);
}
