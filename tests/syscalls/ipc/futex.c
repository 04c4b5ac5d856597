// futex(2): wait and wake within and between processes, values, bitsets, requeue, errors.
#include "check.h"
#include <linux/futex.h>
#include <pthread.h>

static long futex(int *word, int op, int value, void *timeout, int *second, int third) {
    return syscall(SYS_futex, word, op, value, timeout, second, third);
}

static int shared_word;
static void *waiter(void *arg) {
    while (__atomic_load_n(&shared_word, __ATOMIC_ACQUIRE) == 0) futex(&shared_word, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0);
    return NULL;
}

TEST(private_wait_and_wake) {
    pthread_t threads[3];
    for (int i = 0; i < 3; i++) pthread_create(&threads[i], NULL, waiter, NULL);
    __atomic_store_n(&shared_word, 1, __ATOMIC_RELEASE);
    futex(&shared_word, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
    for (int i = 0; i < 3; i++) EXPECT_EQ(0, pthread_join(threads[i], NULL));
}

TEST(values_and_timeouts) {
    int word = 5;
    struct timespec little = {0, 2000000}, bad = {0, 1000000000}, past = {1, 0};
    EXPECT_ERRNO(EAGAIN, futex(&word, FUTEX_WAIT, 4, NULL, NULL, 0));
    EXPECT_ERRNO(ETIMEDOUT, futex(&word, FUTEX_WAIT, 5, &little, NULL, 0));
    EXPECT_ERRNO(ETIMEDOUT, futex(&word, FUTEX_WAIT_BITSET | FUTEX_CLOCK_REALTIME, 5, &past, NULL, -1));
    EXPECT_ERRNO(EINVAL, futex(&word, FUTEX_WAIT, 5, &bad, NULL, 0));
    EXPECT_ERRNO(EINVAL, futex(&word, FUTEX_WAIT_BITSET, 5, NULL, NULL, 0));
    EXPECT_ERRNO(EINVAL, futex((int *)((char *)&word + 1), FUTEX_WAIT, 5, NULL, NULL, 0));
    EXPECT_ERRNO(EFAULT, futex((int *)0x1000, FUTEX_WAIT, 0, NULL, NULL, 0));
    EXPECT_ERRNO(ENOSYS, futex(&word, 99, 0, NULL, NULL, 0));
    EXPECT_EQ(0, futex(&word, FUTEX_WAKE, 1, NULL, NULL, 0));
}

TEST(between_processes) {
    int *word = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pid_t pid = CHILD({
        while (__atomic_load_n(word, __ATOMIC_ACQUIRE) == 0) futex(word, FUTEX_WAIT, 0, NULL, NULL, 0);
        word[1] = 1;
        futex(word + 1, FUTEX_WAKE, 1, NULL, NULL, 0);
    });
    __atomic_store_n(word, 1, __ATOMIC_RELEASE);
    futex(word, FUTEX_WAKE, 1, NULL, NULL, 0);
    while (__atomic_load_n(word + 1, __ATOMIC_ACQUIRE) == 0) futex(word + 1, FUTEX_WAIT, 0, NULL, NULL, 0);
    EXPECT_EXIT(0, pid);
}

TEST(in_a_shared_file) {
    int fd = NEED(open("f", O_RDWR | O_CREAT, 0644));
    NEED(ftruncate(fd, 4096));
    int *word = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    pid_t pid = CHILD({
        int *own = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, NEED(open("f", O_RDWR)), 0);
        while (__atomic_load_n(own, __ATOMIC_ACQUIRE) == 0) futex(own, FUTEX_WAIT, 0, NULL, NULL, 0);
    });
    __atomic_store_n(word, 1, __ATOMIC_RELEASE);
    while (waitpid(pid, NULL, WNOHANG) == 0) futex(word, FUTEX_WAKE, 1, NULL, NULL, 0);
    EXPECT_TRUE(1);
}

enum { FUTEX_WAKE_NR = 454, FUTEX_WAIT_NR, FUTEX_REQUEUE_NR, SIZE_U32 = 2, PRIVATE = 128 };
struct waiter { uint64_t value, address; uint32_t flags, reserved; };

TEST(futex2_calls) {
    int *word = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    struct timespec past = {0, 0};
    EXPECT_EQ(0, RAW4(FUTEX_WAKE_NR, word, 0xffffffff, 1, SIZE_U32));
    EXPECT_EQ(-EAGAIN, RAW6(FUTEX_WAIT_NR, word, 1, 0xffffffff, SIZE_U32, NULL, CLOCK_MONOTONIC));
    EXPECT_EQ(-ETIMEDOUT, RAW6(FUTEX_WAIT_NR, word, 0, 0xffffffff, SIZE_U32, &past, CLOCK_MONOTONIC));
    EXPECT_EQ(-EINVAL, RAW4(FUTEX_WAKE_NR, word, 0xffffffff, 1, 0x40));
    EXPECT_EQ(-EINVAL, RAW4(FUTEX_WAKE_NR, (char *)word + 1, 0xffffffff, 1, SIZE_U32));
    pid_t pid = CHILD({
        while (__atomic_load_n(word, __ATOMIC_ACQUIRE) == 0) RAW6(FUTEX_WAIT_NR, word, 0, 0xffffffff, SIZE_U32, NULL, CLOCK_MONOTONIC);
    });
    __atomic_store_n(word, 1, __ATOMIC_RELEASE);
    while (waitpid(pid, NULL, WNOHANG) == 0) RAW4(FUTEX_WAKE_NR, word, 0xffffffff, 1, SIZE_U32);
    struct waiter pair[2] = {{1, (uintptr_t)word, SIZE_U32, 0}, {0, (uintptr_t)(word + 1), SIZE_U32, 0}};
    EXPECT_EQ(0, RAW4(FUTEX_REQUEUE_NR, pair, 0, 1, 1));
    pair[0].value = 9;
    EXPECT_EQ(-EAGAIN, RAW4(FUTEX_REQUEUE_NR, pair, 0, 1, 1));
    EXPECT_EQ(-EINVAL, RAW4(FUTEX_REQUEUE_NR, pair, 1, 1, 1));
}

TEST(futex_waitv_call) {
    int words[2] = {0, 5};
    struct waiter two[2] = {{0, (uintptr_t)words, SIZE_U32 | PRIVATE, 0}, {5, (uintptr_t)(words + 1), SIZE_U32 | PRIVATE, 0}};
    struct timespec past = {0, 0};
    EXPECT_EQ(-ETIMEDOUT, RAW5(SYS_futex_waitv, two, 2, 0, &past, CLOCK_MONOTONIC));
    two[1].value = 6;
    EXPECT_EQ(-EAGAIN, RAW5(SYS_futex_waitv, two, 2, 0, NULL, 0));
    EXPECT_EQ(-EINVAL, RAW5(SYS_futex_waitv, two, 0, 0, NULL, 0));
    EXPECT_EQ(-EINVAL, RAW5(SYS_futex_waitv, two, 2, 1, NULL, 0));
    int *word = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    struct waiter one = {0, (uintptr_t)word, SIZE_U32, 0};
    pid_t pid = CHILD({
        while (__atomic_load_n(word, __ATOMIC_ACQUIRE) == 0) RAW5(SYS_futex_waitv, &one, 1, 0, NULL, 0);
    });
    __atomic_store_n(word, 1, __ATOMIC_RELEASE);
    while (waitpid(pid, NULL, WNOHANG) == 0) RAW4(FUTEX_WAKE_NR, word, 0xffffffff, 1, SIZE_U32);
}
