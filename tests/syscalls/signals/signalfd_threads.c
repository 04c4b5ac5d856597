// guest: timeout=40
// signalfd(2): several threads read one descriptor, readers are stopped, continued and killed, exec ends them.
#include "check.h"
#include <poll.h>
#include <pthread.h>
#include <sys/signalfd.h>

enum { READERS = 4, SIGNALS = 200 };
static int fd;
static volatile int seen[SIGNALS], total;

static void *reader(void *arg) {
    struct signalfd_siginfo info;
    while (read(fd, &info, sizeof info) == sizeof info) {
        if (info.ssi_int < 0) break;
        __atomic_fetch_add(&seen[info.ssi_int], 1, __ATOMIC_SEQ_CST);
        __atomic_fetch_add(&total, 1, __ATOMIC_SEQ_CST);
    }
    return NULL;
}

static void open_for(int sig) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, sig);
    NEED(sigprocmask(SIG_BLOCK, &set, NULL));
    fd = NEED(signalfd(-1, &set, 0));
}

TEST(each_signal_goes_to_one_reader) {
    pthread_t threads[READERS];
    pid_t self = getpid();
    open_for(SIGRTMIN + 1);
    for (int i = 0; i < READERS; i++) pthread_create(&threads[i], NULL, reader, NULL);
    pid_t pid = CHILD({ for (int i = 0; i < SIGNALS; i++) while (sigqueue(self, SIGRTMIN + 1, (union sigval){.sival_int = i}) == -1) {} });
    EXPECT_EXIT(0, pid);
    for (int i = 0; i < 3000 && total < SIGNALS; i++) poll(NULL, 0, 2);
    for (int i = 0; i < READERS; i++) sigqueue(self, SIGRTMIN + 1, (union sigval){.sival_int = -1});
    for (int i = 0; i < READERS; i++) pthread_join(threads[i], NULL);
    int once = 0;
    for (int i = 0; i < SIGNALS; i++) once += seen[i] == 1;
    EXPECT_EQ(SIGNALS, once);
    close(fd);
}

TEST(stopped_and_continued) {
    int back[2], status;
    NEED(pipe(back));
    open_for(SIGUSR1);
    pid_t pid = CHILD({
        struct signalfd_siginfo info;
        tell(back[1]);
        for (;;) { long got = read(fd, &info, sizeof info); if (got != sizeof info || info.ssi_signo != SIGUSR1) _exit(1); tell(back[1]); }
    });
    await_byte(back[0]);
    for (int i = 0; i < 20; i++) {
        kill(pid, SIGSTOP);
        EXPECT_TRUE(waitpid(pid, &status, WUNTRACED) == pid);
        if (i % 2) kill(pid, SIGUSR1);
        kill(pid, SIGCONT);
        EXPECT_TRUE(waitpid(pid, &status, WCONTINUED) == pid);
        if (i % 2 == 0) kill(pid, SIGUSR1);
        await_byte(back[0]);
    }
    kill(pid, SIGKILL);
    EXPECT_KILLED(SIGKILL, pid);
    close(fd);
}

TEST(killed) {
    int back[2];
    NEED(pipe(back));
    open_for(SIGUSR1);
    for (int i = 0; i < 10; i++) {
        pid_t pid = CHILD({ struct signalfd_siginfo info; tell(back[1]); for (;;) if (read(fd, &info, sizeof info) != sizeof info) _exit(1); });
        await_byte(back[0]);
        for (int k = 0; k < i; k++) kill(pid, SIGUSR1);
        kill(pid, SIGKILL);
        EXPECT_KILLED(SIGKILL, pid);
    }
    close(fd);
}

static void *reads_for_ever(void *arg) { struct signalfd_siginfo info; for (;;) if (read(fd, &info, sizeof info) < 0) return NULL; }

TEST(exec_ends_readers) {
    for (int i = 0; i < 5; i++) {
        pid_t pid = CHILD({
            pthread_t threads[READERS];
            open_for(SIGUSR1);
            for (int k = 0; k < READERS; k++) pthread_create(&threads[k], NULL, reads_for_ever, NULL);
            for (int k = 0; k < 10; k++) kill(getpid(), SIGUSR1);
            execl("/bin/true", "true", (char *)0);
        });
        EXPECT_EXIT(0, pid);
    }
}
