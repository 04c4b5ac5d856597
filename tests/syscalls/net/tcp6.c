// guest: net
// TCP over ::1, and sockets of both families on one port (ipv6(7)).
#include "check.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

static int server(struct sockaddr_in6 *address, int v6only) {
    socklen_t size = sizeof *address;
    int fd = NEED(socket(AF_INET6, SOCK_STREAM, 0));
    NEED(setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &v6only, sizeof v6only));
    *address = (struct sockaddr_in6){.sin6_family = AF_INET6};
    NEED(bind(fd, (void *)address, sizeof *address));
    NEED(listen(fd, 5));
    NEED(getsockname(fd, (void *)address, &size));
    return fd;
}

TEST(loopback) {
    struct sockaddr_in6 address, seen;
    socklen_t size = sizeof seen;
    int fd = server(&address, 0), client = NEED(socket(AF_INET6, SOCK_STREAM, 0));
    EXPECT_TRUE(size == 28 && address.sin6_port != 0 && IN6_IS_ADDR_UNSPECIFIED(&address.sin6_addr));
    address.sin6_addr = in6addr_loopback;
    EXPECT_OK(connect(client, (void *)&address, sizeof address));
    int end = EXPECT_OK(accept(fd, (void *)&seen, &size));
    EXPECT_TRUE(size == sizeof seen && IN6_IS_ADDR_LOOPBACK(&seen.sin6_addr));
    EXPECT_EQ(2, write(client, "v6", 2));
    char got[4];
    EXPECT_EQ(2, read(end, got, 4));
    EXPECT_ERRNO(EINVAL, setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &(int){1}, 4));
    EXPECT_ERRNO(EAFNOSUPPORT, connect(NEED(socket(AF_INET6, SOCK_STREAM, 0)), (void *)&(struct sockaddr_in){.sin_family = AF_INET}, 28));
}

TEST(both_families_on_one_socket) {
    struct sockaddr_in6 address, seen;
    struct sockaddr_in four = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof seen;
    int fd = server(&address, 0), client = NEED(socket(AF_INET, SOCK_STREAM, 0));
    four.sin_port = address.sin6_port;
    EXPECT_OK(connect(client, (void *)&four, sizeof four));
    EXPECT_OK(accept(fd, (void *)&seen, &size));
    EXPECT_TRUE(IN6_IS_ADDR_V4MAPPED(&seen.sin6_addr));
    EXPECT_ERRNO(EADDRINUSE, bind(NEED(socket(AF_INET, SOCK_STREAM, 0)), (void *)&four, sizeof four));
}

TEST(one_family_only) {
    struct sockaddr_in6 address;
    struct sockaddr_in four = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    server(&address, 1);
    four.sin_port = address.sin6_port;
    EXPECT_ERRNO(ECONNREFUSED, connect(NEED(socket(AF_INET, SOCK_STREAM, 0)), (void *)&four, sizeof four));
    int other = NEED(socket(AF_INET, SOCK_STREAM, 0));
    EXPECT_OK(bind(other, (void *)&four, sizeof four));
    EXPECT_OK(listen(other, 1));
}
