// getrlimit(2): what RLIMIT_NPROC, RLIMIT_MEMLOCK and RLIMIT_SIGPENDING refuse.
// guest: root
#include "check.h"
#include <sys/resource.h>

/* A user whom nobody else is, so that the native run counts the same tasks. */
enum { NOBODY = 1934712 };

static void set(int resource, unsigned long soft) {
    struct rlimit limit;
    NEED(getrlimit(resource, &limit));
    limit.rlim_cur = soft;
    EXPECT_OK(setrlimit(resource, &limit));
}

static int children_possible(void) {
    pid_t made[8];
    int count = 0;
    while (count < 8 && (made[count] = fork()) >= 0) {
        if (made[count] == 0) for (;;) pause();
        count++;
    }
    int error = errno;
    for (int i = 0; i < count; i++) { kill(made[i], SIGKILL); reap(made[i]); }
    errno = error;
    return count;
}

TEST(processes_of_a_user_are_counted) {
    for (int limit = 0; limit < 4; limit++) {
        pid_t pid = CHILD({
            set(RLIMIT_NPROC, limit);
            EXPECT_EQ(8, children_possible());
            NEED(setuid(NOBODY + limit));
            EXPECT_EQ(limit ? limit - 1 : 0, children_possible());
            EXPECT_EQ(EAGAIN, errno);
            set(RLIMIT_NPROC, 100);
            EXPECT_EQ(8, children_possible());
        });
        EXPECT_EXIT(0, pid);
    }
}

TEST(locked_memory) {
    pid_t pid = CHILD({
        NEED(setuid(NOBODY));
        char *p = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        set(RLIMIT_MEMLOCK, 8192);
        EXPECT_OK(mlock(p, 8192));
        EXPECT_OK(mlock(p, 8192));
        EXPECT_ERRNO(ENOMEM, mlock(p, 12288));
        EXPECT_ERRNO(ENOMEM, mlockall(MCL_CURRENT));
        EXPECT_ERRNO(EAGAIN, mmap(NULL, 65536, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_LOCKED, -1, 0));
        EXPECT_ERRNO(EINVAL, mlock2(p, 4096, 2));
        EXPECT_OK(munlock(p, 8192));
        EXPECT_OK(mlock2(p + 4096, 8192, MLOCK_ONFAULT));
        EXPECT_OK(munlockall());
        set(RLIMIT_MEMLOCK, 0);
        EXPECT_ERRNO(EPERM, mlock(p, 4096));
        EXPECT_ERRNO(EPERM, mlock(BAD_PTR, 4096));
        EXPECT_ERRNO(EPERM, mlockall(MCL_CURRENT));
        EXPECT_ERRNO(EINVAL, mlockall(0));
        EXPECT_ERRNO(EINVAL, mlockall(MCL_ONFAULT));
        EXPECT_ERRNO(EINVAL, mlockall(8));
    });
    EXPECT_EXIT(0, pid);
}

TEST(queued_signals) {
    pid_t pid = CHILD({
        NEED(setuid(NOBODY));
        set(RLIMIT_SIGPENDING, 3);
        sigset_t all;
        sigfillset(&all);
        sigprocmask(SIG_BLOCK, &all, NULL);
        for (int i = 0; i < 3; i++) EXPECT_OK(sigqueue(getpid(), SIGRTMIN, (union sigval){i}));
        EXPECT_ERRNO(EAGAIN, sigqueue(getpid(), SIGRTMIN, (union sigval){3}));
        EXPECT_OK(kill(getpid(), SIGUSR1));
        int taken = 0;
        while (sigtimedwait(&all, NULL, &(struct timespec){0, 0}) > 0) taken++;
        EXPECT_EQ(4, taken);
        timer_t timer;
        set(RLIMIT_SIGPENDING, 1);
        EXPECT_OK(timer_create(CLOCK_MONOTONIC, NULL, &timer));
        EXPECT_ERRNO(EAGAIN, timer_create(CLOCK_MONOTONIC, NULL, &timer));
        EXPECT_OK(timer_delete(timer));
    });
    EXPECT_EXIT(0, pid);
}
