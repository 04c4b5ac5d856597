// fifo(7): both sides meet in open; non-blocking opens; end of file.
// guest: unordered
#include "check.h"

TEST(open_waits_for_the_other_side) {
    NEED(mkfifo("p", 0600));
    pid_t pid = CHILD({
        int fd = EXPECT_OK(open("p", O_WRONLY));
        EXPECT_EQ(5, write(fd, "hello", 5));
    });
    int fd = EXPECT_OK(open("p", O_RDONLY));
    char text[8] = "";
    long have = 0, n;
    while ((n = read(fd, text + have, 8 - have)) > 0) have += n;
    EXPECT_EQ(5, have);
    EXPECT_STR("hello", text);
    EXPECT_EXIT(0, pid);
    close(fd);
}

TEST(nonblocking_open) {
    EXPECT_ERRNO(ENXIO, open("p", O_WRONLY | O_NONBLOCK));
    int reader = EXPECT_OK(open("p", O_RDONLY | O_NONBLOCK));
    char c;
    EXPECT_EQ(0, read(reader, &c, 1));
    int writer = EXPECT_OK(open("p", O_WRONLY | O_NONBLOCK));
    EXPECT_ERRNO(EAGAIN, read(reader, &c, 1));
    EXPECT_EQ(1, write(writer, "x", 1));
    EXPECT_EQ(1, read(reader, &c, 1));
    close(writer);
    EXPECT_EQ(0, read(reader, &c, 1));
    close(reader);
}

TEST(rdwr_never_waits) {
    int fd = EXPECT_OK(open("p", O_RDWR));
    char c;
    EXPECT_EQ(1, write(fd, "y", 1));
    EXPECT_EQ(1, read(fd, &c, 1));
    close(fd);
    EXPECT_OK(unlink("p"));
}
