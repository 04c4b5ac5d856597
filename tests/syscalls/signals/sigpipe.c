// EPIPE and SIGPIPE: write to a pipe or socket without a reader.
// guest: unordered
#include "check.h"
#include <sys/socket.h>

TEST(pipe_kills_by_default) {
    pid_t pid = CHILD({ int fds[2]; NEED(pipe(fds)); close(fds[0]); write(fds[1], "x", 1); });
    EXPECT_KILLED(SIGPIPE, pid);
}

TEST(ignored_gives_epipe) {
    int fds[2];
    signal(SIGPIPE, SIG_IGN);
    NEED(pipe(fds));
    close(fds[0]);
    EXPECT_ERRNO(EPIPE, write(fds[1], "x", 1));
    EXPECT_EQ(0, write(fds[1], "", 0));
    close(fds[1]);
}

TEST(socket_pair) {
    int fds[2];
    NEED(socketpair(AF_UNIX, SOCK_STREAM, 0, fds));
    close(fds[0]);
    EXPECT_ERRNO(EPIPE, write(fds[1], "x", 1));
    EXPECT_ERRNO(EPIPE, send(fds[1], "x", 1, MSG_NOSIGNAL));
    pid_t pid = CHILD({ signal(SIGPIPE, SIG_DFL); send(fds[1], "x", 1, MSG_NOSIGNAL); EXPECT_TRUE(1); fflush(stdout); send(fds[1], "x", 1, 0); });
    EXPECT_KILLED(SIGPIPE, pid);
}

TEST(reader_closes_while_the_writer_waits) {
    int fds[2], ready[2];
    static char block[1 << 16];
    NEED(pipe(fds));
    NEED(pipe(ready));
    pid_t pid = CHILD({
        close(fds[0]);
        NEED(write(fds[1], block, sizeof block));
        tell(ready[1]);
        EXPECT_ERRNO(EPIPE, write(fds[1], "x", 1));
    });
    await_byte(ready[0]);
    close(fds[0]);
    EXPECT_EXIT(0, pid);
}
