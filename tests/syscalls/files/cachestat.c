// cachestat(2): errors, and that a file that was just written is in the cache.
#include "check.h"
#ifndef SYS_cachestat
#define SYS_cachestat 451
#endif
TEST(cache) {
    struct { uint64_t offset, length; } range = {0, 0};
    struct { uint64_t cached, dirty, writeback, evicted, recent; } stat;
    int fd = make_file("f", "some text");
    EXPECT_OK(syscall(SYS_cachestat, fd, &range, &stat, 0));
    EXPECT_EQ(1, stat.cached);
    range.offset = 4096;
    EXPECT_OK(syscall(SYS_cachestat, fd, &range, &stat, 0));
    EXPECT_EQ(0, stat.cached);
    EXPECT_ERRNO(EINVAL, syscall(SYS_cachestat, fd, &range, &stat, 1));
    EXPECT_ERRNO(EFAULT, syscall(SYS_cachestat, fd, BAD_PTR, &stat, 0));
    EXPECT_ERRNO(EFAULT, syscall(SYS_cachestat, fd, &range, BAD_PTR, 0));
    EXPECT_ERRNO(EBADF, syscall(SYS_cachestat, -1, &range, &stat, 0));
}
