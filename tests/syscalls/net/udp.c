// UDP over loopback (udp(7)).
#include "check.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

static int bound(struct sockaddr_in *address) {
    socklen_t size = sizeof *address;
    int fd = NEED(socket(AF_INET, SOCK_DGRAM, 0));
    *address = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    NEED(bind(fd, (void *)address, sizeof *address));
    NEED(getsockname(fd, (void *)address, &size));
    return fd;
}

static void await_input(int fd) {
    struct pollfd one = {fd, POLLIN, 0};
    NEED(poll(&one, 1, 5000));
}

TEST(send_and_receive) {
    struct sockaddr_in address, source, seen;
    socklen_t size = sizeof seen;
    char got[8] = "";
    int server = bound(&address), client = bound(&source), count;
    EXPECT_EQ(5, sendto(client, "hello", 5, 0, (void *)&address, sizeof address));
    await_input(server);
    EXPECT_OK(ioctl(server, FIONREAD, &count));
    EXPECT_EQ(5, count);
    EXPECT_EQ(5, recvfrom(server, got, 8, MSG_PEEK, (void *)&seen, &size));
    EXPECT_EQ(5, recvfrom(server, got, 8, 0, (void *)&seen, &size));
    EXPECT_TRUE(size == sizeof seen && seen.sin_port == source.sin_port && !memcmp(got, "hello", 5));
    EXPECT_ERRNO(EAGAIN, recv(server, got, 8, MSG_DONTWAIT));
    EXPECT_EQ(0, sendto(client, "", 0, 0, (void *)&address, sizeof address));
    await_input(server);
    EXPECT_EQ(0, recv(server, got, 8, 0));
}

TEST(truncation) {
    struct sockaddr_in address, source;
    char got[4];
    struct iovec room = {got, 4};
    struct msghdr message = {.msg_iov = &room, .msg_iovlen = 1};
    int server = bound(&address), client = bound(&source);
    NEED(sendto(client, "123456", 6, 0, (void *)&address, sizeof address));
    NEED(sendto(client, "123456", 6, 0, (void *)&address, sizeof address));
    NEED(sendto(client, "78", 2, 0, (void *)&address, sizeof address));
    await_input(server);
    EXPECT_EQ(6, recv(server, got, 4, MSG_TRUNC));
    EXPECT_EQ(4, recvmsg(server, &message, 0));
    EXPECT_EQ(MSG_TRUNC, message.msg_flags);
    EXPECT_EQ(2, recv(server, got, 4, 0));
}

TEST(connected) {
    struct sockaddr_in address, source, third, none = {.sin_family = AF_UNSPEC}, seen;
    socklen_t size = sizeof seen;
    char got[4];
    int server = bound(&address), client = bound(&source), other = bound(&third);
    EXPECT_ERRNO(EDESTADDRREQ, send(client, "x", 1, 0));
    EXPECT_ERRNO(ENOTCONN, getpeername(client, (void *)&seen, &size));
    EXPECT_OK(connect(client, (void *)&address, sizeof address));
    EXPECT_OK(getpeername(client, (void *)&seen, &size));
    EXPECT_EQ(1, send(client, "x", 1, 0));
    await_input(server);
    EXPECT_EQ(1, recv(server, got, 4, 0));
    EXPECT_EQ(1, sendto(other, "y", 1, 0, (void *)&source, sizeof source));
    EXPECT_EQ(1, sendto(server, "z", 1, 0, (void *)&source, sizeof source));
    await_input(client);
    EXPECT_EQ(1, recv(client, got, 4, 0));
    EXPECT_TRUE(got[0] == 'z');
    EXPECT_ERRNO(EAGAIN, recv(client, got, 4, MSG_DONTWAIT));
    EXPECT_OK(connect(client, (void *)&none, sizeof none));
    EXPECT_ERRNO(ENOTCONN, getpeername(client, (void *)&seen, &size));
}

TEST(nobody_there) {
    struct sockaddr_in address;
    char got[4];
    int gone = bound(&address), client = NEED(socket(AF_INET, SOCK_DGRAM, 0));
    close(gone);
    EXPECT_EQ(1, sendto(client, "x", 1, 0, (void *)&address, sizeof address));
    EXPECT_EQ(1, sendto(client, "x", 1, 0, (void *)&address, sizeof address));
    EXPECT_OK(connect(client, (void *)&address, sizeof address));
    EXPECT_EQ(1, send(client, "x", 1, 0));
    struct pollfd one = {client, POLLIN, 0};
    NEED(poll(&one, 1, 5000));
    EXPECT_TRUE(one.revents & POLLERR);
    EXPECT_ERRNO(ECONNREFUSED, recv(client, got, 4, 0));
    EXPECT_ERRNO(EAGAIN, recv(client, got, 4, MSG_DONTWAIT));
}

TEST(errors) {
    struct sockaddr_in address, source, zero;
    static char big[65508];
    int server = bound(&address), client = bound(&source);
    EXPECT_ERRNO(EMSGSIZE, sendto(client, big, sizeof big, 0, (void *)&address, sizeof address));
    EXPECT_EQ(65507, sendto(client, big, 65507, 0, (void *)&address, sizeof address));
    await_input(server);
    EXPECT_EQ(65507, recv(server, big, sizeof big, 0));
    zero = address;
    zero.sin_port = 0;
    EXPECT_ERRNO(EINVAL, sendto(client, "x", 1, 0, (void *)&zero, sizeof zero));
    EXPECT_ERRNO(EINVAL, sendto(client, "x", 1, 0, (void *)&address, 8));
    EXPECT_ERRNO(EADDRINUSE, bind(NEED(socket(AF_INET, SOCK_DGRAM, 0)), (void *)&address, sizeof address));
    EXPECT_ERRNO(EOPNOTSUPP, listen(client, 1));
    EXPECT_ERRNO(EOPNOTSUPP, accept(client, NULL, NULL));
    EXPECT_ERRNO(ENOTCONN, shutdown(client, SHUT_WR));
    zero.sin_port = htons(9);
    zero.sin_addr.s_addr = 0xffffffff;
    EXPECT_ERRNO(EACCES, sendto(client, "x", 1, 0, (void *)&zero, sizeof zero));
}
