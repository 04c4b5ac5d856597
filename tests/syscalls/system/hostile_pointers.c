// Every call that takes a pointer, with pointers that lead nowhere: an errno, never a crash, never success.
#include "check.h"

struct row { const char *name; long nr; long a[6]; };
#define X 0x7ead0000dead00L
#define CALL(name, ...) {#name, SYS_##name, {__VA_ARGS__}}

static struct row rows[] = {
    CALL(read, 100, X, 10), CALL(write, 100, X, 10), CALL(open, X, 0), CALL(stat, X, X), CALL(fstat, 100, X), CALL(lstat, X, X),
    CALL(rt_sigaction, 10, X, 0, 8), CALL(rt_sigprocmask, 0, X, 0, 8), CALL(pread64, 100, X, 10, 0), CALL(pwrite64, 100, X, 10, 0),
    CALL(readv, 100, X, 2), CALL(writev, 100, X, 2), CALL(access, X, 0), CALL(pipe, X), CALL(select, 5, X, 0, 0, 0), CALL(mincore, X & ~4095, 4096, X),
    CALL(nanosleep, X, 0), CALL(getitimer, 0, X), CALL(setitimer, 0, X, 0), CALL(uname, X), CALL(getcwd, X, 100), CALL(chdir, X), CALL(rename, X, X),
    CALL(mkdir, X, 0755), CALL(rmdir, X), CALL(creat, X, 0), CALL(link, X, X), CALL(unlink, X), CALL(symlink, X, X), CALL(readlink, X, X, 10),
    CALL(chmod, X, 0), CALL(chown, X, 0, 0), CALL(lchown, X, 0, 0), CALL(gettimeofday, X, 0), CALL(getrlimit, 0, X), CALL(getrusage, 0, X),
    CALL(sysinfo, X), CALL(times, X), CALL(getgroups, 100, X), CALL(getresuid, X, X, X), CALL(getresgid, X, X, X), CALL(rt_sigpending, X, 8),
    CALL(rt_sigtimedwait, X, 0, 0, 8), CALL(sigaltstack, X, 0), CALL(utime, X, 0), CALL(mknod, X, 0, 0), CALL(statfs, X, X), CALL(fstatfs, 100, X),
    CALL(truncate, X, 0), CALL(getdents64, 100, X, 100), CALL(clock_gettime, 0, X), CALL(clock_getres, 0, X), CALL(clock_nanosleep, 0, 0, X, 0),
    CALL(utimes, X, 0), CALL(openat, -100, X, 0), CALL(mkdirat, -100, X, 0), CALL(newfstatat, -100, X, X, 0), CALL(unlinkat, -100, X, 0),
    CALL(renameat, -100, X, -100, X), CALL(linkat, -100, X, -100, X, 0), CALL(symlinkat, X, -100, X), CALL(readlinkat, -100, X, X, 10),
    CALL(fchmodat, -100, X, 0), CALL(faccessat, -100, X, 0), CALL(ppoll, X, 1, 0, 0, 0), CALL(pselect6, 5, X, 0, 0, 0, 0), CALL(utimensat, -100, X, 0, 0),
    CALL(epoll_ctl, 100, 1, 0, X), CALL(timerfd_settime, 101, 0, X, 0), CALL(timerfd_gettime, 101, X), CALL(pipe2, X, 0),
    CALL(prlimit64, 0, 0, X, 0), CALL(getrandom, X, 10, 0), CALL(memfd_create, X, 0), CALL(statx, -100, X, 0, 0, X), CALL(openat2, -100, X, X, 24),
    CALL(execve, X, 0, 0), CALL(execveat, -100, X, 0, 0, 0), CALL(wait4, -1, X, 1, 0), CALL(poll, X, 1, 0), CALL(socketpair, 1, 1, 0, X),
    CALL(bind, 102, X, 10), CALL(connect, 102, X, 10), CALL(getsockname, 102, X, X), CALL(setsockopt, 102, 1, 9, X, 4), CALL(getsockopt, 102, 1, 3, X, X),
    CALL(sendmsg, 102, X, 0), CALL(recvmsg, 102, X, 0), CALL(sched_getparam, 0, X), CALL(sched_getaffinity, 0, 128, X), CALL(setgroups, 5, X),
    CALL(capget, X, X), CALL(prctl, 15, X), CALL(arch_prctl, 0x1003, X), CALL(futex, X & ~4095, 0, 0, 0),
    CALL(getxattr, X, X, X, 10), CALL(setxattr, X, X, X, 10, 0), CALL(listxattr, X, X, 10), CALL(removexattr, X, X), CALL(sendfile, 100, 100, X, 10),
    CALL(signalfd4, -1, X, 8, 0), CALL(timer_create, 0, X, X), CALL(sched_setparam, 0, X), CALL(getcpu, X, X, 0), CALL(chroot, X),
};

TEST(all) {
    int fd = make_file("f", "0123456789"), ep = NEED(syscall(SYS_epoll_create1, 0)), timer = NEED(syscall(SYS_timerfd_create, 1, 0));
    (void)ep;
    NEED(lseek(fd, 0, SEEK_SET));
    NEED(dup2(fd, 100));
    NEED(dup2(timer, 101));
    NEED(dup2(syscall(SYS_socket, 1, 1, 0), 102));
    for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
        long *a = rows[i].a, result = raw(rows[i].nr, a[0], a[1], a[2], a[3], a[4], a[5]);
        printf("%s: %s\n", rows[i].name, result < 0 ? check_errno_name(-result) : "no error");
    }
}

TEST(still_alive) { EXPECT_EXIT(3, CHILD({ _exit(3); })); }
