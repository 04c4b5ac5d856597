// kill(2): targets by pid, group and everybody; the null signal; errors.
#include "check.h"

static volatile int hits;
static void handler(int sig) { hits++; }

TEST(self) {
    signal(SIGUSR1, handler);
    EXPECT_OK(kill(getpid(), SIGUSR1));
    EXPECT_EQ(1, hits);
    EXPECT_OK(kill(getpid(), 0));
    EXPECT_EQ(1, hits);
    EXPECT_EQ(0, RAW2(SYS_kill, GARBAGE(getpid()), GARBAGE(SIGUSR1)));
    EXPECT_EQ(2, hits);
}

TEST(errors) {
    EXPECT_ERRNO(EINVAL, kill(getpid(), 65));
    EXPECT_ERRNO(EINVAL, kill(getpid(), -1));
    EXPECT_ERRNO(ESRCH, kill(0x3ffffff0, 0));
    EXPECT_ERRNO(ESRCH, kill(-0x3ffffff0, SIGTERM));
    EXPECT_ERRNO(ESRCH, kill(INT_MIN, SIGTERM));
    EXPECT_ERRNO(EINVAL, syscall(SYS_tgkill, -1, getpid(), 0));
    EXPECT_ERRNO(EINVAL, syscall(SYS_tgkill, getpid(), 0, 0));
    EXPECT_ERRNO(ESRCH, syscall(SYS_tgkill, getpid(), 0x3ffffff0, 0));
    EXPECT_ERRNO(ESRCH, syscall(SYS_tgkill, 0x3ffffff0, getpid(), 0));
    EXPECT_ERRNO(EINVAL, syscall(SYS_tkill, 0, 0));
    EXPECT_ERRNO(ESRCH, syscall(SYS_tkill, 0x3ffffff0, 0));
    EXPECT_OK(syscall(SYS_tkill, getpid(), 0));
}

TEST(group) {
    int ready[2];
    NEED(pipe(ready));
    pid_t leader = CHILD({ setpgid(0, 0); tell(ready[1]); for (;;) pause(); });
    setpgid(leader, leader);
    pid_t member = CHILD({ setpgid(0, leader); tell(ready[1]); for (;;) pause(); });
    setpgid(member, leader);
    await_byte(ready[0]);
    await_byte(ready[0]);
    EXPECT_OK(kill(-leader, 0));
    EXPECT_OK(kill(-leader, SIGTERM));
    EXPECT_KILLED(SIGTERM, leader);
    EXPECT_KILLED(SIGTERM, member);
    EXPECT_ERRNO(ESRCH, kill(-leader, 0));
}

TEST(own_group_with_zero) {
    pid_t pid = CHILD({
        setpgid(0, 0);
        signal(SIGUSR1, handler);
        hits = 0;
        EXPECT_OK(kill(0, SIGUSR1));
        EXPECT_EQ(1, hits);
        signal(SIGTERM, SIG_DFL);
        fflush(stdout);
        kill(0, SIGTERM);
    });
    EXPECT_KILLED(SIGTERM, pid);
}

TEST(a_zombie_can_be_signalled) {
    siginfo_t info;
    pid_t pid = CHILD({});
    NEED(waitid(P_PID, pid, &info, WEXITED | WNOWAIT));
    EXPECT_OK(kill(pid, 0));
    EXPECT_OK(kill(pid, SIGKILL));
    EXPECT_EXIT(0, pid);
    EXPECT_ERRNO(ESRCH, kill(pid, 0));
}

TEST(sigkill_beats_everything) {
    int ready[2];
    NEED(pipe(ready));
    pid_t pid = CHILD({
        sigset_t all;
        sigfillset(&all);
        sigprocmask(SIG_SETMASK, &all, NULL);
        tell(ready[1]);
        char c;
        int own[2];
        NEED(pipe(own));
        read(own[0], &c, 1);
    });
    await_byte(ready[0]);
    EXPECT_OK(kill(pid, SIGTERM));
    EXPECT_OK(kill(pid, SIGKILL));
    EXPECT_KILLED(SIGKILL, pid);
}
