// Job control signals: stops, continues, SIGCHLD flags and pending stop signals.
// guest: unordered
#include "check.h"

static volatile int children;
static void on_child(int sig) { children++; }

TEST(nocldstop) {
    struct sigaction action = {.sa_handler = on_child, .sa_flags = SA_NOCLDSTOP | SA_RESTART};
    int status;
    sigaction(SIGCHLD, &action, NULL);
    pid_t pid = CHILD({ raise(SIGSTOP); _exit(0); });
    NEED(waitpid(pid, &status, WUNTRACED));
    EXPECT_EQ(0, children);
    action.sa_flags = SA_RESTART;
    sigaction(SIGCHLD, &action, NULL);
    kill(pid, SIGCONT);
    NEED(waitpid(pid, &status, 0));
    EXPECT_TRUE(children >= 1);
    signal(SIGCHLD, SIG_DFL);
}

TEST(a_stopped_process_takes_signals_on_continue) {
    int status, out[2];
    char c = 0;
    NEED(pipe(out));
    pid_t pid = CHILD({ signal(SIGUSR1, SIG_DFL); raise(SIGSTOP); _exit(0); });
    NEED(waitpid(pid, &status, WUNTRACED));
    EXPECT_OK(kill(pid, SIGUSR1));
    EXPECT_EQ(0, waitpid(pid, &status, WNOHANG));
    kill(pid, SIGCONT);
    EXPECT_KILLED(SIGUSR1, pid);
    (void)c;
}

TEST(a_blocked_reader_stops_and_continues) {
    int fds[2], status, ready[2];
    NEED(pipe(fds));
    NEED(pipe(ready));
    pid_t pid = CHILD({ tell(ready[1]); char c; EXPECT_EQ(1, read(fds[0], &c, 1)); });
    await_byte(ready[0]);
    EXPECT_OK(kill(pid, SIGSTOP));
    EXPECT_TRUE(waitpid(pid, &status, WUNTRACED) == pid);
    EXPECT_EQ(0x137f, status);
    tell(fds[1]);
    EXPECT_EQ(0, waitpid(pid, &status, WNOHANG));
    EXPECT_OK(kill(pid, SIGCONT));
    EXPECT_EXIT(0, pid);
}

TEST(tstp_can_be_caught) {
    signal(SIGTSTP, on_child);
    children = 0;
    raise(SIGTSTP);
    EXPECT_EQ(1, children);
    signal(SIGTSTP, SIG_DFL);
}

TEST(cont_of_a_running_process_runs_its_handler) {
    signal(SIGCONT, on_child);
    children = 0;
    raise(SIGCONT);
    EXPECT_EQ(1, children);
    signal(SIGCONT, SIG_DFL);
    raise(SIGCONT);
}
