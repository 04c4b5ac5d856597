// rt_tgsigqueueinfo(2): a value for one thread, its siginfo, its errors.
#include "check.h"
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>

static sem_t ready;
static pid_t thread_id;
static siginfo_t got;

static int queue(pid_t group, pid_t thread, int number, siginfo_t *info) { return syscall(SYS_rt_tgsigqueueinfo, group, thread, number, info); }

static void *wait_for_it(void *set) {
    thread_id = syscall(SYS_gettid);
    sem_post(&ready);
    return (void *)(long)sigwaitinfo(set, &got);  // the other thread prints
}

TEST(one_thread_gets_the_value) {
    sigset_t set;
    pthread_t thread;
    void *number;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    sem_init(&ready, 0, 0);
    pthread_create(&thread, NULL, wait_for_it, &set);
    while (sem_wait(&ready)) continue;
    siginfo_t info = {.si_code = SI_QUEUE};
    info.si_pid = getpid();
    info.si_uid = getuid();
    info.si_value.sival_int = 77;
    EXPECT_OK(queue(getpid(), thread_id, SIGUSR1, &info));
    pthread_join(thread, &number);
    EXPECT_EQ(SIGUSR1, (long)number);
    EXPECT_EQ(SI_QUEUE, got.si_code);
    EXPECT_EQ(77, got.si_value.sival_int);
    EXPECT_TRUE(got.si_pid == getpid());
}

TEST(errors) {
    siginfo_t info = {.si_code = SI_QUEUE};
    EXPECT_OK(queue(getpid(), syscall(SYS_gettid), 0, &info));
    EXPECT_ERRNO(EINVAL, queue(0, getpid(), SIGUSR1, &info));
    EXPECT_ERRNO(EINVAL, queue(getpid(), -1, SIGUSR1, &info));
    EXPECT_ERRNO(EINVAL, queue(getpid(), syscall(SYS_gettid), 65, &info));
    EXPECT_ERRNO(EFAULT, queue(getpid(), syscall(SYS_gettid), SIGUSR1, BAD_PTR));
    EXPECT_ERRNO(ESRCH, queue(getpid(), 0x3ffffff, SIGUSR1, &info));
    pid_t pid = CHILD({ for (;;) pause(); });
    info.si_code = SI_USER;
    EXPECT_ERRNO(EPERM, queue(pid, pid, SIGUSR1, &info));
    info.si_code = SI_QUEUE;
    EXPECT_ERRNO(ESRCH, queue(getpid(), pid, SIGUSR1, &info));
    EXPECT_OK(queue(pid, pid, SIGTERM, &info));
    EXPECT_KILLED(SIGTERM, pid);
}
