// eventfd(2): counter, semaphore, limits, polling, sharing over fork.
#include "check.h"
#include <poll.h>
#include <sys/eventfd.h>

static uint64_t v;

TEST(counter) {
    int fd = EXPECT_OK(eventfd(3, EFD_NONBLOCK));
    EXPECT_EQ(8, read(fd, &v, 8));
    EXPECT_EQ(3, v);
    EXPECT_ERRNO(EAGAIN, read(fd, &v, 8));
    v = 5;
    EXPECT_EQ(8, write(fd, &v, 8));
    EXPECT_EQ(8, write(fd, &v, 8));
    EXPECT_EQ(8, read(fd, &v, 100));
    EXPECT_EQ(10, v);
    close(fd);
}

TEST(semaphore) {
    int fd = EXPECT_OK(eventfd(2, EFD_NONBLOCK | EFD_SEMAPHORE | EFD_CLOEXEC));
    EXPECT_EQ(8, read(fd, &v, 8));
    EXPECT_EQ(1, v);
    EXPECT_EQ(8, read(fd, &v, 8));
    EXPECT_ERRNO(EAGAIN, read(fd, &v, 8));
    EXPECT_EQ(FD_CLOEXEC, fcntl(fd, F_GETFD));
    close(fd);
}

TEST(limits) {
    int fd = NEED(eventfd(0, EFD_NONBLOCK));
    struct pollfd p = {fd, POLLIN | POLLOUT, 0};
    EXPECT_EQ(1, poll(&p, 1, 0));
    EXPECT_EQ(POLLOUT, p.revents);
    v = ~0ull;
    EXPECT_ERRNO(EINVAL, write(fd, &v, 8));
    v = ~0ull - 1;
    EXPECT_EQ(8, write(fd, &v, 8));
    poll(&p, 1, 0);
    EXPECT_EQ(POLLIN, p.revents);
    v = 1;
    EXPECT_ERRNO(EAGAIN, write(fd, &v, 8));
    EXPECT_ERRNO(EINVAL, write(fd, &v, 4));
    EXPECT_ERRNO(EINVAL, read(fd, &v, 4));
    EXPECT_ERRNO(EINVAL, eventfd(0, 0x10));
    EXPECT_ERRNO(EFAULT, read(fd, BAD_PTR, 8));
    close(fd);
}

TEST(blocks_until_another_process_writes) {
    int fd = NEED(eventfd(0, 0));
    pid_t pid = CHILD({ v = 9; NEED(write(fd, &v, 8)); });
    EXPECT_EQ(8, read(fd, &v, 8));
    EXPECT_EQ(9, v);
    EXPECT_EXIT(0, pid);
}
