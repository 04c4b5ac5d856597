// symlink(2), readlink(2): loops, chains, relative targets, the buffer's size.
#include "check.h"

TEST(readlink_sizes) {
    char text[32];
    memset(text, 'z', sizeof text);
    EXPECT_OK(symlink("target/of/link", "l"));
    EXPECT_EQ(14, readlink("l", text, sizeof text));
    EXPECT_EQ('z', text[14]);
    EXPECT_EQ(3, readlink("l", text, 3));
    EXPECT_ERRNO(EINVAL, readlink("l", text, 0));
    EXPECT_EQ(-EINVAL, RAW3(SYS_readlink, "l", text, GARBAGE(-1)));
    EXPECT_ERRNO(EFAULT, readlink("l", BAD_PTR, 5));
    close(make_file("f", ""));
    EXPECT_ERRNO(EINVAL, readlink("f", text, 5));
    EXPECT_ERRNO(ENOENT, readlink("none", text, 5));
    struct stat st;
    EXPECT_OK(lstat("l", &st));
    EXPECT_TRUE(S_ISLNK(st.st_mode));
    EXPECT_EQ(14, st.st_size);
    EXPECT_EQ(0777, st.st_mode & 0777);
}

TEST(creation_errors) {
    char longer[5000];
    memset(longer, 'x', sizeof longer);
    longer[4096] = 0;
    EXPECT_ERRNO(ENAMETOOLONG, symlink(longer, "m"));
    EXPECT_ERRNO(EEXIST, symlink("x", "l"));
    EXPECT_ERRNO(ENOENT, symlink("", "m"));
    EXPECT_ERRNO(ENOENT, symlink("x", "none/m"));
}

TEST(loops) {
    NEED(symlink("self", "self"));
    NEED(symlink("b", "a"));
    NEED(symlink("a", "b"));
    EXPECT_ERRNO(ELOOP, access("self", F_OK));
    EXPECT_ERRNO(ELOOP, open("a", O_RDONLY));
    EXPECT_ERRNO(ELOOP, open("a/x", O_RDONLY));
    EXPECT_ERRNO(ELOOP, open("self", O_RDWR | O_CREAT, 0644));
    EXPECT_OK(unlink("self"));
}

TEST(forty_links_are_allowed_and_no_more) {
    char name[16], to[16];
    close(make_file("c0", "end"));
    for (int i = 1; i <= 41; i++) {
        sprintf(name, "c%d", i);
        sprintf(to, "c%d", i - 1);
        NEED(symlink(to, name));
    }
    EXPECT_OK(access("c40", F_OK));
    EXPECT_ERRNO(ELOOP, access("c41", F_OK));
}

TEST(relative_to_the_links_directory) {
    NEED(mkdir("d", 0755));
    close(make_file("d/inner", "12345"));
    NEED(symlink("inner", "d/near"));
    NEED(symlink("../f", "d/far"));
    NEED(symlink("d", "dl"));
    struct stat st;
    EXPECT_OK(stat("dl/near", &st));
    EXPECT_EQ(5, st.st_size);
    EXPECT_OK(stat("d/far", &st));
    EXPECT_OK(lstat("dl/", &st));
    EXPECT_TRUE(S_ISDIR(st.st_mode));
    EXPECT_OK(lstat("dl", &st));
    EXPECT_TRUE(S_ISLNK(st.st_mode));
    EXPECT_ERRNO(ENOTDIR, rmdir("dl"));
    EXPECT_ERRNO(ENOTDIR, rmdir("dl/"));
    EXPECT_ERRNO(EEXIST, mkdir("dl", 0755));
}
