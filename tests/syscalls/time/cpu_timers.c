// POSIX timers on processor time: timer_create(2) with CPU-time clocks.
#include "check.h"
#include <pthread.h>
#include <time.h>

static volatile sig_atomic_t hits, value;
static void with_info(int sig, siginfo_t *info, void *context) { hits++; value = info->si_code == SI_TIMER ? info->si_value.sival_int : -1; }

static timer_t make(clockid_t clock, int number) {
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1, .sigev_value.sival_int = number};
    struct sigaction action = {.sa_sigaction = with_info, .sa_flags = SA_SIGINFO | SA_RESTART};
    timer_t timer;
    sigaction(SIGUSR1, &action, NULL);
    EXPECT_OK(timer_create(clock, &event, &timer));
    return timer;
}

static long used(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

TEST(expires_by_processor_time) {
    clockid_t clocks[] = {CLOCK_PROCESS_CPUTIME_ID, CLOCK_THREAD_CPUTIME_ID, 0};
    EXPECT_OK(clock_getcpuclockid(0, &clocks[2]));
    for (int i = 0; i < 3; i++) {
        timer_t timer = make(clocks[i], 40 + i);
        struct itimerspec set = {{0, 0}, {0, 20 * 1000000}}, left;
        long before = used(clocks[i]);
        hits = 0;
        EXPECT_OK(timer_settime(timer, 0, &set, NULL));
        EXPECT_OK(timer_gettime(timer, &left));
        EXPECT_TRUE(left.it_value.tv_nsec > 0 && left.it_value.tv_nsec <= 20 * 1000000);
        while (!hits) ;
        EXPECT_TRUE(used(clocks[i]) - before >= 19);
        EXPECT_EQ(40 + i, value);
        EXPECT_OK(timer_gettime(timer, &left));
        EXPECT_EQ(0, left.it_value.tv_nsec);
        EXPECT_OK(timer_delete(timer));
    }
}

TEST(interval_and_absolute_time) {
    timer_t timer = make(CLOCK_PROCESS_CPUTIME_ID, 7);
    struct itimerspec set = {{0, 5 * 1000000}, {0, 5 * 1000000}}, off = {{0, 0}, {0, 0}}, old;
    hits = 0;
    EXPECT_OK(timer_settime(timer, 0, &set, NULL));
    while (hits < 3) ;
    EXPECT_OK(timer_settime(timer, 0, &off, &old));
    EXPECT_EQ(5 * 1000000, old.it_interval.tv_nsec);
    set.it_value.tv_sec = 0;
    set.it_value.tv_nsec = 1;
    set.it_interval.tv_nsec = 0;
    hits = 0;
    EXPECT_OK(timer_settime(timer, TIMER_ABSTIME, &set, NULL));
    while (!hits) ;
    EXPECT_OK(timer_delete(timer));
}

static int gate[2];
static volatile int stop;
static void *work(void *unused) {
    sigset_t none;
    sigfillset(&none);
    pthread_sigmask(SIG_BLOCK, &none, NULL);
    while (!stop) ;
    return NULL;
}

TEST(a_thread_that_waits_hears_what_another_has_used) {
    pthread_t thread;
    struct sigaction action = {.sa_sigaction = with_info, .sa_flags = SA_SIGINFO};
    char c;
    timer_t timer = make(CLOCK_PROCESS_CPUTIME_ID, 9);
    sigaction(SIGUSR1, &action, NULL);
    struct itimerspec set = {{0, 100 * 1000000}, {0, 100 * 1000000}};
    NEED(pipe(gate));
    hits = 0;
    pthread_create(&thread, NULL, work, NULL);
    EXPECT_OK(timer_settime(timer, 0, &set, NULL));
    EXPECT_ERRNO(EINTR, read(gate[0], &c, 1));
    EXPECT_TRUE(hits >= 1);
    stop = 1;
    pthread_join(thread, NULL);
    EXPECT_OK(timer_delete(timer));
}

TEST(a_sleeper_uses_none) {
    timer_t timer = make(CLOCK_PROCESS_CPUTIME_ID, 1);
    struct itimerspec set = {{0, 0}, {5, 0}};
    struct timespec nap = {0, 50 * 1000000};
    hits = 0;
    EXPECT_OK(timer_settime(timer, 0, &set, NULL));
    nanosleep(&nap, NULL);
    EXPECT_EQ(0, hits);
    EXPECT_OK(timer_delete(timer));
}

TEST(errors) {
    timer_t timer;
    EXPECT_ERRNO(EINVAL, timer_create((clockid_t)(~0x3ffffffu << 3 | 2), NULL, &timer));
    EXPECT_ERRNO(EINVAL, timer_create((clockid_t)(~1u << 3 | 7), NULL, &timer));
}

TEST(another_process) {
    int gate[2];
    NEED(pipe(gate));
    pid_t pid = CHILD({ await_byte(gate[0]); });
    clockid_t clock;
    timer_t timer;
    EXPECT_OK(clock_getcpuclockid(pid, &clock));
    EXPECT_OK(timer_create(clock, NULL, &timer));
    EXPECT_OK(timer_delete(timer));
    tell(gate[1]);
    EXPECT_EXIT(0, pid);
}
