// futex(2): every operation: what it answers without a waiter, and requeueing, waking by an operation, and locks with an owner.
#include "check.h"
#include <linux/futex.h>
#include <pthread.h>

static int words[4];

static long futex(int *word, int op, long value, long value2, int *second, int third) {
    long result = syscall(SYS_futex, word, op, value, value2, second, third);
    return result < 0 ? -errno : result;
}

static void *waiter(void *unused) {
    return (void *)futex(&words[0], FUTEX_WAIT_PRIVATE, 0, 0, NULL, 0);
}

static void *waiter_of_bit(void *unused) {
    return (void *)futex(&words[0], FUTEX_WAIT_BITSET_PRIVATE, 0, 0, NULL, 4);
}

/* Until so many wait on a word: they are moved away one by one, which tells how many there are, and then back. */
static void await_waiters(int *word, int count) {
    for (int moved = 0; moved < count; moved += futex(word, FUTEX_REQUEUE_PRIVATE, 0, 1, &words[3], 0)) sched_yield();
    futex(&words[3], FUTEX_REQUEUE_PRIVATE, 0, count, word, 0);
}

TEST(nobody_waits) {
    for (int op = 0; op < 16; op++) {
        if (op == FUTEX_WAIT || op == FUTEX_WAIT_BITSET || op == FUTEX_LOCK_PI || op == FUTEX_LOCK_PI2 || op == FUTEX_WAIT_REQUEUE_PI) continue;
        words[0] = words[1] = 0;
        printf("op %d: %ld %ld\n", op, futex(&words[0], op | FUTEX_PRIVATE_FLAG, 1, 1, &words[1], 0), futex(&words[0], op, 1, 1, &words[1], 7));
    }
}

TEST(requeue) {
    pthread_t threads[3];
    void *result;
    words[0] = words[1] = 0;
    for (int i = 0; i < 3; i++) NEED(pthread_create(&threads[i], NULL, waiter, NULL));
    await_waiters(&words[0], 3);
    EXPECT_EQ(-EAGAIN, futex(&words[0], FUTEX_CMP_REQUEUE_PRIVATE, 1, 1, &words[1], 5));
    EXPECT_EQ(2, futex(&words[0], FUTEX_CMP_REQUEUE_PRIVATE, 1, 1, &words[1], 0));
    EXPECT_EQ(1, futex(&words[0], FUTEX_REQUEUE_PRIVATE, 0, 1, &words[1], 0));
    EXPECT_EQ(0, futex(&words[0], FUTEX_WAKE_PRIVATE, INT_MAX, 0, NULL, 0));
    EXPECT_EQ(2, futex(&words[1], FUTEX_WAKE_PRIVATE, INT_MAX, 0, NULL, 0));
    for (int i = 0; i < 3; i++) {
        pthread_join(threads[i], &result);
        EXPECT_EQ(0, (long)result);
    }
}

TEST(bits) {
    pthread_t thread;
    void *result;
    words[0] = words[3] = 0;
    NEED(pthread_create(&thread, NULL, waiter_of_bit, NULL));
    await_waiters(&words[0], 1);
    EXPECT_EQ(0, futex(&words[0], FUTEX_WAKE_BITSET_PRIVATE, 1, 0, NULL, 3));
    EXPECT_EQ(-EINVAL, futex(&words[0], FUTEX_WAKE_BITSET_PRIVATE, 1, 0, NULL, 0));
    EXPECT_EQ(1, futex(&words[0], FUTEX_WAKE_BITSET_PRIVATE, 1, 0, NULL, 6));
    pthread_join(thread, &result);
    EXPECT_EQ(0, (long)result);
}

TEST(wake_by_an_operation) {
    static const int operations[] = {FUTEX_OP_SET, FUTEX_OP_ADD, FUTEX_OP_OR, FUTEX_OP_ANDN, FUTEX_OP_XOR, 9};
    for (int i = 0; i < 6; i++) {
        words[1] = 6;
        long result = futex(&words[0], FUTEX_WAKE_OP_PRIVATE, 1, 1, &words[1], FUTEX_OP(operations[i], 3, FUTEX_OP_CMP_EQ, 6));
        printf("wake_op %d: %ld, %d\n", operations[i], result, words[1]);
    }
    pthread_t thread;
    words[0] = words[1] = words[3] = 0;
    NEED(pthread_create(&thread, NULL, waiter, NULL));
    await_waiters(&words[0], 1);
    EXPECT_EQ(1, futex(&words[2], FUTEX_WAKE_OP_PRIVATE, 1, 1, &words[0], FUTEX_OP(FUTEX_OP_SET, 1, FUTEX_OP_CMP_EQ, 0)));
    pthread_join(thread, NULL);
    EXPECT_EQ(1, words[0]);
}

static void *locker(void *lock) {
    long result = pthread_mutex_lock(lock);
    pthread_mutex_unlock(lock);
    return (void *)result;
}

TEST(owners) {
    pthread_mutexattr_t attributes;
    pthread_mutex_t lock;
    pthread_t thread;
    void *result;
    pthread_mutexattr_init(&attributes);
    if (pthread_mutexattr_setprotocol(&attributes, PTHREAD_PRIO_INHERIT) || pthread_mutex_init(&lock, &attributes)) exit(99);
    EXPECT_EQ(0, pthread_mutex_lock(&lock));
    NEED(pthread_create(&thread, NULL, locker, &lock));
    while (!(__atomic_load_n((int *)&lock, __ATOMIC_ACQUIRE) & FUTEX_WAITERS)) sched_yield();
    EXPECT_EQ(0, pthread_mutex_unlock(&lock));
    pthread_join(thread, &result);
    EXPECT_EQ(0, (long)result);
    int word = 0;
    EXPECT_EQ(0, futex(&word, FUTEX_TRYLOCK_PI_PRIVATE, 0, 0, NULL, 0));
    EXPECT_TRUE(word == gettid());
    EXPECT_EQ(-EDEADLK, futex(&word, FUTEX_LOCK_PI_PRIVATE, 0, 0, NULL, 0));
    EXPECT_EQ(0, futex(&word, FUTEX_UNLOCK_PI_PRIVATE, 0, 0, NULL, 0));
    EXPECT_EQ(0, word);
    EXPECT_EQ(0, futex(&word, FUTEX_LOCK_PI2_PRIVATE, 0, 0, NULL, 0));
    EXPECT_EQ(0, futex(&word, FUTEX_UNLOCK_PI_PRIVATE, 0, 0, NULL, 0));
    EXPECT_EQ(-EPERM, futex(&word, FUTEX_UNLOCK_PI_PRIVATE, 0, 0, NULL, 0));
    struct timespec past = {1, 0};
    EXPECT_EQ(-ETIMEDOUT, futex(&word, FUTEX_WAIT_REQUEUE_PI_PRIVATE, 0, (long)&past, &words[2], 0));
    EXPECT_EQ(-EINVAL, futex(&word, FUTEX_CMP_REQUEUE_PI_PRIVATE, 2, 1, &words[2], 0));
    EXPECT_EQ(0, futex(&word, FUTEX_CMP_REQUEUE_PI_PRIVATE, 1, 1, &words[2], 0));
}
