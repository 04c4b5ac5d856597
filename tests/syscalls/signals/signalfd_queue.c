// signalfd(2): the same queues as sigpending(2), sigwait(3) and handlers; records of every kind of sender.
#include "check.h"
#include <poll.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/time.h>

static sigset_t set;
static struct signalfd_siginfo info;
static volatile int hits;
static void handler(int sig) { hits++; }

static int open_for(int first, int second, int flags) {
    sigemptyset(&set);
    sigaddset(&set, first);
    if (second) sigaddset(&set, second);
    NEED(sigprocmask(SIG_BLOCK, &set, NULL));
    return NEED(signalfd(-1, &set, flags));
}

static int is_pending(int sig) {
    sigset_t pending;
    NEED(sigpending(&pending));
    return sigismember(&pending, sig);
}

TEST(what_was_pending_before) {
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    NEED(sigprocmask(SIG_BLOCK, &set, NULL));
    kill(getpid(), SIGUSR1);
    int fd = NEED(signalfd(-1, &set, SFD_NONBLOCK));
    struct pollfd entry = {fd, POLLIN, 0};
    EXPECT_EQ(1, poll(&entry, 1, 0));
    EXPECT_EQ(1, is_pending(SIGUSR1));
    EXPECT_EQ(128, read(fd, &info, sizeof info));
    EXPECT_EQ(0, is_pending(SIGUSR1));
    EXPECT_ERRNO(EAGAIN, read(fd, &info, sizeof info));
    close(fd);
}

TEST(one_queue_for_all) {
    int fd = open_for(SIGUSR1, SIGUSR2, SFD_NONBLOCK);
    kill(getpid(), SIGUSR1);
    EXPECT_EQ(1, is_pending(SIGUSR1));
    EXPECT_EQ(SIGUSR1, sigwaitinfo(&set, NULL));
    EXPECT_ERRNO(EAGAIN, read(fd, &info, sizeof info));
    signal(SIGUSR2, handler);
    kill(getpid(), SIGUSR2);
    NEED(sigprocmask(SIG_UNBLOCK, &set, NULL));
    EXPECT_EQ(1, hits);
    EXPECT_ERRNO(EAGAIN, read(fd, &info, sizeof info));
    close(fd);
}

TEST(a_child_sends) {
    int fd = open_for(SIGUSR1, SIGRTMIN + 1, 0);
    pid_t parent = getpid();
    pid_t pid = CHILD({ kill(parent, SIGUSR1); for (int i = 0; i < 3; i++) sigqueue(parent, SIGRTMIN + 1, (union sigval){.sival_int = 10 + i}); });
    EXPECT_EXIT(0, pid);
    struct signalfd_siginfo many[8];
    EXPECT_EQ(4 * 128, read(fd, many, sizeof many));
    for (int i = 0; i < 4; i++) { EXPECT_TRUE(many[i].ssi_pid == (unsigned)pid); EXPECT_TRUE(many[i].ssi_uid == getuid()); SHOW(many[i].ssi_code); SHOW(many[i].ssi_int); SHOW(many[i].ssi_signo == SIGUSR1); }
    close(fd);
}

TEST(a_blocked_read_wakes) {
    int fd = open_for(SIGUSR1, 0, 0);
    pid_t parent = getpid();
    for (int i = 0; i < 20; i++) {
        pid_t pid = CHILD({ kill(parent, SIGUSR1); });
        EXPECT_EQ(128, read(fd, &info, sizeof info));
        EXPECT_TRUE(info.ssi_pid == (unsigned)pid);
        EXPECT_EXIT(0, pid);
    }
    close(fd);
}

TEST(timers) {
    int fd = open_for(SIGALRM, SIGRTMIN + 2, 0);
    struct itimerval once = {{0, 0}, {0, 10000}};
    NEED(setitimer(ITIMER_REAL, &once, NULL));
    EXPECT_EQ(128, read(fd, &info, sizeof info));
    EXPECT_EQ(SIGALRM, info.ssi_signo);
    EXPECT_EQ(SI_KERNEL, info.ssi_code);
    EXPECT_EQ(0, info.ssi_pid);
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN + 2, .sigev_value.sival_int = 4711};
    timer_t timer;
    NEED(timer_create(CLOCK_MONOTONIC, &event, &timer));
    struct itimerspec soon = {{0, 0}, {0, 10000000}};
    NEED(timer_settime(timer, 0, &soon, NULL));
    EXPECT_EQ(128, read(fd, &info, sizeof info));
    EXPECT_EQ(SI_TIMER, info.ssi_code);
    EXPECT_EQ(4711, info.ssi_int);
    EXPECT_EQ(0, info.ssi_overrun);
    EXPECT_TRUE(info.ssi_tid == (unsigned)(long)timer);
    timer_delete(timer);
    close(fd);
}

TEST(children) {
    int fd = open_for(SIGCHLD, 0, 0);
    pid_t pid = CHILD({ _exit(9); });
    EXPECT_EQ(128, read(fd, &info, sizeof info));
    EXPECT_EQ(SIGCHLD, info.ssi_signo);
    EXPECT_EQ(CLD_EXITED, info.ssi_code);
    EXPECT_EQ(9, info.ssi_status);
    EXPECT_TRUE(info.ssi_pid == (unsigned)pid);
    EXPECT_TRUE(info.ssi_uid == getuid());
    reap(pid);
    struct pollfd entry = {fd, POLLIN, 0};
    EXPECT_EQ(0, poll(&entry, 1, 0));
    close(fd);
}

TEST(an_inherited_descriptor_shows_the_readers_signals) {
    int fd = open_for(SIGUSR1, 0, 0);
    pid_t pid = CHILD({
        kill(getppid(), SIGUSR1);
        kill(getpid(), SIGUSR1);
        EXPECT_EQ(128, read(fd, &info, sizeof info));
        EXPECT_TRUE(info.ssi_pid == (unsigned)getpid());
    });
    EXPECT_EXIT(0, pid);
    EXPECT_EQ(128, read(fd, &info, sizeof info));
    EXPECT_TRUE(info.ssi_pid == (unsigned)pid);
    close(fd);
}

static void *thread_reads(void *arg) {
    long fd = (long)arg;
    struct signalfd_siginfo own;
    tgkill(getpid(), gettid(), SIGUSR2);
    EXPECT_EQ(128, read(fd, &own, sizeof own));
    EXPECT_EQ(SIGUSR2, own.ssi_signo);
    EXPECT_EQ(SI_TKILL, own.ssi_code);
    return NULL;
}

TEST(a_threads_own_signals) {
    int fd = open_for(SIGUSR1, SIGUSR2, SFD_NONBLOCK);
    pthread_t thread;
    tgkill(getpid(), gettid(), SIGUSR1);
    pthread_create(&thread, NULL, thread_reads, (void *)(long)fd);
    pthread_join(thread, NULL);
    EXPECT_EQ(128, read(fd, &info, sizeof info));
    EXPECT_EQ(SIGUSR1, info.ssi_signo);
    close(fd);
}

TEST(epoll_and_signals) {
    int fd = open_for(SIGUSR1, 0, SFD_NONBLOCK), epoll = NEED(epoll_create1(0));
    struct epoll_event event = {EPOLLIN, {.u64 = 5}};
    NEED(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event));
    EXPECT_EQ(0, epoll_wait(epoll, &event, 1, 0));
    kill(getpid(), SIGUSR1);
    EXPECT_EQ(1, epoll_wait(epoll, &event, 1, -1));
    EXPECT_EQ(128, read(fd, &info, sizeof info));
    pid_t parent = getpid(), pid = CHILD({ kill(parent, SIGUSR1); });
    EXPECT_EQ(1, epoll_wait(epoll, &event, 1, -1));
    EXPECT_EQ(128, read(fd, &info, sizeof info));
    EXPECT_EXIT(0, pid);
    close(epoll);
    close(fd);
}

TEST(read_interrupted) {
    int fd = open_for(SIGUSR1, 0, 0);
    struct sigaction action = {.sa_handler = handler};
    sigaction(SIGALRM, &action, NULL);
    sigemptyset(&set); sigaddset(&set, SIGALRM);
    NEED(sigprocmask(SIG_UNBLOCK, &set, NULL));
    struct itimerval once = {{0, 0}, {0, 10000}};
    NEED(setitimer(ITIMER_REAL, &once, NULL));
    EXPECT_ERRNO(EINTR, read(fd, &info, sizeof info));
    close(fd);
}
