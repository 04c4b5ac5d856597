// pthread mutexes, condition variables, semaphores and barriers shared between processes.
#include "check.h"
#include <pthread.h>
#include <semaphore.h>

struct shared { pthread_mutex_t mutex; pthread_cond_t cond; sem_t semaphore; int counter, turn; };

TEST(counter_under_a_mutex) {
    struct shared *s = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pthread_mutexattr_t ma;
    pthread_condattr_t ca;
    pthread_mutexattr_init(&ma);
    pthread_mutexattr_setpshared(&ma, PTHREAD_PROCESS_SHARED);
    pthread_mutex_init(&s->mutex, &ma);
    pthread_condattr_init(&ca);
    pthread_condattr_setpshared(&ca, PTHREAD_PROCESS_SHARED);
    pthread_cond_init(&s->cond, &ca);
    sem_init(&s->semaphore, 1, 0);
    pid_t kids[3];
    for (int k = 0; k < 3; k++) kids[k] = CHILD({
        for (int i = 0; i < 2000; i++) { pthread_mutex_lock(&s->mutex); s->counter++; pthread_mutex_unlock(&s->mutex); }
        sem_post(&s->semaphore);
    });
    for (int k = 0; k < 3; k++) EXPECT_OK(sem_wait(&s->semaphore));
    EXPECT_EQ(6000, s->counter);
    for (int k = 0; k < 3; k++) EXPECT_EXIT(0, kids[k]);
    pid_t pid = CHILD({
        pthread_mutex_lock(&s->mutex);
        while (s->turn != 1) pthread_cond_wait(&s->cond, &s->mutex);
        s->turn = 2;
        pthread_cond_broadcast(&s->cond);
        pthread_mutex_unlock(&s->mutex);
    });
    pthread_mutex_lock(&s->mutex);
    s->turn = 1;
    pthread_cond_broadcast(&s->cond);
    while (s->turn != 2) pthread_cond_wait(&s->cond, &s->mutex);
    pthread_mutex_unlock(&s->mutex);
    EXPECT_EXIT(0, pid);
}

TEST(robust_mutex_of_a_dead_owner) {
    pthread_mutex_t *m = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pthread_mutexattr_t a;
    pthread_mutexattr_init(&a);
    pthread_mutexattr_setpshared(&a, PTHREAD_PROCESS_SHARED);
    pthread_mutexattr_setrobust(&a, PTHREAD_MUTEX_ROBUST);
    pthread_mutex_init(m, &a);
    pid_t pid = CHILD({ pthread_mutex_lock(m); _exit(0); });
    EXPECT_EXIT(0, pid);
    EXPECT_EQ(EOWNERDEAD, pthread_mutex_lock(m));
    EXPECT_EQ(0, pthread_mutex_consistent(m));
    EXPECT_EQ(0, pthread_mutex_unlock(m));
    EXPECT_EQ(0, pthread_mutex_lock(m));
}
