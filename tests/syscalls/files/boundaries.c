// Values at the edges: times of exactly 0 and one less than a second, descriptors without flags, lengths of 0, what a watch says of a folder.
#include "check.h"
#include <sys/inotify.h>
#include <sys/time.h>

TEST(times) {
    struct stat st;
    NEED(close(NEED(open("f", O_RDWR | O_CREAT, 0644))));
    struct timeval zero[2] = {{0, 0}, {0, 0}}, most[2] = {{1, 999999}, {2, 999999}}, more[2] = {{1, 0}, {1, 1000000}}, less[2] = {{1, -1}, {1, 0}};
    EXPECT_EQ(0, RAW2(SYS_utimes, "f", zero));
    NEED(stat("f", &st));
    EXPECT_TRUE(st.st_atim.tv_sec == 0 && st.st_mtim.tv_sec == 0 && st.st_mtim.tv_nsec == 0);
    EXPECT_EQ(0, RAW2(SYS_utimes, "f", most));
    NEED(stat("f", &st));
    EXPECT_TRUE(st.st_atim.tv_nsec == 999999000 && st.st_mtim.tv_sec == 2 && st.st_mtim.tv_nsec == 999999000);
    EXPECT_EQ(-EINVAL, RAW2(SYS_utimes, "f", more));
    EXPECT_EQ(-EINVAL, RAW2(SYS_utimes, "f", less));
    struct timespec exact[2] = {{5, 0}, {6, 999999999}}, wrong[2] = {{5, 0}, {6, 1000000000}}, omit[2] = {{0, UTIME_OMIT}, {9, 0}};
    EXPECT_OK(utimensat(AT_FDCWD, "f", exact, 0));
    EXPECT_ERRNO(EINVAL, utimensat(AT_FDCWD, "f", wrong, 0));
    EXPECT_OK(utimensat(AT_FDCWD, "f", omit, 0));
    NEED(stat("f", &st));
    EXPECT_TRUE(st.st_atim.tv_sec == 5 && st.st_mtim.tv_sec == 9 && st.st_mtim.tv_nsec == 0);
    int fd = NEED(open("f", O_RDONLY));
    EXPECT_OK(futimens(fd, exact));
    NEED(fstat(fd, &st));
    EXPECT_TRUE(st.st_mtim.tv_sec == 6 && st.st_mtim.tv_nsec == 999999999);
}

TEST(flags_of_new_descriptors) {
    int plain = NEED(open("f", O_RDONLY)), cloexec = NEED(open("f", O_RDONLY | O_CLOEXEC)), writer = NEED(open("f", O_WRONLY));
    EXPECT_EQ(0, fcntl(plain, F_GETFD));
    EXPECT_EQ(FD_CLOEXEC, fcntl(cloexec, F_GETFD));
    EXPECT_EQ(0, RAW3(SYS_readahead, plain, 0, 100));
    EXPECT_EQ(-EBADF, RAW3(SYS_readahead, writer, 0, 100));
    EXPECT_EQ(-EBADF, RAW3(SYS_readahead, -1, 0, 100));
    EXPECT_EQ(-EINVAL, RAW3(SYS_readahead, NEED(open(".", O_RDONLY)), 0, 100));
}

TEST(lengths) {
    struct stat st;
    int fd = NEED(open("f", O_RDWR)), reader = NEED(open("f", O_RDONLY));
    NEED(write(fd, "abc", 3));
    EXPECT_OK(ftruncate(fd, 1));
    EXPECT_OK(ftruncate(fd, 0));
    NEED(fstat(fd, &st));
    EXPECT_EQ(0, st.st_size);
    EXPECT_OK(truncate("f", 0));
    EXPECT_ERRNO(EINVAL, ftruncate(fd, -1));
    EXPECT_ERRNO(EINVAL, truncate("f", -1));
    EXPECT_ERRNO(EINVAL, ftruncate(reader, 0));
    EXPECT_ERRNO(EISDIR, truncate(".", 0));
}

static void show_event(int fd) {
    char room[512] __attribute__((aligned(8)));
    NEED(read(fd, room, sizeof room));
    struct inotify_event *event = (void *)room;
    printf("mask %x, name %s\n", event->mask, event->len ? event->name : "(none)");
}

TEST(folders_are_marked) {
    int fd = NEED(inotify_init1(0));
    NEED(mkdir("d", 0755));
    NEED(inotify_add_watch(fd, ".", IN_ATTRIB));
    NEED(chmod("d", 0700));
    show_event(fd);
    NEED(chmod("f", 0600));
    show_event(fd);
    NEED(chmod(".", 0755));
    show_event(fd);
}
