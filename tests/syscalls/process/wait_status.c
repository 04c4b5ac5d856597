// wait(2): every form of the status word.
#include "check.h"

static int raw_status(pid_t pid) { return reap(pid); }

TEST(exit_codes_keep_eight_bits) {
    EXPECT_EQ(0x0000, raw_status(CHILD({ _exit(0); })));
    EXPECT_EQ(0xff00, raw_status(CHILD({ _exit(255); })));
    EXPECT_EQ(0x0100, raw_status(CHILD({ _exit(0x101); })));
    EXPECT_EQ(0xff00, raw_status(CHILD({ _exit(-1); })));
    EXPECT_EQ(0x2a00, raw_status(CHILD({ RAW1(SYS_exit_group, GARBAGE(42)); })));
    EXPECT_EQ(0x2b00, raw_status(CHILD({ RAW1(SYS_exit, 43); })));
}

TEST(death_by_signal) {
    int signals[] = {SIGHUP, SIGINT, SIGKILL, SIGTERM, SIGUSR1, SIGPIPE, SIGALRM, SIGVTALRM, SIGIO, SIGPWR, SIGSTKFLT};
    for (unsigned i = 0; i < sizeof signals / sizeof *signals; i++) {
        int sig = signals[i];
        SHOW(raw_status(CHILD({ raise(sig); })));
    }
}

TEST(core_signals_are_fatal_too) {
    int signals[] = {SIGQUIT, SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGSEGV, SIGXCPU, SIGXFSZ, SIGSYS};
    for (unsigned i = 0; i < sizeof signals / sizeof *signals; i++) {
        int sig = signals[i];
        SHOW(raw_status(CHILD({ raise(sig); })) & 0x7f);
    }
}

TEST(real_faults) {
    SHOW(raw_status(CHILD({ *(volatile int *)8 = 1; })) & 0x7f);
    SHOW(raw_status(CHILD({ __builtin_trap(); })) & 0x7f);
    SHOW(raw_status(CHILD({ volatile int zero = 0; volatile int seven = 7; seven = seven / zero; })) & 0x7f);
    SHOW(raw_status(CHILD({ __asm__ volatile("int3"); })) & 0x7f);
    SHOW(raw_status(CHILD({ __asm__ volatile("hlt"); })) & 0x7f);
}

TEST(stop_and_continue) {
    int status, gate[2];
    NEED(pipe(gate));
    pid_t pid = CHILD({ raise(SIGSTOP); await_byte(gate[0]); _exit(3); });
    EXPECT_TRUE(waitpid(pid, &status, WUNTRACED) == pid);
    EXPECT_EQ(0x137f, status);
    EXPECT_EQ(0, waitpid(pid, &status, WUNTRACED | WNOHANG));
    EXPECT_OK(kill(pid, SIGCONT));
    EXPECT_TRUE(waitpid(pid, &status, WCONTINUED) == pid);
    EXPECT_EQ(0xffff, status);
    tell(gate[1]);
    EXPECT_TRUE(waitpid(pid, &status, 0) == pid);
    EXPECT_EQ(0x0300, status);
}

TEST(stopped_then_killed) {
    int status;
    pid_t pid = CHILD({ raise(SIGSTOP); });
    NEED(waitpid(pid, &status, WUNTRACED));
    EXPECT_OK(kill(pid, SIGKILL));
    EXPECT_EQ(9, raw_status(pid));
}
