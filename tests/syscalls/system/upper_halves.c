// 32-bit arguments with garbage in their upper halves: the kernel looks at the lower 32 bits only.
#include "check.h"
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#define G GARBAGE

TEST(descriptors) {
    char text[8];
    int fd = make_file("f", "data");
    EXPECT_EQ(0, RAW3(SYS_lseek, G(fd), 0, G(SEEK_SET)));
    EXPECT_EQ(4, RAW3(SYS_read, G(fd), text, 8));
    EXPECT_EQ(2, RAW3(SYS_write, G(fd), text, 2));
    EXPECT_EQ(4, RAW4(SYS_pread64, G(fd), text, 4, 0));
    EXPECT_EQ(0, RAW2(SYS_ftruncate, G(fd), 3));
    struct stat st;
    EXPECT_EQ(0, RAW2(SYS_fstat, G(fd), &st));
    EXPECT_EQ(3, st.st_size);
    long copy = RAW1(SYS_dup, G(fd));
    EXPECT_TRUE(copy > fd);
    EXPECT_EQ(0, RAW1(SYS_close, G(copy)));
    EXPECT_EQ(-EBADF, RAW1(SYS_close, G(copy)));
    EXPECT_EQ(O_RDWR, RAW3(SYS_fcntl, G(fd), G(F_GETFL), 0) & O_ACCMODE);
    EXPECT_EQ(0, RAW2(SYS_flock, G(fd), G(2)));
    EXPECT_EQ(0, RAW1(SYS_fsync, G(fd)));
}

TEST(flags_and_modes) {
    long fd = RAW4(SYS_openat, G(AT_FDCWD), "g", G(O_RDWR | O_CREAT), G(0600));
    struct stat st;
    EXPECT_TRUE(fd >= 0);
    EXPECT_EQ(0, RAW4(SYS_newfstatat, G(AT_FDCWD), "g", &st, G(AT_SYMLINK_NOFOLLOW)));
    EXPECT_EQ(0100600, st.st_mode);
    EXPECT_EQ(0, RAW2(SYS_chmod, "g", G(0644)));
    EXPECT_EQ(0, RAW3(SYS_mkdirat, G(AT_FDCWD), "d", G(0755)));
    EXPECT_EQ(0, RAW3(SYS_unlinkat, G(AT_FDCWD), "d", G(AT_REMOVEDIR)));
    EXPECT_EQ(0, RAW2(SYS_access, "g", G(R_OK)));
    int fds[2];
    EXPECT_EQ(0, RAW2(SYS_pipe2, fds, G(O_CLOEXEC)));
    EXPECT_EQ(FD_CLOEXEC, fcntl(fds[0], F_GETFD));
    long event = RAW2(SYS_eventfd2, G(7), G(EFD_NONBLOCK));
    uint64_t v;
    EXPECT_EQ(8, read(event, &v, 8));
    EXPECT_EQ(7, v);
}

TEST(counts_and_timeouts) {
    int s[2];
    EXPECT_EQ(0, RAW4(SYS_socketpair, G(AF_UNIX), G(SOCK_STREAM), G(0), s));
    struct pollfd p = {s[0], POLLOUT, 0};
    EXPECT_EQ(1, RAW3(SYS_poll, &p, G(1), G(0)));
    EXPECT_EQ(3, RAW6(SYS_sendto, G(s[0]), "abc", 3, G(0), 0, G(0)));
    char text[4];
    EXPECT_EQ(3, RAW6(SYS_recvfrom, G(s[1]), text, 4, G(MSG_DONTWAIT), 0, 0));
    EXPECT_EQ(0, RAW2(SYS_shutdown, G(s[0]), G(SHUT_WR)));
    EXPECT_EQ(0, RAW3(SYS_read, G(s[1]), text, 4));
    long ep = RAW1(SYS_epoll_create1, G(0));
    char events[64];
    EXPECT_EQ(0, RAW4(SYS_epoll_wait, G(ep), events, G(1), G(0)));
}

TEST(ids_and_signals) {
    EXPECT_TRUE(RAW1(SYS_getpgid, G(0)) == getpgrp());
    EXPECT_EQ(0, RAW2(SYS_kill, G(getpid()), G(0)));
    EXPECT_EQ(0, RAW3(SYS_tgkill, G(getpid()), G(gettid()), G(0)));
    EXPECT_EQ(0, RAW2(SYS_getpriority, G(0), G(0)) < 0);
    pid_t pid = CHILD({ RAW1(SYS_exit_group, G(11)); });
    int status;
    EXPECT_TRUE(RAW4(SYS_wait4, G(pid), &status, G(0), 0) == pid);
    EXPECT_EQ(0xb00, status);
    EXPECT_EQ(0, RAW3(SYS_fchown, G(NEED(open("g", O_RDONLY))), G(-1), G(-1)));
}
