// statx(2): what the flags choose, what is refused and in which order.
#include "check.h"
static struct statx x;
static long size_by(int dirfd, const char *path, int flags) {
    memset(&x, 0xAA, sizeof x);
    return statx(dirfd, path, flags, STATX_BASIC_STATS, &x) ? -1 : (long)x.stx_size;
}
TEST(the_descriptor_itself) {
    int fd = make_file("f", "some text"), other = make_file("other", "four");
    EXPECT_EQ(9, size_by(fd, "", AT_EMPTY_PATH));
    EXPECT_EQ(4, size_by(other, "", AT_EMPTY_PATH));
    EXPECT_OK(unlink("other"));
    EXPECT_EQ(4, size_by(other, "", AT_EMPTY_PATH));
    EXPECT_EQ(0, x.stx_nlink);
    EXPECT_ERRNO(ENOENT, size_by(fd, "", 0));
    EXPECT_ERRNO(ENOENT, size_by(AT_FDCWD, "", 0));
    EXPECT_ERRNO(EBADF, size_by(-1, "", AT_EMPTY_PATH));
    EXPECT_ERRNO(ENOTDIR, size_by(fd, "g", AT_EMPTY_PATH));
    EXPECT_TRUE(size_by(AT_FDCWD, "", AT_EMPTY_PATH) >= 0);
    EXPECT_TRUE(S_ISDIR(x.stx_mode));
    close(fd);
    close(other);
}
TEST(links_are_followed_unless_asked) {
    EXPECT_OK(symlink("f", "link"));
    EXPECT_EQ(9, size_by(AT_FDCWD, "link", 0));
    EXPECT_TRUE(S_ISREG(x.stx_mode));
    EXPECT_EQ(1, size_by(AT_FDCWD, "link", AT_SYMLINK_NOFOLLOW));
    EXPECT_TRUE(S_ISLNK(x.stx_mode));
    EXPECT_EQ(1, size_by(AT_FDCWD, "link", AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH | AT_NO_AUTOMOUNT));
    int fd = EXPECT_OK(open("link", O_PATH | O_NOFOLLOW));
    EXPECT_EQ(1, size_by(fd, "", AT_EMPTY_PATH));
    EXPECT_TRUE(S_ISLNK(x.stx_mode));
    close(fd);
}
TEST(how_fresh) {
    EXPECT_EQ(9, size_by(AT_FDCWD, "f", AT_STATX_SYNC_AS_STAT));
    EXPECT_EQ(9, size_by(AT_FDCWD, "f", AT_STATX_FORCE_SYNC));
    EXPECT_EQ(9, size_by(AT_FDCWD, "f", AT_STATX_DONT_SYNC));
    EXPECT_ERRNO(EINVAL, size_by(AT_FDCWD, "f", AT_STATX_FORCE_SYNC | AT_STATX_DONT_SYNC));
    EXPECT_ERRNO(EINVAL, size_by(AT_FDCWD, "f", 0x40000000));
}
TEST(refused) {
    EXPECT_ERRNO(EINVAL, statx(AT_FDCWD, "f", 0, 0x80000000, &x));
    EXPECT_ERRNO(EINVAL, statx(AT_FDCWD, "missing", 0, 0x80000000, &x));
    EXPECT_ERRNO(EFAULT, statx(AT_FDCWD, "f", 0, 0, BAD_PTR));
    EXPECT_ERRNO(EFAULT, statx(AT_FDCWD, BAD_PTR, 0, 0, &x));
    EXPECT_ERRNO(ENOENT, statx(AT_FDCWD, "missing", 0, 0, BAD_PTR));
    EXPECT_OK(statx(AT_FDCWD, "f", 0, 0, &x));
    EXPECT_TRUE(x.stx_mask & STATX_SIZE);
    EXPECT_TRUE(x.stx_attributes_mask & STATX_ATTR_MOUNT_ROOT);
    EXPECT_EQ(0, x.stx_attributes & STATX_ATTR_MOUNT_ROOT);
    EXPECT_OK(statx(AT_FDCWD, "/", 0, 0, &x));
    EXPECT_TRUE(x.stx_attributes & STATX_ATTR_MOUNT_ROOT);
}
