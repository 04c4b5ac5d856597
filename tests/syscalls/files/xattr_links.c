// lsetxattr(2), lgetxattr, llistxattr, flistxattr, lremovexattr: the attributes of a name itself and of an open file.
#include "check.h"
#include <sys/xattr.h>

TEST(of_a_file) {
    char got[64];
    int fd = NEED(open("f", O_RDWR | O_CREAT, 0644));
    EXPECT_OK(lsetxattr("f", "user.one", "1", 1, 0));
    EXPECT_OK(lsetxattr("f", "user.two", "22", 2, XATTR_CREATE));
    EXPECT_ERRNO(EEXIST, lsetxattr("f", "user.two", "22", 2, XATTR_CREATE));
    EXPECT_ERRNO(ENODATA, lsetxattr("f", "user.three", "", 0, XATTR_REPLACE));
    EXPECT_EQ(2, lgetxattr("f", "user.two", got, sizeof got));
    EXPECT_EQ(2, lgetxattr("f", "user.two", NULL, 0));
    EXPECT_ERRNO(ERANGE, lgetxattr("f", "user.two", got, 1));
    EXPECT_EQ(18, llistxattr("f", got, sizeof got));
    EXPECT_EQ(18, flistxattr(fd, got, sizeof got));
    EXPECT_EQ(18, flistxattr(fd, NULL, 0));
    EXPECT_OK(lremovexattr("f", "user.one"));
    EXPECT_ERRNO(ENODATA, lremovexattr("f", "user.one"));
    EXPECT_EQ(9, flistxattr(fd, got, sizeof got));
}

TEST(of_a_symbolic_link) {
    char got[64];
    NEED(symlink("f", "link"));
    EXPECT_ERRNO(EPERM, lsetxattr("link", "user.one", "1", 1, 0));
    EXPECT_ERRNO(ENODATA, lgetxattr("link", "user.two", got, sizeof got));
    EXPECT_EQ(0, llistxattr("link", got, sizeof got));
    EXPECT_EQ(2, getxattr("link", "user.two", got, sizeof got));
    EXPECT_ERRNO(EBADF, flistxattr(-1, got, sizeof got));
    EXPECT_ERRNO(ENOENT, llistxattr("none", got, sizeof got));
}
