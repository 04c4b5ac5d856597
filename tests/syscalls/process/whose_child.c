// waitid(2): si_uid is the child's; pidfds of what was waited for; kcmp(2) of what epoll watches; SigQ.
#include "check.h"
#include <grp.h>
#include <linux/kcmp.h>
#include <poll.h>
#include <sys/epoll.h>

TEST(uids_of_children) {
    int ends[2];
    NEED(pipe(ends));
    pid_t pid = CHILD({
        if (getuid() == 0) NEED(setgroups(0, NULL) || setresgid(1000, 1000, 1000) || setresuid(1000, 1000, 1000) ? -1 : 0);
        await_byte(ends[0]);
        _exit(7);
    });
    siginfo_t info = {0};
    EXPECT_OK(waitid(P_PID, pid, &info, WEXITED | WNOHANG));
    EXPECT_EQ(0, info.si_pid);
    tell(ends[1]);
    EXPECT_OK(waitid(P_PID, pid, &info, WEXITED | WNOWAIT));
    EXPECT_EQ(getuid() ? getuid() : 1000, info.si_uid);
    memset(&info, 0, sizeof info);
    EXPECT_OK(waitid(P_ALL, 0, &info, WEXITED));
    EXPECT_EQ(getuid() ? getuid() : 1000, info.si_uid);
    EXPECT_EQ(pid, info.si_pid);
    EXPECT_EQ(7, info.si_status);
    EXPECT_EQ(CLD_EXITED, info.si_code);
    EXPECT_EQ(SIGCHLD, info.si_signo);
    pid = CHILD({ _exit(8); });
    EXPECT_ERRNO(EFAULT, waitid(P_PID, pid, BAD_PTR, WEXITED));
    EXPECT_ERRNO(ECHILD, waitid(P_PID, pid, &info, WEXITED));
    pid = CHILD({ _exit(9); });
    EXPECT_OK(waitid(P_PID, pid, NULL, WEXITED));
}

TEST(stops_and_continuations) {
    pid_t pid = CHILD({ raise(SIGSTOP); });
    siginfo_t info = {0};
    EXPECT_OK(waitid(P_PID, pid, &info, WSTOPPED));
    EXPECT_EQ(getuid(), info.si_uid);
    EXPECT_EQ(CLD_STOPPED, info.si_code);
    EXPECT_OK(kill(pid, SIGCONT));
    EXPECT_OK(waitid(P_PID, pid, &info, WCONTINUED | WEXITED));
    EXPECT_EQ(getuid(), info.si_uid);
    reap(pid);
}

TEST(a_pidfd_hangs_up_when_its_process_was_waited_for) {
    int ends[2];
    NEED(pipe(ends));
    pid_t pid = CHILD({ await_byte(ends[0]); });
    int pidfd = NEED(syscall(SYS_pidfd_open, pid, 0));
    struct pollfd poll_fd = {pidfd, POLLIN, 0};
    EXPECT_EQ(0, poll(&poll_fd, 1, 0));
    tell(ends[1]);
    EXPECT_EQ(1, poll(&poll_fd, 1, -1));
    EXPECT_EQ(POLLIN, poll_fd.revents);
    reap(pid);
    EXPECT_EQ(1, poll(&poll_fd, 1, -1));
    SHOW(poll_fd.revents & POLLHUP);
    char c;
    EXPECT_ERRNO(EINVAL, read(pidfd, &c, 1));
    EXPECT_ERRNO(ESPIPE, lseek(pidfd, 0, SEEK_SET));
    close(pidfd);
}

static long watched(int fd, struct kcmp_epoll_slot *slot) { return syscall(SYS_kcmp, getpid(), getpid(), KCMP_EPOLL_TFD, fd, slot); }

TEST(what_epoll_watches) {
    int epoll = NEED(epoll_create1(0)), ends[2];
    NEED(pipe(ends));
    struct epoll_event event = {EPOLLIN, {0}};
    NEED(epoll_ctl(epoll, EPOLL_CTL_ADD, ends[0], &event));
    struct kcmp_epoll_slot slot = {epoll, ends[0], 0};
    EXPECT_EQ(0, watched(ends[0], &slot));
    EXPECT_TRUE(watched(ends[1], &slot) > 0);
    EXPECT_ERRNO(EBADF, watched(999, &slot));
    EXPECT_ERRNO(EFAULT, watched(ends[0], BAD_PTR));
    slot.toff = 1;
    EXPECT_ERRNO(ENOENT, watched(ends[0], &slot));
    slot.toff = 0;
    slot.tfd = ends[1];
    EXPECT_ERRNO(ENOENT, watched(ends[0], &slot));
    slot.efd = ends[0];
    EXPECT_ERRNO(EINVAL, watched(ends[0], &slot));
    slot.efd = 999;
    EXPECT_ERRNO(EBADF, watched(ends[0], &slot));
}
