// vfork(2): the parent stands still until the child executes or exits; memory is shared.
#include "check.h"

TEST(memory_is_shared_and_the_parent_waits) {
    volatile int steps = 0;
    pid_t pid = vfork();
    if (pid == 0) {
        for (int i = 0; i < 100; i++) { syscall(SYS_getppid); steps++; }
        _exit(7);
    }
    EXPECT_EQ(100, steps);
    EXPECT_EXIT(7, pid);
}

TEST(exec_releases_the_parent) {
    int gate[2];
    NEED(pipe(gate));
    pid_t pid = vfork();
    if (pid == 0) {
        dup2(gate[0], 0);
        execl("/bin/sh", "sh", "-c", "read line; exit 12", (char *)0);
        _exit(1);
    }
    if (write(gate[1], "go\n", 3) != 3) _exit(1);
    EXPECT_EXIT(12, pid);
    close(gate[0]);
    close(gate[1]);
}

TEST(failed_exec_does_not) {
    volatile int error = 0;
    pid_t pid = vfork();
    if (pid == 0) {
        execl("/nonexistent", "x", (char *)0);
        error = errno;
        _exit(127);
    }
    EXPECT_EQ(ENOENT, error);
    EXPECT_EXIT(127, pid);
}

TEST(descriptors_are_not_shared) {
    int fd = NEED(open("/dev/null", O_RDONLY));
    pid_t pid = vfork();
    if (pid == 0) {
        close(fd);
        _exit(0);
    }
    EXPECT_EXIT(0, pid);
    EXPECT_OK(close(fd));
}

TEST(a_signal_kills_the_child_and_releases) {
    pid_t pid = vfork();
    if (pid == 0) {
        kill(getpid(), SIGKILL);
        _exit(0);
    }
    EXPECT_KILLED(SIGKILL, pid);
}
