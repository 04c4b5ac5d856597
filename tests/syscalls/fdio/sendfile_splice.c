// sendfile(2), splice(2), tee(2): bytes arrive, offsets move.
#include "check.h"
#include <sys/sendfile.h>

TEST(sendfile_to_pipe_and_file) {
    int in = make_file("in", "0123456789"), out = make_file("out", ""), fds[2];
    char text[16] = "";
    off_t at = 3;
    NEED(pipe(fds));
    EXPECT_EQ(4, sendfile(fds[1], in, &at, 4));
    EXPECT_EQ(7, at);
    EXPECT_EQ(10, lseek(in, 0, SEEK_CUR));
    EXPECT_EQ(4, read(fds[0], text, 16));
    EXPECT_STR("3456", text);
    NEED(lseek(in, 0, SEEK_SET));
    EXPECT_EQ(10, sendfile(out, in, NULL, 100));
    EXPECT_EQ(10, lseek(in, 0, SEEK_CUR));
    EXPECT_EQ(0, sendfile(out, in, NULL, 100));
    EXPECT_ERRNO(EBADF, sendfile(-1, in, NULL, 1));
    EXPECT_ERRNO(EINVAL, sendfile(out, fds[0], NULL, 1));
    at = -1;
    EXPECT_ERRNO(EINVAL, sendfile(out, in, &at, 1));
}

TEST(splice_both_ways) {
    int in = NEED(open("in", O_RDWR)), out = make_file("spliced", ""), fds[2];
    char text[16] = "";
    off64_t from = 2, to = 1;
    NEED(pipe(fds));
    EXPECT_EQ(5, splice(in, &from, fds[1], NULL, 5, 0));
    EXPECT_EQ(7, from);
    EXPECT_EQ(5, splice(fds[0], NULL, out, &to, 100, 0));
    EXPECT_EQ(6, to);
    EXPECT_EQ(6, pread(out, text, 16, 0));
    EXPECT_EQ(0, memcmp(text, "\0" "23456", 6));
    EXPECT_ERRNO(EINVAL, splice(in, NULL, out, NULL, 5, 0));
    EXPECT_ERRNO(ESPIPE, splice(in, NULL, fds[1], &to, 5, 0));
    EXPECT_ERRNO(EAGAIN, splice(fds[0], NULL, out, NULL, 5, SPLICE_F_NONBLOCK));
}

TEST(tee_copies) {
    int a[2], b[2];
    char text[8] = "";
    NEED(pipe(a));
    NEED(pipe(b));
    NEED(write(a[1], "abc", 3));
    EXPECT_EQ(3, tee(a[0], b[1], 10, 0));
    EXPECT_EQ(3, read(a[0], text, 8));
    EXPECT_EQ(3, read(b[0], text, 8));
    EXPECT_ERRNO(EAGAIN, tee(a[0], b[1], 10, SPLICE_F_NONBLOCK));
}
