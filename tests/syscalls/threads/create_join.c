// pthread_create(3) and what lies under it: ids, thread-local storage, shared tables, exit values.
#include "check.h"
#include <pthread.h>

static __thread int local = 5;
static int shared, descriptor;

static void *body(void *arg) {
    local += (long)arg;
    __atomic_add_fetch(&shared, local, __ATOMIC_SEQ_CST);
    return (void *)(long)local;
}

TEST(values_and_storage) {
    pthread_t threads[8];
    long sum = 0;
    for (long i = 0; i < 8; i++) EXPECT_EQ(0, pthread_create(&threads[i], NULL, body, (void *)i));
    for (int i = 0; i < 8; i++) {
        void *value;
        EXPECT_EQ(0, pthread_join(threads[i], &value));
        sum += (long)value;
    }
    EXPECT_EQ(68, sum);
    EXPECT_EQ(68, shared);
    EXPECT_EQ(5, local);
}

static pid_t tid, pid_seen;
static void *ids(void *arg) {
    tid = gettid();
    pid_seen = getpid();
    descriptor = open("/dev/null", O_RDONLY);
    if (chdir("/")) return NULL;
    return NULL;
}

TEST(one_process_several_ids) {
    pthread_t thread;
    pthread_create(&thread, NULL, ids, NULL);
    pthread_join(thread, NULL);
    EXPECT_TRUE(pid_seen == getpid());
    EXPECT_TRUE(tid != getpid());
    EXPECT_TRUE(gettid() == getpid());
    EXPECT_OK(close(descriptor));
    char text[16];
    EXPECT_STR("/", getcwd(text, sizeof text));
    EXPECT_ERRNO(ESRCH, syscall(SYS_tgkill, getpid(), tid, 0));
    EXPECT_ERRNO(ECHILD, waitpid(tid, NULL, __WALL));
}

static void *quick(void *arg) { return arg; }

TEST(many_short_threads) {
    for (int i = 0; i < 300; i++) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, quick, NULL) || pthread_join(thread, NULL)) { EXPECT_TRUE(0); return; }
    }
    EXPECT_TRUE(1);
}

static pthread_barrier_t barrier;
static void *meet(void *arg) { for (int i = 0; i < 20; i++) pthread_barrier_wait(&barrier); return NULL; }

TEST(barrier_of_sixteen) {
    pthread_t threads[16];
    pthread_barrier_init(&barrier, NULL, 16);
    for (int i = 0; i < 16; i++) pthread_create(&threads[i], NULL, meet, NULL);
    for (int i = 0; i < 16; i++) pthread_join(threads[i], NULL);
    EXPECT_TRUE(1);
}

static void *blocked(void *arg) { char c; read(*(int *)arg, &c, 1); return NULL; }

TEST(cancel_a_blocked_thread) {
    int fds[2];
    pthread_t thread;
    void *value;
    NEED(pipe(fds));
    pthread_create(&thread, NULL, blocked, fds);
    EXPECT_EQ(0, pthread_cancel(thread));
    EXPECT_EQ(0, pthread_join(thread, &value));
    EXPECT_TRUE(value == PTHREAD_CANCELED);
}
