// mremap(2), brk(2), madvise(2), mincore(2).
#include "check.h"

#define P 4096

TEST(grow_shrink_move) {
    char *p = mmap(NULL, 2 * P, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    strcpy(p, "content");
    char *q = mremap(p, 2 * P, 100 * P, MREMAP_MAYMOVE);
    EXPECT_TRUE(q != MAP_FAILED);
    EXPECT_STR("content", q);
    q[99 * P] = 1;
    EXPECT_TRUE(mremap(q, 100 * P, P, 0) == q);
    char *target = mmap(NULL, P, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    EXPECT_TRUE(mremap(q, P, P, MREMAP_MAYMOVE | MREMAP_FIXED, target) == target);
    EXPECT_STR("content", target);
    EXPECT_EQ(-EFAULT, RAW5(SYS_mremap, q, P, 2 * P, 0, 0));
    EXPECT_EQ(-EINVAL, RAW5(SYS_mremap, target + 1, P, 2 * P, 0, 0));
    EXPECT_EQ(-EINVAL, RAW5(SYS_mremap, target, P, 0, 0, 0));
    EXPECT_EQ(-EINVAL, RAW5(SYS_mremap, target, P, P, 0x100, 0));
}

TEST(file_mappings_move_too) {
    int fd = make_file("f", "file");
    char *p = mmap(NULL, P, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    char *q = mremap(p, P, 2 * P, MREMAP_MAYMOVE);
    EXPECT_TRUE(q != MAP_FAILED);
    q[0] = 'F';
    char c;
    EXPECT_EQ(1, pread(fd, &c, 1, 0));
    EXPECT_EQ('F', c);
}

TEST(brk_moves) {
    char *start = sbrk(0);
    EXPECT_TRUE(start != (void *)-1);
    EXPECT_TRUE(RAW1(SYS_brk, 0) == (long)start);
    EXPECT_TRUE(RAW1(SYS_brk, start + 10 * P) == (long)(start + 10 * P));
    memset(start, 1, 10 * P);
    EXPECT_TRUE(RAW1(SYS_brk, start) == (long)start);
    EXPECT_TRUE(RAW1(SYS_brk, start + 10 * P) == (long)(start + 10 * P));
    EXPECT_EQ(0, start[P]);
    EXPECT_TRUE(RAW1(SYS_brk, 16) == (long)(start + 10 * P));
}

TEST(madvise_dontneed_zeroes) {
    char *p = mmap(NULL, 2 * P, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    p[0] = p[P] = 1;
    EXPECT_OK(madvise(p, P, MADV_DONTNEED));
    EXPECT_EQ(0, p[0]);
    EXPECT_EQ(1, p[P]);
    EXPECT_ERRNO(EINVAL, madvise(p + 1, P, MADV_DONTNEED));
    EXPECT_ERRNO(EINVAL, madvise(p, P, 9999));
    EXPECT_OK(madvise(p, P, MADV_WILLNEED));
    int fd = make_file("g", "private");
    char *q = mmap(NULL, P, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    q[0] = 'X';
    EXPECT_OK(madvise(q, P, MADV_DONTNEED));
    EXPECT_EQ('p', q[0]);
}

TEST(mincore_and_mlock) {
    unsigned char v[2] = {0};
    char *p = mmap(NULL, 2 * P, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    p[0] = 1;
    EXPECT_OK(mincore(p, 2 * P, v));
    EXPECT_EQ(1, v[0] & 1);
    EXPECT_OK(mlock(p, P));
    EXPECT_OK(munlock(p, P));
    EXPECT_ERRNO(ENOMEM, mlock((void *)P, P));
}
