// TCP over loopback: socket(2), bind(2), listen(2), connect(2), accept(2), shutdown(2), resets, and what poll(2) says of each state (tcp(7)).
#include "check.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

static struct sockaddr_in local(int port) {
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    return a;
}

static int listener(struct sockaddr_in *address, int backlog) {
    socklen_t size = sizeof *address;
    int fd = NEED(socket(AF_INET, SOCK_STREAM, 0));
    *address = local(0);
    NEED(bind(fd, (void *)address, sizeof *address));
    NEED(listen(fd, backlog));
    NEED(getsockname(fd, (void *)address, &size));
    return fd;
}

static void pair(int ends[2]) {
    struct sockaddr_in address;
    int fd = listener(&address, 5);
    ends[0] = NEED(socket(AF_INET, SOCK_STREAM, 0));
    NEED(connect(ends[0], (void *)&address, sizeof address));
    ends[1] = NEED(accept(fd, NULL, NULL));
    close(fd);
}

static int events(int fd) {
    struct pollfd one = {fd, POLLIN | POLLOUT | POLLRDHUP | POLLPRI, 0};
    NEED(poll(&one, 1, 0));
    return one.revents;
}

/* Loopback delivers at once, but not always before the call returns. */
static int events_soon(int fd, int wanted) {
    for (int i = 0; i < 1000; i++) {
        struct pollfd one = {fd, POLLIN | POLLRDHUP, 0};
        if (events(fd) & wanted) break;
        NEED(poll(&one, 1, 1));
    }
    return events(fd);
}

TEST(names) {
    struct sockaddr_in address, other;
    socklen_t size = sizeof other;
    int fd = listener(&address, 1), client = NEED(socket(AF_INET, SOCK_STREAM, 0));
    EXPECT_TRUE(ntohs(address.sin_port) >= 1024 && address.sin_addr.s_addr == htonl(INADDR_LOOPBACK));
    EXPECT_OK(getsockname(client, (void *)&other, &size));
    EXPECT_TRUE(size == sizeof other && other.sin_family == AF_INET && other.sin_port == 0 && other.sin_addr.s_addr == 0);
    EXPECT_ERRNO(ENOTCONN, getpeername(client, (void *)&other, &size));
    EXPECT_OK(connect(client, (void *)&address, sizeof address));
    EXPECT_OK(getpeername(client, (void *)&other, &size));
    EXPECT_TRUE(other.sin_port == address.sin_port);
    EXPECT_OK(getsockname(client, (void *)&other, &size));
    struct sockaddr_in seen;
    int end = EXPECT_OK(accept(fd, (void *)&seen, &size));
    EXPECT_TRUE(size == sizeof seen && seen.sin_port == other.sin_port && seen.sin_addr.s_addr == htonl(INADDR_LOOPBACK));
    EXPECT_OK(getsockname(end, (void *)&seen, &size));
    EXPECT_TRUE(seen.sin_port == address.sin_port);
    EXPECT_ERRNO(EISCONN, connect(client, (void *)&address, sizeof address));
    EXPECT_ERRNO(EINVAL, bind(client, (void *)&other, sizeof other));
    EXPECT_ERRNO(EINVAL, listen(client, 1));
}

TEST(bind_errors) {
    struct sockaddr_in address, any = {.sin_family = AF_INET}, far = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x08080808)};
    int fd = listener(&address, 1), other = NEED(socket(AF_INET, SOCK_STREAM, 0));
    EXPECT_ERRNO(EADDRINUSE, bind(other, (void *)&address, sizeof address));
    any.sin_port = address.sin_port;
    EXPECT_ERRNO(EADDRINUSE, bind(other, (void *)&any, sizeof any));
    EXPECT_ERRNO(EADDRNOTAVAIL, bind(other, (void *)&far, sizeof far));
    EXPECT_ERRNO(EINVAL, bind(other, (void *)&address, 8));
    address.sin_family = AF_INET6;
    EXPECT_ERRNO(EAFNOSUPPORT, bind(other, (void *)&address, sizeof address));
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(0x7f000002);
    EXPECT_OK(bind(other, (void *)&address, sizeof address));
    EXPECT_ERRNO(EINVAL, bind(other, (void *)&address, sizeof address));
    EXPECT_OK(listen(other, 1));
    close(fd);
}

TEST(reuse_address) {
    struct sockaddr_in address = local(0);
    socklen_t size = sizeof address;
    int one = 1, first = NEED(socket(AF_INET, SOCK_STREAM, 0)), second = NEED(socket(AF_INET, SOCK_STREAM, 0));
    EXPECT_OK(setsockopt(first, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one));
    EXPECT_OK(setsockopt(second, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one));
    EXPECT_OK(bind(first, (void *)&address, sizeof address));
    NEED(getsockname(first, (void *)&address, &size));
    EXPECT_OK(bind(second, (void *)&address, sizeof address));
    EXPECT_OK(listen(first, 1));
    EXPECT_ERRNO(EADDRINUSE, listen(second, 1));
    close(second);
    second = NEED(socket(AF_INET, SOCK_STREAM, 0));
    NEED(setsockopt(second, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one));
    EXPECT_ERRNO(EADDRINUSE, bind(second, (void *)&address, sizeof address));
}

TEST(bytes_and_the_end) {
    int ends[2], count = 0;
    char got[16] = "";
    pair(ends);
    EXPECT_EQ(POLLOUT, events(ends[0]));
    EXPECT_EQ(5, send(ends[0], "hello", 5, 0));
    EXPECT_EQ(POLLIN | POLLOUT, events_soon(ends[1], POLLIN));
    EXPECT_OK(ioctl(ends[1], FIONREAD, &count));
    EXPECT_EQ(5, count);
    EXPECT_EQ(3, recv(ends[1], got, 3, MSG_PEEK));
    EXPECT_EQ(2, recv(ends[1], got, 2, 0));
    EXPECT_EQ(3, recv(ends[1], got, sizeof got, 0));
    EXPECT_TRUE(!memcmp(got, "llo", 3));
    EXPECT_ERRNO(EAGAIN, recv(ends[1], got, 1, MSG_DONTWAIT));
    EXPECT_OK(shutdown(ends[0], SHUT_WR));
    EXPECT_EQ(POLLIN | POLLOUT | POLLRDHUP, events_soon(ends[1], POLLIN));
    EXPECT_EQ(0, recv(ends[1], got, 1, 0));
    EXPECT_EQ(POLLOUT, events(ends[0]));
    EXPECT_ERRNO(EPIPE, send(ends[0], "x", 1, MSG_NOSIGNAL));
    EXPECT_EQ(4, send(ends[1], "back", 4, 0));
    EXPECT_EQ(4, recv(ends[0], got, sizeof got, 0));
    close(ends[1]);
    EXPECT_EQ(POLLIN | POLLOUT | POLLRDHUP | POLLHUP, events_soon(ends[0], POLLHUP));
    EXPECT_EQ(0, recv(ends[0], got, 1, 0));
    EXPECT_ERRNO(ENOTCONN, shutdown(ends[0], SHUT_RDWR));
}

TEST(writing_to_a_closed_peer) {
    int ends[2];
    char got[4];
    signal(SIGPIPE, SIG_IGN);
    pair(ends);
    close(ends[1]);
    EXPECT_EQ(POLLIN | POLLOUT | POLLRDHUP, events_soon(ends[0], POLLIN));
    EXPECT_EQ(1, write(ends[0], "x", 1));
    EXPECT_TRUE(events_soon(ends[0], POLLHUP) & POLLHUP);
    EXPECT_ERRNO(EPIPE, write(ends[0], "x", 1));
    EXPECT_ERRNO(EPIPE, write(ends[0], "x", 1));
    EXPECT_EQ(0, read(ends[0], got, 1));
}

TEST(unread_data_resets) {
    int ends[2], error;
    socklen_t size = sizeof error;
    char got[8];
    pair(ends);
    NEED(write(ends[0], "unread", 6));
    events_soon(ends[1], POLLIN);
    NEED(write(ends[1], "left", 4));
    events_soon(ends[0], POLLIN);
    close(ends[1]);
    EXPECT_TRUE(events_soon(ends[0], POLLHUP) & POLLERR);
    EXPECT_EQ(4, read(ends[0], got, 8));
    EXPECT_ERRNO(ECONNRESET, read(ends[0], got, 8));
    EXPECT_EQ(0, read(ends[0], got, 8));
    EXPECT_OK(getsockopt(ends[0], SOL_SOCKET, SO_ERROR, &error, &size));
    EXPECT_EQ(0, error);
}

TEST(linger_without_time_resets) {
    int ends[2];
    char got[8];
    struct linger none = {1, 0};
    pair(ends);
    EXPECT_OK(setsockopt(ends[1], SOL_SOCKET, SO_LINGER, &none, sizeof none));
    close(ends[1]);
    events_soon(ends[0], POLLHUP);
    EXPECT_ERRNO(ECONNRESET, read(ends[0], got, 8));
}

TEST(refused) {
    struct sockaddr_in address;
    int fd = listener(&address, 1), client = NEED(socket(AF_INET, SOCK_STREAM, 0)), error;
    socklen_t size = sizeof error;
    close(fd);
    EXPECT_ERRNO(ECONNREFUSED, connect(client, (void *)&address, sizeof address));
    EXPECT_ERRNO(ECONNREFUSED, connect(client, (void *)&address, sizeof address));
    int busy = NEED(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
    EXPECT_EQ(POLLOUT | POLLHUP, events(busy));
    EXPECT_ERRNO(EINPROGRESS, connect(busy, (void *)&address, sizeof address));
    EXPECT_TRUE(events_soon(busy, POLLERR) & POLLERR);
    EXPECT_OK(getsockopt(busy, SOL_SOCKET, SO_ERROR, &error, &size));
    EXPECT_EQ(ECONNREFUSED, error);
}

TEST(connecting_without_waiting) {
    struct sockaddr_in address;
    int fd = listener(&address, 5), client = NEED(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
    EXPECT_EQ(0, events(fd));
    EXPECT_ERRNO(EAGAIN, accept4(NEED(fcntl(fd, F_SETFL, O_NONBLOCK)) ? -1 : fd, NULL, NULL, 0));
    EXPECT_ERRNO(EINPROGRESS, connect(client, (void *)&address, sizeof address));
    EXPECT_EQ(POLLIN, events_soon(fd, POLLIN));
    EXPECT_EQ(POLLOUT, events(client));
    EXPECT_OK(connect(client, (void *)&address, sizeof address));
    EXPECT_ERRNO(EISCONN, connect(client, (void *)&address, sizeof address));
    int end = EXPECT_OK(accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC));
    EXPECT_EQ(FD_CLOEXEC, fcntl(end, F_GETFD));
    EXPECT_TRUE(fcntl(end, F_GETFL) & O_NONBLOCK);
}

TEST(a_listener_that_closes) {
    struct sockaddr_in address;
    char got[2];
    int fd = listener(&address, 5), client = NEED(socket(AF_INET, SOCK_STREAM, 0));
    NEED(connect(client, (void *)&address, sizeof address));
    close(fd);
    events_soon(client, POLLHUP);
    EXPECT_ERRNO(ECONNRESET, read(client, got, 1));
}

TEST(not_connected) {
    char got[2];
    int fd = NEED(socket(AF_INET, SOCK_STREAM, 0));
    signal(SIGPIPE, SIG_IGN);
    EXPECT_ERRNO(ENOTCONN, recv(fd, got, 1, 0));
    EXPECT_ERRNO(EPIPE, send(fd, "x", 1, 0));
    EXPECT_ERRNO(ENOTCONN, shutdown(fd, SHUT_RD));
    EXPECT_ERRNO(EINVAL, accept(fd, NULL, NULL));
    EXPECT_OK(listen(fd, 1));
    struct sockaddr_in address;
    socklen_t size = sizeof address;
    EXPECT_OK(getsockname(fd, (void *)&address, &size));
    EXPECT_TRUE(address.sin_port != 0);
    EXPECT_OK(shutdown(fd, SHUT_RD));
    EXPECT_ERRNO(EINVAL, accept(fd, NULL, NULL));
}

TEST(a_full_buffer) {
    int ends[2];
    static char block[65536];
    long sent = 0, got = 0, count;
    pair(ends);
    NEED(fcntl(ends[0], F_SETFL, O_NONBLOCK));
    while ((count = write(ends[0], block, sizeof block)) > 0) sent += count;
    EXPECT_ERRNO(EAGAIN, write(ends[0], block, sizeof block));
    EXPECT_EQ(0, events(ends[0]) & POLLOUT);
    EXPECT_TRUE(sent > 65536);
    while (got < sent && (count = read(ends[1], block, sizeof block)) > 0) got += count;
    EXPECT_TRUE(got == sent);
    EXPECT_EQ(POLLOUT, events_soon(ends[0], POLLOUT) & POLLOUT);
}

TEST(options) {
    int ends[2], value = 0;
    socklen_t size = sizeof value;
    char name[16];
    pair(ends);
    EXPECT_OK(setsockopt(ends[0], IPPROTO_TCP, TCP_NODELAY, &(int){5}, 4));
    EXPECT_OK(getsockopt(ends[0], IPPROTO_TCP, TCP_NODELAY, &value, &size));
    EXPECT_EQ(1, value);
    EXPECT_OK(setsockopt(ends[0], IPPROTO_TCP, TCP_KEEPIDLE, &(int){30}, 4));
    EXPECT_OK(getsockopt(ends[0], IPPROTO_TCP, TCP_KEEPIDLE, &value, &size));
    EXPECT_EQ(30, value);
    EXPECT_ERRNO(EINVAL, setsockopt(ends[0], IPPROTO_TCP, TCP_KEEPIDLE, &(int){0}, 4));
    EXPECT_ERRNO(EINVAL, setsockopt(ends[0], IPPROTO_TCP, TCP_KEEPCNT, &(int){1}, 2));
    EXPECT_ERRNO(ENOPROTOOPT, setsockopt(ends[0], IPPROTO_TCP, 999, &(int){1}, 4));
    EXPECT_ERRNO(ENOPROTOOPT, setsockopt(ends[0], IPPROTO_IPV6, IPV6_V6ONLY, &(int){1}, 4));
    EXPECT_OK(setsockopt(ends[0], IPPROTO_IP, IP_TTL, &(int){33}, 4));
    EXPECT_OK(getsockopt(ends[0], IPPROTO_IP, IP_TTL, &value, &size));
    EXPECT_EQ(33, value);
    EXPECT_ERRNO(EINVAL, setsockopt(ends[0], IPPROTO_IP, IP_TTL, &(int){256}, 4));
    size = sizeof name;
    EXPECT_OK(getsockopt(ends[0], IPPROTO_TCP, TCP_CONGESTION, name, &size));
    EXPECT_ERRNO(ENOENT, setsockopt(ends[0], IPPROTO_TCP, TCP_CONGESTION, "nosuch", 6));
    struct tcp_info info;
    size = sizeof info;
    EXPECT_OK(getsockopt(ends[0], IPPROTO_TCP, TCP_INFO, &info, &size));
    EXPECT_EQ(TCP_ESTABLISHED, info.tcpi_state);
    int protocol;
    size = sizeof protocol;
    EXPECT_OK(getsockopt(ends[0], SOL_SOCKET, SO_PROTOCOL, &protocol, &size));
    EXPECT_EQ(IPPROTO_TCP, protocol);
}

TEST(families_and_types) {
    EXPECT_ERRNO(EPROTONOSUPPORT, socket(AF_INET, SOCK_STREAM, IPPROTO_UDP));
    EXPECT_ERRNO(EPROTONOSUPPORT, socket(AF_INET, SOCK_DGRAM, IPPROTO_TCP));
    EXPECT_ERRNO(ESOCKTNOSUPPORT, socket(AF_INET, SOCK_RDM, 0));
    EXPECT_ERRNO(EINVAL, socket(AF_INET, 77, 0));
    int fds[2];
    EXPECT_ERRNO(EOPNOTSUPP, socketpair(AF_INET, SOCK_STREAM, 0, fds));
}
