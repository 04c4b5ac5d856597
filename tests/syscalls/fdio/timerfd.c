// timerfd_create(2): expirations are counted, absolute and periodic timers, disarming.
#include "check.h"
#include <poll.h>
#include <sys/timerfd.h>

static uint64_t v;

TEST(one_shot) {
    struct itimerspec now, when = {{0, 0}, {0, 5000000}};
    int fd = EXPECT_OK(timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC));
    EXPECT_ERRNO(EAGAIN, read(fd, &v, 8));
    EXPECT_OK(timerfd_settime(fd, 0, &when, NULL));
    struct pollfd p = {fd, POLLIN, 0};
    EXPECT_EQ(1, poll(&p, 1, -1));
    EXPECT_EQ(8, read(fd, &v, 8));
    EXPECT_EQ(1, v);
    EXPECT_ERRNO(EAGAIN, read(fd, &v, 8));
    EXPECT_OK(timerfd_gettime(fd, &now));
    EXPECT_EQ(0, now.it_value.tv_sec + now.it_value.tv_nsec);
    close(fd);
}

TEST(periodic) {
    struct itimerspec when = {{0, 2000000}, {0, 2000000}}, old, off = {{0, 0}, {0, 0}};
    int fd = NEED(timerfd_create(CLOCK_MONOTONIC, 0));
    NEED(timerfd_settime(fd, 0, &when, NULL));
    uint64_t total = 0;
    while (total < 5) { NEED(read(fd, &v, 8)); total += v; }
    EXPECT_TRUE(total >= 5);
    EXPECT_OK(timerfd_settime(fd, 0, &off, &old));
    EXPECT_EQ(2000000, old.it_interval.tv_nsec);
    struct pollfd p = {fd, POLLIN, 0};
    EXPECT_EQ(0, poll(&p, 1, 0));
    close(fd);
}

TEST(absolute_in_the_past) {
    struct itimerspec when = {{0, 0}, {1, 0}};
    int fd = NEED(timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK));
    EXPECT_OK(timerfd_settime(fd, TFD_TIMER_ABSTIME, &when, NULL));
    struct pollfd p = {fd, POLLIN, 0};
    EXPECT_EQ(1, poll(&p, 1, 1000));
    EXPECT_EQ(8, read(fd, &v, 8));
    EXPECT_EQ(1, v);
    close(fd);
}

TEST(errors) {
    struct itimerspec bad = {{0, 0}, {0, 1000000000}};
    int fd = NEED(timerfd_create(CLOCK_MONOTONIC, 0));
    EXPECT_ERRNO(EINVAL, timerfd_create(99, 0));
    EXPECT_ERRNO(EINVAL, timerfd_create(CLOCK_MONOTONIC, 1));
    EXPECT_ERRNO(EINVAL, timerfd_settime(fd, 0, &bad, NULL));
    EXPECT_ERRNO(EINVAL, timerfd_settime(fd, 0x80, &bad, NULL));
    EXPECT_ERRNO(EINVAL, timerfd_settime(0, 0, &(struct itimerspec){0}, NULL));
    EXPECT_ERRNO(EBADF, timerfd_settime(999, 0, &(struct itimerspec){0}, NULL));
    EXPECT_ERRNO(EINVAL, read(fd, &v, 4));
    EXPECT_ERRNO(EINVAL, write(fd, &v, 8));
    close(fd);
}
