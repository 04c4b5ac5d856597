// setxattr(2) and its family in the user namespace, or ENOTSUP consistently.
#include "check.h"
#include <sys/xattr.h>

TEST(no_such_attribute) {
    char text[16];
    close(make_file("f", ""));
    EXPECT_ERRNO(ENODATA, getxattr("f", "user.none", text, sizeof text));
    EXPECT_ERRNO(ENOENT, getxattr("none", "user.x", text, sizeof text));
    EXPECT_ERRNO(ENOTSUP, getxattr("f", "nonsense.x", text, sizeof text));
    EXPECT_ERRNO(EFAULT, getxattr("f", BAD_PTR, text, sizeof text));
}

TEST(set_get_list_remove) {
    char text[64] = "";
    EXPECT_OK(setxattr("f", "user.one", "value", 5, 0));
    EXPECT_EQ(5, getxattr("f", "user.one", NULL, 0));
    EXPECT_EQ(5, getxattr("f", "user.one", text, sizeof text));
    EXPECT_STR("value", text);
    EXPECT_ERRNO(ERANGE, getxattr("f", "user.one", text, 2));
    EXPECT_ERRNO(EEXIST, setxattr("f", "user.one", "v", 1, XATTR_CREATE));
    EXPECT_ERRNO(ENODATA, setxattr("f", "user.two", "v", 1, XATTR_REPLACE));
    EXPECT_ERRNO(EINVAL, setxattr("f", "user.two", "v", 1, 0x40));
    EXPECT_EQ(9, listxattr("f", text, sizeof text));
    EXPECT_STR("user.one", text);
    EXPECT_ERRNO(ERANGE, listxattr("f", text, 3));
    EXPECT_OK(removexattr("f", "user.one"));
    EXPECT_ERRNO(ENODATA, removexattr("f", "user.one"));
    EXPECT_EQ(0, listxattr("f", text, sizeof text));
}

TEST(descriptors_and_links) {
    int fd = NEED(open("f", O_RDONLY));
    EXPECT_OK(fsetxattr(fd, "user.fd", "", 0, 0));
    EXPECT_EQ(0, fgetxattr(fd, "user.fd", NULL, 0));
    EXPECT_OK(fremovexattr(fd, "user.fd"));
    NEED(symlink("f", "l"));
    EXPECT_ERRNO(EPERM, lsetxattr("l", "user.x", "v", 1, 0));
    EXPECT_ERRNO(EBADF, fgetxattr(-1, "user.x", NULL, 0));
    close(fd);
}
