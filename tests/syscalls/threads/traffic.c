// Threads that share descriptors: one pipe, many readers and writers; a condition variable ping-pong.
// guest: timeout=20
#include "check.h"
#include <pthread.h>

static int fds[2], total;
static void *writer(void *arg) { for (int i = 0; i < 200; i++) if (write(fds[1], "abcd", 4) != 4) return (void *)1; return NULL; }
static void *reader(void *arg) {
    char block[4];
    while (read(fds[0], block, 4) == 4) __atomic_add_fetch(&total, 4, __ATOMIC_RELAXED);
    return NULL;
}

TEST(many_readers_and_writers) {
    pthread_t readers[3], writers[3];
    NEED(pipe(fds));
    for (int i = 0; i < 3; i++) { pthread_create(&readers[i], NULL, reader, NULL); pthread_create(&writers[i], NULL, writer, NULL); }
    for (int i = 0; i < 3; i++) pthread_join(writers[i], NULL);
    close(fds[1]);
    for (int i = 0; i < 3; i++) pthread_join(readers[i], NULL);
    EXPECT_EQ(2400, total);
}

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static int turn;
static void *player(void *arg) {
    int me = (long)arg;
    for (int i = 0; i < 500; i++) {
        pthread_mutex_lock(&mutex);
        while (turn != me) pthread_cond_wait(&cond, &mutex);
        turn = !me;
        pthread_cond_broadcast(&cond);
        pthread_mutex_unlock(&mutex);
    }
    return NULL;
}

TEST(ping_pong) {
    pthread_t a, b;
    pthread_create(&a, NULL, player, (void *)0);
    pthread_create(&b, NULL, player, (void *)1);
    EXPECT_EQ(0, pthread_join(a, NULL));
    EXPECT_EQ(0, pthread_join(b, NULL));
    EXPECT_EQ(0, turn);
}

static void *opener(void *arg) {
    for (int i = 0; i < 100; i++) {
        int fd = open("/dev/null", O_RDWR);
        if (fd < 0 || write(fd, "x", 1) != 1 || close(fd)) return (void *)1;
    }
    return NULL;
}

TEST(descriptor_table_under_contention) {
    pthread_t threads[6];
    long failures = 0;
    for (int i = 0; i < 6; i++) pthread_create(&threads[i], NULL, opener, NULL);
    for (int i = 0; i < 6; i++) { void *v; pthread_join(threads[i], &v); failures += (long)v; }
    EXPECT_EQ(0, failures);
}
