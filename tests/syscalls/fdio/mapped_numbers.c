// Numbers of mapped files: dup2, close and close_range onto them; a mapping always shows the file the number means now.
#include "check.h"

static char first(int fd) {
    char *p = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);
    if (p == MAP_FAILED) return '!';
    char c = *p;
    munmap(p, 4096);
    return c;
}

TEST(a_number_changes_its_file) {
    int a = make_file("/tmp/mapped_a", "A"), b = make_file("/tmp/mapped_b", "B");
    EXPECT_EQ('A', first(a));
    EXPECT_EQ('A', first(a));
    EXPECT_EQ(a, dup2(b, a));
    EXPECT_EQ('B', first(a));
    EXPECT_OK(close(a));
    EXPECT_EQ(a, open("/tmp/mapped_a", O_RDONLY));
    EXPECT_OK(close(a));
    EXPECT_EQ(a, open("/tmp/mapped_a", O_RDONLY));
    EXPECT_EQ('A', first(a));
    EXPECT_OK(close_range(a, b, 0));
    EXPECT_ERRNO(EBADF, close(a));
    EXPECT_EQ(a, open("/tmp/mapped_b", O_RDONLY));
    EXPECT_EQ('B', first(a));
    EXPECT_OK(close_range(a, ~0U, 0));
    EXPECT_EQ(a, open("/tmp/mapped_a", O_RDONLY));
    EXPECT_EQ('A', first(a));
    pid_t child = CHILD(EXPECT_EQ('A', first(a)); EXPECT_EQ(a, dup2(NEED(open("/tmp/mapped_b", O_RDONLY)), a)); EXPECT_EQ('B', first(a)));
    EXPECT_EXIT(0, child);
    EXPECT_EQ('A', first(a));
    EXPECT_OK(close(a));
    unlink("/tmp/mapped_a");
    unlink("/tmp/mapped_b");
}
