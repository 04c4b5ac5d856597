// fork(2) while other threads open, map and close: whatever the child has inherited it can map and close.
#include "check.h"
#include <pthread.h>

static volatile int is_over;

static void *churn(void *arg) {
    char path[64];
    snprintf(path, sizeof path, "fork-%ld", (long)arg);
    close(make_file(path, "0123456789"));
    while (!is_over) {
        int fd = open(path, O_RDONLY);
        char *p = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0);
        if (p != MAP_FAILED) munmap(p, 4096);
        close(fd);
    }
    return NULL;
}

static int failures_of_a_child(void) {
    int failures = 0;
    for (int fd = 3; fd < 16; fd++) {
        struct stat file;
        if (fstat(fd, &file) || !S_ISREG(file.st_mode) || file.st_size != 10) continue;
        void *p = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0);
        failures += p == MAP_FAILED;
        failures += close(fd) != 0;
        failures += close(fd) != -1 || errno != EBADF;
    }
    return failures;
}

TEST(children_map_and_close_what_they_inherit) {
    pthread_t threads[3];
    int failures = 0;
    for (long i = 0; i < 3; i++) pthread_create(&threads[i], NULL, churn, (void *)i);
    for (int i = 0; i < 150; i++) {
        pid_t pid = fork();
        if (pid == 0) _exit(failures_of_a_child());
        int status = reap(pid);
        failures += !WIFEXITED(status) || WEXITSTATUS(status);
    }
    is_over = 1;
    for (int i = 0; i < 3; i++) pthread_join(threads[i], NULL);
    EXPECT_EQ(0, failures);
}
