// mlockall(2), munlockall(2), mlock2(2), remap_file_pages(2), pkey_alloc(2), pkey_free(2), pkey_mprotect(2).
#include "check.h"

#define P 4096

TEST(mlock2_flags) {
    char *p = mmap(NULL, P, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    EXPECT_EQ(0, RAW3(SYS_mlock2, p, P, 1));
    EXPECT_EQ(0, RAW2(SYS_munlock, p, P));
    EXPECT_EQ(-EINVAL, RAW3(SYS_mlock2, p, P, 2));
}

TEST(mlockall_flags) {
    EXPECT_EQ(-EINVAL, RAW1(SYS_mlockall, 0));
    EXPECT_EQ(-EINVAL, RAW1(SYS_mlockall, 8));
    EXPECT_EQ(0, RAW0(SYS_munlockall));
}

TEST(remap_file_pages_wants_a_shared_mapping) {
    char *p = mmap(NULL, P, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    EXPECT_EQ(-EINVAL, RAW5(SYS_remap_file_pages, p, P, 0, 0, 0));
}

TEST(protection_keys) {
    char *p = mmap(NULL, P, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    EXPECT_EQ(-EINVAL, RAW2(SYS_pkey_alloc, 1, 0));
    EXPECT_EQ(-EINVAL, RAW1(SYS_pkey_free, 77));
    EXPECT_EQ(0, RAW4(SYS_pkey_mprotect, p, P, PROT_READ, -1));
    EXPECT_EQ(-EINVAL, RAW4(SYS_pkey_mprotect, p + 1, P, PROT_READ, -1));
}

TEST(mlock_a_page) {
    char *p = mmap(NULL, P, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    EXPECT_EQ(0, RAW2(SYS_mlock, p, P));
    EXPECT_EQ(0, RAW2(SYS_mlock, p, 0));
    EXPECT_EQ(0, RAW2(SYS_munlock, p, P));
    EXPECT_EQ(-ENOMEM, RAW2(SYS_mlock, 0x10000, P));
}
