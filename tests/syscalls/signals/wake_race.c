// guest: timeout=60
// A signal that comes while its receiver is about to sleep is never slept over: rounds of kill, each answered from a handler-driven loop.
#include "check.h"
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>

static volatile int hits;
static void handler(int sig) { hits++; }

/* The child sleeps in one kind of call until its handler has run, then answers through a pipe. The parent sends when it likes. */
static void rounds(int count, int kind) {
    int go[2], done[2];
    NEED(pipe(go)); NEED(pipe(done));
    pid_t pid = CHILD({
        struct sigaction action = {.sa_handler = handler};
        sigaction(SIGUSR1, &action, NULL);
        int empty = eventfd(0, 0);
        uint64_t word;
        tell(done[1]);
        for (int i = 0; i < count; i++) {
            while (hits <= i) {
                /* a signal between the test and the call is lost to any kernel: short waits, many of them, and one long one a round */
                struct pollfd entry = {empty, POLLIN, 0};
                if (kind == 0) poll(&entry, 1, 1);
                else if (kind == 1) { close(dup(0)); getppid(); }
                else { struct timespec t = {0, 1000000}; sigset_t none; sigemptyset(&none); ppoll(&entry, 1, &t, &none); }
            }
            tell(done[1]);
        }
        (void)word;
    });
    await_byte(done[0]);
    int good = 0;
    for (int i = 0; i < count; i++) {
        kill(pid, SIGUSR1);
        if (i % 3) getppid();
        await_byte(done[0]);
        good++;
    }
    EXPECT_EQ(count, good);
    EXPECT_EXIT(0, pid);
}

TEST(in_poll) { rounds(300, 0); }
TEST(in_short_calls) { rounds(300, 1); }
TEST(in_ppoll) { rounds(300, 2); }

/* read(2) with SA_RESTART off, made safe by a pipe that the handler writes: the receiver sleeps for as long as it takes. */
static int self_pipe[2];
static void writes(int sig) { int kept = errno; if (write(self_pipe[1], "x", 1) != 1) _exit(9); errno = kept; }

TEST(in_read_for_ever) {
    int done[2];
    NEED(pipe(self_pipe)); NEED(pipe(done));
    pid_t pid = CHILD({
        struct sigaction action = {.sa_handler = writes, .sa_flags = SA_RESTART};
        sigaction(SIGUSR1, &action, NULL);
        tell(done[1]);
        for (int i = 0; i < 500; i++) { await_byte(self_pipe[0]); tell(done[1]); }
    });
    await_byte(done[0]);
    for (int i = 0; i < 500; i++) { kill(pid, SIGUSR1); await_byte(done[0]); }
    EXPECT_EXIT(0, pid);
}

static void *reader(void *arg) { for (int i = 0; i < 300; i++) await_byte(self_pipe[0]); return NULL; }
TEST(threads_signal_each_other) {
    struct sigaction action = {.sa_handler = writes, .sa_flags = SA_RESTART};
    sigaction(SIGRTMIN, &action, NULL);
    pthread_t thread;
    pthread_create(&thread, NULL, reader, NULL);
    for (int i = 0; i < 300; i++) pthread_kill(i % 2 ? thread : pthread_self(), SIGRTMIN);
    pthread_join(thread, NULL);
}
