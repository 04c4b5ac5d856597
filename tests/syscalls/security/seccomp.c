// guest: timeout=20
// seccomp(2): the guest's own filters: verdicts and their precedence, inheritance, strict mode, TSYNC, what the checker refuses.
#include "check.h"
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <pthread.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <ucontext.h>

#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define VERDICT(k) BPF_STMT(BPF_RET | BPF_K, (k))
#define IF_CALL(nr, verdict) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (nr), 0, 1), VERDICT(verdict)

static long install_flags(struct sock_filter *code, int count, unsigned flags) {
    struct sock_fprog program = {(unsigned short)count, code};
    return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
}
#define INSTALL(...) ({ struct sock_filter c_[] = {__VA_ARGS__}; install_flags(c_, sizeof c_ / sizeof *c_, 0); })

static void no_new_privs(void) { NEED(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)); }

/* One verdict for one call, in a child; what the call gives is printed there. */
#define IN_CHILD(...) ({ pid_t p_ = CHILD({ no_new_privs(); __VA_ARGS__; }); int s_ = reap(p_); SHOW(s_ & 0x7f); SHOW(WIFEXITED(s_) ? WEXITSTATUS(s_) : -2); })

TEST(errno_for_trapped_and_native_calls) {
    IN_CHILD(
        struct sock_filter code[] = {
            BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0), IF_CALL(SYS_getppid, SECCOMP_RET_ERRNO | EDOM), IF_CALL(SYS_sched_yield, SECCOMP_RET_ERRNO | ERANGE),
            IF_CALL(SYS_getpgid, SECCOMP_RET_ERRNO | 0), IF_CALL(SYS_gettid, SECCOMP_RET_ERRNO | 0xffff), VERDICT(SECCOMP_RET_ALLOW)};
        EXPECT_EQ(0, install_flags(code, sizeof code / sizeof *code, 0));
        EXPECT_EQ(-EDOM, RAW0(SYS_getppid));
        EXPECT_EQ(-ERANGE, RAW0(SYS_sched_yield));
        EXPECT_EQ(0, RAW1(SYS_getpgid, 0));
        EXPECT_EQ(-4095, RAW0(SYS_gettid));
        EXPECT_TRUE(getpid() > 0);
        EXPECT_EQ(SECCOMP_MODE_FILTER, prctl(PR_GET_SECCOMP)));
}

TEST(arguments_decide) {
    IN_CHILD(
        struct sock_filter code[] = {
            LOAD(nr), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_kill, 0, 3), LOAD(args[1]),
            BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SIGUSR1, 0, 1), VERDICT(SECCOMP_RET_ERRNO | EXDEV), VERDICT(SECCOMP_RET_ALLOW)};
        EXPECT_EQ(0, install_flags(code, sizeof code / sizeof *code, 0));
        EXPECT_ERRNO(EXDEV, kill(getpid(), SIGUSR1));
        EXPECT_EQ(0, kill(getpid(), 0)));
}

TEST(kill_verdicts) {
    IN_CHILD(struct sock_filter c[] = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0), IF_CALL(SYS_getppid, SECCOMP_RET_KILL_PROCESS), VERDICT(SECCOMP_RET_ALLOW)};
        EXPECT_EQ(0, install_flags(c, 4, 0)); fflush(stdout); getppid(); printf("not reached\n"));
    IN_CHILD(struct sock_filter c[] = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0), IF_CALL(SYS_sched_yield, SECCOMP_RET_KILL_THREAD), VERDICT(SECCOMP_RET_ALLOW)};
        EXPECT_EQ(0, install_flags(c, 4, 0)); fflush(stdout); syscall(SYS_sched_yield); printf("not reached\n"));
}

static volatile int trapped_call, trapped_code, trapped_errno, trapped_arch, hits;
static void on_sigsys(int sig, siginfo_t *info, void *context) {
    trapped_call = info->si_syscall;
    trapped_code = info->si_code;
    trapped_errno = info->si_errno;
    trapped_arch = info->si_arch == AUDIT_ARCH_X86_64;
    ((ucontext_t *)context)->uc_mcontext.gregs[REG_RAX] = 4242;
    hits++;
}

TEST(trap_verdict) {
    IN_CHILD(
        struct sigaction action = {.sa_sigaction = on_sigsys, .sa_flags = SA_SIGINFO};
        sigaction(SIGSYS, &action, NULL);
        struct sock_filter c[] = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0), IF_CALL(SYS_getppid, SECCOMP_RET_TRAP | 77), IF_CALL(SYS_sched_yield, SECCOMP_RET_TRAP | 78), VERDICT(SECCOMP_RET_ALLOW)};
        EXPECT_EQ(0, install_flags(c, 6, 0));
        EXPECT_EQ(4242, RAW0(SYS_getppid));
        EXPECT_EQ(SYS_getppid, trapped_call);
        EXPECT_EQ(1, trapped_code);
        EXPECT_EQ(77, trapped_errno);
        EXPECT_EQ(1, trapped_arch);
        EXPECT_EQ(4242, RAW0(SYS_sched_yield));
        EXPECT_EQ(78, trapped_errno);
        EXPECT_EQ(2, hits);
        signal(SIGSYS, SIG_IGN); fflush(stdout);
        getppid(); printf("not reached\n"));
}

TEST(trace_notify_and_log) {
    IN_CHILD(
        struct sock_filter c[] = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0), IF_CALL(SYS_getppid, SECCOMP_RET_TRACE | 1), IF_CALL(SYS_sched_yield, SECCOMP_RET_TRACE | 2),
            IF_CALL(SYS_getpgid, SECCOMP_RET_USER_NOTIF), IF_CALL(SYS_getsid, SECCOMP_RET_LOG), VERDICT(SECCOMP_RET_ALLOW)};
        EXPECT_EQ(0, install_flags(c, 10, 0));
        EXPECT_EQ(-ENOSYS, RAW0(SYS_getppid));
        EXPECT_EQ(-ENOSYS, RAW0(SYS_sched_yield));
        EXPECT_EQ(-ENOSYS, RAW1(SYS_getpgid, 0));
        EXPECT_TRUE(getsid(0) >= 0));
}

TEST(the_strictest_verdict_wins) {
    IN_CHILD(
        struct sock_filter first[] = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0), IF_CALL(SYS_getppid, SECCOMP_RET_ERRNO | 1), VERDICT(SECCOMP_RET_ALLOW)};
        struct sock_filter second[] = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0), IF_CALL(SYS_getppid, SECCOMP_RET_ERRNO | 2), VERDICT(SECCOMP_RET_ALLOW)};
        struct sock_filter third[] = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0), IF_CALL(SYS_getppid, SECCOMP_RET_LOG), VERDICT(SECCOMP_RET_ALLOW)};
        EXPECT_EQ(0, install_flags(first, 4, 0));
        EXPECT_EQ(-1, RAW0(SYS_getppid));
        EXPECT_EQ(0, install_flags(second, 4, 0));
        EXPECT_EQ(-2, RAW0(SYS_getppid));
        EXPECT_EQ(0, install_flags(third, 4, 0));
        EXPECT_EQ(-2, RAW0(SYS_getppid)));
}

TEST(computed_return) {
    IN_CHILD(
        struct sock_filter c[] = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getsid, 1, 0), VERDICT(SECCOMP_RET_ALLOW),
            LOAD(args[0]), BPF_STMT(BPF_RET | BPF_A, 0)};
        EXPECT_EQ(0, install_flags(c, 5, 0));
        EXPECT_EQ(-9, RAW1(SYS_getsid, SECCOMP_RET_ERRNO | 9));
        EXPECT_EQ(-ENOSYS, RAW1(SYS_getsid, SECCOMP_RET_TRACE));
        EXPECT_EQ(-ENOSYS, RAW1(SYS_getsid, SECCOMP_RET_USER_NOTIF | 3));
        EXPECT_EQ(-ESRCH, RAW1(SYS_getsid, SECCOMP_RET_LOG));
        EXPECT_EQ(-ESRCH, RAW1(SYS_getsid, SECCOMP_RET_ALLOW)));
}

static void deny_getppid(void) {
    struct sock_filter c[] = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0), IF_CALL(SYS_getppid, SECCOMP_RET_ERRNO | EDOM), VERDICT(SECCOMP_RET_ALLOW)};
    EXPECT_EQ(0, install_flags(c, 4, 0));
}

static void *in_thread(void *result) { *(long *)result = RAW0(SYS_getppid); return NULL; }

TEST(inherited_by_children_and_threads) {
    IN_CHILD(
        deny_getppid();
        pid_t pid = CHILD({ EXPECT_EQ(-EDOM, RAW0(SYS_getppid)); });
        EXPECT_EXIT(0, pid);
        pthread_t thread; long result = 0;
        pthread_create(&thread, NULL, in_thread, &result);
        pthread_join(thread, NULL);
        EXPECT_EQ(-EDOM, result));
}

TEST(kept_at_exec) {
    IN_CHILD(
        /* everything that a program's start needs, but neither execveat nor mmap of more than that: exec itself is no call of the new program */
        struct sock_filter c[] = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0), IF_CALL(SYS_execveat, SECCOMP_RET_KILL_PROCESS), IF_CALL(SYS_uname, SECCOMP_RET_ERRNO | EDOM),
            IF_CALL(SYS_ppoll, SECCOMP_RET_KILL_PROCESS), VERDICT(SECCOMP_RET_ALLOW)};
        EXPECT_EQ(0, install_flags(c, 8, 0));
        fflush(stdout);
        execl("/bin/sh", "sh", "-c", "uname 2>/dev/null || echo denied; grep -E '^(NoNewPrivs|Seccomp|Seccomp_filters)' /proc/self/status", (char *)0));
    IN_CHILD(
        struct sock_filter c[] = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0), IF_CALL(SYS_execve, SECCOMP_RET_ERRNO | EDOM), VERDICT(SECCOMP_RET_ALLOW)};
        EXPECT_EQ(0, install_flags(c, 4, 0));
        EXPECT_ERRNO(EDOM, execl("/bin/true", "true", (char *)0)));
}

TEST(masked_waits_go_on) {
    IN_CHILD(
        struct sock_filter c[] = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0), IF_CALL(SYS_ppoll, SECCOMP_RET_ERRNO | EDOM), VERDICT(SECCOMP_RET_ALLOW)};
        EXPECT_EQ(0, install_flags(c, 4, 0));
        struct timespec little = {0, 20000000};
        sigset_t none; sigemptyset(&none);
        int fds[2]; NEED(pipe(fds));
        fd_set set; FD_ZERO(&set); FD_SET(fds[0], &set);
        EXPECT_EQ(0, pselect(fds[0] + 1, &set, NULL, NULL, &little, &none));
        EXPECT_ERRNO(EDOM, ppoll(NULL, 0, &little, &none)));
}

static int turn[2], back[2];
static void *waits(void *result) {
    long *values = result;
    values[0] = RAW0(SYS_getppid) > 0;
    tell(back[1]);
    await_byte(turn[0]);
    values[1] = RAW0(SYS_getppid);
    values[2] = prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0);
    return NULL;
}

TEST(tsync) {
    NEED(pipe(turn)); NEED(pipe(back));
    IN_CHILD(
        pthread_t threads[3]; long values[3][3];
        for (int i = 0; i < 3; i++) { pthread_create(&threads[i], NULL, waits, values[i]); await_byte(back[0]); }
        struct sock_filter c[] = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0), IF_CALL(SYS_getppid, SECCOMP_RET_ERRNO | EDOM), VERDICT(SECCOMP_RET_ALLOW)};
        EXPECT_EQ(0, install_flags(c, 4, SECCOMP_FILTER_FLAG_TSYNC));
        for (int i = 0; i < 3; i++) tell(turn[1]);
        for (int i = 0; i < 3; i++) { pthread_join(threads[i], NULL); EXPECT_EQ(1, values[i][0]); EXPECT_EQ(-EDOM, values[i][1]); EXPECT_EQ(1, values[i][2]); });
}

static void *own_filter(void *tid) {
    deny_getppid();
    *(int *)tid = gettid();
    tell(back[1]);
    await_byte(turn[0]);
    return NULL;
}

TEST(tsync_fails_with_the_thread_that_differs) {
    IN_CHILD(
        pthread_t thread; int tid = 0;
        pthread_create(&thread, NULL, own_filter, &tid);
        await_byte(back[0]);
        struct sock_filter c[] = {VERDICT(SECCOMP_RET_ALLOW)};
        EXPECT_TRUE(install_flags(c, 1, SECCOMP_FILTER_FLAG_TSYNC) == tid);
        EXPECT_ERRNO(ESRCH, install_flags(c, 1, SECCOMP_FILTER_FLAG_TSYNC | SECCOMP_FILTER_FLAG_TSYNC_ESRCH));
        tell(turn[1]);
        pthread_join(thread, NULL));
}

TEST(strict_mode) {
    IN_CHILD(
        EXPECT_EQ(0, prctl(PR_GET_SECCOMP));
        int fds[2]; NEED(pipe(fds)); fflush(stdout);
        NEED(prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT));
        if (write(1, "allowed\n", 8) == 8 && write(fds[1], "x", 1) == 1 && read(fds[0], (char[1]){0}, 1) == 1) RAW1(SYS_exit, 23));
    IN_CHILD(fflush(stdout); NEED(syscall(SYS_seccomp, SECCOMP_SET_MODE_STRICT, 0, NULL)); RAW0(SYS_getpid); RAW1(SYS_exit, 1));
    IN_CHILD(fflush(stdout); NEED(syscall(SYS_seccomp, SECCOMP_SET_MODE_STRICT, 0, NULL)); RAW0(SYS_sched_yield); RAW1(SYS_exit, 1));
    IN_CHILD(deny_getppid(); EXPECT_ERRNO(EINVAL, prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT)));
}

TEST(needs_no_new_privs) {
    struct sock_filter c[] = {VERDICT(SECCOMP_RET_ALLOW)};
    pid_t pid = CHILD({
        if (getuid() == 0) { NEED(setresgid(1000, 1000, 1000)); NEED(setresuid(1000, 1000, 1000)); }
        EXPECT_ERRNO(EACCES, install_flags(c, 1, 0));
        no_new_privs();
        EXPECT_EQ(0, install_flags(c, 1, 0));
    });
    EXPECT_EXIT(0, pid);
}

TEST(what_the_checker_refuses) {
    no_new_privs();
    EXPECT_ERRNO(EINVAL, INSTALL(LOAD(nr)));                                                                       // no return at the end
    EXPECT_ERRNO(EINVAL, INSTALL(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 64), VERDICT(SECCOMP_RET_ALLOW)));             // beyond the data
    EXPECT_ERRNO(EINVAL, INSTALL(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 2), VERDICT(SECCOMP_RET_ALLOW)));              // unaligned
    EXPECT_ERRNO(EINVAL, INSTALL(BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 0), VERDICT(SECCOMP_RET_ALLOW)));              // a byte
    EXPECT_ERRNO(EINVAL, INSTALL(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 5, 0), VERDICT(SECCOMP_RET_ALLOW)));       // out of the program
    EXPECT_ERRNO(EINVAL, INSTALL(BPF_JUMP(BPF_JMP | BPF_JA, 7, 0, 0), VERDICT(SECCOMP_RET_ALLOW)));
    EXPECT_ERRNO(EINVAL, INSTALL(BPF_STMT(BPF_ALU | BPF_DIV | BPF_K, 0), VERDICT(SECCOMP_RET_ALLOW)));             // division by zero
    EXPECT_ERRNO(EINVAL, INSTALL(BPF_STMT(BPF_LD | BPF_MEM, 3), VERDICT(SECCOMP_RET_ALLOW)));                      // scratch never written
    EXPECT_ERRNO(EINVAL, INSTALL(BPF_STMT(BPF_ST, 16), VERDICT(SECCOMP_RET_ALLOW)));
    EXPECT_ERRNO(EINVAL, INSTALL(BPF_STMT(0xffff, 0), VERDICT(SECCOMP_RET_ALLOW)));
    EXPECT_ERRNO(EINVAL, INSTALL(BPF_STMT(BPF_RET | BPF_X, 0)));
    struct sock_filter one = VERDICT(SECCOMP_RET_ALLOW);
    EXPECT_ERRNO(EINVAL, install_flags(&one, 0, 0));
    EXPECT_ERRNO(EINVAL, install_flags(&one, 4097, 0));
    EXPECT_ERRNO(EFAULT, install_flags(BAD_PTR, 1, 0));
    EXPECT_ERRNO(EFAULT, syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, BAD_PTR));
    EXPECT_ERRNO(EINVAL, install_flags(&one, 1, 0x40));
    EXPECT_ERRNO(EINVAL, install_flags(&one, 1, SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV));
    EXPECT_ERRNO(EINVAL, syscall(SYS_seccomp, 9, 0, NULL));
    EXPECT_ERRNO(EINVAL, syscall(SYS_seccomp, SECCOMP_SET_MODE_STRICT, 1, NULL));
    EXPECT_ERRNO(EINVAL, prctl(PR_SET_SECCOMP, 3, 0));
    EXPECT_EQ(0, prctl(PR_GET_SECCOMP));
}

TEST(all_instructions_compute) {
    IN_CHILD(
        struct sock_filter c[] = {
            LOAD(nr), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getsid, 1, 0), VERDICT(SECCOMP_RET_ALLOW),
            LOAD(args[0]), BPF_STMT(BPF_MISC | BPF_TAX, 0), BPF_STMT(BPF_ALU | BPF_ADD | BPF_X, 0), BPF_STMT(BPF_ALU | BPF_MUL | BPF_K, 3), BPF_STMT(BPF_ST, 2),
            BPF_STMT(BPF_ALU | BPF_SUB | BPF_K, 5), BPF_STMT(BPF_ALU | BPF_RSH | BPF_K, 1), BPF_STMT(BPF_ALU | BPF_LSH | BPF_K, 2), BPF_STMT(BPF_STX, 5),
            BPF_STMT(BPF_ALU | BPF_OR | BPF_K, 1), BPF_STMT(BPF_ALU | BPF_XOR | BPF_X, 0), BPF_STMT(BPF_LDX | BPF_MEM, 2), BPF_STMT(BPF_ALU | BPF_AND | BPF_X, 0),
            BPF_STMT(BPF_ALU | BPF_DIV | BPF_K, 3), BPF_STMT(BPF_ALU | BPF_NEG, 0), BPF_STMT(BPF_ALU | BPF_NEG, 0), BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0xfff),
            BPF_STMT(BPF_ALU | BPF_OR | BPF_K, SECCOMP_RET_ERRNO), BPF_STMT(BPF_RET | BPF_A, 0)};
        EXPECT_EQ(0, install_flags(c, sizeof c / sizeof *c, 0));
        for (int i = 1; i < 12; i++) SHOW(RAW1(SYS_getsid, i * 37)));
}

TEST(questions) {
    unsigned actions[] = {SECCOMP_RET_KILL_PROCESS, SECCOMP_RET_KILL_THREAD, SECCOMP_RET_TRAP, SECCOMP_RET_ERRNO, SECCOMP_RET_USER_NOTIF, SECCOMP_RET_TRACE,
                          SECCOMP_RET_LOG, SECCOMP_RET_ALLOW};
    for (unsigned i = 0; i < sizeof actions / sizeof *actions; i++) EXPECT_EQ(0, syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &actions[i]));
    unsigned unknown = 0x12340000;
    EXPECT_ERRNO(EOPNOTSUPP, syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &unknown));
    EXPECT_ERRNO(EINVAL, syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 1, &unknown));
    EXPECT_ERRNO(EFAULT, syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, BAD_PTR));
    struct seccomp_notif_sizes sizes = {0};
    EXPECT_EQ(0, syscall(SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, 0, &sizes));
    SHOW(sizes.seccomp_notif); SHOW(sizes.seccomp_notif_resp); SHOW(sizes.seccomp_data);
}
