// pipe(2): capacity, atomicity, end of file, non-blocking rules, flags.
// guest: unordered
#include "check.h"
#include <poll.h>

TEST(end_of_file) {
    int fds[2];
    char text[8];
    NEED(pipe(fds));
    NEED(write(fds[1], "abc", 3));
    close(fds[1]);
    EXPECT_EQ(2, read(fds[0], text, 2));
    EXPECT_EQ(1, read(fds[0], text, 8));
    EXPECT_EQ(0, read(fds[0], text, 8));
    EXPECT_ERRNO(EBADF, write(fds[0], "x", 1));
    close(fds[0]);
}

TEST(nonblocking) {
    int fds[2];
    static char block[70000];
    EXPECT_OK(pipe2(fds, O_NONBLOCK | O_CLOEXEC));
    EXPECT_EQ(FD_CLOEXEC, fcntl(fds[0], F_GETFD));
    EXPECT_ERRNO(EAGAIN, read(fds[0], block, 1));
    EXPECT_EQ(65536, write(fds[1], block, sizeof block));
    EXPECT_ERRNO(EAGAIN, write(fds[1], block, 1));
    EXPECT_EQ(4096, read(fds[0], block, 4096));
    EXPECT_EQ(4096, write(fds[1], block, 4096));
    EXPECT_EQ(100, read(fds[0], block, 100));
    EXPECT_ERRNO(EAGAIN, write(fds[1], block, 4096));
    close(fds[0]);
    close(fds[1]);
}

TEST(atomic_writes) {
    int fds[2];
    NEED(pipe(fds));
    pid_t kids[3];
    for (int k = 0; k < 3; k++) kids[k] = CHILD({
        char record[500];
        memset(record, 'a' + k, sizeof record);
        for (int i = 0; i < 100; i++) if (write(fds[1], record, sizeof record) != sizeof record) _exit(1);
    });
    close(fds[1]);
    int torn = 0, counts[3] = {0};
    char record[500];
    for (;;) {
        size_t have = 0;
        long n;
        while (have < sizeof record && (n = read(fds[0], record + have, sizeof record - have)) > 0) have += n;
        if (have == 0) break;
        for (size_t i = 1; i < have; i++) torn += record[i] != record[0];
        if (record[0] >= 'a' && record[0] <= 'c') counts[record[0] - 'a']++;
    }
    EXPECT_EQ(0, torn);
    EXPECT_EQ(100, counts[0]);
    EXPECT_EQ(100, counts[1]);
    EXPECT_EQ(100, counts[2]);
    for (int k = 0; k < 3; k++) EXPECT_EXIT(0, kids[k]);
}

TEST(a_large_blocking_write_goes_through) {
    int fds[2];
    size_t size = 500000, got = 0;
    NEED(pipe(fds));
    pid_t pid = CHILD({ close(fds[0]); char *data = calloc(1, size); EXPECT_EQ(size, write(fds[1], data, size)); });
    close(fds[1]);
    char block[10000];
    long n;
    while ((n = read(fds[0], block, sizeof block)) > 0) got += n;
    EXPECT_EQ(size, got);
    EXPECT_EXIT(0, pid);
}

TEST(errors) {
    EXPECT_EQ(-EFAULT, RAW1(SYS_pipe, BAD_PTR));
    EXPECT_EQ(-EINVAL, RAW2(SYS_pipe2, BAD_PTR, 0x1000000));
    int fds[2];
    NEED(pipe(fds));
    struct pollfd entries[] = {{fds[0], POLLIN, 0}, {fds[1], POLLOUT, 0}};
    poll(entries, 2, 0);
    EXPECT_EQ(0, entries[0].revents);
    EXPECT_EQ(POLLOUT, entries[1].revents);
    close(fds[0]);
    poll(entries + 1, 1, 0);
    EXPECT_EQ(POLLOUT | POLLERR, entries[1].revents);
    NEED(pipe(fds));
    close(fds[1]);
    entries[0].fd = fds[0];
    poll(entries, 1, 0);
    EXPECT_EQ(POLLHUP, entries[0].revents);
}
