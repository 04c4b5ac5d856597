// setsid(2), getsid(2), setpgid(2), getpgid(2): who leads what, and who may not move.
#include "check.h"

TEST(a_leader_cannot_make_a_session) {
    pid_t pid = CHILD({
        EXPECT_OK(setpgid(0, 0));
        EXPECT_ERRNO(EPERM, setsid());
    });
    EXPECT_EXIT(0, pid);
}

TEST(setsid_makes_session_and_group) {
    pid_t pid = CHILD({
        EXPECT_TRUE(getsid(0) != getpid());
        EXPECT_TRUE(setsid() == getpid());
        EXPECT_TRUE(getsid(0) == getpid());
        EXPECT_TRUE(getpgrp() == getpid());
        EXPECT_ERRNO(EPERM, setsid());
        EXPECT_ERRNO(EPERM, setpgid(0, 0));
        EXPECT_ERRNO(ENXIO, open("/dev/tty", O_RDWR));
    });
    EXPECT_EXIT(0, pid);
}

TEST(setpgid_of_a_child) {
    int gate[2];
    NEED(pipe(gate));
    pid_t pid = CHILD({ await_byte(gate[0]); });
    EXPECT_TRUE(getpgid(pid) == getpgrp());
    EXPECT_OK(setpgid(pid, 0));
    EXPECT_TRUE(getpgid(pid) == pid);
    EXPECT_OK(setpgid(pid, getpgrp()));
    EXPECT_TRUE(getpgid(pid) == getpgrp());
    EXPECT_OK(setpgid(pid, pid));
    pid_t second = CHILD({ await_byte(gate[0]); });
    EXPECT_OK(setpgid(second, pid));
    EXPECT_TRUE(getpgid(second) == pid);
    tell(gate[1]);
    tell(gate[1]);
    EXPECT_EXIT(0, pid);
    EXPECT_EXIT(0, second);
}

TEST(a_child_in_another_session_cannot_be_moved) {
    int ready[2], gate[2];
    NEED(pipe(ready));
    NEED(pipe(gate));
    pid_t pid = CHILD({ setsid(); tell(ready[1]); await_byte(gate[0]); });
    await_byte(ready[0]);
    EXPECT_ERRNO(EPERM, setpgid(pid, getpgrp()));
    EXPECT_TRUE(getsid(pid) == pid);
    tell(gate[1]);
    EXPECT_EXIT(0, pid);
}

TEST(bad_arguments) {
    EXPECT_ERRNO(EINVAL, setpgid(0, -1));
    EXPECT_ERRNO(ESRCH, setpgid(0x7ffffff0, 0));
    EXPECT_ERRNO(ESRCH, getpgid(0x7ffffff0));
    EXPECT_ERRNO(ESRCH, getsid(0x7ffffff0));
    EXPECT_ERRNO(ESRCH, getpgid(-1));
    pid_t pid = CHILD({
        NEED(setpgid(0, 0));
        EXPECT_ERRNO(EPERM, setpgid(0, 0x3ffffff0));
        EXPECT_ERRNO(ESRCH, setpgid(getppid(), 0));
    });
    EXPECT_EXIT(0, pid);
}

TEST(setpgid_after_exec_of_the_child) {
    int ready[2], gate[2];
    NEED(pipe(ready));
    NEED(pipe(gate));
    pid_t pid = CHILD({
        dup2(ready[1], 1);
        dup2(gate[0], 0);
        execl("/bin/sh", "sh", "-c", "echo; read x", (char *)0);
    });
    await_byte(ready[0]);
    EXPECT_ERRNO(EACCES, setpgid(pid, pid));
    if (write(gate[1], "\n", 1) != 1) _exit(1);
    EXPECT_EXIT(0, pid);
}
