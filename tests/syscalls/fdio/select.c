// select(2): sets are rewritten, limits of nfds, timeouts.
#include "check.h"
#include <sys/select.h>

TEST(sets) {
    int fds[2];
    fd_set in, out, ex;
    NEED(pipe(fds));
    struct timeval zero = {0, 0};
    FD_ZERO(&in); FD_ZERO(&out); FD_ZERO(&ex);
    FD_SET(fds[0], &in); FD_SET(fds[1], &out); FD_SET(fds[0], &ex);
    EXPECT_EQ(1, select(fds[1] + 1, &in, &out, &ex, &zero));
    EXPECT_TRUE(!FD_ISSET(fds[0], &in) && FD_ISSET(fds[1], &out) && !FD_ISSET(fds[0], &ex));
    tell(fds[1]);
    FD_SET(fds[0], &in);
    EXPECT_EQ(2, select(fds[1] + 1, &in, &out, NULL, NULL));
    FD_ZERO(&in);
    FD_SET(fds[0], &in);
    EXPECT_EQ(0, select(fds[0], &in, NULL, NULL, &zero));
    close(fds[1]);
    NEED(dup2(fds[0], 500));
    FD_ZERO(&in);
    FD_SET(500, &in);
    EXPECT_EQ(1, select(501, &in, NULL, NULL, NULL));
    EXPECT_TRUE(FD_ISSET(500, &in));
}

TEST(timeout_is_updated) {
    struct timeval t = {0, 5000};
    EXPECT_EQ(0, select(0, NULL, NULL, NULL, &t));
    EXPECT_EQ(0, t.tv_sec + t.tv_usec);
    int fds[2];
    fd_set in;
    NEED(pipe(fds));
    tell(fds[1]);
    FD_ZERO(&in);
    FD_SET(fds[0], &in);
    t = (struct timeval){100, 0};
    EXPECT_EQ(1, select(fds[0] + 1, &in, NULL, NULL, &t));
    EXPECT_TRUE(t.tv_sec >= 90);
}

TEST(errors) {
    fd_set in;
    struct timeval negative = {-1, 0};
    FD_ZERO(&in);
    FD_SET(400, &in);
    EXPECT_ERRNO(EBADF, select(401, &in, NULL, NULL, NULL));
    EXPECT_ERRNO(EINVAL, select(-1, NULL, NULL, NULL, NULL));
    EXPECT_ERRNO(EINVAL, select(0, NULL, NULL, NULL, &negative));
    EXPECT_EQ(-EFAULT, RAW5(SYS_select, 10, BAD_PTR, 0, 0, 0));
    EXPECT_EQ(-EFAULT, RAW5(SYS_select, 0, 0, 0, 0, BAD_PTR));
}
