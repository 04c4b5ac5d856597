// guest: net
// SO_BINDTODEVICE and SO_BINDTOIFINDEX (socket(7)), MSG_ERRQUEUE of TCP, control messages that TCP takes.
#include "check.h"
#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>

#ifndef SO_BINDTOIFINDEX
#define SO_BINDTOIFINDEX 62
#endif

TEST(by_name) {
    char name[IFNAMSIZ] = "";
    socklen_t size = sizeof name;
    int fd = NEED(socket(AF_INET, SOCK_DGRAM, 0)), index = 7;
    EXPECT_OK(getsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, name, &size));
    EXPECT_EQ(0, size);
    EXPECT_OK(setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "lo", 3));
    size = sizeof name;
    EXPECT_OK(getsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, name, &size));
    EXPECT_EQ(3, size);
    EXPECT_STR("lo", name);
    size = sizeof index;
    EXPECT_OK(getsockopt(fd, SOL_SOCKET, SO_BINDTOIFINDEX, &index, &size));
    EXPECT_EQ(1, index);
    EXPECT_ERRNO(ENODEV, setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "nope", 5));
    EXPECT_OK(setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "", 0));
    EXPECT_OK(getsockopt(fd, SOL_SOCKET, SO_BINDTOIFINDEX, &index, &size));
    EXPECT_EQ(0, index);
    index = 1;
    EXPECT_OK(setsockopt(fd, SOL_SOCKET, SO_BINDTOIFINDEX, &index, sizeof index));
    index = -1;
    EXPECT_ERRNO(EINVAL, setsockopt(fd, SOL_SOCKET, SO_BINDTOIFINDEX, &index, sizeof index));
    close(fd);
}

TEST(stream_error_queue) {
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof a;
    char c[8], control[64];
    struct iovec v = {c, sizeof c};
    int l = NEED(socket(AF_INET, SOCK_STREAM, 0)), s = NEED(socket(AF_INET, SOCK_STREAM, 0)), e;
    NEED(bind(l, (void *)&a, sizeof a));
    NEED(listen(l, 1));
    NEED(getsockname(l, (void *)&a, &size));
    NEED(connect(s, (void *)&a, sizeof a));
    e = NEED(accept(l, NULL, NULL));
    EXPECT_EQ(2, write(e, "ab", 2));
    EXPECT_ERRNO(EAGAIN, recv(s, c, sizeof c, MSG_ERRQUEUE));
    struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1, .msg_control = control, .msg_controllen = CMSG_SPACE(sizeof(int))};
    memset(control, 0, sizeof control);
    struct cmsghdr *h = CMSG_FIRSTHDR(&m);
    h->cmsg_level = SOL_SOCKET;
    h->cmsg_type = SCM_RIGHTS;
    h->cmsg_len = CMSG_LEN(sizeof(int));
    *(int *)CMSG_DATA(h) = e;
    memset(c, 'x', sizeof c);
    EXPECT_EQ(8, sendmsg(e, &m, 0));
    m.msg_control = control;
    m.msg_controllen = sizeof control;
    EXPECT_EQ(8, recvmsg(s, &m, 0));
    EXPECT_EQ(0, m.msg_controllen);
    close(l), close(s), close(e);
}
