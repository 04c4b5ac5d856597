// epoll(7): level, edge, oneshot, exclusive add rules, nested sets, closing.
#include "check.h"
#include <sys/epoll.h>

static int ep, fds[2];
static struct epoll_event got[8];

static void add(int fd, uint32_t events, uint64_t data) {
    struct epoll_event e = {.events = events, .data.u64 = data};
    NEED(epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e));
}
static void fresh(uint32_t events) {
    ep = NEED(epoll_create1(EPOLL_CLOEXEC));
    NEED(pipe2(fds, O_NONBLOCK));
    if (events) add(fds[0], events, 42);
}
static void drop(void) { close(ep); close(fds[0]); close(fds[1]); }

TEST(level) {
    fresh(EPOLLIN);
    EXPECT_EQ(0, epoll_wait(ep, got, 8, 0));
    tell(fds[1]);
    EXPECT_EQ(1, epoll_wait(ep, got, 8, -1));
    EXPECT_EQ(EPOLLIN, got[0].events);
    EXPECT_EQ(42, got[0].data.u64);
    EXPECT_EQ(1, epoll_wait(ep, got, 8, 0));
    await_byte(fds[0]);
    EXPECT_EQ(0, epoll_wait(ep, got, 8, 0));
    drop();
}

TEST(edge) {
    fresh(EPOLLIN | EPOLLET);
    tell(fds[1]);
    EXPECT_EQ(1, epoll_wait(ep, got, 8, 0));
    EXPECT_EQ(0, epoll_wait(ep, got, 8, 0));
    tell(fds[1]);
    EXPECT_EQ(1, epoll_wait(ep, got, 8, 0));
    await_byte(fds[0]);
    EXPECT_EQ(0, epoll_wait(ep, got, 8, 0));
    drop();
}

TEST(oneshot) {
    fresh(EPOLLIN | EPOLLONESHOT);
    tell(fds[1]);
    EXPECT_EQ(1, epoll_wait(ep, got, 8, 0));
    EXPECT_EQ(0, epoll_wait(ep, got, 8, 0));
    tell(fds[1]);
    EXPECT_EQ(0, epoll_wait(ep, got, 8, 0));
    struct epoll_event e = {.events = EPOLLIN | EPOLLONESHOT, .data.u64 = 43};
    EXPECT_OK(epoll_ctl(ep, EPOLL_CTL_MOD, fds[0], &e));
    EXPECT_EQ(1, epoll_wait(ep, got, 8, 0));
    EXPECT_EQ(43, got[0].data.u64);
    drop();
}

TEST(hangup_needs_no_request) {
    fresh(0);
    add(fds[0], 0, 1);
    close(fds[1]);
    EXPECT_EQ(1, epoll_wait(ep, got, 8, 0));
    EXPECT_EQ(EPOLLHUP, got[0].events);
    close(fds[0]);
    EXPECT_EQ(0, epoll_wait(ep, got, 8, 0));
    close(ep);
}

TEST(the_description_counts_not_the_number) {
    fresh(EPOLLIN);
    int copy = NEED(dup(fds[0]));
    tell(fds[1]);
    close(fds[0]);
    EXPECT_EQ(1, epoll_wait(ep, got, 8, 0));
    close(copy);
    EXPECT_EQ(0, epoll_wait(ep, got, 8, 0));
    close(ep);
    close(fds[1]);
}

TEST(many_ready_are_shared_out) {
    int pipes[5][2], seen = 0;
    ep = NEED(epoll_create1(0));
    for (int i = 0; i < 5; i++) {
        NEED(pipe(pipes[i]));
        add(pipes[i][0], EPOLLIN, i);
        tell(pipes[i][1]);
    }
    EXPECT_EQ(5, epoll_wait(ep, got, 8, 0));
    for (int round = 0; round < 5; round++) {
        EXPECT_EQ(2, epoll_wait(ep, got, 2, 0));
        seen |= 1 << got[0].data.u64 | 1 << got[1].data.u64;
    }
    EXPECT_EQ(31, seen);
    close(ep);
}

TEST(nested) {
    fresh(EPOLLIN);
    int inner = ep;
    ep = NEED(epoll_create1(0));
    add(inner, EPOLLIN, 7);
    EXPECT_EQ(0, epoll_wait(ep, got, 8, 0));
    tell(fds[1]);
    EXPECT_EQ(1, epoll_wait(ep, got, 8, 0));
    EXPECT_EQ(7, got[0].data.u64);
    struct epoll_event e = {.events = EPOLLIN};
    EXPECT_ERRNO(ELOOP, epoll_ctl(inner, EPOLL_CTL_ADD, ep, &e));
    EXPECT_ERRNO(EINVAL, epoll_ctl(ep, EPOLL_CTL_ADD, ep, &e));
    close(inner);
    drop();
}

TEST(woken_by_another_process) {
    fresh(EPOLLIN | EPOLLET);
    pid_t pid = CHILD({ tell(fds[1]); });
    EXPECT_EQ(1, epoll_wait(ep, got, 8, -1));
    EXPECT_EXIT(0, pid);
    drop();
}

TEST(errors) {
    struct epoll_event e = {.events = EPOLLIN};
    fresh(EPOLLIN);
    EXPECT_ERRNO(EEXIST, epoll_ctl(ep, EPOLL_CTL_ADD, fds[0], &e));
    EXPECT_ERRNO(ENOENT, epoll_ctl(ep, EPOLL_CTL_MOD, fds[1], &e));
    EXPECT_ERRNO(ENOENT, epoll_ctl(ep, EPOLL_CTL_DEL, fds[1], NULL));
    EXPECT_OK(epoll_ctl(ep, EPOLL_CTL_DEL, fds[0], NULL));
    EXPECT_ERRNO(EBADF, epoll_ctl(ep, EPOLL_CTL_ADD, 999, &e));
    EXPECT_ERRNO(EPERM, epoll_ctl(ep, EPOLL_CTL_ADD, make_file("f", ""), &e));
    EXPECT_ERRNO(EINVAL, epoll_ctl(fds[0], EPOLL_CTL_ADD, fds[1], &e));
    EXPECT_ERRNO(EINVAL, epoll_ctl(ep, 9, fds[0], &e));
    EXPECT_ERRNO(EFAULT, epoll_ctl(ep, EPOLL_CTL_ADD, fds[0], BAD_PTR));
    EXPECT_ERRNO(EINVAL, epoll_wait(ep, got, 0, 0));
    EXPECT_ERRNO(EINVAL, epoll_wait(fds[0], got, 1, 0));
    EXPECT_ERRNO(EBADF, epoll_wait(999, got, 1, 0));
    EXPECT_ERRNO(EINVAL, epoll_create1(0x1));
    EXPECT_ERRNO(EINVAL, epoll_create(0));
    add(fds[0], EPOLLIN, 0);
    tell(fds[1]);
    EXPECT_ERRNO(EFAULT, epoll_wait(ep, BAD_PTR, 1, 0));
    drop();
}
