// guest: timeout=60
// signal(7): a wait with a timeout that stop and continue interrupt goes on to its first deadline; a handler ends it with EINTR.
#include "check.h"
#include <linux/futex.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/time.h>

static volatile int hits;
static void handler(int sig) { hits++; }
static long now_ms(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}
static void pause_ms(int ms) {
    struct timespec t = {0, ms * 1000000L}, rest;
    while (nanosleep(&t, &rest) == -1) t = rest;
}

/* Signalled after 400 ms, stopped for 500: what keeps its deadline ends at 1000, what counts down only while it runs at 1500, what begins anew at 1900. */
enum { WAIT_MS = 1000, SIGNAL_MS = 400, STOP_MS = 500 };
static const struct timespec whole = {1, 0};
static int fds[2];
static long wait_poll(void) { struct pollfd p = {fds[0], POLLIN, 0}; return poll(&p, 1, WAIT_MS); }
static long wait_ppoll(void) { struct pollfd p = {fds[0], POLLIN, 0}; struct timespec t = whole; return ppoll(&p, 1, &t, NULL); }
static long wait_masked(void) { struct pollfd p = {fds[0], POLLIN, 0}; struct timespec t = whole; sigset_t s; sigemptyset(&s); return ppoll(&p, 1, &t, &s); }
static long wait_select(void) { fd_set s; FD_ZERO(&s); FD_SET(fds[0], &s); struct timeval t = {1, 0}; return select(fds[0] + 1, &s, NULL, NULL, &t); }
static long wait_epoll(void) { int e = epoll_create1(0); struct epoll_event v = {EPOLLIN, {0}}; epoll_ctl(e, EPOLL_CTL_ADD, fds[0], &v); long r = epoll_wait(e, &v, 1, WAIT_MS); int k = errno; close(e); errno = k; return r; }
static long wait_nanosleep(void) { struct timespec t = whole; return nanosleep(&t, NULL); }
static long wait_clock(void) { struct timespec t = whole; int e = clock_nanosleep(CLOCK_REALTIME, 0, &t, NULL); errno = e; return e ? -1 : 0; }
static long wait_absolute(void) { struct timespec t; clock_gettime(CLOCK_MONOTONIC, &t); t.tv_sec++;
    int e = clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL); errno = e; return e ? -1 : 0; }
static long wait_futex(void) { static int word; struct timespec t = whole; return syscall(SYS_futex, &word, FUTEX_WAIT, 0, &t, NULL, 0); }
static long wait_receive(void) {
    struct timeval t = {1, 0};
    setsockopt(fds[0], SOL_SOCKET, SO_RCVTIMEO, &t, sizeof t);
    char c;
    return recv(fds[0], &c, 1, 0);
}
static long wait_signal(void) { sigset_t s; sigemptyset(&s); sigaddset(&s, SIGUSR2); sigprocmask(SIG_BLOCK, &s, NULL); struct timespec t = whole; return sigtimedwait(&s, NULL, &t); }

static const struct { const char *name; long (*body)(void); } waits[] = {
    {"poll", wait_poll}, {"ppoll", wait_ppoll}, {"ppoll with a mask", wait_masked}, {"select", wait_select}, {"epoll_wait", wait_epoll}, {"nanosleep", wait_nanosleep},
    {"clock_nanosleep", wait_clock}, {"absolute", wait_absolute}, {"futex", wait_futex}, {"recv", wait_receive}, {"sigtimedwait", wait_signal}};

/* Runs every wait at the same time in children; each prints its own result through a pipe. */
static void run_all(const char *what, int flags, int stops) {
    struct report { long result, error, ms, hits; } report;
    int pipes[16][2];
    pid_t pids[16];
    int count = sizeof waits / sizeof *waits;
    for (int i = 0; i < count; i++) {
        NEED(pipe(pipes[i]));
        pids[i] = CHILD({
            struct sigaction action = {.sa_handler = handler, .sa_flags = flags};
            sigaction(SIGUSR1, &action, NULL);
            NEED(socketpair(AF_UNIX, SOCK_STREAM, 0, fds));
            tell(pipes[i][1]);
            long start = now_ms();
            report.result = waits[i].body();
            report.error = report.result == -1 ? errno : 0;
            report.ms = now_ms() - start;
            report.hits = hits;
            _exit(write(pipes[i][1], &report, sizeof report) != sizeof report);
        });
        await_byte(pipes[i][0]);
    }
    pause_ms(SIGNAL_MS);
    for (int i = 0; i < count; i++) kill(pids[i], stops ? SIGSTOP : SIGUSR1);
    if (stops) {
        for (int i = 0; i < count; i++) { int status; NEED(waitpid(pids[i], &status, WUNTRACED)); EXPECT_TRUE(WIFSTOPPED(status)); }
        pause_ms(STOP_MS);
        for (int i = 0; i < count; i++) kill(pids[i], SIGCONT);
    }
    for (int i = 0; i < count; i++) {
        EXPECT_EQ(sizeof report, read(pipes[i][0], &report, sizeof report));
        const char *when = report.ms < 950 ? "early" : report.ms < 1250 ? "at its deadline" : report.ms < 1700 ? "after its whole time" : "late";
        printf("%s: %s: %ld %s, %s, %ld handlers\n", what, waits[i].name, report.result, report.error ? check_errno_name(report.error) : "-", when, report.hits);
        close(pipes[i][0]); close(pipes[i][1]);
        reap(pids[i]);
    }
}

TEST(stop_and_continue) { run_all("stopped", SA_RESTART, 1); }
TEST(a_handler) { run_all("handled", 0, 0); }
TEST(a_handler_that_restarts) { run_all("restarted", SA_RESTART, 0); }

TEST(what_is_left_of_a_sleep) {
    struct sigaction action = {.sa_handler = handler};
    sigaction(SIGALRM, &action, NULL);
    struct itimerval soon = {{0, 0}, {0, 50000}};
    struct timespec sleep = {1, 0}, left = {0, 0};
    setitimer(ITIMER_REAL, &soon, NULL);
    EXPECT_ERRNO(EINTR, nanosleep(&sleep, &left));
    EXPECT_TRUE(left.tv_sec == 0 && left.tv_nsec > 500000000 && left.tv_nsec < 960000000);
    setitimer(ITIMER_REAL, &soon, NULL);
    struct timeval wait = {1, 0};
    EXPECT_ERRNO(EINTR, select(0, NULL, NULL, NULL, &wait));
    EXPECT_TRUE(wait.tv_sec == 0 && wait.tv_usec > 500000 && wait.tv_usec < 960000);
}
