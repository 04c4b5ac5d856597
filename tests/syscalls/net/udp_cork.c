// guest: net
// Datagrams made of several sends: UDP_CORK and MSG_MORE (udp(7), send(2)).
#include "check.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <poll.h>
#include <sys/socket.h>

static char big[60000], got[70000];

static int bound(int family, struct sockaddr_storage *address, socklen_t *size) {
    int fd = NEED(socket(family, SOCK_DGRAM, 0));
    memset(address, 0, sizeof *address);
    address->ss_family = family;
    if (family == AF_INET) ((struct sockaddr_in *)address)->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    else ((struct sockaddr_in6 *)address)->sin6_addr = in6addr_loopback;
    *size = family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
    NEED(bind(fd, (void *)address, *size));
    NEED(getsockname(fd, (void *)address, size));
    return fd;
}

static int set(int fd, int value) { return setsockopt(fd, IPPROTO_UDP, UDP_CORK, &value, sizeof value); }

static long next(int fd) {
    struct pollfd one = {fd, POLLIN, 0};
    NEED(poll(&one, 1, 60000));
    return recv(fd, got, sizeof got, MSG_DONTWAIT);
}

TEST(option) {
    int fd = NEED(socket(AF_INET, SOCK_DGRAM, 0)), tcp = NEED(socket(AF_INET, SOCK_STREAM, 0)), value = -1;
    socklen_t size = sizeof value;
    EXPECT_OK(getsockopt(fd, IPPROTO_UDP, UDP_CORK, &value, &size));
    EXPECT_EQ(0, value);
    EXPECT_OK(set(fd, 7));
    EXPECT_OK(getsockopt(fd, IPPROTO_UDP, UDP_CORK, &value, &size));
    EXPECT_EQ(1, value);
    EXPECT_OK(set(fd, 0));
    EXPECT_ERRNO(EINVAL, setsockopt(fd, IPPROTO_UDP, UDP_CORK, &value, 1));
    EXPECT_ERRNO(ENOPROTOOPT, set(tcp, 1));
    EXPECT_ERRNO(ENOPROTOOPT, setsockopt(fd, IPPROTO_UDP, 99, &value, sizeof value));
}

static void one_datagram(int family) {
    struct sockaddr_storage address, other;
    socklen_t size, other_size;
    int server = bound(family, &address, &size), third = bound(family, &other, &other_size);
    int client = NEED(socket(family, SOCK_DGRAM, 0));
    EXPECT_EQ(3, sendto(client, "one", 3, MSG_MORE, (void *)&address, size));
    EXPECT_EQ(3, sendto(client, "two", 3, MSG_MORE, (void *)&other, other_size)); // the first address stays
    EXPECT_EQ(0, send(client, "", 0, MSG_MORE));
    EXPECT_ERRNO(EAGAIN, recv(server, got, sizeof got, MSG_DONTWAIT));
    EXPECT_EQ(5, write(client, "three", 5));
    EXPECT_EQ(11, next(server));
    EXPECT_TRUE(!memcmp(got, "onetwothree", 11));
    EXPECT_ERRNO(EAGAIN, recv(third, got, sizeof got, MSG_DONTWAIT));
    EXPECT_ERRNO(EDESTADDRREQ, send(client, "x", 1, 0));
    EXPECT_OK(connect(client, (void *)&address, size));
    EXPECT_OK(set(client, 1));
    EXPECT_EQ(2, send(client, "ab", 2, 0));
    EXPECT_EQ(2, write(client, "cd", 2));
    EXPECT_ERRNO(EAGAIN, recv(server, got, sizeof got, MSG_DONTWAIT));
    EXPECT_OK(set(client, 0));
    EXPECT_EQ(4, next(server));
    EXPECT_TRUE(!memcmp(got, "abcd", 4));
    EXPECT_OK(set(client, 1));
    EXPECT_OK(set(client, 0)); // nothing gathered, nothing sent
    EXPECT_EQ(0, send(client, "", 0, MSG_MORE));
    EXPECT_EQ(1, send(client, "z", 1, 0));
    EXPECT_EQ(1, next(server));
    EXPECT_ERRNO(EAGAIN, recv(server, got, sizeof got, MSG_DONTWAIT));
}

TEST(over_ipv4) { one_datagram(AF_INET); }

TEST(over_ipv6) { one_datagram(AF_INET6); }

TEST(too_long_is_dropped_whole) {
    struct sockaddr_storage address;
    socklen_t size;
    int server = bound(AF_INET, &address, &size), client = NEED(socket(AF_INET, SOCK_DGRAM, 0));
    NEED(connect(client, (void *)&address, size));
    EXPECT_EQ(60000, send(client, big, 60000, MSG_MORE));
    EXPECT_ERRNO(EMSGSIZE, send(client, big, 5508, 0));
    EXPECT_EQ(1, send(client, "x", 1, 0));
    EXPECT_EQ(1, next(server));
    EXPECT_EQ(60000, send(client, big, 60000, MSG_MORE));
    EXPECT_EQ(5507, send(client, big, 5507, 0));
    EXPECT_EQ(65507, next(server));
}

TEST(closed_before_it_left) {
    struct sockaddr_storage address;
    socklen_t size;
    int server = bound(AF_INET, &address, &size), client = NEED(socket(AF_INET, SOCK_DGRAM, 0));
    EXPECT_EQ(4, sendto(client, "lost", 4, MSG_MORE, (void *)&address, size));
    EXPECT_OK(close(client));
    EXPECT_ERRNO(EAGAIN, recv(server, got, sizeof got, MSG_DONTWAIT));
}

TEST(nobody_there) {
    struct sockaddr_storage address;
    socklen_t size;
    int server = bound(AF_INET, &address, &size), client = NEED(socket(AF_INET, SOCK_DGRAM, 0));
    NEED(close(server));
    NEED(connect(client, (void *)&address, size));
    EXPECT_EQ(1, send(client, "a", 1, MSG_MORE));
    EXPECT_EQ(1, send(client, "b", 1, 0));
    struct pollfd one = {client, POLLIN, 0};
    NEED(poll(&one, 1, 60000));
    EXPECT_ERRNO(ECONNREFUSED, recv(client, got, sizeof got, MSG_DONTWAIT));
}
