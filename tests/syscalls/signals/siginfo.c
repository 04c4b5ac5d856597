// sigaction(2), SA_SIGINFO: code, sender, value and address for each source of a signal.
#include "check.h"
#include <setjmp.h>

static siginfo_t seen;
static volatile int hits;
static sigjmp_buf back;

static void keep(int sig, siginfo_t *info, void *context) { seen = *info; hits++; }
static void keep_and_leave(int sig, siginfo_t *info, void *context) { seen = *info; siglongjmp(back, 1); }

static void catch(int sig, void (*handler)(int, siginfo_t *, void *)) {
    struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};
    sigemptyset(&action.sa_mask);
    NEED(sigaction(sig, &action, NULL));
    memset(&seen, 0x5a, sizeof seen);
}

TEST(kill_and_tgkill) {
    catch(SIGUSR1, keep);
    kill(getpid(), SIGUSR1);
    EXPECT_EQ(SIGUSR1, seen.si_signo);
    EXPECT_EQ(SI_USER, seen.si_code);
    EXPECT_TRUE(seen.si_pid == getpid());
    EXPECT_TRUE(seen.si_uid == getuid());
    raise(SIGUSR1);
    EXPECT_EQ(SI_TKILL, seen.si_code);
    EXPECT_TRUE(seen.si_pid == getpid());
}

TEST(from_a_child) {
    catch(SIGUSR1, keep);
    pid_t parent = getpid(), pid = CHILD({ kill(parent, SIGUSR1); });
    EXPECT_EXIT(0, pid);
    EXPECT_EQ(SI_USER, seen.si_code);
    EXPECT_TRUE(seen.si_pid == pid);
}

TEST(sigqueue_value) {
    catch(SIGRTMIN + 2, keep);
    EXPECT_OK(sigqueue(getpid(), SIGRTMIN + 2, (union sigval){.sival_int = 12345}));
    EXPECT_EQ(SI_QUEUE, seen.si_code);
    EXPECT_EQ(12345, seen.si_value.sival_int);
    EXPECT_TRUE(seen.si_pid == getpid());
}

TEST(sigchld) {
    catch(SIGCHLD, keep);
    hits = 0;
    pid_t pid = CHILD({ _exit(7); });
    int status = reap(pid);
    EXPECT_EQ(0x700, status);
    EXPECT_EQ(1, hits);
    EXPECT_EQ(CLD_EXITED, seen.si_code);
    EXPECT_EQ(7, seen.si_status);
    EXPECT_TRUE(seen.si_pid == pid);
    pid = CHILD({ raise(SIGKILL); });
    reap(pid);
    EXPECT_EQ(CLD_KILLED, seen.si_code);
    EXPECT_EQ(SIGKILL, seen.si_status);
    signal(SIGCHLD, SIG_DFL);
}

TEST(faults) {
    catch(SIGSEGV, keep_and_leave);
    if (!sigsetjmp(back, 1)) *(volatile int *)0x1230 = 1;
    EXPECT_EQ(SEGV_MAPERR, seen.si_code);
    EXPECT_EQ(0x1230, (long)seen.si_addr);
    char *page = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (!sigsetjmp(back, 1)) page[5] = 1;
    EXPECT_EQ(SEGV_ACCERR, seen.si_code);
    EXPECT_TRUE((char *)seen.si_addr == page + 5);
    if (!sigsetjmp(back, 1)) *(volatile char *)NONCANONICAL_PTR = 1;
    EXPECT_EQ(SI_KERNEL, seen.si_code);
    catch(SIGFPE, keep_and_leave);
    volatile int zero = 0, seven = 7;
    if (!sigsetjmp(back, 1)) seven = seven / zero;
    EXPECT_EQ(FPE_INTDIV, seen.si_code);
    catch(SIGILL, keep_and_leave);
    if (!sigsetjmp(back, 1)) __asm__ volatile("ud2");
    EXPECT_EQ(ILL_ILLOPN, seen.si_code);
    catch(SIGTRAP, keep_and_leave);
    if (!sigsetjmp(back, 1)) __asm__ volatile("int3");
    EXPECT_EQ(SI_KERNEL, seen.si_code);
}

TEST(forged_codes) {
    siginfo_t info = {.si_code = SI_USER};
    info.si_signo = SIGUSR1;
    pid_t pid = CHILD({ for (;;) pause(); });
    EXPECT_ERRNO(EPERM, syscall(SYS_rt_sigqueueinfo, pid, SIGUSR1, &info));
    info.si_code = SI_TKILL;
    EXPECT_ERRNO(EPERM, syscall(SYS_rt_sigqueueinfo, pid, SIGUSR1, &info));
    EXPECT_ERRNO(EFAULT, syscall(SYS_rt_sigqueueinfo, pid, SIGUSR1, BAD_PTR));
    kill(pid, SIGKILL);
    EXPECT_KILLED(SIGKILL, pid);
}
