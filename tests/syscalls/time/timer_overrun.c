// guest: timeout=20
// timer_create(2), setitimer(2): overruns, expirations while blocked, re-arming, threads as receivers, what fork and exec keep.
#include "check.h"
#include <poll.h>
#include <pthread.h>
#include <sys/time.h>

static siginfo_t seen, first;
static volatile int hits, taker;
static void keep(int sig, siginfo_t *info, void *context) { if (!hits) first = *info; seen = *info; taker = gettid(); hits++; }
static void catch(int sig) {
    struct sigaction action = {.sa_sigaction = keep, .sa_flags = SA_SIGINFO | SA_RESTART};
    NEED(sigaction(sig, &action, NULL));
    hits = 0;
}
static void block(int how, int sig) { sigset_t set; sigemptyset(&set); sigaddset(&set, sig); NEED(sigprocmask(how, &set, NULL)); }
static void rest(int ms) { struct timespec t = {0, ms * 1000000L}, left; while (nanosleep(&t, &left) == -1) t = left; }

TEST(overrun_while_blocked) {
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN, .sigev_value.sival_int = 31};
    struct itimerspec often = {{0, 10000000}, {0, 10000000}}, off = {{0, 0}, {0, 0}};
    timer_t timer;
    catch(SIGRTMIN);
    block(SIG_BLOCK, SIGRTMIN);
    NEED(timer_create(CLOCK_MONOTONIC, &event, &timer));
    NEED(timer_settime(timer, 0, &often, NULL));
    rest(108);
    block(SIG_UNBLOCK, SIGRTMIN);
    NEED(timer_settime(timer, 0, &off, NULL));
    EXPECT_EQ(SI_TIMER, seen.si_code);
    EXPECT_EQ(31, seen.si_value.sival_int);
    EXPECT_TRUE(hits >= 1 && hits <= 3);
    EXPECT_TRUE(first.si_overrun >= 7 && first.si_overrun <= 12);
    EXPECT_OK(timer_delete(timer));
    EXPECT_ERRNO(EINVAL, timer_delete(timer));
}

TEST(several_timers_one_signal) {
    timer_t timers[3];
    catch(SIGRTMIN + 1);
    block(SIG_BLOCK, SIGRTMIN + 1);
    for (int i = 0; i < 3; i++) {
        struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN + 1, .sigev_value.sival_int = i};
        struct itimerspec once = {{0, 0}, {0, 3000000 * (i + 1)}};
        NEED(timer_create(CLOCK_MONOTONIC, &event, &timers[i]));
        NEED(timer_settime(timers[i], 0, &once, NULL));
    }
    rest(30);
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGRTMIN + 1);
    struct timespec zero = {0, 0};
    siginfo_t info;
    for (int i = 0; i < 3; i++) { EXPECT_TRUE(sigtimedwait(&set, &info, &zero) == SIGRTMIN + 1); SHOW(info.si_value.sival_int); EXPECT_TRUE(info.si_timerid == (int)(long)timers[i]); }
    EXPECT_ERRNO(EAGAIN, sigtimedwait(&set, &info, &zero));
    for (int i = 0; i < 3; i++) timer_delete(timers[i]);
    block(SIG_UNBLOCK, SIGRTMIN + 1);
}

static int ready[2];
static void *receiver(void *arg) {
    *(int *)arg = gettid();
    tell(ready[1]);
    for (int i = 0; i < 300 && !hits; i++) poll(NULL, 0, 5);
    return NULL;
}
TEST(to_a_thread) {
    pthread_t thread;
    int tid = 0;
    NEED(pipe(ready));
    catch(SIGRTMIN + 2);
    pthread_create(&thread, NULL, receiver, &tid);
    await_byte(ready[0]);
    struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGRTMIN + 2};
    event._sigev_un._tid = tid;
    struct itimerspec once = {{0, 0}, {0, 3000000}};
    timer_t timer;
    NEED(timer_create(CLOCK_MONOTONIC, &event, &timer));
    NEED(timer_settime(timer, 0, &once, NULL));
    pthread_join(thread, NULL);
    EXPECT_EQ(1, hits);
    EXPECT_TRUE(taker == tid);
    timer_delete(timer);
    event._sigev_un._tid = 999999;
    EXPECT_ERRNO(EINVAL, timer_create(CLOCK_MONOTONIC, &event, &timer));
}

TEST(interval_timer_repeats) {
    struct itimerval often = {{0, 5000}, {0, 5000}}, off = {{0, 0}, {0, 0}}, left;
    catch(SIGALRM);
    NEED(setitimer(ITIMER_REAL, &often, NULL));
    for (int i = 0; i < 400 && hits < 5; i++) poll(NULL, 0, 5);
    EXPECT_TRUE(hits >= 5);
    NEED(setitimer(ITIMER_REAL, &off, &left));
    EXPECT_EQ(5000, left.it_interval.tv_usec);
    hits = 0;
    rest(15);
    EXPECT_EQ(0, hits);
}

TEST(children_have_no_timers) {
    struct itimerval far = {{0, 0}, {100, 0}}, left;
    NEED(setitimer(ITIMER_REAL, &far, NULL));
    pid_t pid = CHILD({ NEED(getitimer(ITIMER_REAL, &left)); EXPECT_EQ(0, left.it_value.tv_sec); EXPECT_EQ(0, alarm(0)); });
    EXPECT_EXIT(0, pid);
    EXPECT_TRUE(alarm(0) > 90);
}

TEST(processor_timers) {
    struct itimerval soon = {{0, 0}, {0, 20000}};
    catch(SIGVTALRM);
    NEED(setitimer(ITIMER_VIRTUAL, &soon, NULL));
    while (!hits) {}
    EXPECT_EQ(SIGVTALRM, seen.si_signo);
    EXPECT_EQ(SI_KERNEL, seen.si_code);
    catch(SIGPROF);
    NEED(setitimer(ITIMER_PROF, &soon, NULL));
    while (!hits) RAW0(SYS_getppid);
    EXPECT_EQ(SIGPROF, seen.si_signo);
}

TEST(absolute_and_errors) {
    struct timespec now;
    timer_t timer;
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN + 3};
    catch(SIGRTMIN + 3);
    NEED(timer_create(CLOCK_REALTIME, &event, &timer));
    clock_gettime(CLOCK_REALTIME, &now);
    struct itimerspec past = {{0, 0}, {now.tv_sec - 5, 0}}, bad = {{0, 0}, {0, 1000000000}};
    EXPECT_OK(timer_settime(timer, TIMER_ABSTIME, &past, NULL));
    for (int i = 0; i < 100 && !hits; i++) poll(NULL, 0, 2);
    EXPECT_EQ(1, hits);
    EXPECT_ERRNO(EINVAL, timer_settime(timer, 0, &bad, NULL));
    EXPECT_ERRNO(EINVAL, timer_settime(timer, 0, NULL, NULL));
    timer_delete(timer);
    event.sigev_signo = 65;
    EXPECT_ERRNO(EINVAL, timer_create(CLOCK_REALTIME, &event, &timer));
    event.sigev_signo = SIGRTMIN;
    EXPECT_ERRNO(EINVAL, timer_create(77, &event, &timer));
}
