// wait4(2): selection by pid and process group, WNOHANG, bad arguments.
#include "check.h"
#include <sys/resource.h>

TEST(no_child) {
    EXPECT_ERRNO(ECHILD, wait(NULL));
    EXPECT_ERRNO(ECHILD, waitpid(-1, NULL, WNOHANG));
    EXPECT_ERRNO(ECHILD, waitpid(1, NULL, 0));
    EXPECT_ERRNO(ECHILD, waitpid(getpid(), NULL, 0));
    EXPECT_ERRNO(ESRCH, waitpid(INT_MIN, NULL, 0));
}

TEST(bad_options) {
    EXPECT_ERRNO(EINVAL, waitpid(-1, NULL, 0x100));
    EXPECT_ERRNO(EINVAL, waitpid(-1, NULL, WEXITED));
    EXPECT_ERRNO(EINVAL, wait4(-1, NULL, ~0, NULL));
}

TEST(nohang_of_a_living_child) {
    int gate[2], status = 77;
    NEED(pipe(gate));
    pid_t pid = CHILD({ await_byte(gate[0]); });
    EXPECT_EQ(0, waitpid(pid, &status, WNOHANG));
    EXPECT_EQ(77, status);
    EXPECT_EQ(0, waitpid(-1, &status, WNOHANG));
    tell(gate[1]);
    EXPECT_EXIT(0, pid);
    close(gate[0]);
    close(gate[1]);
}

TEST(by_process_group) {
    int gate[2], status;
    NEED(pipe(gate));
    pid_t other = CHILD({ setpgid(0, 0); await_byte(gate[0]); _exit(5); });
    setpgid(other, other);
    pid_t mine = CHILD({ _exit(6); });
    EXPECT_EQ(0, waitpid(-other, &status, WNOHANG));
    EXPECT_TRUE(waitpid(0, &status, 0) == mine);
    EXPECT_EQ(0x600, status);
    EXPECT_ERRNO(ECHILD, waitpid(0, &status, 0));
    EXPECT_EQ(0, waitpid(-1, &status, WNOHANG));
    tell(gate[1]);
    EXPECT_TRUE(waitpid(-other, &status, 0) == other);
    EXPECT_EQ(0x500, status);
    EXPECT_ERRNO(ECHILD, waitpid(-other, &status, 0));
}

TEST(results_and_bad_pointers) {
    struct rusage usage;
    memset(&usage, 0xff, sizeof usage);
    pid_t pid = CHILD({ _exit(1); });
    EXPECT_TRUE(wait4(pid, NULL, 0, &usage) == pid);
    EXPECT_TRUE(usage.ru_maxrss > 0);
    EXPECT_TRUE(usage.ru_utime.tv_sec == 0);
    pid = CHILD({});
    EXPECT_TRUE(RAW4(SYS_wait4, GARBAGE(pid), 0, GARBAGE(0), 0) == pid);
    pid = CHILD({});
    EXPECT_ERRNO(EFAULT, wait4(pid, BAD_PTR, 0, NULL));
    SHOW(waitpid(pid, NULL, 0) == -1 ? errno : 0);
}

TEST(ignored_sigchld_reaps_by_itself) {
    signal(SIGCHLD, SIG_IGN);
    CHILD({});
    CHILD({});
    EXPECT_ERRNO(ECHILD, wait(NULL));
    signal(SIGCHLD, SIG_DFL);
    pid_t pid = CHILD({ _exit(1); });
    EXPECT_EXIT(1, pid);
}

TEST(clone_wait_flags) {
    pid_t pid = syscall(SYS_clone, 0, NULL, NULL, NULL, NULL);
    if (pid == 0) _exit(4);
    int status;
    EXPECT_ERRNO(ECHILD, waitpid(pid, &status, 0));
    EXPECT_TRUE(waitpid(pid, &status, __WCLONE) == pid);
    EXPECT_EQ(0x400, status);
    pid = CHILD({ _exit(2); });
    EXPECT_ERRNO(ECHILD, waitpid(pid, &status, __WCLONE));
    EXPECT_TRUE(waitpid(pid, &status, __WALL) == pid);
}
