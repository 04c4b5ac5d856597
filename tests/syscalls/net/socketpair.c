// socketpair(2), send(2), recv(2): stream, datagram and seqpacket differences.
#include "check.h"
#include <poll.h>
#include <sys/socket.h>

static int s[2];
static char text[64];

TEST(stream_has_no_boundaries) {
    EXPECT_OK(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
    EXPECT_EQ(2, send(s[0], "ab", 2, 0));
    EXPECT_EQ(3, write(s[0], "cde", 3));
    EXPECT_EQ(5, recv(s[1], text, 64, 0));
    EXPECT_ERRNO(EAGAIN, recv(s[1], text, 64, MSG_DONTWAIT));
    EXPECT_EQ(0, send(s[0], "", 0, 0));
    EXPECT_ERRNO(EAGAIN, recv(s[1], text, 64, MSG_DONTWAIT));
    close(s[0]);
    EXPECT_EQ(0, recv(s[1], text, 64, 0));
    close(s[1]);
}

TEST(datagrams_keep_boundaries) {
    EXPECT_OK(socketpair(AF_UNIX, SOCK_DGRAM, 0, s));
    EXPECT_EQ(2, send(s[0], "ab", 2, 0));
    EXPECT_EQ(0, send(s[0], "", 0, 0));
    EXPECT_EQ(3, send(s[0], "cde", 3, 0));
    EXPECT_EQ(1, recv(s[1], text, 1, 0));
    EXPECT_EQ(0, recv(s[1], text, 64, 0));
    EXPECT_EQ(3, recv(s[1], text, 1, MSG_TRUNC));
    EXPECT_ERRNO(EAGAIN, recv(s[1], text, 64, MSG_DONTWAIT));
    close(s[0]);
    EXPECT_ERRNO(ECONNREFUSED, send(s[1], "x", 1, MSG_NOSIGNAL));
    close(s[1]);
}

TEST(seqpacket) {
    EXPECT_OK(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, s));
    EXPECT_EQ(2, send(s[0], "ab", 2, 0));
    EXPECT_EQ(3, send(s[0], "cde", 3, 0));
    EXPECT_EQ(2, recv(s[1], text, 64, 0));
    close(s[0]);
    EXPECT_EQ(3, recv(s[1], text, 64, 0));
    EXPECT_EQ(0, recv(s[1], text, 64, 0));
    EXPECT_ERRNO(EPIPE, send(s[1], "x", 1, MSG_NOSIGNAL));
    close(s[1]);
}

TEST(peek_and_waitall) {
    NEED(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
    NEED(write(s[0], "abcdef", 6));
    EXPECT_EQ(3, recv(s[1], text, 3, MSG_PEEK));
    EXPECT_EQ(6, recv(s[1], text, 64, MSG_PEEK));
    EXPECT_EQ(6, recv(s[1], text, 6, MSG_WAITALL));
    pid_t pid = CHILD({ for (int i = 0; i < 4; i++) NEED(write(s[0], "12", 2)); });
    EXPECT_EQ(8, recv(s[1], text, 8, MSG_WAITALL));
    EXPECT_EXIT(0, pid);
}

TEST(shutdown_halves) {
    EXPECT_OK(shutdown(s[0], SHUT_WR));
    EXPECT_EQ(0, recv(s[1], text, 1, 0));
    EXPECT_ERRNO(EPIPE, send(s[0], "x", 1, MSG_NOSIGNAL));
    EXPECT_EQ(1, send(s[1], "y", 1, 0));
    EXPECT_EQ(1, recv(s[0], text, 1, 0));
    struct pollfd p = {s[1], POLLIN | POLLOUT | POLLRDHUP, 0};
    EXPECT_EQ(1, poll(&p, 1, 0));
    SHOW(p.revents);
    EXPECT_OK(shutdown(s[0], SHUT_RD));
    poll(&p, 1, 0);
    SHOW(p.revents);
    EXPECT_ERRNO(EINVAL, shutdown(s[0], 9));
    EXPECT_ERRNO(ENOTSOCK, shutdown(0, SHUT_RD));
    close(s[0]);
    close(s[1]);
}

TEST(flags_and_errors) {
    int unused[2];
    EXPECT_OK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, s));
    EXPECT_EQ(FD_CLOEXEC, fcntl(s[0], F_GETFD));
    EXPECT_EQ(O_NONBLOCK | O_RDWR, fcntl(s[1], F_GETFL));
    EXPECT_ERRNO(EAGAIN, recv(s[0], text, 1, 0));
    EXPECT_ERRNO(ESPIPE, lseek(s[0], 0, SEEK_CUR));
    EXPECT_ERRNO(EINVAL, socketpair(AF_UNIX, 77, 0, unused));
    EXPECT_ERRNO(EPROTONOSUPPORT, socketpair(AF_UNIX, SOCK_STREAM, 99, unused));
    EXPECT_ERRNO(EAFNOSUPPORT, socket(999, SOCK_STREAM, 0));
    EXPECT_ERRNO(EFAULT, socketpair(AF_UNIX, SOCK_STREAM, 0, BAD_PTR));
    EXPECT_ERRNO(EFAULT, send(s[0], BAD_PTR, 10, 0));
    EXPECT_ERRNO(ENOTSOCK, send(0, "x", 1, 0));
    EXPECT_ERRNO(EBADF, recv(999, text, 1, 0));
}
