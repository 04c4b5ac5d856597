// guest: root
// SO_PEERGROUPS: the further groups of who connected, listened or made the pair. unix(7); Linux: net/core/sock.c, sk_getsockopt().
#include "check.h"
#include <grp.h>
#include <sys/socket.h>
#include <sys/un.h>

enum { PEERGROUPS = 59 };

static void show(int fd, socklen_t room) {
    gid_t groups[8] = {0};
    socklen_t length = room;
    int status = getsockopt(fd, SOL_SOCKET, PEERGROUPS, groups, &length);
    printf("%s: room %u: %s, length %u:", check_current, room, status ? check_errno_name(errno) : "ok", length);
    for (unsigned i = 0; status == 0 && i < length / sizeof *groups; i++) printf(" %u", groups[i]);
    puts("");
}

TEST(a_pair) {
    gid_t mine[] = {7, 5, 99};
    int pair[2];
    NEED(setgroups(3, mine));
    NEED(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
    NEED(setgroups(0, NULL));
    for (int room = 0; room <= 16; room += 4) show(pair[0], room);
    show(pair[1], 32);
}

TEST(a_connection) {
    gid_t first[] = {11}, second[] = {12, 13};
    struct sockaddr_un name = {.sun_family = AF_UNIX, .sun_path = "peer"};
    int listener = NEED(socket(AF_UNIX, SOCK_STREAM, 0)), client = NEED(socket(AF_UNIX, SOCK_STREAM, 0));
    unlink(name.sun_path);
    NEED(bind(listener, (struct sockaddr *)&name, sizeof name));
    show(listener, 32);
    NEED(setgroups(1, first));
    NEED(listen(listener, 1));
    NEED(setgroups(2, second));
    NEED(connect(client, (struct sockaddr *)&name, sizeof name));
    int server = NEED(accept(listener, NULL, NULL));
    show(client, 32);
    show(server, 32);
    show(listener, 32);
    EXPECT_ERRNO(ENOPROTOOPT, setsockopt(client, SOL_SOCKET, PEERGROUPS, first, sizeof first));
}
