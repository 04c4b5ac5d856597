// clone3(2), and what of clone(2) goes the same way: pidfds, CLONE_PARENT, cleared handlers, registers and masks of both sides.
#include "check.h"
#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <sys/time.h>

#ifndef CLONE_CLEAR_SIGHAND
#define CLONE_CLEAR_SIGHAND 0x100000000ULL
#endif
#ifndef P_PIDFD
#define P_PIDFD 3
#endif
#define SIZE sizeof(struct clone_args)

static char stack[65536] __attribute__((aligned(16)));

/* Calls fn(arg) in the child, which ends with its result. */
static long born(struct clone_args *args, int (*fn)(void *), void *arg) {
    long result;
    register int (*r12)(void *) __asm__("r12") = fn;
    register void *r13 __asm__("r13") = arg;
    __asm__ volatile("syscall; test %%rax, %%rax; jnz 1f; xor %%ebp, %%ebp; mov %%r13, %%rdi; call *%%r12; mov %%eax, %%edi; mov $60, %%eax; syscall; 1:"
                     : "=a"(result) : "a"(SYS_clone3), "D"(args), "S"(SIZE), "r"(r12), "r"(r13) : "rcx", "r11", "memory");
    return result;
}

static int exits_with(void *arg) { return (int)(long)arg; }

TEST(as_fork) {
    struct clone_args args = {.exit_signal = SIGCHLD};
    EXPECT_EXIT(3, born(&args, exits_with, (void *)3));
    long pid = RAW2(SYS_clone3, &args, CLONE_ARGS_SIZE_VER0);
    if (pid == 0) _exit(4);
    EXPECT_EXIT(4, pid);
}

TEST(without_an_exit_signal) {
    struct clone_args args = {0};
    long pid = born(&args, exits_with, (void *)5);
    EXPECT_TRUE(pid > 0);
    EXPECT_ERRNO(ECHILD, waitpid(pid, NULL, 0));
    int status = 0;
    EXPECT_EQ(pid, waitpid(pid, &status, __WCLONE));
    EXPECT_EQ(5 << 8, status);
}

TEST(another_exit_signal) {
    sigset_t set, old;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR2);
    sigprocmask(SIG_BLOCK, &set, &old);
    struct clone_args args = {.exit_signal = SIGUSR2};
    long pid = born(&args, exits_with, (void *)6);
    siginfo_t info;
    EXPECT_EQ(SIGUSR2, sigwaitinfo(&set, &info));
    EXPECT_EQ(pid, info.si_pid);
    EXPECT_EQ(6, info.si_status);
    EXPECT_EQ(pid, waitpid(pid, NULL, __WALL));
    sigprocmask(SIG_SETMASK, &old, NULL);
}

static int shared;
static int sets_shared(void *arg) { shared = (int)(long)arg; return 0; }

TEST(own_stack_in_shared_memory) {
    static int parent_tid, child_tid;
    struct clone_args args = {.flags = CLONE_VM | CLONE_VFORK | CLONE_PARENT_SETTID | CLONE_CHILD_SETTID, .exit_signal = SIGCHLD,
                              .stack = (uintptr_t)stack, .stack_size = sizeof stack,
                              .parent_tid = (uintptr_t)&parent_tid, .child_tid = (uintptr_t)&child_tid};
    long pid = born(&args, sets_shared, (void *)7);
    EXPECT_EQ(7, shared);
    EXPECT_EQ(pid, parent_tid);
    EXPECT_EQ(pid, child_tid);
    EXPECT_EXIT(0, pid);
}

static int saw_tls;
static int reads_tls(void *arg) {
    long value;
    __asm__ volatile("mov %%fs:0, %0" : "=r"(value));
    saw_tls = value == 0x1234567;
    return 0;
}

TEST(a_thread) {
    static long tls[16];
    static int child_tid = 1, parent_tid;
    tls[0] = 0x1234567;
    struct clone_args args = {.flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SETTLS | CLONE_CHILD_CLEARTID
                              | CLONE_PARENT_SETTID | CLONE_CHILD_SETTID,
                              .stack = (uintptr_t)stack, .stack_size = sizeof stack, .tls = (uintptr_t)tls,
                              .parent_tid = (uintptr_t)&parent_tid, .child_tid = (uintptr_t)&child_tid};
    long tid = born(&args, reads_tls, NULL);
    EXPECT_TRUE(tid > 0 && tid != getpid());
    EXPECT_EQ(tid, parent_tid);
    int value;
    while ((value = __atomic_load_n(&child_tid, __ATOMIC_SEQ_CST)) != 0) syscall(SYS_futex, &child_tid, 0, value, NULL, NULL, 0);
    EXPECT_TRUE(saw_tls);
    EXPECT_ERRNO(ECHILD, waitpid(tid, NULL, __WALL));
}

TEST(pidfd) {
    int pidfd = -1, tid = 0;
    struct clone_args args = {.flags = CLONE_PIDFD | CLONE_PARENT_SETTID, .exit_signal = SIGCHLD, .pidfd = (uintptr_t)&pidfd, .parent_tid = (uintptr_t)&tid};
    long pid = born(&args, exits_with, (void *)8);
    EXPECT_TRUE(pidfd > 2);
    EXPECT_EQ(pid, tid);
    EXPECT_EQ(FD_CLOEXEC, fcntl(pidfd, F_GETFD));
    struct pollfd poll_fd = {pidfd, POLLIN, 0};
    EXPECT_EQ(1, poll(&poll_fd, 1, -1));
    siginfo_t info = {0};
    EXPECT_OK(waitid(P_PIDFD, pidfd, &info, WEXITED));
    EXPECT_EQ(pid, info.si_pid);
    EXPECT_EQ(8, info.si_status);
    int next = dup(0);
    EXPECT_EQ(pidfd + 1, next);
    close(next);
    close(pidfd);
    args.pidfd = (uintptr_t)BAD_PTR;
    EXPECT_EQ(-EFAULT, born(&args, exits_with, NULL));
    EXPECT_ERRNO(ECHILD, waitpid(-1, NULL, __WALL));
    next = dup(0);
    EXPECT_EQ(pidfd, next);
    close(next);
}

TEST(pidfd_by_clone) {
    int pidfd = -1;
    long pid = RAW5(SYS_clone, CLONE_PIDFD | SIGCHLD, 0, &pidfd, 0, 0);
    if (pid == 0) _exit(pidfd == -1 ? 9 : 10);
    EXPECT_TRUE(pidfd > 2);
    EXPECT_EXIT(9, pid);
    close(pidfd);
    EXPECT_EQ(-EINVAL, RAW5(SYS_clone, CLONE_PIDFD | CLONE_PARENT_SETTID | SIGCHLD, 0, &pidfd, 0, 0));
    EXPECT_EQ(-EINVAL, RAW5(SYS_clone, CLONE_PIDFD | CLONE_DETACHED | SIGCHLD, 0, &pidfd, 0, 0));
}

static int makes_a_sibling(void *arg) {
    struct clone_args args = {.flags = CLONE_PARENT};
    return born(&args, exits_with, (void *)11) > 0 ? 0 : 1;
}

TEST(a_sibling) {
    struct clone_args args = {.exit_signal = SIGCHLD};
    long pid = born(&args, makes_a_sibling, NULL);
    EXPECT_EXIT(0, pid);
    int status;
    pid = waitpid(-1, &status, 0);
    EXPECT_TRUE(pid > 0);
    EXPECT_EQ(11 << 8, status);
    pid = CHILD({
        long sibling = RAW5(SYS_clone, CLONE_PARENT | SIGCHLD, 0, 0, 0, 0);
        if (sibling == 0) _exit(12);
        EXPECT_ERRNO(ECHILD, waitpid(sibling, NULL, __WALL));
    });
    EXPECT_EXIT(0, pid);
    EXPECT_TRUE(waitpid(-1, &status, 0) > 0);
    EXPECT_EQ(12 << 8, status);
}

TEST(flags_for_tracers_change_nothing_without_one) {
    long pid = RAW5(SYS_clone, CLONE_UNTRACED | SIGCHLD, 0, 0, 0, 0);
    if (pid == 0) _exit(13);
    EXPECT_EXIT(13, pid);
    pid = RAW5(SYS_clone, CLONE_PTRACE | SIGCHLD, 0, 0, 0, 0);
    if (pid == 0) _exit(14);
    EXPECT_EXIT(14, pid);
}

static void handler(int number) { (void)number; }
static int handlers(void *arg) {
    struct sigaction usr1, usr2, winch;
    sigaction(SIGUSR1, NULL, &usr1);
    sigaction(SIGUSR2, NULL, &usr2);
    sigaction(SIGWINCH, NULL, &winch);
    return (usr1.sa_handler == SIG_DFL) | (usr2.sa_handler == SIG_IGN) << 1 | (winch.sa_handler == SIG_DFL) << 2 | ((usr1.sa_flags & SA_RESTART) == 0) << 3;
}

TEST(handlers_are_cleared) {
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};
    sigaction(SIGUSR1, &action, NULL);
    sigaction(SIGWINCH, &action, NULL);
    signal(SIGUSR2, SIG_IGN);
    struct clone_args args = {.flags = CLONE_CLEAR_SIGHAND, .exit_signal = SIGCHLD};
    EXPECT_EXIT(15, born(&args, handlers, NULL));
    args.flags = CLONE_CLEAR_SIGHAND | CLONE_VM | CLONE_VFORK;
    args.stack = (uintptr_t)stack;
    args.stack_size = sizeof stack;
    EXPECT_EXIT(15, born(&args, handlers, NULL));
    EXPECT_EQ(0, handlers(NULL) & 5);
    args.flags = 0;
    args.stack = args.stack_size = 0;
    EXPECT_EXIT(2, born(&args, handlers, NULL));
    struct sigaction fresh = {.sa_handler = SIG_DFL};
    sigaction(SIGUSR1, &fresh, NULL);
    sigaction(SIGUSR2, &fresh, NULL);
    sigaction(SIGWINCH, &fresh, NULL);
}

static int makes_a_zombie(void *arg) {
    struct clone_args args = {.exit_signal = SIGCHLD};
    long pid = born(&args, exits_with, NULL);
    return waitpid(pid, NULL, 0) == pid ? 0 : 1;
}

TEST(children_are_waited_for_again) {
    struct sigaction nobody_waits = {.sa_handler = SIG_DFL, .sa_flags = SA_NOCLDWAIT}, fresh = {.sa_handler = SIG_DFL};
    int ends[2];
    NEED(pipe(ends));
    for (int clears = 0; clears < 2; clears++) {
        sigaction(SIGCHLD, &nobody_waits, NULL);
        struct clone_args args = {.flags = clears ? CLONE_CLEAR_SIGHAND : 0, .exit_signal = SIGCHLD};
        long pid = RAW2(SYS_clone3, &args, SIZE);
        if (pid == 0) {
            char result = (char)makes_a_zombie(NULL);
            _exit(write(ends[1], &result, 1) != 1);
        }
        char result = 9;
        EXPECT_EQ(1, read(ends[0], &result, 1));
        EXPECT_EQ(1 - clears, result);
        EXPECT_ERRNO(ECHILD, waitpid(pid, NULL, 0));
        sigaction(SIGCHLD, &fresh, NULL);
    }
    close(ends[0]);
    close(ends[1]);
}

/* The six argument registers after the call, on either side, and the mask. */
static long registers(struct clone_args *args, long *values) {
    register long r10 __asm__("r10") = 0x1010;
    register long r8 __asm__("r8") = 0x0808;
    register long r9 __asm__("r9") = 0x0909;
    register long rdi __asm__("rdi") = (long)args;
    register long rsi __asm__("rsi") = SIZE;
    register long rdx __asm__("rdx") = 0x0d0d;
    long result;
    __asm__ volatile("syscall" : "=a"(result), "+r"(rdi), "+r"(rsi), "+r"(rdx), "+r"(r10), "+r"(r8), "+r"(r9) : "a"(SYS_clone3) : "rcx", "r11", "memory");
    values[0] = rdi == (long)args;
    values[1] = rsi == SIZE;
    values[2] = rdx;
    values[3] = r10;
    values[4] = r8;
    values[5] = r9;
    return result;
}

static int are_kept(const long *values) {
    return values[0] && values[1] && values[2] == 0x0d0d && values[3] == 0x1010 && values[4] == 0x0808 && values[5] == 0x0909;
}

TEST(registers_and_masks_are_kept_on_both_sides) {
    struct clone_args args = {.exit_signal = SIGCHLD};
    sigset_t set, old, now;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigprocmask(SIG_SETMASK, &set, &old);
    long values[6];
    long pid = registers(&args, values);
    if (pid == 0) {
        sigprocmask(SIG_SETMASK, NULL, &now);
        _exit(are_kept(values) + 2 * (sigismember(&now, SIGUSR1) == 1) + 4 * (sigismember(&now, SIGUSR2) == 0));
    }
    EXPECT_TRUE(are_kept(values));
    EXPECT_EXIT(7, pid);
    sigprocmask(SIG_SETMASK, &old, &now);
    EXPECT_EQ(1, sigismember(&now, SIGUSR1));
    EXPECT_EQ(0, sigismember(&now, SIGUSR2));
}

TEST(under_a_storm_of_signals) {
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};
    sigaction(SIGALRM, &action, NULL);
    struct itimerval often = {{0, 300}, {0, 300}}, never = {{0, 0}, {0, 0}};
    NEED(setitimer(ITIMER_REAL, &often, NULL));
    int good = 0;
    for (long i = 0; i < 100; i++) {
        int pidfd = -1;
        struct clone_args args = {.flags = CLONE_CLEAR_SIGHAND | CLONE_PIDFD, .exit_signal = SIGCHLD, .pidfd = (uintptr_t)&pidfd};
        long pid = born(&args, handlers, NULL);
        int status = reap(pid);
        good += pid > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 13;
        close(pidfd);
    }
    setitimer(ITIMER_REAL, &never, NULL);
    signal(SIGALRM, SIG_DFL);
    EXPECT_EQ(100, good);
}

TEST(many_at_once) {
    struct clone_args args = {.exit_signal = SIGCHLD};
    int sum = 0, status;
    for (long i = 0; i < 20; i++) EXPECT_TRUE(born(&args, exits_with, (void *)i) > 0);
    while (wait(&status) > 0) sum += WEXITSTATUS(status);
    EXPECT_EQ(190, sum);
}
