// unix(7) datagrams: whom a socket is connected to, what a new connection throws away, who is told.
#include "check.h"
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

static struct sockaddr_un at(const char *path) { struct sockaddr_un a = {.sun_family = AF_UNIX}; strcpy(a.sun_path, path); return a; }

static int bound(const char *path) {
    struct sockaddr_un a = at(path);
    int s = NEED(socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0));
    NEED(bind(s, (void *)&a, sizeof a));
    return s;
}

static int to(int s, const char *path) { struct sockaddr_un a = at(path); return connect(s, (void *)&a, sizeof a); }

static int pending(int s) {
    int error = -1;
    socklen_t size = sizeof error;
    NEED(getsockopt(s, SOL_SOCKET, SO_ERROR, &error, &size));
    return error;
}

static int ready(int s) { struct pollfd p = {s, POLLIN | POLLOUT, 0}; NEED(poll(&p, 1, 0)); return p.revents; }

TEST(a_connected_socket_hears_its_peer_alone) {
    char text[8];
    int a = bound("a"), b = bound("b"), c = bound("c");
    EXPECT_OK(to(a, "b"));
    struct sockaddr_un name = at("a");
    EXPECT_EQ(1, sendto(b, "x", 1, 0, (void *)&name, sizeof name));
    EXPECT_ERRNO(EPERM, sendto(c, "y", 1, 0, (void *)&name, sizeof name));
    EXPECT_ERRNO(EPERM, to(c, "a"));
    EXPECT_EQ(1, recv(a, text, 8, 0));
    EXPECT_ERRNO(EAGAIN, recv(a, text, 8, 0));
    EXPECT_OK(to(b, "a"));
    EXPECT_OK(to(b, "a"));
    EXPECT_EQ(1, send(b, "x", 1, 0));
    EXPECT_EQ(1, recv(a, text, 8, 0));
}

TEST(another_peer_loses_what_the_old_one_sent) {
    char text[8];
    int a = bound("d"), b = bound("e"), c = bound("f");
    EXPECT_OK(to(a, "e"));
    EXPECT_OK(to(b, "d"));
    EXPECT_EQ(1, send(b, "x", 1, 0));
    EXPECT_OK(to(a, "e"));  // the same one: nothing is lost
    EXPECT_EQ(1, recv(a, text, 8, 0));
    EXPECT_EQ(1, send(b, "y", 1, 0));
    EXPECT_EQ(POLLIN | POLLOUT, ready(a));
    EXPECT_OK(to(a, "f"));
    EXPECT_EQ(POLLOUT, ready(a));
    EXPECT_ERRNO(EAGAIN, recv(a, text, 8, 0));
    EXPECT_EQ(ECONNRESET, pending(b));
    EXPECT_EQ(0, pending(b));
    EXPECT_EQ(0, pending(c));
}

TEST(a_peer_that_looks_elsewhere_is_not_told) {
    int a = bound("g"), b = bound("h"), c = bound("i");
    struct sockaddr_un name = at("g");
    EXPECT_OK(to(a, "h"));
    EXPECT_EQ(1, sendto(b, "x", 1, 0, (void *)&name, sizeof name));
    EXPECT_OK(to(a, "i"));
    EXPECT_EQ(0, pending(b));
    EXPECT_EQ(0, pending(c));
}

TEST(no_message_nobody_is_told) {
    int a = bound("j"), b = bound("k");
    bound("l");
    EXPECT_OK(to(a, "k"));
    EXPECT_OK(to(b, "j"));
    EXPECT_OK(to(a, "l"));
    EXPECT_EQ(0, pending(b));
}

TEST(no_peer_any_more) {
    struct sockaddr none = {AF_UNSPEC, ""};
    char text[8];
    int a = bound("m"), b = bound("n");
    EXPECT_OK(to(a, "n"));
    EXPECT_OK(to(b, "m"));
    EXPECT_EQ(1, send(b, "x", 1, 0));
    EXPECT_OK(connect(a, &none, sizeof none));
    EXPECT_ERRNO(ENOTCONN, send(a, "y", 1, 0));
    EXPECT_ERRNO(EAGAIN, recv(a, text, 8, 0));
    EXPECT_EQ(ECONNRESET, pending(b));
    struct sockaddr_un name;
    socklen_t size = sizeof name;
    EXPECT_ERRNO(ENOTCONN, getpeername(a, (void *)&name, &size));
    EXPECT_OK(connect(a, &none, sizeof none));
}

TEST(a_closed_peer) {
    int a = bound("o"), b = bound("p");
    EXPECT_OK(to(a, "p"));
    close(b);
    EXPECT_ERRNO(ECONNREFUSED, send(a, "x", 1, 0));
    EXPECT_ERRNO(ENOTCONN, send(a, "x", 1, 0));
    EXPECT_ERRNO(ECONNREFUSED, to(a, "p"));
}
