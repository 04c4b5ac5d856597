// open(2): creation, exclusivity, truncation, and the errno of each wrong way.
#include "check.h"

TEST(creation) {
    EXPECT_ERRNO(ENOENT, open("new", O_RDWR));
    int fd = EXPECT_OK(open("new", O_RDWR | O_CREAT | O_EXCL, 0640));
    EXPECT_EQ(3, write(fd, "abc", 3));
    close(fd);
    EXPECT_ERRNO(EEXIST, open("new", O_RDWR | O_CREAT | O_EXCL, 0640));
    fd = EXPECT_OK(open("new", O_RDONLY | O_CREAT, 0));
    struct stat st;
    EXPECT_OK(fstat(fd, &st));
    EXPECT_EQ(0640, st.st_mode & 07777);
    EXPECT_EQ(3, st.st_size);
    EXPECT_ERRNO(EBADF, write(fd, "x", 1));
    close(fd);
    fd = EXPECT_OK(open("new", O_WRONLY | O_TRUNC));
    EXPECT_OK(fstat(fd, &st));
    EXPECT_EQ(0, st.st_size);
    char c;
    EXPECT_ERRNO(EBADF, read(fd, &c, 1));
    close(fd);
}

TEST(directories) {
    NEED(mkdir("d", 0755));
    EXPECT_ERRNO(EISDIR, open("d", O_WRONLY));
    EXPECT_ERRNO(EISDIR, open("d", O_RDWR));
    EXPECT_ERRNO(EISDIR, open("d", O_RDONLY | O_CREAT, 0644));
    EXPECT_ERRNO(EEXIST, open("d", O_RDONLY | O_CREAT | O_EXCL, 0644));
    int fd = EXPECT_OK(open("d", O_RDONLY));
    char c;
    EXPECT_ERRNO(EISDIR, read(fd, &c, 1));
    close(fd);
    EXPECT_ERRNO(ENOTDIR, open("new", O_RDONLY | O_DIRECTORY));
    EXPECT_ERRNO(ENOTDIR, open("new/x", O_RDONLY));
    EXPECT_ERRNO(ENOTDIR, open("new/", O_RDONLY));
    EXPECT_ERRNO(EISDIR, open("fresh/", O_RDWR | O_CREAT, 0644));
    EXPECT_ERRNO(ENOENT, open("", O_RDONLY));
}

TEST(symlinks) {
    NEED(symlink("new", "link"));
    NEED(symlink("absent", "dangling"));
    EXPECT_ERRNO(ELOOP, open("link", O_RDONLY | O_NOFOLLOW));
    close(EXPECT_OK(open("link", O_RDONLY)));
    EXPECT_ERRNO(ENOENT, open("dangling", O_RDONLY));
    EXPECT_ERRNO(EEXIST, open("dangling", O_RDWR | O_CREAT | O_EXCL, 0644));
    close(EXPECT_OK(open("dangling", O_RDWR | O_CREAT, 0644)));
    EXPECT_OK(access("absent", F_OK));
}

TEST(lowest_free_descriptor) {
    int a = NEED(open("new", O_RDONLY)), b = NEED(open("new", O_RDONLY)), c = NEED(open("new", O_RDONLY));
    EXPECT_EQ(a + 1, b);
    EXPECT_EQ(b + 1, c);
    close(a);
    close(b);
    EXPECT_EQ(a, open("new", O_RDONLY));
    EXPECT_EQ(b, dup(c));
    for (int i = a; i <= c; i++) close(i);
}

TEST(bad_arguments) {
    EXPECT_ERRNO(EFAULT, open(BAD_PTR, O_RDONLY));
    EXPECT_ERRNO(EFAULT, open(KERNEL_PTR, O_RDONLY));
    EXPECT_ERRNO(EFAULT, open(NONCANONICAL_PTR, O_RDONLY));
    EXPECT_ERRNO(EBADF, openat(999, "new", O_RDONLY));
    int fd = NEED(open("new", O_RDONLY));
    EXPECT_ERRNO(ENOTDIR, openat(fd, "x", O_RDONLY));
    close(fd);
    fd = RAW4(SYS_openat, GARBAGE(AT_FDCWD), "new", GARBAGE(O_RDONLY), 0);
    EXPECT_TRUE(fd >= 0);
    close(fd);
}
