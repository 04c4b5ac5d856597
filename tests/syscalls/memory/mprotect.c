// mprotect(2): rights take effect at once, across forks, and code can be made executable.
#include "check.h"
#include <setjmp.h>

#define P 4096
static sigjmp_buf back;
static void on_fault(int sig) { siglongjmp(back, sig); }
static int reads(char *p) { int s = sigsetjmp(back, 1); if (s) return -s; return *(volatile char *)p; }
static int writes(char *p) { int s = sigsetjmp(back, 1); if (s) return -s; *(volatile char *)p = 3; return 0; }

TEST(rights) {
    signal(SIGSEGV, on_fault);
    char *p = mmap(NULL, 3 * P, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    p[P] = 9;
    EXPECT_OK(mprotect(p + P, P, PROT_NONE));
    EXPECT_EQ(-SIGSEGV, reads(p + P));
    EXPECT_EQ(0, reads(p));
    EXPECT_OK(mprotect(p + P, P, PROT_READ));
    EXPECT_EQ(9, reads(p + P));
    EXPECT_EQ(-SIGSEGV, writes(p + P));
    EXPECT_OK(mprotect(p, 3 * P, PROT_READ | PROT_WRITE));
    EXPECT_EQ(0, writes(p + P));
}

TEST(the_kernel_obeys_them_too) {
    char *p = mmap(NULL, P, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int fd = make_file("f", "data");
    EXPECT_ERRNO(EFAULT, pread(fd, p, 4, 0));
    NEED(mprotect(p, P, PROT_NONE));
    EXPECT_ERRNO(EFAULT, write(fd, p, 4));
    EXPECT_ERRNO(EFAULT, open(p, O_RDONLY));
}

TEST(generated_code) {
    unsigned char *p = mmap(NULL, P, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    memcpy(p, "\xb8\x2a\x00\x00\x00\xc3", 6);
    EXPECT_OK(mprotect(p, P, PROT_READ | PROT_EXEC));
    EXPECT_EQ(42, ((int (*)(void))p)());
}

TEST(errors) {
    EXPECT_ERRNO(EINVAL, mprotect((void *)1, P, PROT_READ));
    EXPECT_ERRNO(ENOMEM, mprotect((void *)P, P, PROT_READ));
    char *p = mmap(NULL, P, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    EXPECT_ERRNO(EINVAL, mprotect(p, P, 0x100));
    EXPECT_OK(mprotect(p, 0, PROT_READ));
}
