// utimensat(2): explicit, now, omit; nanoseconds survive.
#include "check.h"
#include <sys/time.h>
#include <utime.h>

static struct stat st;

TEST(explicit_times) {
    close(make_file("f", ""));
    struct timespec times[2] = {{1000, 123456789}, {2000, 987654321}};
    EXPECT_OK(utimensat(AT_FDCWD, "f", times, 0));
    NEED(stat("f", &st));
    EXPECT_EQ(1000, st.st_atim.tv_sec);
    EXPECT_EQ(123456789, st.st_atim.tv_nsec);
    EXPECT_EQ(2000, st.st_mtim.tv_sec);
    EXPECT_EQ(987654321, st.st_mtim.tv_nsec);
}

TEST(omit_and_now) {
    struct timespec times[2] = {{0, UTIME_OMIT}, {0, UTIME_NOW}};
    EXPECT_OK(utimensat(AT_FDCWD, "f", times, 0));
    NEED(stat("f", &st));
    EXPECT_EQ(1000, st.st_atim.tv_sec);
    EXPECT_TRUE(st.st_mtim.tv_sec > 1600000000);
    EXPECT_OK(utimensat(AT_FDCWD, "f", NULL, 0));
    NEED(stat("f", &st));
    EXPECT_TRUE(st.st_atim.tv_sec > 1600000000);
}

TEST(links_and_descriptors) {
    struct timespec times[2] = {{5, 0}, {6, 0}};
    NEED(symlink("f", "l"));
    EXPECT_OK(utimensat(AT_FDCWD, "l", times, AT_SYMLINK_NOFOLLOW));
    NEED(lstat("l", &st));
    EXPECT_EQ(6, st.st_mtim.tv_sec);
    NEED(stat("f", &st));
    EXPECT_TRUE(st.st_mtim.tv_sec != 6);
    int fd = NEED(open("f", O_RDONLY));
    EXPECT_OK(futimens(fd, times));
    NEED(fstat(fd, &st));
    EXPECT_EQ(6, st.st_mtim.tv_sec);
    close(fd);
    struct utimbuf old = {7, 8};
    EXPECT_OK(utime("f", &old));
    struct timeval micro[2] = {{9, 500000}, {10, 250000}};
    EXPECT_OK(utimes("f", micro));
    NEED(stat("f", &st));
    EXPECT_EQ(250000000, st.st_mtim.tv_nsec);
}

TEST(the_old_calls_follow_links) {
    struct utimbuf old = {11, 12};
    struct timeval micro[2] = {{13, 0}, {14, 7}};
    EXPECT_OK(utime("l", &old));
    NEED(stat("f", &st));
    EXPECT_EQ(11, st.st_atim.tv_sec);
    EXPECT_EQ(12, st.st_mtim.tv_sec);
    NEED(lstat("l", &st));
    EXPECT_EQ(6, st.st_mtim.tv_sec);
    EXPECT_OK(utimes("l", micro));
    NEED(stat("f", &st));
    EXPECT_EQ(14, st.st_mtim.tv_sec);
    EXPECT_EQ(7000, st.st_mtim.tv_nsec);
    EXPECT_OK(lutimes("l", micro));
    NEED(lstat("l", &st));
    EXPECT_EQ(14, st.st_mtim.tv_sec);
    EXPECT_OK(utime("f", NULL));
    NEED(stat("f", &st));
    EXPECT_TRUE(st.st_mtim.tv_sec > 1600000000);
}

TEST(errors) {
    struct timespec bad[2] = {{0, 1000000000}, {0, 0}};
    EXPECT_ERRNO(EINVAL, utimensat(AT_FDCWD, "f", bad, 0));
    EXPECT_ERRNO(ENOENT, utimensat(AT_FDCWD, "none", NULL, 0));
    EXPECT_ERRNO(EFAULT, utimensat(AT_FDCWD, "f", BAD_PTR, 0));
    EXPECT_ERRNO(EINVAL, utimensat(AT_FDCWD, "f", NULL, 0x4));
}

TEST(writing_moves_mtime) {
    struct timespec times[2] = {{5, 0}, {6, 0}};
    int fd = NEED(open("f", O_RDWR));
    NEED(futimens(fd, times));
    NEED(write(fd, "x", 1));
    NEED(fstat(fd, &st));
    EXPECT_TRUE(st.st_mtim.tv_sec > 1600000000);
    close(fd);
    NEED(utimensat(AT_FDCWD, ".", times, 0));
    close(make_file("another", ""));
    NEED(stat(".", &st));
    EXPECT_TRUE(st.st_mtim.tv_sec > 1600000000);
}
