// openat2(2): the resolve flags confine, sizes are checked.
#include "check.h"
#include <linux/openat2.h>

static long open2(int dirfd, const char *path, uint64_t flags, uint64_t mode, uint64_t resolve) {
    struct open_how how = {flags, mode, resolve};
    long fd = RAW4(SYS_openat2, dirfd, path, &how, sizeof how);
    if (fd >= 0) close(fd);
    return fd < 0 ? fd : 0;
}

TEST(resolve_flags) {
    NEED(mkdir("d", 0755));
    close(make_file("d/f", ""));
    close(make_file("out", ""));
    NEED(symlink("f", "d/near"));
    NEED(symlink("../out", "d/up"));
    NEED(symlink("/etc/passwd", "d/abs"));
    NEED(symlink("/f", "d/rootf"));
    int fd = NEED(open("d", O_PATH));
    EXPECT_EQ(0, open2(fd, "f", O_RDONLY, 0, 0));
    EXPECT_EQ(0, open2(fd, "near", O_RDONLY, 0, RESOLVE_BENEATH));
    EXPECT_EQ(-EXDEV, open2(fd, "up", O_RDONLY, 0, RESOLVE_BENEATH));
    EXPECT_EQ(-EXDEV, open2(fd, "abs", O_RDONLY, 0, RESOLVE_BENEATH));
    EXPECT_EQ(-EXDEV, open2(fd, "../out", O_RDONLY, 0, RESOLVE_BENEATH));
    EXPECT_EQ(-EXDEV, open2(fd, "/f", O_RDONLY, 0, RESOLVE_BENEATH));
    EXPECT_EQ(-ELOOP, open2(fd, "near", O_RDONLY, 0, RESOLVE_NO_SYMLINKS));
    EXPECT_EQ(0, open2(fd, "f", O_RDONLY, 0, RESOLVE_NO_SYMLINKS));
    EXPECT_EQ(0, open2(fd, "rootf", O_RDONLY, 0, RESOLVE_IN_ROOT));
    EXPECT_EQ(0, open2(fd, "../../f", O_RDONLY, 0, RESOLVE_IN_ROOT));
    EXPECT_EQ(-ENOENT, open2(fd, "/etc/passwd", O_RDONLY, 0, RESOLVE_IN_ROOT));
    EXPECT_EQ(-EXDEV, open2(AT_FDCWD, "/proc/self/stat", O_RDONLY, 0, RESOLVE_NO_XDEV));
    EXPECT_EQ(-ELOOP, open2(AT_FDCWD, "/proc/self/exe", O_RDONLY, 0, RESOLVE_NO_MAGICLINKS));
    close(fd);
}

TEST(arguments_are_strict) {
    struct { struct open_how how; long extra; } big = {{O_RDONLY, 0, 0}, 0};
    EXPECT_EQ(-EINVAL, open2(AT_FDCWD, "out", O_RDONLY, 0644, 0));
    EXPECT_EQ(-EINVAL, open2(AT_FDCWD, "out", O_RDONLY | (1ull << 40), 0, 0));
    EXPECT_EQ(-EINVAL, open2(AT_FDCWD, "out", O_RDONLY, 0, 1ull << 40));
    EXPECT_EQ(-EINVAL, open2(AT_FDCWD, "out", O_RDONLY, 0, RESOLVE_BENEATH | RESOLVE_IN_ROOT));
    EXPECT_EQ(-EINVAL, RAW4(SYS_openat2, AT_FDCWD, "out", &big, 8));
    long fd = RAW4(SYS_openat2, AT_FDCWD, "out", &big, sizeof big);
    EXPECT_TRUE(fd >= 0);
    close(fd);
    big.extra = 1;
    EXPECT_EQ(-E2BIG, RAW4(SYS_openat2, AT_FDCWD, "out", &big, sizeof big));
    EXPECT_EQ(-EFAULT, RAW4(SYS_openat2, AT_FDCWD, "out", BAD_PTR, sizeof(struct open_how)));
}
