// pidfd_send_signal(2): to a thread, a process or a process group, by its flags (Linux 6.9).
#include "check.h"

enum { THREAD = 1, PROCESS = 2, GROUP = 4 };

static long send_to(int fd, int signal, siginfo_t *info, unsigned flags) { return syscall(SYS_pidfd_send_signal, fd, signal, info, flags); }

static pid_t sleeper(void) {
    return CHILD({ for (;;) pause(); });
}

TEST(each_scope) {
    for (unsigned flags = 0; flags < 9; flags++) {
        pid_t pid = sleeper();
        int fd = NEED(syscall(SYS_pidfd_open, pid, 0)), status = 0;
        NEED(setpgid(pid, pid));
        long result = send_to(fd, SIGUSR1, NULL, flags);
        printf("flags %u: %s\n", flags, result ? check_errno_name(errno) : "ok");
        if (result) kill(pid, SIGKILL);
        waitpid(pid, &status, 0);
        printf("killed by %d\n", WTERMSIG(status));
        printf("over: %s", send_to(fd, 0, NULL, flags) ? check_errno_name(errno) : "ok");
        puts("");
        close(fd);
    }
}

TEST(a_group) {
    pid_t first = sleeper(), second = sleeper();
    NEED(setpgid(first, 0));
    NEED(setpgid(second, first));
    int fd = NEED(syscall(SYS_pidfd_open, first, 0)), other = NEED(syscall(SYS_pidfd_open, second, 0)), status = 0;
    EXPECT_ERRNO(ESRCH, send_to(other, 0, NULL, GROUP));
    EXPECT_OK(send_to(fd, 0, NULL, GROUP));
    EXPECT_OK(send_to(fd, SIGUSR2, NULL, GROUP));
    NEED(waitpid(first, &status, 0));
    EXPECT_EQ(SIGUSR2, WTERMSIG(status));
    NEED(waitpid(second, &status, 0));
    EXPECT_EQ(SIGUSR2, WTERMSIG(status));
    close(fd);
    close(other);
}

TEST(what_is_told) {
    sigset_t set;
    siginfo_t info = {.si_signo = SIGUSR1, .si_code = SI_QUEUE}, seen;
    int fd = NEED(syscall(SYS_pidfd_open, getpid(), 0));
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    NEED(sigprocmask(SIG_BLOCK, &set, NULL));
    for (unsigned flags = 0; flags < 3; flags++) {
        NEED(send_to(fd, SIGUSR1, NULL, flags));
        NEED(sigwaitinfo(&set, &seen));
        printf("flags %u: code %d own %d\n", flags, seen.si_code, seen.si_pid == getpid());
        EXPECT_OK(send_to(fd, SIGUSR1, &info, flags));
        NEED(sigwaitinfo(&set, &seen));
        EXPECT_EQ(SI_QUEUE, seen.si_code);
    }
    info.si_code = SI_USER;
    EXPECT_OK(send_to(fd, SIGUSR1, &info, PROCESS));
    NEED(sigwaitinfo(&set, &seen));
    setpgid(0, 0); /* a session's leader leads its group already */
    EXPECT_ERRNO(EPERM, send_to(fd, SIGUSR1, &info, GROUP));
    info.si_signo = SIGUSR2;
    EXPECT_ERRNO(EINVAL, send_to(fd, SIGUSR1, &info, THREAD));
}
