// SCM_RIGHTS and SCM_CREDENTIALS: descriptors and identities travel with the data.
// guest: unordered
#include "check.h"
#include <sys/socket.h>

static int send_fds(int socket, int count, const int *fds) {
    char control[CMSG_SPACE(sizeof(int) * 300)] = {0};
    struct iovec part = {"f", 1};
    struct msghdr m = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = CMSG_SPACE(sizeof(int) * count)};
    struct cmsghdr *c = CMSG_FIRSTHDR(&m);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(sizeof(int) * count);
    memcpy(CMSG_DATA(c), fds, sizeof(int) * count);
    return sendmsg(socket, &m, 0);
}

static int flags_got, count_got, fds_got[16];
static int receive(int socket, int room, int flags) {
    char control[512] = {0}, c1;
    struct iovec part = {&c1, 1};
    struct msghdr m = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = room};
    int n = recvmsg(socket, &m, flags);
    flags_got = m.msg_flags;
    count_got = 0;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c))
        if (c->cmsg_type == SCM_RIGHTS) {
            count_got = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
            memcpy(fds_got, CMSG_DATA(c), c->cmsg_len - CMSG_LEN(0));
        }
    return n;
}

TEST(to_another_process) {
    int s[2];
    NEED(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
    pid_t pid = CHILD({
        char text[8] = "";
        EXPECT_EQ(1, receive(s[1], 512, 0));
        EXPECT_EQ(1, count_got);
        EXPECT_EQ(4, read(fds_got[0], text, 8));
        EXPECT_STR("data", text);
        EXPECT_EQ(0, fcntl(fds_got[0], F_GETFD));
    });
    int fd = make_file("f", "data");
    NEED(lseek(fd, 0, SEEK_SET));
    EXPECT_EQ(1, send_fds(s[0], 1, &fd));
    EXPECT_EXIT(0, pid);
    EXPECT_EQ(4, lseek(fd, 0, SEEK_CUR));
}

TEST(in_flight_after_close) {
    int s[2], p[2];
    char c;
    NEED(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
    NEED(pipe(p));
    EXPECT_EQ(1, send_fds(s[0], 1, &p[1]));
    close(p[1]);
    EXPECT_EQ(1, receive(s[1], 512, MSG_CMSG_CLOEXEC));
    EXPECT_EQ(FD_CLOEXEC, fcntl(fds_got[0], F_GETFD));
    tell(fds_got[0]);
    EXPECT_EQ(1, read(p[0], &c, 1));
    close(fds_got[0]);
    EXPECT_EQ(0, read(p[0], &c, 1));
    NEED(pipe(p));
    EXPECT_EQ(1, send_fds(s[0], 1, &p[1]));
    close(p[1]);
    close(s[0]);
    close(s[1]);
    EXPECT_EQ(0, read(p[0], &c, 1));
}

TEST(truncation_and_boundaries) {
    int s[2], three[3] = {0, 1, 2};
    NEED(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
    EXPECT_EQ(1, send_fds(s[0], 3, three));
    EXPECT_EQ(1, receive(s[1], CMSG_LEN(sizeof(int)), 0));
    EXPECT_EQ(1, count_got);
    EXPECT_EQ(MSG_CTRUNC, flags_got & MSG_CTRUNC);
    NEED(write(s[0], "p", 1));
    EXPECT_EQ(1, send_fds(s[0], 2, three));
    EXPECT_EQ(1, receive(s[1], 512, 0));
    EXPECT_EQ(0, count_got);
    EXPECT_EQ(1, receive(s[1], 512, 0));
    EXPECT_EQ(2, count_got);
    EXPECT_EQ(1, send_fds(s[0], 1, three));
    EXPECT_EQ(1, receive(s[1], 0, 0));
    EXPECT_EQ(MSG_CTRUNC, flags_got & MSG_CTRUNC);
}

TEST(errors) {
    int s[2], bad = 999, many[254];
    NEED(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
    EXPECT_ERRNO(EBADF, send_fds(s[0], 1, &bad));
    for (int i = 0; i < 254; i++) many[i] = 0;
    EXPECT_ERRNO(EINVAL, send_fds(s[0], 254, many));
}

TEST(credentials) {
    int s[2], on = 1;
    struct ucred peer;
    socklen_t size = sizeof peer;
    NEED(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
    EXPECT_OK(getsockopt(s[0], SOL_SOCKET, SO_PEERCRED, &peer, &size));
    EXPECT_TRUE(peer.pid == getpid() && peer.uid == geteuid() && peer.gid == getegid());
    EXPECT_OK(setsockopt(s[1], SOL_SOCKET, SO_PASSCRED, &on, sizeof on));
    pid_t pid = CHILD({ NEED(write(s[0], "c", 1)); });
    char control[256], c1;
    struct iovec part = {&c1, 1};
    struct msghdr m = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    EXPECT_EQ(1, recvmsg(s[1], &m, 0));
    struct cmsghdr *c = CMSG_FIRSTHDR(&m);
    EXPECT_TRUE(c && c->cmsg_type == SCM_CREDENTIALS);
    if (c) memcpy(&peer, CMSG_DATA(c), sizeof peer);
    EXPECT_TRUE(peer.pid == pid);
    EXPECT_EXIT(0, pid);
}
