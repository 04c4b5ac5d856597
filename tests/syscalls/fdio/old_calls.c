// The calls behind their newer kin, and the newest: pipe(2), select(2), epoll_create(2), eventfd(2), signalfd(2), inotify_init(2), preadv(2),
// pwritev, pwritev2, vmsplice(2), epoll_pwait2.
#include "check.h"
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/uio.h>

TEST(makers_without_flags) {
    int pipes[2];
    EXPECT_EQ(0, RAW1(SYS_pipe, pipes));
    EXPECT_EQ(0, fcntl(pipes[0], F_GETFD));
    EXPECT_EQ(-EFAULT, RAW1(SYS_pipe, BAD_PTR));
    int poller = EXPECT_OK(RAW1(SYS_epoll_create, 1));
    EXPECT_EQ(0, fcntl(poller, F_GETFD));
    EXPECT_EQ(-EINVAL, RAW1(SYS_epoll_create, 0));
    int counter = EXPECT_OK(RAW1(SYS_eventfd, 7));
    uint64_t value = 0;
    EXPECT_EQ(8, read(counter, &value, 8));
    EXPECT_EQ(7, value);
    uint64_t mask = 1 << (SIGUSR1 - 1);
    int signals = EXPECT_OK(RAW3(SYS_signalfd, -1, &mask, 8));
    EXPECT_EQ(O_RDWR, fcntl(signals, F_GETFL) & O_ACCMODE);
    EXPECT_EQ(-EINVAL, RAW3(SYS_signalfd, -1, &mask, 4));
    EXPECT_OK(RAW0(SYS_inotify_init));
}

TEST(select_call) {
    int pipes[2];
    NEED(pipe(pipes));
    fd_set readable, writable;
    FD_ZERO(&readable);
    FD_ZERO(&writable);
    FD_SET(pipes[0], &readable);
    FD_SET(pipes[1], &writable);
    struct timeval none = {0, 0}, bad = {-1, 0};
    EXPECT_EQ(1, RAW5(SYS_select, pipes[1] + 1, &readable, &writable, NULL, &none));
    EXPECT_TRUE(!FD_ISSET(pipes[0], &readable) && FD_ISSET(pipes[1], &writable));
    NEED(write(pipes[1], "x", 1));
    FD_SET(pipes[0], &readable);
    EXPECT_EQ(1, RAW5(SYS_select, pipes[0] + 1, &readable, NULL, NULL, NULL));
    EXPECT_EQ(-EINVAL, RAW5(SYS_select, -1, NULL, NULL, NULL, &none));
    EXPECT_EQ(-EINVAL, RAW5(SYS_select, 0, NULL, NULL, NULL, &bad));
    FD_ZERO(&readable);
    FD_SET(40, &readable);
    EXPECT_EQ(-EBADF, RAW5(SYS_select, 41, &readable, NULL, NULL, &none));
}

TEST(vectors_at_offsets) {
    int fd = NEED(open("v", O_RDWR | O_CREAT | O_TRUNC, 0600));
    struct iovec out[2] = {{"abc", 3}, {"defg", 4}};
    char one[2], two[8] = "";
    struct iovec in[2] = {{one, 2}, {two, 8}};
    EXPECT_EQ(7, pwritev(fd, out, 2, 5));
    EXPECT_EQ(7, preadv(fd, in, 2, 5));
    EXPECT_TRUE(!memcmp(one, "ab", 2) && !memcmp(two, "cdefg", 5));
    EXPECT_EQ(0, lseek(fd, 0, SEEK_CUR));
    EXPECT_EQ(-EINVAL, RAW5(SYS_preadv, fd, in, 2, -1, -1));
    EXPECT_EQ(-EINVAL, RAW5(SYS_pwritev, fd, out, -1, 0, 0));
    EXPECT_EQ(-EFAULT, RAW5(SYS_preadv, fd, BAD_PTR, 1, 0, 0));
    EXPECT_EQ(7, RAW6(SYS_pwritev2, fd, out, 2, -1, -1, 0));
    EXPECT_EQ(7, lseek(fd, 0, SEEK_CUR));
    EXPECT_EQ(7, RAW6(SYS_pwritev2, fd, out, 2, 0, 0, RWF_DSYNC));
    EXPECT_EQ(7, RAW6(SYS_pwritev2, fd, out, 2, 0, 0, RWF_APPEND));
    EXPECT_EQ(19, lseek(fd, 0, SEEK_END));
    EXPECT_EQ(-EOPNOTSUPP, RAW6(SYS_pwritev2, fd, out, 2, 0, 0, 0x4000000));
}

TEST(vmsplice_call) {
    int pipes[2];
    char got[8] = "", text[] = "spliced";
    NEED(pipe(pipes));
    struct iovec out = {text, 7}, in = {got, 7};
    EXPECT_EQ(7, RAW4(SYS_vmsplice, pipes[1], &out, 1, 0));
    EXPECT_EQ(7, RAW4(SYS_vmsplice, pipes[0], &in, 1, 0));
    EXPECT_TRUE(!strcmp(got, "spliced"));
    EXPECT_EQ(-EBADF, RAW4(SYS_vmsplice, -1, &out, 1, 0));
    EXPECT_EQ(-EINVAL, RAW4(SYS_vmsplice, pipes[1], &out, 1, 0x100));
    EXPECT_EQ(0, RAW4(SYS_vmsplice, pipes[1], &out, 0, 0));
}

TEST(epoll_pwait2_call) {
    int poller = NEED(epoll_create1(0)), pipes[2];
    NEED(pipe(pipes));
    struct epoll_event event = {EPOLLIN, {.u64 = 42}}, got;
    struct timespec none = {0, 0}, bad = {0, -1};
    NEED(epoll_ctl(poller, EPOLL_CTL_ADD, pipes[0], &event));
    EXPECT_EQ(0, RAW6(SYS_epoll_pwait2, poller, &got, 1, &none, NULL, 0));
    NEED(write(pipes[1], "x", 1));
    EXPECT_EQ(1, RAW6(SYS_epoll_pwait2, poller, &got, 1, NULL, NULL, 0));
    EXPECT_EQ(42, got.data.u64);
    EXPECT_EQ(-EINVAL, RAW6(SYS_epoll_pwait2, poller, &got, 1, &bad, NULL, 0));
    EXPECT_EQ(-EINVAL, RAW6(SYS_epoll_pwait2, poller, &got, 0, &none, NULL, 0));
}
