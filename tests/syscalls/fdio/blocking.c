// Calls that sleep: what wakes them, what a signal leaves of them, SA_RESTART, and descriptors closed meanwhile.
#include "check.h"
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/time.h>

static volatile sig_atomic_t hits;
static void hit(int sig) { (void)sig; hits++; }
static void on_signal(int flags) {
    struct sigaction act = {.sa_handler = hit, .sa_flags = flags};
    hits = 0;
    NEED(sigaction(SIGUSR1, &act, NULL));
}
static void signal_parent_when_asleep(void) {
    char path[64], text[512];
    snprintf(path, sizeof path, "/proc/%d/stat", getppid());
    for (int i = 0; i < 20000; i++) {
        int fd = open(path, O_RDONLY);
        ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
        close(fd);
        if (n > 0) {
            text[n] = 0;
            char *p = strrchr(text, ')');
            if (p && p[2] == 'S') break;
        }
        sched_yield();
    }
    kill(getppid(), SIGUSR1);
}
static void wait_for_hit_of_parent(int fd) { await_byte(fd); }

TEST(a_read_without_restart_is_eintr) {
    int p[2];
    char c;
    on_signal(0);
    NEED(pipe(p));
    pid_t child = CHILD(signal_parent_when_asleep());
    EXPECT_ERRNO(EINTR, read(p[0], &c, 1));
    EXPECT_EQ(1, hits);
    EXPECT_EXIT(0, child);
    close(p[0]), close(p[1]);
}

static int answer[2];
static void hit_and_tell(int sig) { (void)sig; hits++; tell(answer[1]); }

TEST(a_read_with_restart_goes_on) {
    int p[2];
    char c;
    struct sigaction act = {.sa_handler = hit_and_tell, .sa_flags = SA_RESTART};
    hits = 0;
    NEED(pipe(answer));
    NEED(sigaction(SIGUSR1, &act, NULL));
    NEED(pipe(p));
    pid_t child = CHILD(signal_parent_when_asleep(); wait_for_hit_of_parent(answer[0]); tell(p[1]));
    EXPECT_EQ(1, read(p[0], &c, 1));
    EXPECT_EQ(1, hits);
    EXPECT_EXIT(0, child);
    close(p[0]), close(p[1]), close(answer[0]), close(answer[1]);
}

TEST(poll_and_epoll_and_select_are_never_restarted) {
    int p[2];
    on_signal(SA_RESTART);
    NEED(pipe(p));
    struct pollfd q = {.fd = p[0], .events = POLLIN};
    pid_t child = CHILD(signal_parent_when_asleep());
    EXPECT_ERRNO(EINTR, poll(&q, 1, -1));
    EXPECT_EXIT(0, child);
    int ep = NEED(epoll_create1(0));
    struct epoll_event e = {.events = EPOLLIN};
    NEED(epoll_ctl(ep, EPOLL_CTL_ADD, p[0], &e));
    child = CHILD(signal_parent_when_asleep());
    EXPECT_ERRNO(EINTR, epoll_wait(ep, &e, 1, -1));
    EXPECT_EXIT(0, child);
    fd_set set;
    FD_ZERO(&set);
    FD_SET(p[0], &set);
    child = CHILD(signal_parent_when_asleep());
    EXPECT_ERRNO(EINTR, select(p[0] + 1, &set, NULL, NULL, NULL));
    EXPECT_EXIT(0, child);
    EXPECT_EQ(3, hits);
    close(ep), close(p[0]), close(p[1]);
}

TEST(an_interrupted_write_returns_its_part) {
    int p[2];
    static char buffer[200000];
    on_signal(SA_RESTART);
    NEED(pipe(p));
    pid_t child = CHILD(signal_parent_when_asleep());
    EXPECT_EQ(65536, write(p[1], buffer, sizeof buffer));
    EXPECT_EQ(1, hits);
    EXPECT_EXIT(0, child);
    close(p[0]), close(p[1]);
}

TEST(a_receive_with_a_timeout_is_not_restarted) {
    int s[2];
    char c;
    on_signal(SA_RESTART);
    NEED(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
    struct timeval t = {30, 0};
    EXPECT_OK(setsockopt(s[0], SOL_SOCKET, SO_RCVTIMEO, &t, sizeof t));
    pid_t child = CHILD(signal_parent_when_asleep());
    EXPECT_ERRNO(EINTR, recv(s[0], &c, 1, 0));
    EXPECT_EXIT(0, child);
    t = (struct timeval){0, 2000};
    EXPECT_OK(setsockopt(s[0], SOL_SOCKET, SO_RCVTIMEO, &t, sizeof t));
    EXPECT_ERRNO(EAGAIN, read(s[0], &c, 1));
    close(s[0]), close(s[1]);
}

TEST(waitall_returns_its_part) {
    int s[2];
    char b[10];
    on_signal(SA_RESTART);
    NEED(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
    NEED(write(s[1], "abc", 3));
    pid_t child = CHILD(signal_parent_when_asleep());
    EXPECT_EQ(3, recv(s[0], b, 10, MSG_WAITALL));
    EXPECT_EXIT(0, child);
    NEED(write(s[1], "abc", 3));
    child = CHILD(close(s[0]); write(s[1], "def", 3));
    EXPECT_EQ(6, recv(s[0], b, 6, MSG_WAITALL));
    EXPECT_EXIT(0, child);
    close(s[0]), close(s[1]);
}

static int shared[2];
static void *reader(void *arg) {
    char c;
    (void)arg;
    return (void *)(long)read(shared[0], &c, 1);
}

TEST(a_pipe_end_closed_by_another_thread_lives_while_a_read_sleeps_on_it) {
    pthread_t thread;
    void *result;
    NEED(pipe(shared));
    pthread_create(&thread, NULL, reader, NULL);
    sched_yield();
    tell(shared[1]);
    pthread_join(thread, &result);
    EXPECT_EQ(1, (long)result);
    close(shared[0]), close(shared[1]);
}

static void *take(void *at) { return (void *)(long)read(shared[0], at, 8); }

TEST(threads_share_an_eventfd) {
    pthread_t threads[4];
    long sum = 0;
    shared[0] = NEED(eventfd(0, EFD_SEMAPHORE));
    uint64_t four = 4;
    static uint64_t got[4];
    for (int i = 0; i < 4; i++) {
        pthread_create(&threads[i], NULL, take, &got[i]);
    }
    EXPECT_EQ(8, write(shared[0], &four, 8));
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
        sum += got[i];
    }
    EXPECT_EQ(4, sum);
    close(shared[0]);
}

TEST(sigpipe_and_epipe) {
    int p[2];
    on_signal(0);
    struct sigaction act = {.sa_handler = hit};
    NEED(sigaction(SIGPIPE, &act, NULL));
    NEED(pipe(p));
    close(p[0]);
    EXPECT_ERRNO(EPIPE, write(p[1], "x", 1));
    EXPECT_EQ(1, hits);
    EXPECT_EQ(0, write(p[1], "", 0));
    close(p[1]);
    int kinds[] = {SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET};
    for (int i = 0; i < 3; i++) {
        int s[2];
        hits = 0;
        NEED(socketpair(AF_UNIX, kinds[i], 0, s));
        close(s[0]);
        SHOW(write(s[1], "x", 1));
        SHOW(hits);
        SHOW(send(s[1], "x", 1, MSG_NOSIGNAL));
        SHOW(hits);
        close(s[1]);
    }
    NEED(pipe(p));
    close(p[0]);
    pid_t child = CHILD(signal(SIGPIPE, SIG_DFL); write(p[1], "x", 1));
    EXPECT_KILLED(SIGPIPE, child);
    close(p[1]);
}
