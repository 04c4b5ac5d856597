// guest: timeout=60
// Several senders, real-time signals with a sender and a number each: every one arrives once, in each sender's order, whatever the
// receiver does meanwhile; standard signals arrive at least once after the last was sent.
#include "check.h"
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>

enum { SENDERS = 5, EACH = 60 };
static volatile int next_of[SENDERS], total, disorder, strangers, plain;
static pid_t senders[SENDERS];

static void note(const siginfo_t *info) {
    int who = info->si_value.sival_int >> 16, number = info->si_value.sival_int & 0xffff;
    if (who < 0 || who >= SENDERS || info->si_code != SI_QUEUE) { strangers++; return; }
    if (__atomic_fetch_add(&next_of[who], 1, __ATOMIC_SEQ_CST) != number) disorder++;
    __atomic_fetch_add(&total, 1, __ATOMIC_SEQ_CST);
}
static void on_rt(int sig, siginfo_t *info, void *context) { int kept = errno; note(info); errno = kept; }
static void on_plain(int sig) { plain++; }

static void begin(int with_handler) {
    sigset_t rt;
    memset((void *)next_of, 0, sizeof next_of);
    total = disorder = strangers = plain = 0;
    struct sigaction action = {.sa_sigaction = on_rt, .sa_flags = SA_SIGINFO};
    NEED(sigaction(SIGRTMIN + 1, &action, NULL));
    struct sigaction other = {.sa_handler = on_plain};
    NEED(sigaction(SIGUSR1, &other, NULL));
    sigemptyset(&rt);
    sigaddset(&rt, SIGRTMIN + 1);
    NEED(sigprocmask(with_handler ? SIG_UNBLOCK : SIG_BLOCK, &rt, NULL));
    pid_t target = getpid();
    for (int k = 0; k < SENDERS; k++) senders[k] = CHILD({
        for (int i = 0; i < EACH; i++) {
            while (sigqueue(target, SIGRTMIN + 1, (union sigval){.sival_int = k << 16 | i}) == -1) sched_yield();
            kill(target, SIGUSR1);
            if (i % 7 == k) sched_yield();
        }
    });
}

static void end(void) {
    EXPECT_EQ(SENDERS * EACH, total);
    EXPECT_EQ(0, disorder);
    EXPECT_EQ(0, strangers);
    EXPECT_TRUE(plain > 0);
    for (int k = 0; k < SENDERS; k++) EXPECT_EXIT(0, senders[k]);
}

TEST(busy) { begin(1); while (total < SENDERS * EACH) {} end(); }
TEST(in_poll) { begin(1); while (total < SENDERS * EACH) poll(NULL, 0, 3); end(); }
TEST(in_read) {
    int fds[2];
    char c;
    NEED(pipe(fds));
    begin(1);
    pid_t pid = CHILD({ for (int i = 0; i < 100; i++) { struct timespec t = {0, 3000000}; nanosleep(&t, NULL); if (write(fds[1], "x", 1) != 1) break; } });
    while (total < SENDERS * EACH) if (read(fds[0], &c, 1) == 0) break;
    end();
    kill(pid, SIGKILL);
    reap(pid);
}
TEST(in_a_masked_wait) {
    sigset_t none;
    struct timespec little = {0, 3000000};
    sigemptyset(&none);
    begin(0);
    while (total < SENDERS * EACH) ppoll(NULL, 0, &little, &none);
    end();
}
TEST(taken_by_sigwaitinfo) {
    sigset_t rt;
    siginfo_t info;
    begin(0);
    sigemptyset(&rt);
    sigaddset(&rt, SIGRTMIN + 1);
    while (total < SENDERS * EACH) if (sigwaitinfo(&rt, &info) == SIGRTMIN + 1) note(&info);
    end();
}
TEST(read_from_a_signalfd) {
    sigset_t rt;
    struct signalfd_siginfo many[4];
    begin(0);
    sigemptyset(&rt);
    sigaddset(&rt, SIGRTMIN + 1);
    int fd = NEED(signalfd(-1, &rt, 0));
    while (total < SENDERS * EACH) {
        long count = read(fd, many, sizeof many);
        for (long i = 0; i < count / 128; i++) { siginfo_t info = {.si_code = many[i].ssi_code}; info.si_value.sival_int = many[i].ssi_int; note(&info); }
    }
    close(fd);
    end();
}
TEST(while_making_files_and_processes) {
    begin(1);
    while (total < SENDERS * EACH) {
        int fd = open("storm", O_RDWR | O_CREAT, 0600);
        if (fd >= 0 && write(fd, "x", 1) == 1) close(fd);
        pid_t pid = fork();
        if (pid == 0) _exit(0);
        reap(pid);
    }
    end();
}

static volatile int stop_threads;
static void *waits(void *arg) { while (!stop_threads) poll(NULL, 0, 2); return NULL; }
TEST(among_threads) {
    pthread_t threads[3];
    stop_threads = 0;
    for (int i = 0; i < 3; i++) pthread_create(&threads[i], NULL, waits, NULL);
    begin(1);
    while (total < SENDERS * EACH) poll(NULL, 0, 2);
    stop_threads = 1;
    for (int i = 0; i < 3; i++) pthread_join(threads[i], NULL);
    EXPECT_EQ(SENDERS * EACH, total); /* no order: two threads may be in the handler at once */
    EXPECT_EQ(0, strangers);
    for (int k = 0; k < SENDERS; k++) EXPECT_EXIT(0, senders[k]);
}
