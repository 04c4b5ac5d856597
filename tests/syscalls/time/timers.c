// alarm(2), setitimer(2), timer_create(2).
#include "check.h"
#include <sys/time.h>

static volatile int hits, value;
static void handler(int sig) { hits++; }
static void with_info(int sig, siginfo_t *info, void *c) { hits++; value = info->si_value.sival_int; if (info->si_code != SI_TIMER) value = -1; }

TEST(alarm_remembers) {
    signal(SIGALRM, handler);
    EXPECT_EQ(0, alarm(100));
    long left = alarm(50);
    EXPECT_TRUE(left >= 99 && left <= 100);
    EXPECT_EQ(50, alarm(0));
    EXPECT_EQ(0, alarm(0));
    pid_t pid = CHILD({ EXPECT_EQ(0, alarm(0)); });
    alarm(100);
    EXPECT_EXIT(0, pid);
    alarm(0);
}

TEST(interval_timer) {
    struct itimerval set = {{0, 3000}, {0, 3000}}, got, off = {{0, 0}, {0, 0}};
    hits = 0;
    EXPECT_OK(setitimer(ITIMER_REAL, &set, NULL));
    while (hits < 3) pause();
    EXPECT_OK(getitimer(ITIMER_REAL, &got));
    EXPECT_EQ(3000, got.it_interval.tv_usec);
    EXPECT_OK(setitimer(ITIMER_REAL, &off, &got));
    EXPECT_EQ(3000, got.it_interval.tv_usec);
    EXPECT_OK(getitimer(ITIMER_REAL, &got));
    EXPECT_EQ(0, got.it_value.tv_usec);
}

TEST(a_child_has_no_timer) {
    struct itimerval set = {{0, 0}, {100, 0}}, off = {{0, 0}, {0, 0}};
    NEED(setitimer(ITIMER_REAL, &set, NULL));
    pid_t pid = CHILD({ struct itimerval got; getitimer(ITIMER_REAL, &got); EXPECT_EQ(0, got.it_value.tv_sec); });
    EXPECT_EXIT(0, pid);
    NEED(setitimer(ITIMER_REAL, &off, NULL));
}

TEST(alarm_survives_exec) {
    pid_t pid = CHILD({ alarm(1); execl("/bin/sh", "sh", "-c", "read x < /dev/zero; while :; do :; done", (char *)0); });
    int status = reap(pid);
    EXPECT_EQ(SIGALRM, WTERMSIG(status));
}

TEST(posix_timers) {
    struct sigaction action = {.sa_sigaction = with_info, .sa_flags = SA_SIGINFO};
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1, .sigev_value.sival_int = 77};
    struct itimerspec set = {{0, 2000000}, {0, 2000000}}, got;
    timer_t timer;
    sigaction(SIGUSR1, &action, NULL);
    hits = 0;
    EXPECT_OK(timer_create(CLOCK_MONOTONIC, &event, &timer));
    EXPECT_OK(timer_gettime(timer, &got));
    EXPECT_EQ(0, got.it_value.tv_nsec);
    EXPECT_OK(timer_settime(timer, 0, &set, NULL));
    while (hits < 3) pause();
    EXPECT_EQ(77, value);
    EXPECT_OK(timer_gettime(timer, &got));
    EXPECT_EQ(2000000, got.it_interval.tv_nsec);
    EXPECT_TRUE(timer_getoverrun(timer) >= 0);
    EXPECT_OK(timer_delete(timer));
    EXPECT_ERRNO(EINVAL, syscall(SYS_timer_delete, 12345));
    EXPECT_ERRNO(EINVAL, timer_create(99, &event, &timer));
}

TEST(virtual_time) {
    struct itimerval set = {{0, 0}, {0, 20000}};
    hits = 0;
    signal(SIGVTALRM, handler);
    EXPECT_OK(setitimer(ITIMER_VIRTUAL, &set, NULL));
    while (!hits) {}
    EXPECT_EQ(1, hits);
    signal(SIGPROF, handler);
    EXPECT_OK(setitimer(ITIMER_PROF, &set, NULL));
    while (hits < 2) {}
    EXPECT_EQ(2, hits);
}

TEST(errors) {
    struct itimerval bad = {{0, 0}, {0, 1000000}};
    EXPECT_ERRNO(EINVAL, setitimer(ITIMER_REAL, &bad, NULL));
    EXPECT_ERRNO(EINVAL, setitimer(9, &(struct itimerval){0}, NULL));
    EXPECT_ERRNO(EINVAL, getitimer(9, &bad));
    EXPECT_ERRNO(EFAULT, getitimer(0, BAD_PTR));
    EXPECT_ERRNO(EFAULT, setitimer(0, BAD_PTR, NULL));
}
