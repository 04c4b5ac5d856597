// unix(7) streams: bind, listen, connect, accept, names, refusals.
// guest: unordered
#include "check.h"
#include <poll.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>

static struct sockaddr_un name_of(const char *path) {
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    strcpy(a.sun_path, path);
    return a;
}
static int bind_to(int fd, const char *path) { struct sockaddr_un a = name_of(path); return bind(fd, (void *)&a, sizeof a); }
static int connect_to(int fd, const char *path) { struct sockaddr_un a = name_of(path); return connect(fd, (void *)&a, sizeof a); }
static int stream(void) { return NEED(socket(AF_UNIX, SOCK_STREAM, 0)); }

TEST(conversation) {
    char text[16] = "";
    int server = stream();
    EXPECT_OK(bind_to(server, "sock"));
    EXPECT_OK(listen(server, 5));
    struct stat st;
    EXPECT_OK(stat("sock", &st));
    EXPECT_EQ(0140755, st.st_mode);
    pid_t pid = CHILD({
        int fd = stream();
        EXPECT_OK(connect_to(fd, "sock"));
        EXPECT_EQ(4, write(fd, "ping", 4));
        char own[16] = "";
        EXPECT_EQ(4, read(fd, own, 16));
        EXPECT_STR("pong", own);
    });
    struct sockaddr_un peer;
    socklen_t length = sizeof peer;
    int fd = EXPECT_OK(accept(server, (void *)&peer, &length));
    EXPECT_EQ(2, length);
    EXPECT_EQ(AF_UNIX, peer.sun_family);
    EXPECT_EQ(4, read(fd, text, 16));
    EXPECT_EQ(4, write(fd, "pong", 4));
    EXPECT_EXIT(0, pid);
    EXPECT_EQ(0, read(fd, text, 16));
    length = sizeof peer;
    EXPECT_OK(getsockname(fd, (void *)&peer, &length));
    EXPECT_STR("sock", peer.sun_path);
    EXPECT_EQ(offsetof(struct sockaddr_un, sun_path) + 5, length);
    close(fd);
    close(server);
    EXPECT_ERRNO(ECONNREFUSED, connect_to(stream(), "sock"));
    EXPECT_OK(unlink("sock"));
    EXPECT_ERRNO(ENOENT, connect_to(stream(), "sock"));
}

TEST(wrong_states) {
    int fd = stream(), other = stream();
    EXPECT_ERRNO(EINVAL, listen(fd, 1));
    EXPECT_ERRNO(EINVAL, accept(fd, NULL, NULL));
    EXPECT_ERRNO(ENOTCONN, send(fd, "x", 1, MSG_NOSIGNAL));
    char c;
    EXPECT_ERRNO(EINVAL, recv(fd, &c, 1, 0));
    EXPECT_ERRNO(ENOTCONN, getpeername(fd, (void *)&(struct sockaddr_un){0}, &(socklen_t){10}));
    EXPECT_OK(bind_to(fd, "a"));
    EXPECT_ERRNO(EINVAL, bind_to(fd, "b"));
    EXPECT_ERRNO(EADDRINUSE, bind_to(other, "a"));
    EXPECT_ERRNO(ECONNREFUSED, connect_to(other, "a"));
    EXPECT_OK(listen(fd, 1));
    EXPECT_OK(connect_to(other, "a"));
    EXPECT_ERRNO(EISCONN, connect_to(other, "a"));
    close(make_file("plain", ""));
    EXPECT_ERRNO(ECONNREFUSED, connect_to(stream(), "plain"));
    EXPECT_ERRNO(ENXIO, open("a", O_RDWR));
}

TEST(queue_is_bounded_when_nonblocking) {
    int server = stream(), refused = 0;
    NEED(bind_to(server, "full"));
    NEED(listen(server, 1));
    for (int i = 0; i < 4; i++) {
        int fd = NEED(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0));
        if (connect_to(fd, "full") == -1 && errno == EAGAIN) refused++;
    }
    EXPECT_EQ(2, refused);
    struct pollfd p = {server, POLLIN, 0};
    EXPECT_EQ(1, poll(&p, 1, 0));
    int fd = EXPECT_OK(accept4(server, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK));
    EXPECT_EQ(FD_CLOEXEC, fcntl(fd, F_GETFD));
    EXPECT_ERRNO(EINVAL, accept4(server, NULL, NULL, 0x1));
}

TEST(abstract_names) {
    struct sockaddr_un a = {.sun_family = AF_UNIX}, got;
    socklen_t length = offsetof(struct sockaddr_un, sun_path) + 8, size = sizeof got;
    memcpy(a.sun_path, "\0ab\0cd\0e", 8);
    int server = stream(), client = stream(), twin = stream();
    EXPECT_OK(bind(server, (void *)&a, length));
    EXPECT_ERRNO(EADDRINUSE, bind(twin, (void *)&a, length));
    EXPECT_OK(listen(server, 1));
    EXPECT_ERRNO(ECONNREFUSED, connect(client, (void *)&a, length - 1));
    EXPECT_OK(connect(client, (void *)&a, length));
    EXPECT_OK(getpeername(client, (void *)&got, &size));
    EXPECT_EQ(length, size);
    EXPECT_EQ(0, memcmp(got.sun_path, a.sun_path, 8));
    close(server);
    EXPECT_OK(bind(twin, (void *)&a, length));
    int automatic = stream();
    EXPECT_OK(bind(automatic, (void *)&a, 2));
    size = sizeof got;
    EXPECT_OK(getsockname(automatic, (void *)&got, &size));
    EXPECT_EQ(8, size);
}

TEST(address_errors) {
    struct sockaddr_un a = name_of("x");
    EXPECT_ERRNO(EINVAL, bind(stream(), (void *)&a, 1));
    EXPECT_ERRNO(EINVAL, bind(stream(), (void *)&a, 1000));
    EXPECT_ERRNO(EFAULT, bind(stream(), BAD_PTR, sizeof a));
    a.sun_family = AF_INET;
    EXPECT_ERRNO(EINVAL, bind(stream(), (void *)&a, sizeof a));
    EXPECT_ERRNO(ENOENT, bind_to(stream(), "none/x"));
    EXPECT_ERRNO(ENOTSOCK, bind_to(0, "y"));
    a.sun_family = AF_UNSPEC;
    EXPECT_ERRNO(EINVAL, connect(stream(), (void *)&a, sizeof a));
}
