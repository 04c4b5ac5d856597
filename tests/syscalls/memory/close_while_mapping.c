// Threads that open, map and close files get the same numbers in turn: no close(2) takes a number from its next owner.
#include "check.h"
#include <pthread.h>

static void *churn(void *arg) {
    long bad = 0;
    char path[64];
    snprintf(path, sizeof path, "race-%ld", (long)arg);
    close(make_file(path, "0123456789"));
    for (int i = 0; i < 1000; i++) {
        int fd = open(path, O_RDONLY);
        char *p = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0);
        if (p == MAP_FAILED || p[0] != '0') bad++;
        else munmap(p, 4096);
        if (close(fd)) bad++;
    }
    return (void *)bad;
}
TEST(threads_that_open_map_and_close) {
    pthread_t threads[4];
    for (long i = 0; i < 4; i++) pthread_create(&threads[i], NULL, churn, (void *)i);
    for (int i = 0; i < 4; i++) {
        void *bad;
        pthread_join(threads[i], &bad);
        EXPECT_EQ(0, (long)bad);
    }
}
