// Threads and the end of the process: exit_group, a leader that leaves, exec by another thread, fatal signals.
#include "check.h"
#include <pthread.h>

static void *sleeper(void *arg) { for (;;) pause(); return arg; }
static void *exiter(void *arg) { _exit(17); }
static void *execer(void *arg) { execl("/bin/sh", "sh", "-c", "echo from exec; exit 18", (char *)0); return NULL; }
static void *killer(void *arg) { raise(SIGTERM); return NULL; }
static void *faulter(void *arg) { *(volatile int *)8 = 0; return NULL; }
static void *forker(void *arg) { pid_t pid = fork(); if (pid == 0) _exit(gettid() == getpid() ? 19 : 1); return (void *)(long)pid; }

static pthread_t start(void *(*body)(void *)) { pthread_t t; if (pthread_create(&t, NULL, body, NULL)) _exit(90); return t; }

TEST(exit_group_ends_all) { EXPECT_EXIT(17, CHILD({ start(sleeper); start(sleeper); start(exiter); for (;;) pause(); })); }

TEST(exec_by_a_thread_ends_the_others) {
    EXPECT_EXIT(18, CHILD({ start(sleeper); start(sleeper); start(execer); for (;;) pause(); }));
}

static pid_t leader;
static void *exec_keeps_pid(void *arg) {
    char text[32];
    sprintf(text, "test $$ = %d", leader);
    execl("/bin/sh", "sh", "-c", text, (char *)0);
    return NULL;
}
TEST(exec_by_a_thread_keeps_the_pid) { EXPECT_EXIT(0, CHILD({ leader = getpid(); start(exec_keeps_pid); for (;;) pause(); })); }

static void *last(void *arg) { pthread_join(*(pthread_t *)arg, NULL); exit(20); }
static pthread_t main_thread;
TEST(the_leader_may_leave_first) { EXPECT_EXIT(20, CHILD({ main_thread = pthread_self(); pthread_t t; pthread_create(&t, NULL, last, &main_thread); pthread_exit(NULL); })); }

TEST(a_fatal_signal_ends_all) {
    EXPECT_KILLED(SIGTERM, CHILD({ start(sleeper); start(killer); for (;;) pause(); }));
    int status = reap(CHILD({ start(sleeper); start(faulter); for (;;) pause(); }));
    EXPECT_EQ(SIGSEGV, WTERMSIG(status));
}

TEST(fork_in_a_thread_copies_only_it) {
    void *pid;
    pthread_join(start(forker), &pid);
    EXPECT_EXIT(19, (pid_t)(long)pid);
}

TEST(any_thread_can_wait) {
    void *reaper(void *arg) { int status; waitpid(*(pid_t *)arg, &status, 0); return (void *)(long)WEXITSTATUS(status); }
    pid_t pid = CHILD({ _exit(21); });
    pthread_t t;
    void *code;
    pthread_create(&t, NULL, reaper, &pid);
    pthread_join(t, &code);
    EXPECT_EQ(21, (long)code);
}
