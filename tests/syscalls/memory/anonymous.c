// mmap(2), munmap(2): placement, zeroes, holes, errors.
#include "check.h"

#define P 4096

TEST(zeroed_and_writable) {
    char *p = mmap(NULL, 10 * P, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    EXPECT_TRUE(p != MAP_FAILED && ((long)p & (P - 1)) == 0);
    int sum = 0;
    for (int i = 0; i < 10 * P; i++) sum += p[i];
    EXPECT_EQ(0, sum);
    p[5 * P] = 1;
    EXPECT_OK(munmap(p, 10 * P));
}

TEST(fixed) {
    char *p = mmap(NULL, 3 * P, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    p[P] = 7;
    EXPECT_TRUE(mmap(p + P, P, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == p + P);
    EXPECT_EQ(0, p[P]);
    EXPECT_TRUE(mmap(p, P, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) == MAP_FAILED);
    EXPECT_EQ(EEXIST, errno);
    EXPECT_EQ(-EINVAL, RAW6(SYS_mmap, p + 1, P, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
}

TEST(holes) {
    char *p = mmap(NULL, 3 * P, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    EXPECT_OK(munmap(p + P, P));
    EXPECT_OK(munmap(p + P, P));
    EXPECT_EQ(-ENOMEM, RAW3(SYS_mprotect, p, 3 * P, PROT_READ));
    EXPECT_OK(munmap(p, 3 * P));
}

TEST(errors) {
    EXPECT_EQ(-EINVAL, RAW6(SYS_mmap, 0, 0, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    EXPECT_EQ(-EINVAL, RAW6(SYS_mmap, 0, P, PROT_READ, MAP_ANONYMOUS, -1, 0));
    EXPECT_EQ(-ENOMEM, RAW6(SYS_mmap, 0, 1l << 47, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    EXPECT_EQ(-ENOMEM, RAW6(SYS_mmap, 0, -P, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    EXPECT_EQ(-EINVAL, RAW2(SYS_munmap, 1, P));
    EXPECT_EQ(-EINVAL, RAW2(SYS_munmap, P, 0));
    EXPECT_EQ(-EBADF, RAW6(SYS_mmap, 0, P, PROT_READ, MAP_PRIVATE, -1, 0));
    EXPECT_EQ(-EBADF, RAW6(SYS_mmap, 0, P, PROT_READ, MAP_PRIVATE, 999, 0));
    EXPECT_EQ(-EINVAL, RAW6(SYS_mmap, 0, P, PROT_READ, MAP_PRIVATE, 0, 1));
}

TEST(shared_between_processes) {
    volatile int *p = mmap(NULL, P, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    volatile int *own = mmap(NULL, P, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    pid_t pid = CHILD({ *p = 42; *own = 42; });
    EXPECT_EXIT(0, pid);
    EXPECT_EQ(42, *p);
    EXPECT_EQ(0, *own);
}
