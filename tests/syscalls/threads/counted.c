// /proc/self/task: its link count is two more than there are threads (proc(5)); browsers ask it whether they may still fork.
#include "check.h"
#include <pthread.h>

static int ends[2];

static void *wait_for_end(void *unused) {
    char byte;
    return (void *)read(ends[0], &byte, 1);
}

static int links(void) {
    struct stat info, again;
    int fd = NEED(open("/proc/", O_RDONLY | O_DIRECTORY));
    NEED(fstatat(fd, "self/task/", &info, 0));
    int task = NEED(open("/proc/self/task", O_RDONLY | O_DIRECTORY));
    NEED(fstat(task, &again));
    EXPECT_EQ(info.st_nlink, again.st_nlink);
    close(task);
    close(fd);
    return info.st_nlink;
}

TEST(threads_are_counted) {
    pthread_t threads[4];
    NEED(pipe(ends));
    EXPECT_EQ(3, links());
    for (int i = 0; i < 4; i++) {
        NEED(pthread_create(&threads[i], NULL, wait_for_end, NULL));
        EXPECT_EQ(4 + i, links());
    }
    close(ends[1]);
    for (int i = 0; i < 4; i++) pthread_join(threads[i], NULL);
    struct stat info;
    do NEED(stat("/proc/self/task", &info)); while (info.st_nlink != 3); /* joined when it has left user space, gone a little later */
}
