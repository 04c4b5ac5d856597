// lseek(2) and the shared offset: dup, fork, second open, append.
#include "check.h"

TEST(whence) {
    int fd = make_file("f", "0123456789");
    EXPECT_EQ(3, lseek(fd, 3, SEEK_SET));
    EXPECT_EQ(5, lseek(fd, 2, SEEK_CUR));
    EXPECT_EQ(8, lseek(fd, -2, SEEK_END));
    EXPECT_EQ(1000, lseek(fd, 1000, SEEK_SET));
    EXPECT_ERRNO(EINVAL, lseek(fd, -1, SEEK_SET));
    EXPECT_ERRNO(EINVAL, lseek(fd, 0, 99));
    EXPECT_EQ(1000, lseek(fd, 0, SEEK_CUR));
    EXPECT_EQ(0, lseek(fd, 0, SEEK_DATA));
    EXPECT_EQ(10, lseek(fd, 0, SEEK_HOLE));
    EXPECT_ERRNO(ENXIO, lseek(fd, 10, SEEK_DATA));
    EXPECT_ERRNO(ENXIO, lseek(fd, 10, SEEK_HOLE));
    int fds[2];
    NEED(pipe(fds));
    EXPECT_ERRNO(ESPIPE, lseek(fds[0], 0, SEEK_CUR));
    EXPECT_ERRNO(EBADF, lseek(-1, 0, SEEK_SET));
    close(fd);
}

TEST(who_shares_it) {
    int fd = NEED(open("f", O_RDWR)), copy = NEED(dup(fd)), other = NEED(open("f", O_RDWR));
    char c;
    NEED(read(fd, &c, 1));
    EXPECT_EQ(1, lseek(copy, 0, SEEK_CUR));
    EXPECT_EQ(0, lseek(other, 0, SEEK_CUR));
    pid_t pid = CHILD({ NEED(lseek(copy, 7, SEEK_SET)); });
    EXPECT_EXIT(0, pid);
    EXPECT_EQ(7, lseek(fd, 0, SEEK_CUR));
    NEED(fcntl(copy, F_SETFL, O_APPEND));
    EXPECT_EQ(O_APPEND, fcntl(fd, F_GETFL) & O_APPEND);
    EXPECT_EQ(0, fcntl(other, F_GETFL) & O_APPEND);
}

TEST(append) {
    int a = NEED(open("log", O_WRONLY | O_CREAT | O_APPEND, 0644)), b = NEED(open("log", O_WRONLY | O_APPEND));
    EXPECT_EQ(3, write(a, "one", 3));
    EXPECT_EQ(3, write(b, "two", 3));
    EXPECT_EQ(0, lseek(a, 0, SEEK_SET));
    EXPECT_EQ(5, write(a, "three", 5));
    EXPECT_EQ(11, lseek(a, 0, SEEK_CUR));
    EXPECT_EQ(1, pwrite(a, "!", 1, 0));
    char text[32] = "";
    int fd = NEED(open("log", O_RDONLY));
    EXPECT_EQ(12, read(fd, text, 31));
    EXPECT_STR("onetwothree!", text);
}

TEST(appenders_never_overwrite) {
    pid_t kids[4];
    for (int k = 0; k < 4; k++) kids[k] = CHILD({
        int fd = NEED(open("shared", O_WRONLY | O_CREAT | O_APPEND, 0644));
        for (int i = 0; i < 50; i++) if (write(fd, "abcdefgh", 8) != 8) _exit(1);
    });
    for (int k = 0; k < 4; k++) EXPECT_EXIT(0, kids[k]);
    struct stat st;
    NEED(stat("shared", &st));
    EXPECT_EQ(1600, st.st_size);
}
