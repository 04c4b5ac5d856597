// Signals and threads: masks are per thread, a process signal goes to a thread that lets it through, pthread_kill is exact.
#include "check.h"
#include <pthread.h>
#include <semaphore.h>

static volatile pid_t handled_by;
static sem_t ready, done;
static void handler(int sig) { handled_by = gettid(); sem_post(&done); }

static pid_t open_tid;
static void *open_thread(void *arg) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
    open_tid = gettid();
    sem_post(&ready);
    for (;;) pause();
    return arg;
}

TEST(goes_to_the_open_thread) {
    sigset_t set;
    pthread_t t;
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};
    sem_init(&ready, 0, 0);
    sem_init(&done, 0, 0);
    sigaction(SIGUSR1, &action, NULL);
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    pthread_create(&t, NULL, open_thread, NULL);
    sem_wait(&ready);
    for (int i = 0; i < 5; i++) {
        kill(getpid(), SIGUSR1);
        while (sem_wait(&done)) {}
        EXPECT_TRUE(handled_by == open_tid);
    }
    EXPECT_EQ(0, pthread_kill(t, SIGUSR1));
    while (sem_wait(&done)) {}
    EXPECT_TRUE(handled_by == open_tid);
}

static int fds[2];
static volatile int error_seen;
static void *blocked_reader(void *arg) {
    char c;
    sem_post(&ready);
    error_seen = read(fds[0], &c, 1) == -1 ? errno : 0;
    return NULL;
}

TEST(pthread_kill_interrupts_one_thread) {
    pthread_t t;
    struct sigaction action = {.sa_handler = handler};
    sigaction(SIGUSR2, &action, NULL);
    NEED(pipe(fds));
    pthread_create(&t, NULL, blocked_reader, NULL);
    sem_wait(&ready);
    while (!error_seen) pthread_kill(t, SIGUSR2);
    EXPECT_EQ(EINTR, error_seen);
    EXPECT_EQ(0, pthread_join(t, NULL));
}

TEST(pending_sets_are_separate) {
    sigset_t set, pending;
    sigemptyset(&set);
    sigaddset(&set, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    void *other(void *arg) { sigset_t p; sigpending(&p); return (void *)(long)sigismember(&p, SIGHUP); }
    pthread_t t;
    void *seen;
    pthread_kill(pthread_self(), SIGHUP);
    pthread_create(&t, NULL, other, NULL);
    pthread_join(t, &seen);
    EXPECT_EQ(0, (long)seen);
    sigpending(&pending);
    EXPECT_EQ(1, sigismember(&pending, SIGHUP));
    EXPECT_EQ(SIGHUP, sigwaitinfo(&set, NULL));
}
