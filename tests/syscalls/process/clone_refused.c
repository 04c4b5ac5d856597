// clone(2), clone3(2), execveat(2), setns(2), setpgid(2): arguments that are refused whatever the kernel offers.
#include "check.h"
#include <linux/sched.h>
#include <sched.h>

static struct clone_args args;
static long call(size_t size) {
    long pid = RAW2(SYS_clone3, &args, size);
    if (pid == 0) _exit(0);
    if (pid > 0) reap(pid);
    return pid;
}
#define REFUSED(error, ...) do { args = (struct clone_args){.exit_signal = SIGCHLD}; __VA_ARGS__; EXPECT_EQ(-(error), call(sizeof args)); } while (0)

TEST(clone3_arguments) {
    static int tid;
    REFUSED(EINVAL, args.exit_signal = 65);
    REFUSED(EINVAL, args.exit_signal = SIGCHLD | 0x100);
    REFUSED(EINVAL, args.stack = (uintptr_t)&args);
    REFUSED(EINVAL, args.stack_size = 4096);
    REFUSED(EINVAL, args.flags = 0x7f);
    REFUSED(EINVAL, args.flags = CLONE_DETACHED);
    REFUSED(EINVAL, args.flags = 1ull << 40);
    REFUSED(EINVAL, args.flags = CLONE_THREAD);
    REFUSED(EINVAL, args.flags = CLONE_PARENT);
    REFUSED(EINVAL, args.flags = CLONE_SIGHAND);
    REFUSED(EINVAL, args.flags = CLONE_VM | CLONE_SIGHAND | CLONE_CLEAR_SIGHAND);
    REFUSED(EINVAL, args.flags = CLONE_FS | CLONE_NEWNS);
    REFUSED(EINVAL, args.set_tid_size = 1);
    REFUSED(EINVAL, args.set_tid_size = 33; args.set_tid = (uintptr_t)&tid);
    REFUSED(EINVAL, args.set_tid = (uintptr_t)&tid);
    REFUSED(EINVAL, args.set_tid_size = 1; args.set_tid = (uintptr_t)&tid);
    tid = -1;
    REFUSED(EINVAL, args.set_tid_size = 1; args.set_tid = (uintptr_t)&tid);
    REFUSED(EFAULT, args.set_tid_size = 1; args.set_tid = (uintptr_t)BAD_PTR);
    REFUSED(EBADF, args.flags = CLONE_INTO_CGROUP; args.cgroup = 1);
    REFUSED(EINVAL, args.flags = CLONE_INTO_CGROUP; args.cgroup = (uint64_t)-1);
    static char larger[128];
    larger[127] = 1;
    EXPECT_EQ(-E2BIG, RAW2(SYS_clone3, larger, sizeof larger));
}

TEST(clone_flags) {
    EXPECT_EQ(-EINVAL, RAW5(SYS_clone, CLONE_THREAD | SIGCHLD, 0, 0, 0, 0));
    EXPECT_EQ(-EINVAL, RAW5(SYS_clone, CLONE_SIGHAND | SIGCHLD, 0, 0, 0, 0));
    EXPECT_EQ(-EINVAL, RAW5(SYS_clone, CLONE_THREAD | CLONE_SIGHAND, 0, 0, 0, 0));
    EXPECT_EQ(-EINVAL, RAW5(SYS_clone, CLONE_NEWPID | CLONE_THREAD | CLONE_SIGHAND | CLONE_VM, 0, 0, 0, 0));
    EXPECT_EQ(-EINVAL, RAW5(SYS_clone, CLONE_FS | CLONE_NEWNS | SIGCHLD, 0, 0, 0, 0));
}

TEST(setns_of_a_user_namespace) {
    int own = NEED(open("/proc/self/ns/user", O_RDONLY | O_CLOEXEC));
    EXPECT_ERRNO(EINVAL, setns(own, 0));
    EXPECT_ERRNO(EINVAL, setns(own, CLONE_NEWUSER));
    EXPECT_ERRNO(EINVAL, setns(own, CLONE_NEWUTS));
    close(own);
    own = NEED(RAW2(SYS_pidfd_open, getpid(), 0));
    EXPECT_ERRNO(EINVAL, setns(own, CLONE_NEWUSER));
    EXPECT_ERRNO(EINVAL, setns(own, 0));
    EXPECT_ERRNO(EINVAL, setns(own, 1));
    close(own);
}

TEST(script_behind_a_descriptor_that_closes) {
    int fd = make_file("script", "#!/bin/true\n");
    NEED(fchmod(fd, 0755));
    close(fd);
    char *argv[] = {"script", NULL}, *none[] = {NULL};
    fd = NEED(open("script", O_RDONLY | O_CLOEXEC));
    EXPECT_ERRNO(ENOENT, syscall(SYS_execveat, fd, "", argv, none, AT_EMPTY_PATH));
    close(fd);
    fd = NEED(open(".", O_RDONLY | O_CLOEXEC | O_DIRECTORY));
    EXPECT_ERRNO(ENOENT, syscall(SYS_execveat, fd, "script", argv, none, 0));
    close(fd);
    pid_t pid = CHILD({
        fd = NEED(open(".", O_RDONLY | O_DIRECTORY));
        syscall(SYS_execveat, fd, "script", argv, none, 0);
        _exit(1);
    });
    EXPECT_EXIT(0, pid);
    unlink("script");
}

TEST(negative_process_groups) {
    EXPECT_ERRNO(EINVAL, setpgid(-1, 0));
    EXPECT_ERRNO(EINVAL, setpgid(0, -1));
    EXPECT_ERRNO(ESRCH, setpgid(0x3ffffff0, 0));
}
