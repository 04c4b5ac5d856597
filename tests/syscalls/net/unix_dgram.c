// unix(7) datagrams: addresses, connected and not, sendmsg vectors.
#include "check.h"
#include <sys/socket.h>
#include <sys/un.h>

static struct sockaddr_un at(const char *path) { struct sockaddr_un a = {.sun_family = AF_UNIX}; strcpy(a.sun_path, path); return a; }

TEST(addresses) {
    char text[32] = "";
    struct sockaddr_un a = at("a"), b = at("b"), from;
    socklen_t length = sizeof from;
    int x = NEED(socket(AF_UNIX, SOCK_DGRAM, 0)), y = NEED(socket(AF_UNIX, SOCK_DGRAM, 0));
    EXPECT_OK(bind(x, (void *)&a, sizeof a));
    EXPECT_EQ(5, sendto(y, "hello", 5, 0, (void *)&a, sizeof a));
    EXPECT_EQ(5, recvfrom(x, text, 32, 0, (void *)&from, &length));
    EXPECT_EQ(0, length);
    EXPECT_OK(bind(y, (void *)&b, sizeof b));
    EXPECT_EQ(2, sendto(y, "yo", 2, 0, (void *)&a, sizeof a));
    length = sizeof from;
    EXPECT_EQ(2, recvfrom(x, text, 32, 0, (void *)&from, &length));
    EXPECT_STR("b", from.sun_path);
    EXPECT_ERRNO(ENOTCONN, send(y, "x", 1, 0));
    EXPECT_OK(connect(y, (void *)&a, sizeof a));
    EXPECT_EQ(1, send(y, "x", 1, 0));
    EXPECT_EQ(1, recv(x, text, 32, 0));
    struct sockaddr_un none = at("none");
    EXPECT_ERRNO(ENOENT, sendto(x, "z", 1, 0, (void *)&none, sizeof none));
    EXPECT_ERRNO(EOPNOTSUPP, listen(x, 1));
    EXPECT_ERRNO(EOPNOTSUPP, accept(x, NULL, NULL));
    close(x);
    EXPECT_ERRNO(ECONNREFUSED, send(y, "x", 1, 0));
}

TEST(vectors) {
    int s[2];
    char one[2], two[8];
    struct iovec out[] = {{"ab", 2}, {"cdef", 4}}, in[] = {{one, 2}, {two, 8}};
    struct msghdr send_header = {.msg_iov = out, .msg_iovlen = 2}, receive = {.msg_iov = in, .msg_iovlen = 2};
    NEED(socketpair(AF_UNIX, SOCK_DGRAM, 0, s));
    EXPECT_EQ(6, sendmsg(s[0], &send_header, 0));
    EXPECT_EQ(6, recvmsg(s[1], &receive, 0));
    EXPECT_EQ(0, memcmp(one, "ab", 2) | memcmp(two, "cdef", 4) | receive.msg_flags);
    EXPECT_EQ(6, sendmsg(s[0], &send_header, 0));
    receive.msg_iovlen = 1;
    EXPECT_EQ(2, recvmsg(s[1], &receive, 0));
    EXPECT_EQ(MSG_TRUNC, receive.msg_flags);
    receive.msg_iovlen = 2000;
    EXPECT_ERRNO(EMSGSIZE, recvmsg(s[1], &receive, 0));
    EXPECT_ERRNO(EFAULT, recvmsg(s[1], BAD_PTR, 0));
    struct mmsghdr many[3] = {{{.msg_iov = out, .msg_iovlen = 1}, 0}, {{.msg_iov = out, .msg_iovlen = 2}, 0}, {{.msg_iov = out, .msg_iovlen = 1}, 0}};
    EXPECT_EQ(3, sendmmsg(s[0], many, 3, 0));
    EXPECT_EQ(6, many[1].msg_len);
    for (int i = 0; i < 3; i++) many[i].msg_hdr = (struct msghdr){.msg_iov = in, .msg_iovlen = 2};
    EXPECT_EQ(3, recvmmsg(s[1], many, 3, MSG_DONTWAIT, NULL));
    EXPECT_EQ(2, many[2].msg_len);
}
