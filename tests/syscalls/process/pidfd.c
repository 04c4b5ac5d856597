// pidfd_open(2), pidfd_send_signal(2): a descriptor for a process, readable when it is over.
#include "check.h"
#include <poll.h>

static int pidfd_of(pid_t pid, unsigned flags) { return syscall(SYS_pidfd_open, pid, flags); }

TEST(poll_tells_the_end) {
    int gate[2];
    NEED(pipe(gate));
    pid_t pid = CHILD({ await_byte(gate[0]); _exit(3); });
    int fd = EXPECT_OK(pidfd_of(pid, 0));
    struct pollfd entry = {fd, POLLIN, 0};
    EXPECT_EQ(0, poll(&entry, 1, 0));
    EXPECT_EQ(FD_CLOEXEC, fcntl(fd, F_GETFD));
    tell(gate[1]);
    EXPECT_EQ(1, poll(&entry, 1, -1));
    EXPECT_EQ(POLLIN, entry.revents & POLLIN);
    siginfo_t info;
    EXPECT_OK(waitid(P_PIDFD, fd, &info, WEXITED));
    EXPECT_EQ(3, info.si_status);
    EXPECT_ERRNO(ESRCH, syscall(SYS_pidfd_send_signal, fd, 0, NULL, 0));
    close(fd);
}

TEST(send_signal) {
    pid_t pid = CHILD({ for (;;) pause(); });
    int fd = EXPECT_OK(pidfd_of(pid, 0));
    EXPECT_OK(syscall(SYS_pidfd_send_signal, fd, 0, NULL, 0));
    EXPECT_ERRNO(EINVAL, syscall(SYS_pidfd_send_signal, fd, 0, NULL, 0x40000000));
    EXPECT_OK(syscall(SYS_pidfd_send_signal, fd, SIGKILL, NULL, 0));
    EXPECT_KILLED(SIGKILL, pid);
    close(fd);
}

TEST(bad_arguments) {
    EXPECT_ERRNO(EINVAL, pidfd_of(0, 0));
    EXPECT_ERRNO(EINVAL, pidfd_of(-1, 0));
    EXPECT_ERRNO(EINVAL, pidfd_of(getpid(), 0x40000000));
    EXPECT_ERRNO(ESRCH, pidfd_of(0x3ffffff0, 0));
    EXPECT_ERRNO(EBADF, syscall(SYS_pidfd_send_signal, -1, 0, NULL, 0));
    EXPECT_ERRNO(EBADF, syscall(SYS_pidfd_send_signal, 0, 0, NULL, 0));
}

TEST(send_signal_by_a_folder_of_proc) {
    char name[64];
    pid_t pid = CHILD({ for (;;) pause(); });
    sprintf(name, "/proc/%d", pid);
    int fd = NEED(open(name, O_RDONLY | O_DIRECTORY));
    sprintf(name, "/proc/%d/task/%d", pid, pid);
    int thread = NEED(open(name, O_RDONLY | O_DIRECTORY));
    int other = NEED(open("/proc", O_RDONLY | O_DIRECTORY));
    EXPECT_ERRNO(EBADF, syscall(SYS_pidfd_send_signal, thread, 0, NULL, 0));
    EXPECT_ERRNO(EBADF, syscall(SYS_pidfd_send_signal, other, 0, NULL, 0));
    EXPECT_OK(syscall(SYS_pidfd_send_signal, fd, 0, NULL, 0));
    EXPECT_OK(syscall(SYS_pidfd_send_signal, fd, SIGTERM, NULL, 0));
    EXPECT_KILLED(SIGTERM, pid);
    EXPECT_ERRNO(ESRCH, syscall(SYS_pidfd_send_signal, fd, 0, NULL, 0));
    close(fd);
    close(thread);
    close(other);
}

TEST(read_is_refused) {
    char c;
    int fd = EXPECT_OK(pidfd_of(getpid(), 0));
    EXPECT_ERRNO(EINVAL, read(fd, &c, 1));
    EXPECT_ERRNO(EINVAL, write(fd, "x", 1));
    close(fd);
}

static int getfd(int pidfd, int fd, unsigned flags) { return syscall(SYS_pidfd_getfd, pidfd, fd, flags); }

TEST(getfd_copies_a_descriptor) {
    int ready[2], gate[2], number[2];
    NEED(pipe(ready));
    NEED(pipe(gate));
    NEED(pipe(number));
    pid_t pid = CHILD({
        int fd = NEED(open("shared", O_RDWR | O_CREAT, 0644));
        NEED(write(fd, "abc", 3));
        NEED(write(number[1], &fd, sizeof fd));
        await_byte(gate[0]);
        _exit(lseek(fd, 0, SEEK_CUR) == 1 ? 5 : 1);
    });
    int theirs;
    NEED(read(number[0], &theirs, sizeof theirs));
    int pidfd = NEED(pidfd_of(pid, 0));
    int copy = EXPECT_OK(getfd(pidfd, theirs, 0));
    EXPECT_EQ(FD_CLOEXEC, fcntl(copy, F_GETFD));
    EXPECT_EQ(3, lseek(copy, 0, SEEK_CUR));
    EXPECT_EQ(1, lseek(copy, 1, SEEK_SET));
    EXPECT_ERRNO(EBADF, getfd(pidfd, 999, 0));
    EXPECT_ERRNO(EBADF, getfd(copy, 1, 0));
    EXPECT_ERRNO(EINVAL, getfd(pidfd, theirs, 1));
    tell(gate[1]);
    EXPECT_EXIT(5, pid);
    EXPECT_ERRNO(ESRCH, getfd(pidfd, 1, 0));
}

TEST(a_sleeping_poll_wakes) {
    int gate[2];
    NEED(pipe(gate));
    pid_t pid = CHILD({
        await_byte(gate[0]);
        nanosleep(&(struct timespec){0, 100000000}, NULL);  // until the parent sleeps in poll
    });
    struct pollfd entry = {NEED(pidfd_of(pid, 0)), POLLIN, 0};
    tell(gate[1]);
    EXPECT_EQ(1, poll(&entry, 1, 10000));
    EXPECT_EXIT(0, pid);
}
