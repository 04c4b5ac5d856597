// mseal(2): a sealed mapping keeps its place and its rights.
#include "check.h"

enum { MSEAL = 462 };

TEST(seals) {
    char *pages = mmap(NULL, 3 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    EXPECT_EQ(0, RAW3(MSEAL, pages + 4096, 4096, 0));
    pages[4096] = 1;
    EXPECT_ERRNO(EPERM, munmap(pages + 4096, 4096));
    EXPECT_ERRNO(EPERM, mprotect(pages + 4096, 4096, PROT_READ));
    EXPECT_ERRNO(EPERM, munmap(pages, 3 * 4096));
    EXPECT_OK(mprotect(pages, 4096, PROT_READ));
    EXPECT_EQ(0, RAW3(MSEAL, pages + 4096, 4096, 0));
    EXPECT_OK(munmap(pages, 4096));
}

TEST(sealed_memory_ends_with_exec) {
    pid_t pid = CHILD({
        void *page = mmap((void *)0x10000000, 1 << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
        RAW3(MSEAL, page, 1 << 20, 0);
        execl("/bin/true", "true", (char *)0);
    });
    EXPECT_EXIT(0, pid);
}

TEST(bad_arguments) {
    EXPECT_EQ(-EINVAL, RAW3(MSEAL, 1, 4096, 0));
    EXPECT_EQ(-EINVAL, RAW3(MSEAL, 0x10000, 4096, 1));
    EXPECT_EQ(-ENOMEM, RAW3(MSEAL, 0x10000, 4096, 0));
    EXPECT_EQ(0, RAW3(MSEAL, 0x10000, 0, 0));
}
