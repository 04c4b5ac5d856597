// poll(2): every event on pipes and files, negative entries, bad descriptors, timeouts, wake-ups.
#include "check.h"
#include <poll.h>
#include <sys/resource.h>

TEST(entries) {
    int fds[2], file = make_file("f", "");
    NEED(pipe(fds));
    struct pollfd p[] = {{fds[0], POLLIN, 7}, {fds[1], POLLOUT, 7}, {-1, POLLIN, 7}, {999, POLLIN, 7}, {file, POLLIN | POLLOUT, 7}};
    EXPECT_EQ(3, poll(p, 5, 0));
    for (int i = 0; i < 5; i++) SHOW(p[i].revents);
    tell(fds[1]);
    EXPECT_EQ(1, poll(p, 1, -1));
    EXPECT_EQ(POLLIN, p[0].revents);
    EXPECT_EQ(1, poll(p, 1, 1000000));
    EXPECT_EQ(0, poll(NULL, 0, 0));
    EXPECT_EQ(0, poll(NULL, 0, 1));
}

TEST(woken_by_another_process) {
    int fds[2], gate[2];
    NEED(pipe(fds));
    NEED(pipe(gate));
    pid_t pid = CHILD({ tell(fds[1]); });
    struct pollfd p = {fds[0], POLLIN, 0};
    EXPECT_EQ(1, poll(&p, 1, -1));
    EXPECT_EXIT(0, pid);
    pid = CHILD({ close(gate[0]); });
    close(gate[1]);
    p.fd = gate[0];
    EXPECT_EQ(1, poll(&p, 1, -1));
    EXPECT_EQ(POLLHUP, p.revents);
    EXPECT_EXIT(0, pid);
}

TEST(errors) {
    struct pollfd p = {0, 0, 0};
    struct rlimit limit;
    EXPECT_ERRNO(EFAULT, poll(BAD_PTR, 1, 0));
    NEED(getrlimit(RLIMIT_NOFILE, &limit));
    if (limit.rlim_cur > 4096) { limit.rlim_cur = 1024; NEED(setrlimit(RLIMIT_NOFILE, &limit)); }
    NEED(getrlimit(RLIMIT_NOFILE, &limit));
    EXPECT_ERRNO(EINVAL, poll(&p, limit.rlim_cur + 1, 0));
    struct timespec bad = {0, 1000000000}, negative = {-1, 0};
    EXPECT_ERRNO(EINVAL, ppoll(&p, 0, &bad, NULL));
    EXPECT_ERRNO(EINVAL, ppoll(&p, 0, &negative, NULL));
}

TEST(timeout_is_not_short) {
    struct timespec a, b;
    clock_gettime(CLOCK_MONOTONIC, &a);
    EXPECT_EQ(0, poll(NULL, 0, 30));
    clock_gettime(CLOCK_MONOTONIC, &b);
    long ms = (b.tv_sec - a.tv_sec) * 1000 + (b.tv_nsec - a.tv_nsec) / 1000000;
    EXPECT_TRUE(ms >= 29);
}
