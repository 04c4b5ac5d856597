// sigaction(2), SIGCHLD: codes and status, SA_NOCLDSTOP, SA_NOCLDWAIT, SIG_IGN, several children at once, traced by rusage.
#include "check.h"
#include <poll.h>

static siginfo_t seen[16];
static volatile int hits;
static void keep(int sig, siginfo_t *info, void *context) { if (hits < 16) seen[hits] = *info; hits++; }
static void catch(int flags) {
    struct sigaction action = {.sa_sigaction = keep, .sa_flags = SA_SIGINFO | flags};
    memset(seen, 0x5a, sizeof seen);
    hits = 0;
    NEED(sigaction(SIGCHLD, &action, NULL));
}
static void wait_hits(int wanted) { for (int i = 0; i < 600 && hits < wanted; i++) poll(NULL, 0, 3); }
#define SHOW_LAST() ({ const siginfo_t *s_ = &seen[hits - 1]; SHOW(s_->si_code); SHOW(s_->si_status); SHOW(s_->si_errno); EXPECT_TRUE(s_->si_uid == getuid()); s_->si_pid; })

TEST(codes) {
    catch(SA_RESTART);
    pid_t pid = CHILD({ for (;;) pause(); });
    kill(pid, SIGSTOP);
    wait_hits(1);
    EXPECT_TRUE(SHOW_LAST() == pid);
    kill(pid, SIGCONT);
    wait_hits(2);
    EXPECT_TRUE(SHOW_LAST() == pid);
    kill(pid, SIGTERM);
    wait_hits(3);
    EXPECT_TRUE(SHOW_LAST() == pid);
    EXPECT_KILLED(SIGTERM, pid);
    EXPECT_EQ(3, hits);
    pid = CHILD({ _exit(77); });
    wait_hits(4);
    EXPECT_TRUE(SHOW_LAST() == pid);
    EXPECT_EXIT(77, pid);
}

TEST(no_stops) {
    int status;
    catch(SA_RESTART | SA_NOCLDSTOP);
    pid_t pid = CHILD({ for (;;) pause(); });
    kill(pid, SIGSTOP);
    EXPECT_TRUE(waitpid(pid, &status, WUNTRACED) == pid);
    kill(pid, SIGCONT);
    EXPECT_TRUE(waitpid(pid, &status, WCONTINUED) == pid);
    EXPECT_TRUE(WIFCONTINUED(status));
    EXPECT_EQ(0, hits);
    kill(pid, SIGKILL);
    wait_hits(1);
    EXPECT_EQ(1, hits);
    reap(pid);
}

TEST(no_zombies) {
    catch(SA_RESTART | SA_NOCLDWAIT);
    pid_t pid = CHILD({ _exit(3); });
    EXPECT_ERRNO(ECHILD, waitpid(pid, NULL, 0));
    EXPECT_EQ(1, hits);
    EXPECT_ERRNO(ESRCH, kill(pid, 0));
    signal(SIGCHLD, SIG_IGN);
    for (int i = 0; i < 5; i++) CHILD({ _exit(i); });
    EXPECT_ERRNO(ECHILD, wait(NULL));
    pid = CHILD({ for (;;) pause(); });
    pid_t other = CHILD({ _exit(0); });
    for (int i = 0; i < 500 && kill(other, 0) == 0; i++) poll(NULL, 0, 3);
    EXPECT_ERRNO(ESRCH, kill(other, 0));
    kill(pid, SIGKILL);
    EXPECT_ERRNO(ECHILD, waitpid(pid, NULL, 0));
    signal(SIGCHLD, SIG_DFL);
}

TEST(a_wait_with_a_handler) {
    /* the handler runs and wait goes on, or the status comes first: both give the child */
    catch(SA_RESTART);
    for (int i = 0; i < 30; i++) {
        int status;
        pid_t pid = CHILD({ _exit(i); });
        if (waitpid(pid, &status, 0) != pid || WEXITSTATUS(status) != i) EXPECT_EQ(i, status);
    }
    EXPECT_EQ(30, hits);
    catch(0);
    int eintr = 0, good = 0;
    for (int i = 0; i < 30; i++) {
        int status;
        pid_t pid = CHILD({ _exit(i); }), got;
        while ((got = waitpid(pid, &status, 0)) == -1 && errno == EINTR) eintr++;
        good += got == pid && WEXITSTATUS(status) == i;
    }
    EXPECT_EQ(30, good);
    (void)eintr;
}

TEST(reaping_in_the_handler) {
    sigset_t set, old;
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    catch(SA_RESTART);
    NEED(sigprocmask(SIG_BLOCK, &set, &old));
    pid_t pids[6];
    for (int i = 0; i < 6; i++) pids[i] = CHILD({ _exit(i); });
    for (int i = 0; i < 6; i++) { siginfo_t info; NEED(waitid(P_PID, pids[i], &info, WEXITED | WNOWAIT)); SHOW(info.si_code); SHOW(info.si_status); }
    sigset_t pending;
    sigpending(&pending);
    EXPECT_EQ(1, sigismember(&pending, SIGCHLD));
    NEED(sigprocmask(SIG_SETMASK, &old, NULL));
    EXPECT_EQ(1, hits);
    int reaped = 0;
    while (waitpid(-1, NULL, WNOHANG) > 0) reaped++;
    EXPECT_EQ(6, reaped);
}

TEST(another_exit_signal) {
    catch(SA_RESTART);
    struct sigaction action = {.sa_sigaction = keep, .sa_flags = SA_SIGINFO};
    NEED(sigaction(SIGUSR1, &action, NULL));
    fflush(stdout);
    pid_t pid = RAW5(SYS_clone, SIGUSR1, 0, 0, 0, 0);
    if (pid == 0) RAW1(SYS_exit_group, 5);
    wait_hits(1);
    EXPECT_EQ(SIGUSR1, seen[0].si_signo);
    EXPECT_EQ(CLD_EXITED, seen[0].si_code);
    EXPECT_EQ(5, seen[0].si_status);
    int status;
    EXPECT_ERRNO(ECHILD, waitpid(pid, &status, 0));
    EXPECT_TRUE(waitpid(pid, &status, __WALL) == pid);
}
