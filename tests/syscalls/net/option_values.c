/* The values of options: what getsockopt stores in rooms of each size, what setsockopt takes, keeps and rounds. getsockopt(2), ip(7), tcp(7). */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const struct { const char *name; int family, type; } kinds[] = {
    {"tcp", AF_INET, SOCK_STREAM}, {"udp", AF_INET, SOCK_DGRAM}, {"tcp6", AF_INET6, SOCK_STREAM}, {"unix", AF_UNIX, SOCK_STREAM},
};
static const int of_sockets[] = {2, 3, 4, 5, 6, 9, 10, 11, 13, 14, 16, 19, 20, 27, 28, 30, 38, 39, 41, 43, 44, 48, 56, 72, 74};
static const int of_ip[] = {1, 2, 6, 7, 8, 10, 11, 12, 13, 15, 18, 21, 24, 33, 34, 49, 52};
static const int of_tcp[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 16, 18, 23, 25};
static const int of_ipv6[] = {18, 19, 25, 29};
static const struct { int level; const int *names; int count; } levels[] = {
    {SOL_SOCKET, of_sockets, sizeof of_sockets / sizeof(int)}, {IPPROTO_IP, of_ip, sizeof of_ip / sizeof(int)},
    {IPPROTO_TCP, of_tcp, sizeof of_tcp / sizeof(int)}, {IPPROTO_IPV6, of_ipv6, sizeof of_ipv6 / sizeof(int)}, {999, of_ipv6, 1},
};

static const char *result(int value)
{
    return value < 0 ? strerrorname_np(errno) : "ok";
}

static void get(int kind, int level, int name)
{
    static const socklen_t rooms[] = {0, 1, 2, 4, 8, 16};
    unsigned char data[16];
    for (int i = 0; i < 6; i++) {
        int fd = socket(kinds[kind].family, kinds[kind].type, 0);
        socklen_t room = rooms[i];
        int status = getsockopt(fd, level, name, data, &room);
        printf(" %s", result(status));
        for (unsigned j = 0; status == 0 && j < room; j++)
            printf("%s%02x", j ? "" : ":", data[j]);
        close(fd);
    }
}

static void set(int kind, int level, int name)
{
    static const int values[] = {0, 1, 2, -1, 100, 255, 256, 65536, 1 << 30};
    for (int i = 0; i < 9; i++) {
        int fd = socket(kinds[kind].family, kinds[kind].type, 0), kept = 0;
        socklen_t room = sizeof kept;
        int status = setsockopt(fd, level, name, &values[i], sizeof values[i]);
        printf(" %s", result(status));
        if (status == 0 && getsockopt(fd, level, name, &kept, &room) == 0)
            printf("=%d", kept);
        close(fd);
    }
    for (int length = 0; length < 4; length++) {
        int fd = socket(kinds[kind].family, kinds[kind].type, 0);
        printf(" %s", result(setsockopt(fd, level, name, "\1\0\0", length)));
        close(fd);
    }
}

int main(void)
{
    for (int kind = 0; kind < 4; kind++)
        for (int l = 0; l < 5; l++)
            for (int i = 0; i < levels[l].count; i++) {
                int level = levels[l].level, name = levels[l].names[i];
                printf("%s %d %d get", kinds[kind].name, level, name);
                get(kind, level, name);
                printf("\n  set");
                set(kind, level, name);
                puts("");
            }
    int fd = socket(AF_INET, SOCK_STREAM, 0), size = 10000, one = 1, zero = 0, locks = 0;
    socklen_t room = sizeof locks;
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    printf("locks %d", getsockopt(fd, SOL_SOCKET, SO_BUF_LOCK, &locks, &room));
    printf(" %d\n", locks);
    size = 1 << 20;
    printf("low %d", setsockopt(fd, SOL_SOCKET, SO_RCVLOWAT, &size, sizeof size));
    getsockopt(fd, SOL_SOCKET, SO_RCVLOWAT, &locks, &room);
    printf(" %d\n", locks);
    printf("lock filter %d", setsockopt(fd, SOL_SOCKET, SO_LOCK_FILTER, &one, sizeof one));
    printf(" %s\n", result(setsockopt(fd, SOL_SOCKET, SO_LOCK_FILTER, &zero, sizeof zero)));
    unsigned long long mine = 0, again = 0, other = 0;
    room = sizeof mine;
    getsockopt(fd, SOL_SOCKET, SO_COOKIE, &mine, &room);
    getsockopt(fd, SOL_SOCKET, SO_COOKIE, &again, &room);
    getsockopt(socket(AF_INET, SOCK_DGRAM, 0), SOL_SOCKET, SO_COOKIE, &other, &room);
    printf("cookie %d %d %d\n", mine != 0, mine == again, mine != other);
    struct sockaddr_in address;
    room = sizeof address;
    int udp = socket(AF_INET, SOCK_DGRAM, 0);
    struct sockaddr_in there = {.sin_family = AF_INET, .sin_port = htons(9), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    connect(udp, (struct sockaddr *)&there, sizeof there);
    printf("peer %s", result(getsockopt(udp, SOL_SOCKET, SO_PEERNAME, &address, &room)));
    printf(" %u %d\n", room, ntohs(address.sin_port));
    return 0;
}
