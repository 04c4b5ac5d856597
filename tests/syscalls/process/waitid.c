// waitid(2): siginfo, WNOWAIT, the four id types.
#include "check.h"

static void show(const char *what, siginfo_t *info, pid_t pid) {
    printf("%s: signo %d code %d status %d errno %d pid %s\n", what, info->si_signo, info->si_code, info->si_status, info->si_errno,
           info->si_pid == pid ? "child" : info->si_pid == 0 ? "zero" : "other");
    memset(info, 0x5a, sizeof *info);
}

TEST(exited_killed_stopped_continued) {
    siginfo_t info;
    pid_t pid = CHILD({ _exit(9); });
    EXPECT_EQ(0, waitid(P_PID, pid, &info, WEXITED));
    show("exited", &info, pid);
    pid = CHILD({ raise(SIGKILL); });
    EXPECT_EQ(0, waitid(P_ALL, 0, &info, WEXITED));
    show("killed", &info, pid);
    int gate[2];
    NEED(pipe(gate));
    pid = CHILD({ raise(SIGSTOP); await_byte(gate[0]); _exit(0); });
    EXPECT_EQ(0, waitid(P_PID, pid, &info, WSTOPPED));
    show("stopped", &info, pid);
    EXPECT_OK(kill(pid, SIGCONT));
    EXPECT_EQ(0, waitid(P_PID, pid, &info, WCONTINUED));
    show("continued", &info, pid);
    tell(gate[1]);
    EXPECT_EQ(0, waitid(P_PID, pid, &info, WEXITED));
    show("exited", &info, pid);
}

TEST(nowait_leaves_it_waitable) {
    siginfo_t info;
    pid_t pid = CHILD({ _exit(4); });
    EXPECT_EQ(0, waitid(P_PID, pid, &info, WEXITED | WNOWAIT));
    show("nowait", &info, pid);
    EXPECT_EQ(0, waitid(P_PID, pid, &info, WEXITED | WNOWAIT | WNOHANG));
    show("nowait again", &info, pid);
    EXPECT_EXIT(4, pid);
    EXPECT_ERRNO(ECHILD, waitid(P_PID, pid, &info, WEXITED | WNOWAIT));
}

TEST(nohang_clears_the_info) {
    int gate[2];
    siginfo_t info;
    NEED(pipe(gate));
    pid_t pid = CHILD({ await_byte(gate[0]); });
    memset(&info, 0x5a, sizeof info);
    EXPECT_EQ(0, waitid(P_PID, pid, &info, WEXITED | WNOHANG));
    EXPECT_EQ(0, info.si_pid);
    EXPECT_EQ(0, info.si_signo);
    tell(gate[1]);
    EXPECT_EXIT(0, pid);
}

TEST(bad_arguments) {
    siginfo_t info;
    EXPECT_ERRNO(EINVAL, waitid(P_ALL, 0, &info, 0));
    EXPECT_ERRNO(EINVAL, waitid(P_ALL, 0, &info, WNOHANG));
    EXPECT_ERRNO(EINVAL, waitid(99, 0, &info, WEXITED));
    EXPECT_ERRNO(EINVAL, waitid(P_PID, 0, &info, WEXITED));
    EXPECT_ERRNO(EINVAL, waitid(P_PID, (id_t)-1, &info, WEXITED));
    EXPECT_ERRNO(ECHILD, waitid(P_ALL, 0, &info, WEXITED));
    EXPECT_ERRNO(ECHILD, waitid(P_PGID, 0, &info, WEXITED));
}

TEST(by_process_group) {
    siginfo_t info;
    pid_t pid = CHILD({ _exit(1); });
    EXPECT_EQ(0, waitid(P_PGID, getpgrp(), &info, WEXITED));
    show("pgid", &info, pid);
    pid = CHILD({ _exit(2); });
    EXPECT_EQ(0, waitid(P_PGID, 0, NULL, WEXITED));
    EXPECT_ERRNO(ECHILD, waitpid(pid, NULL, 0));
}
