// close_range(2): closes, or marks, a range of descriptors.
#include "check.h"
#include <linux/close_range.h>

static int is_open(int fd) { return fcntl(fd, F_GETFD) >= 0; }

TEST(closes_the_range_only) {
    for (int fd = 50; fd < 60; fd++) NEED(dup2(0, fd));
    EXPECT_OK(close_range(52, 55, 0));
    for (int fd = 50; fd < 60; fd++) SHOW(is_open(fd));
    EXPECT_OK(close_range(58, ~0U, 0));
    EXPECT_EQ(1, is_open(57));
    EXPECT_EQ(0, is_open(58));
}

TEST(marks_cloexec) {
    EXPECT_OK(close_range(50, 51, CLOSE_RANGE_CLOEXEC));
    EXPECT_EQ(FD_CLOEXEC, fcntl(50, F_GETFD));
    EXPECT_EQ(0, fcntl(56, F_GETFD));
}

TEST(unshares) {
    EXPECT_OK(close_range(56, 57, CLOSE_RANGE_UNSHARE));
    EXPECT_EQ(0, is_open(56));
}

TEST(errors) {
    EXPECT_ERRNO(EINVAL, close_range(5, 4, 0));
    EXPECT_ERRNO(EINVAL, close_range(5, 6, 0x100));
    EXPECT_OK(close_range(1000, 1010, 0));
}
