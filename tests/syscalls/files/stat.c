// stat(2), statx(2): the fields that mean the same on every file system.
#include "check.h"
#include <sys/sysmacros.h>

TEST(regular_file) {
    struct stat a, b;
    int fd = make_file("f", "0123456789");
    EXPECT_OK(stat("f", &a));
    EXPECT_OK(fstat(fd, &b));
    EXPECT_TRUE(a.st_ino == b.st_ino && a.st_dev == b.st_dev);
    EXPECT_EQ(0100644, a.st_mode);
    EXPECT_EQ(10, a.st_size);
    EXPECT_EQ(1, a.st_nlink);
    EXPECT_TRUE(a.st_uid == geteuid() && a.st_gid == getegid());
    EXPECT_TRUE(a.st_blksize > 0);
    EXPECT_EQ(0, a.st_rdev);
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    EXPECT_TRUE(now.tv_sec - a.st_mtime < 5 && a.st_mtime <= now.tv_sec);
    close(fd);
}

TEST(the_other_types) {
    struct stat st;
    NEED(mkdir("d", 0700));
    NEED(mkfifo("p", 0600));
    NEED(symlink("f", "l"));
    EXPECT_OK(stat("d", &st));
    EXPECT_EQ(040700, st.st_mode);
    EXPECT_OK(stat("p", &st));
    EXPECT_EQ(010600, st.st_mode);
    EXPECT_OK(stat("l", &st));
    EXPECT_EQ(0100644, st.st_mode);
    EXPECT_OK(stat("/dev/null", &st));
    EXPECT_EQ(020666, st.st_mode);
    EXPECT_EQ(makedev(1, 3), st.st_rdev);
    int fds[2];
    NEED(pipe(fds));
    EXPECT_OK(fstat(fds[0], &st));
    EXPECT_EQ(010600, st.st_mode);
}

TEST(errors) {
    struct stat st;
    EXPECT_ERRNO(ENOENT, stat("none", &st));
    EXPECT_ERRNO(EBADF, fstat(-1, &st));
    EXPECT_EQ(-EFAULT, RAW2(SYS_stat, "f", BAD_PTR));
    EXPECT_EQ(-EFAULT, RAW2(SYS_stat, BAD_PTR, &st));
    EXPECT_EQ(-EINVAL, RAW4(SYS_newfstatat, AT_FDCWD, "f", &st, 0x8000));
    EXPECT_EQ(0, RAW4(SYS_newfstatat, GARBAGE(AT_FDCWD), "f", &st, GARBAGE(0)));
}

TEST(statx_fields) {
    struct statx sx;
    struct stat st;
    NEED(stat("f", &st));
    EXPECT_OK(statx(AT_FDCWD, "f", 0, STATX_BASIC_STATS, &sx));
    EXPECT_EQ(STATX_BASIC_STATS, sx.stx_mask & STATX_BASIC_STATS);
    EXPECT_EQ(0100644, sx.stx_mode);
    EXPECT_EQ(10, sx.stx_size);
    EXPECT_TRUE(sx.stx_ino == st.st_ino);
    EXPECT_TRUE(makedev(sx.stx_dev_major, sx.stx_dev_minor) == st.st_dev);
    EXPECT_TRUE(sx.stx_mtime.tv_sec == st.st_mtim.tv_sec && sx.stx_mtime.tv_nsec == st.st_mtim.tv_nsec);
    int fd = NEED(open("f", O_PATH));
    EXPECT_OK(statx(fd, "", AT_EMPTY_PATH, STATX_SIZE, &sx));
    EXPECT_ERRNO(ENOENT, statx(fd, "", 0, STATX_SIZE, &sx));
    EXPECT_ERRNO(EINVAL, statx(AT_FDCWD, "f", AT_STATX_FORCE_SYNC | AT_STATX_DONT_SYNC, STATX_SIZE, &sx));
    EXPECT_ERRNO(EINVAL, statx(AT_FDCWD, "f", 0, 0x80000000, &sx));
    EXPECT_ERRNO(EFAULT, statx(AT_FDCWD, "f", 0, STATX_SIZE, BAD_PTR));
    close(fd);
}
