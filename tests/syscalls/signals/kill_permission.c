// kill(2): who may signal whom, by real, effective and saved ids; SIGCONT within a session.
// guest: root
#include "check.h"

static int ready[2];

static pid_t sleeper(uid_t real, uid_t effective, uid_t saved, int new_session) {
    pid_t pid = CHILD({
        if (new_session) setsid();
        NEED(setresuid(real, effective, saved));
        tell(ready[1]);
        for (;;) pause();
    });
    await_byte(ready[0]);
    return pid;
}

TEST(matrix) {
    NEED(pipe(ready));
    pid_t same = sleeper(1000, 1000, 1000, 0), other = sleeper(1001, 1001, 1001, 0), saved = sleeper(1001, 1001, 1000, 0);
    pid_t effective_only = sleeper(1001, 1000, 1001, 0), away = sleeper(1001, 1001, 1001, 1), root = getpid();
    pid_t pid = CHILD({
        NEED(setresuid(1000, 1000, 1000));
        EXPECT_OK(kill(same, 0));
        EXPECT_ERRNO(EPERM, kill(other, 0));
        EXPECT_ERRNO(EPERM, kill(other, SIGTERM));
        EXPECT_OK(kill(saved, 0));
        EXPECT_ERRNO(EPERM, kill(effective_only, 0));
        EXPECT_ERRNO(EPERM, kill(root, SIGTERM));
        EXPECT_OK(kill(other, SIGCONT));
        EXPECT_ERRNO(EPERM, kill(away, SIGCONT));
        EXPECT_ERRNO(EPERM, syscall(SYS_tgkill, other, other, SIGUSR1));
        EXPECT_ERRNO(EINVAL, kill(other, 99));
    });
    EXPECT_EXIT(0, pid);
    pid_t all[] = {same, other, saved, effective_only, away};
    for (int i = 0; i < 5; i++) {
        EXPECT_OK(kill(all[i], SIGKILL));
        EXPECT_KILLED(SIGKILL, all[i]);
    }
}

TEST(a_group_needs_one_permitted_member) {
    int up[2];
    NEED(pipe(up));
    pid_t leader = CHILD({ setpgid(0, 0); NEED(setresuid(1001, 1001, 1001)); tell(up[1]); for (;;) pause(); });
    await_byte(up[0]);
    pid_t friend = CHILD({ setpgid(0, leader); NEED(setresuid(1000, 1000, 1000)); tell(up[1]); for (;;) pause(); });
    await_byte(up[0]);
    pid_t pid = CHILD({ NEED(setresuid(1000, 1000, 1000)); EXPECT_OK(kill(-leader, SIGTERM)); });
    EXPECT_EXIT(0, pid);
    EXPECT_KILLED(SIGTERM, friend);
    pid = CHILD({ NEED(setresuid(1000, 1000, 1000)); EXPECT_ERRNO(EPERM, kill(-leader, SIGTERM)); });
    EXPECT_EXIT(0, pid);
    kill(leader, SIGKILL);
    EXPECT_KILLED(SIGKILL, leader);
}
