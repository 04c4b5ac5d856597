// getsockopt(2), setsockopt(2) on UNIX sockets.
#include "check.h"
#include <sys/socket.h>
#include <sys/time.h>

static int s[2], value;
static socklen_t size;
static int get(int name) { size = sizeof value; value = -1; return getsockopt(s[0], SOL_SOCKET, name, &value, &size); }
static int set(int name, int v) { return setsockopt(s[0], SOL_SOCKET, name, &v, sizeof v); }

TEST(facts) {
    NEED(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
    EXPECT_OK(get(SO_TYPE));
    EXPECT_EQ(SOCK_STREAM, value);
    EXPECT_OK(get(SO_DOMAIN));
    EXPECT_EQ(AF_UNIX, value);
    EXPECT_OK(get(SO_PROTOCOL));
    EXPECT_EQ(0, value);
    EXPECT_OK(get(SO_ACCEPTCONN));
    EXPECT_EQ(0, value);
    EXPECT_OK(get(SO_ERROR));
    EXPECT_EQ(0, value);
    EXPECT_EQ(4, size);
}

TEST(peer_of_nobody) {
    struct ucred peer = {1, 2, 3};
    socklen_t length = sizeof peer;
    int fd = NEED(socket(AF_UNIX, SOCK_STREAM, 0));
    EXPECT_OK(getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length));
    EXPECT_EQ(0, peer.pid);
    EXPECT_TRUE(peer.uid == (uid_t)-1 && peer.gid == (gid_t)-1);
    EXPECT_EQ(12, length);
    close(fd);
}

TEST(buffers) {
    EXPECT_OK(set(SO_SNDBUF, 10000));
    EXPECT_OK(get(SO_SNDBUF));
    EXPECT_EQ(20000, value);
    EXPECT_OK(set(SO_RCVBUF, 1));
    EXPECT_OK(get(SO_RCVBUF));
    EXPECT_TRUE(value >= 256);
}

TEST(timeouts) {
    struct timeval t = {0, 20000};
    char c;
    EXPECT_OK(setsockopt(s[0], SOL_SOCKET, SO_RCVTIMEO, &t, sizeof t));
    EXPECT_ERRNO(EAGAIN, recv(s[0], &c, 1, 0));
    t.tv_usec = 1000000;
    EXPECT_ERRNO(EDOM, setsockopt(s[0], SOL_SOCKET, SO_RCVTIMEO, &t, sizeof t));
}

TEST(errors) {
    EXPECT_ERRNO(ENOPROTOOPT, get(9999));
    EXPECT_ERRNO(ENOPROTOOPT, set(9999, 1));
    EXPECT_ERRNO(EINVAL, setsockopt(s[0], SOL_SOCKET, SO_PASSCRED, &value, 2));
    EXPECT_ERRNO(EFAULT, setsockopt(s[0], SOL_SOCKET, SO_PASSCRED, BAD_PTR, 4));
    EXPECT_ERRNO(ENOTSOCK, getsockopt(0, SOL_SOCKET, SO_TYPE, &value, &size));
    size = 2;
    EXPECT_OK(getsockopt(s[0], SOL_SOCKET, SO_TYPE, &value, &size));
    EXPECT_EQ(2, size);
    size = -1;
    EXPECT_ERRNO(EINVAL, getsockopt(s[0], SOL_SOCKET, SO_TYPE, &value, &size));
}
