// getsockopt(2), setsockopt(2): every option of every level that both kernels answer alike, on each kind of socket (socket(7), tcp(7), udp(7)).
#include "check.h"
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

static const struct { const char *name; int family, type; } kinds[] = {
    {"tcp", AF_INET, SOCK_STREAM}, {"udp", AF_INET, SOCK_DGRAM}, {"udp6", AF_INET6, SOCK_DGRAM}, {"tcp6", AF_INET6, SOCK_STREAM},
    {"unix", AF_UNIX, SOCK_STREAM}, {"unix dgram", AF_UNIX, SOCK_DGRAM}, {"netlink", AF_NETLINK, SOCK_RAW},
};
enum { PASSSEC = 34, SELECT_ERR_QUEUE = 45, CNX_ADVICE = 53, PEERGROUPS = 59, ZEROCOPY = 60, BUSY_BUDGET = 70, RESERVE_MEM = 73 };
enum { THIN_DUPACK = 17, REPAIR = 19, ULP = 31 };
/* of SOL_SOCKET: names, values that are tried */
static const int of_sockets[][4] = {
    {1, 0, 1, -1}, {2, 0, 1, -1}, {15, 0, 1, -1}, {29, 0, 1, -1}, {32, 0, 1, -1}, {33, 0, 1, -1}, {36, 0, 1, -1}, {41, 0, 1, -1}, {46, 0, 1, -1},
    {49, 0, 1, -1}, {PASSSEC, 0, 1, -1}, {SELECT_ERR_QUEUE, 0, 1, -1}, {CNX_ADVICE, 0, 1, -1}, {PEERGROUPS, 0, 1, -1},
    {ZEROCOPY, 0, -1, 2}, {69, 0, 1, -1}, {BUSY_BUDGET, 0, 1, -1}, {RESERVE_MEM, 0, -1, 4096}, {999, 0, 1, -1},
};
static const int of_tcp[][4] = {{THIN_DUPACK, 0, 1, 2}, {REPAIR, 0, 1, -1}, {ULP, 0, 1, -1}, {15, 0, 1, 2}, {99, 0, 1, 2}};
static const int of_ipv6[][4] = {
    {16, -1, 5, 300}, {18, -1, 5, 300}, {19, 0, 1, 2}, {23, 0, 5, 6}, {25, 0, 1, -1}, {26, 0, 1, -1}, {29, 0, 1, -1}, {49, 0, 1, -1}, {51, 0, 1, -1},
    {62, 0, 1, -1}, {66, 0, 1, -1}, {67, -1, 5, 300}, {999, 0, 1, 2},
};
static const int of_udp[][4] = {{2, 0, 1, -1}, {99, 0, 1, -1}};

static const char *result(int value) { return value < 0 ? check_errno_name(errno) : "ok"; }

static void one(int kind, int level, const int *option) {
    unsigned char data[16];
    socklen_t room = 4;
    int fd = NEED(socket(kinds[kind].family, kinds[kind].type, 0));
    int got = getsockopt(fd, level, option[0], data, &room);
    printf("%s %d %d: %s", kinds[kind].name, level, option[0], result(got));
    for (unsigned i = 0; got == 0 && i < room; i++) printf("%s%02x", i ? ":" : " ", data[i]);
    close(fd);
    for (int i = 1; i < 4; i++) {
        fd = NEED(socket(kinds[kind].family, kinds[kind].type, 0));
        int kept = 77, status = setsockopt(fd, level, option[0], &option[i], sizeof option[i]);
        printf(" | %d %s", option[i], result(status));
        room = sizeof kept;
        if (status == 0 && getsockopt(fd, level, option[0], &kept, &room) == 0) printf(" %d", kept);
        close(fd);
    }
    fd = NEED(socket(kinds[kind].family, kinds[kind].type, 0));
    printf(" | short %s", result(setsockopt(fd, level, option[0], "\1", 1)));
    printf(" | none %s\n", result(setsockopt(fd, level, option[0], "", 0)));
    close(fd);
}

/* what root may do beyond others differs with its capabilities */
TEST(nobody) {
    if (geteuid() != 0) return;
    NEED(setresgid(65534, 65534, 65534));
    NEED(setresuid(65534, 65534, 65534));
}

TEST(every_option) {
    for (unsigned kind = 0; kind < sizeof kinds / sizeof *kinds; kind++) {
        for (unsigned i = 0; i < sizeof of_sockets / sizeof *of_sockets; i++) one(kind, SOL_SOCKET, of_sockets[i]);
        for (unsigned i = 0; kind < 4 && i < sizeof of_tcp / sizeof *of_tcp; i++) one(kind, IPPROTO_TCP, of_tcp[i]);
        for (unsigned i = 0; kind < 4 && i < sizeof of_udp / sizeof *of_udp; i++) one(kind, IPPROTO_UDP, of_udp[i]);
        for (unsigned i = 0; kind < 4 && i < sizeof of_ipv6 / sizeof *of_ipv6; i++) one(kind, IPPROTO_IPV6, of_ipv6[i]);
    }
}

TEST(tls_in_the_kernel) {
    int fd = NEED(socket(AF_INET, SOCK_STREAM, 0));
    EXPECT_ERRNO(ENOENT, setsockopt(fd, IPPROTO_TCP, ULP, "nosuch", 6));
    EXPECT_ERRNO(EINVAL, setsockopt(fd, IPPROTO_TCP, ULP, "", 0));
    close(fd);
}

TEST(errors_are_urgent_if_asked) {
    int fd = NEED(socket(AF_INET, SOCK_DGRAM, 0)), one = 1;
    struct sockaddr_in there = {.sin_family = AF_INET, .sin_port = htons(9), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    NEED(connect(fd, (struct sockaddr *)&there, sizeof there));
    NEED(setsockopt(fd, SOL_SOCKET, SELECT_ERR_QUEUE, &one, sizeof one));
    NEED(send(fd, "x", 1, 0));
    struct pollfd wait = {fd, POLLPRI, 0};
    EXPECT_EQ(1, poll(&wait, 1, 60000));
    EXPECT_EQ(POLLERR | POLLPRI, wait.revents);
    EXPECT_ERRNO(ECONNREFUSED, recv(fd, &one, 1, 0));
    close(fd);
}
