// The calls that C libraries no longer use, and their newest kin: open(2), creat, stat(2), lstat, utime(2), utimes, futimesat(2), mknod(2),
// renameat(2), symlinkat, faccessat, fchmodat2, sync(2), syncfs, sync_file_range(2), copy_file_range(2).
#include "check.h"
#include <utime.h>
#include <sys/time.h>

enum { FCHMODAT2 = 452 };

TEST(open_and_creat) {
    int fd = EXPECT_OK(RAW3(SYS_creat, "a", 0640, 0));
    EXPECT_EQ(3, write(fd, "abc", 3));
    close(fd);
    fd = EXPECT_OK(RAW3(SYS_open, "a", O_RDONLY, 0));
    char got[4];
    EXPECT_EQ(3, read(fd, got, 4));
    close(fd);
    EXPECT_EQ(-EEXIST, RAW3(SYS_open, "a", O_CREAT | O_EXCL | O_RDWR, 0600));
    EXPECT_EQ(-ENOENT, RAW3(SYS_open, "none", O_RDONLY, 0));
    EXPECT_EQ(-EFAULT, RAW3(SYS_open, BAD_PTR, O_RDONLY, 0));
    EXPECT_EQ(-EISDIR, RAW2(SYS_creat, ".", 0600));
}

TEST(stat_calls) {
    struct stat one, two, three;
    EXPECT_EQ(0, RAW2(SYS_symlink, "a", "link"));
    EXPECT_EQ(0, RAW2(SYS_stat, "link", &one));
    EXPECT_EQ(0, RAW2(SYS_lstat, "link", &two));
    int fd = NEED(open("a", O_RDONLY));
    EXPECT_EQ(0, RAW2(SYS_fstat, fd, &three));
    EXPECT_TRUE(S_ISREG(one.st_mode) && S_ISLNK(two.st_mode) && one.st_ino == three.st_ino && one.st_size == 3 && two.st_size == 1);
    EXPECT_EQ(0640, one.st_mode & 07777);
    EXPECT_EQ(-ENOENT, RAW2(SYS_stat, "none", &one));
    EXPECT_EQ(-EFAULT, RAW2(SYS_lstat, "a", BAD_PTR));
    EXPECT_EQ(-EBADF, RAW2(SYS_fstat, -1, &one));
}

TEST(times_of_seconds_and_microseconds) {
    struct stat st;
    struct utimbuf seconds = {100, 200};
    struct timeval micro[2] = {{300, 5}, {400, 6}}, bad[2] = {{1, 1000000}, {1, 0}};
    EXPECT_EQ(0, RAW2(SYS_utime, "a", &seconds));
    NEED(stat("a", &st));
    EXPECT_TRUE(st.st_atim.tv_sec == 100 && st.st_mtim.tv_sec == 200);
    EXPECT_EQ(0, RAW2(SYS_utimes, "a", micro));
    NEED(stat("a", &st));
    EXPECT_TRUE(st.st_atim.tv_sec == 300 && st.st_mtim.tv_nsec == 6000);
    EXPECT_EQ(0, RAW3(SYS_futimesat, AT_FDCWD, "a", NULL));
    NEED(stat("a", &st));
    EXPECT_TRUE(st.st_mtim.tv_sec > 1000000000);
    EXPECT_EQ(0, RAW3(SYS_futimesat, AT_FDCWD, "a", micro));
    EXPECT_EQ(-EINVAL, RAW2(SYS_utimes, "a", bad));
    EXPECT_EQ(-ENOENT, RAW2(SYS_utime, "none", NULL));
    EXPECT_EQ(-EFAULT, RAW2(SYS_utime, "a", BAD_PTR));
}

TEST(names) {
    struct stat st;
    EXPECT_EQ(0, RAW3(SYS_mknod, "fifo", S_IFIFO | 0600, 0));
    NEED(lstat("fifo", &st));
    EXPECT_TRUE(S_ISFIFO(st.st_mode));
    EXPECT_EQ(-EEXIST, RAW3(SYS_mknod, "fifo", S_IFREG | 0600, 0));
    EXPECT_EQ(0, RAW4(SYS_renameat, AT_FDCWD, "fifo", AT_FDCWD, "pipe"));
    EXPECT_EQ(-ENOENT, RAW4(SYS_renameat, AT_FDCWD, "fifo", AT_FDCWD, "pipe"));
    EXPECT_EQ(0, RAW3(SYS_symlinkat, "x", AT_FDCWD, "dangling"));
    EXPECT_EQ(-EEXIST, RAW3(SYS_symlinkat, "x", AT_FDCWD, "dangling"));
    EXPECT_EQ(0, RAW3(SYS_faccessat, AT_FDCWD, "a", R_OK));
    EXPECT_EQ(-ENOENT, RAW3(SYS_faccessat, AT_FDCWD, "dangling", F_OK));
    EXPECT_EQ(-EINVAL, RAW3(SYS_faccessat, AT_FDCWD, "a", 64));
}

TEST(fchmodat2_call) {
    struct stat st;
    EXPECT_EQ(0, RAW4(FCHMODAT2, AT_FDCWD, "a", 0604, 0));
    NEED(stat("a", &st));
    EXPECT_EQ(0604, st.st_mode & 07777);
    EXPECT_EQ(-EOPNOTSUPP, RAW4(FCHMODAT2, AT_FDCWD, "dangling", 0600, AT_SYMLINK_NOFOLLOW));
    EXPECT_EQ(-EINVAL, RAW4(FCHMODAT2, AT_FDCWD, "a", 0600, 0x40000000));
    EXPECT_EQ(-ENOENT, RAW4(FCHMODAT2, AT_FDCWD, "none", 0600, 0));
}

TEST(to_the_disk) {
    int fd = NEED(open("a", O_RDWR)), pipes[2];
    NEED(pipe(pipes));
    EXPECT_EQ(0, RAW1(SYS_syncfs, fd));
    EXPECT_EQ(-EBADF, RAW1(SYS_syncfs, -1));
    EXPECT_EQ(0, RAW4(SYS_sync_file_range, fd, 0, 0, SYNC_FILE_RANGE_WRITE));
    EXPECT_EQ(-EINVAL, RAW4(SYS_sync_file_range, fd, 0, 0, 0x100));
    EXPECT_EQ(-EINVAL, RAW4(SYS_sync_file_range, fd, -1, 0, 0));
    EXPECT_EQ(-ESPIPE, RAW4(SYS_sync_file_range, pipes[0], 0, 0, 0));
    EXPECT_EQ(0, RAW0(SYS_sync));
}

TEST(copy_file_range_call) {
    int from = NEED(open("a", O_RDWR)), to = NEED(open("copy", O_RDWR | O_CREAT | O_TRUNC, 0600)), pipes[2];
    int64_t offset = 1, at = 10;
    NEED(pipe(pipes));
    EXPECT_EQ(2, RAW6(SYS_copy_file_range, from, &offset, to, &at, 100, 0));
    EXPECT_TRUE(offset == 3 && at == 12);
    EXPECT_EQ(0, lseek(from, 0, SEEK_CUR));
    EXPECT_EQ(3, RAW6(SYS_copy_file_range, from, NULL, to, NULL, 100, 0));
    EXPECT_EQ(0, RAW6(SYS_copy_file_range, from, NULL, to, NULL, 100, 0));
    EXPECT_EQ(3, lseek(to, 0, SEEK_CUR));
    EXPECT_EQ(12, lseek(to, 0, SEEK_END));
    EXPECT_EQ(-EINVAL, RAW6(SYS_copy_file_range, from, NULL, to, NULL, 1, 1));
    EXPECT_EQ(-EBADF, RAW6(SYS_copy_file_range, -1, NULL, to, NULL, 1, 0));
    EXPECT_EQ(-EINVAL, RAW6(SYS_copy_file_range, pipes[0], NULL, to, NULL, 1, 0));
}
