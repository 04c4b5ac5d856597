// statfs(2), fsync(2) and friends, fallocate(2), copy_file_range(2), posix_fadvise(2).
#include "check.h"
#include <sys/statfs.h>

TEST(statfs_is_sane) {
    struct statfs a, b;
    EXPECT_OK(statfs(".", &a));
    EXPECT_TRUE(a.f_bsize > 0 && a.f_blocks > 0 && a.f_bfree <= a.f_blocks && a.f_bavail <= a.f_bfree);
    EXPECT_EQ(255, a.f_namelen);
    int fd = NEED(open(".", O_RDONLY));
    EXPECT_OK(fstatfs(fd, &b));
    EXPECT_TRUE(a.f_type == b.f_type);
    close(fd);
    EXPECT_OK(statfs("/proc", &a));
    EXPECT_EQ(0x9fa0, a.f_type);
    EXPECT_ERRNO(ENOENT, statfs("none", &a));
    EXPECT_ERRNO(EFAULT, statfs(".", BAD_PTR));
    EXPECT_ERRNO(EBADF, fstatfs(-1, &a));
}

TEST(sync_calls) {
    int fd = make_file("f", "data"), fds[2];
    NEED(pipe(fds));
    EXPECT_OK(fsync(fd));
    EXPECT_OK(fdatasync(fd));
    EXPECT_ERRNO(EINVAL, fsync(fds[0]));
    EXPECT_ERRNO(EBADF, fsync(-1));
    close(fd);
}

TEST(fallocate_modes) {
    struct stat st;
    char c;
    int fd = make_file("g", "0123456789");
    EXPECT_OK(fallocate(fd, 0, 0, 100));
    NEED(fstat(fd, &st));
    EXPECT_EQ(100, st.st_size);
    EXPECT_OK(fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, 200));
    NEED(fstat(fd, &st));
    EXPECT_EQ(100, st.st_size);
    EXPECT_OK(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 2, 3));
    NEED(pread(fd, &c, 1, 3));
    EXPECT_EQ(0, c);
    NEED(pread(fd, &c, 1, 5));
    EXPECT_EQ('5', c);
    EXPECT_ERRNO(EINVAL, fallocate(fd, 0, -1, 10));
    EXPECT_ERRNO(EINVAL, fallocate(fd, 0, 0, 0));
    EXPECT_ERRNO(EOPNOTSUPP, fallocate(fd, FALLOC_FL_PUNCH_HOLE, 0, 1));
    close(fd);
    fd = NEED(open("g", O_RDONLY));
    EXPECT_ERRNO(EBADF, fallocate(fd, 0, 0, 10));
    close(fd);
}

TEST(copy_file_range_copies) {
    char text[16] = "";
    int in = make_file("in", "abcdefgh"), out = make_file("out", "");
    off_t from = 2, to = 1;
    EXPECT_EQ(4, copy_file_range(in, &from, out, &to, 4, 0));
    EXPECT_EQ(6, from);
    EXPECT_EQ(5, to);
    EXPECT_EQ(5, pread(out, text, 15, 0));
    EXPECT_EQ(0, memcmp(text, "\0cdef", 5));
    EXPECT_EQ(0, copy_file_range(in, NULL, out, NULL, 4, 0));
    EXPECT_ERRNO(EINVAL, copy_file_range(in, NULL, out, NULL, 4, 1));
    EXPECT_EQ(0, posix_fadvise(in, 0, 0, POSIX_FADV_SEQUENTIAL));
    EXPECT_EQ(EINVAL, posix_fadvise(in, 0, 0, 99));
    EXPECT_EQ(EBADF, posix_fadvise(-1, 0, 0, 0));
    close(in);
    close(out);
}
