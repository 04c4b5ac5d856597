// Small print of descriptors: fcntl(2) queries and hints, empty vectors, copies between file systems, the order of checks.
#include "check.h"
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#define DUPFD_QUERY 1027
#define CREATED_QUERY 1028
#define GET_RW_HINT 1035
#define SET_RW_HINT 1036

TEST(queries) {
    unlink("made");
    int made = NEED(open("made", O_CREAT | O_RDWR, 0600)), again = NEED(open("made", O_CREAT | O_RDWR, 0600));
    int twin = NEED(dup(made)), place = NEED(open("made", O_PATH)), nameless = NEED(open(".", O_TMPFILE | O_RDWR, 0600));
    int all[] = {made, again, twin, place, nameless, NEED(dup(place)), 900, -1};
    for (int i = 0; i < 8; i++)
        for (int j = 0; j < 8; j++) {
            long same = fcntl(all[i], DUPFD_QUERY, all[j]);
            printf("%d %d: %ld %s\n", i, j, same, same < 0 ? check_errno_name(errno) : "");
        }
    for (int i = 0; i < 8; i++) {
        long is_new = fcntl(all[i], CREATED_QUERY, 0);
        printf("%d: %ld %s\n", i, is_new, is_new < 0 ? check_errno_name(errno) : "");
    }
    uint64_t hint = 3;
    SHOW(fcntl(place, GET_RW_HINT, &hint));
    SHOW(fcntl(made, SET_RW_HINT, &hint));
    hint = 77;
    SHOW(fcntl(again, GET_RW_HINT, &hint));
    SHOW(hint);
    for (hint = 0; hint < 8; hint++) SHOW(fcntl(made, SET_RW_HINT, &hint));
    SHOW(fcntl(made, SET_RW_HINT, BAD_PTR));
    SHOW(fcntl(made, GET_RW_HINT, BAD_PTR));
}

TEST(empty_vectors) {
    struct iovec none = {BAD_PTR, 0};
    int all[] = {NEED(eventfd(0, EFD_NONBLOCK)), NEED(timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK)), NEED(inotify_init1(IN_NONBLOCK)),
        NEED(open(".", O_RDONLY)), NEED(epoll_create1(0)), NEED(open("/dev/full", O_RDWR)), NEED(open("made", O_RDWR)), NEED(open("made", O_PATH))};
    for (int i = 0; i < 8; i++) {
        SHOW(readv(all[i], &none, 0));
        SHOW(readv(all[i], &none, 1));
        SHOW(preadv(all[i], &none, 1, 0));
        SHOW(writev(all[i], &none, 1));
        SHOW(pwritev(all[i], &none, 1, 0));
        close(all[i]);
    }
}

/* What could only be copied through memory is not: a program that finds EXDEV reads and writes. */
TEST(copies_between_file_systems) {
    int file = NEED(open("made", O_CREAT | O_RDWR, 0600)), memory = NEED(memfd_create("m", 0)), proc = NEED(open("/proc/self/status", O_RDONLY));
    int other = NEED(memfd_create("other", 0)), second = NEED(open("second", O_CREAT | O_RDWR, 0600));
    NEED(pwrite(file, "abc", 3, 0));
    NEED(pwrite(memory, "def", 3, 0));
    SHOW(copy_file_range(file, NULL, memory, NULL, 3, 0));
    SHOW(copy_file_range(memory, NULL, file, NULL, 3, 0));
    SHOW(copy_file_range(proc, NULL, file, NULL, 3, 0));
    SHOW(copy_file_range(proc, NULL, file, NULL, 3, 1));
    SHOW(copy_file_range(memory, NULL, other, NULL, 3, 0));
    SHOW(copy_file_range(file, NULL, second, NULL, 3, 0));
    int reading = NEED(open("made", O_RDONLY));
    SHOW(copy_file_range(memory, NULL, reading, NULL, 3, 0));
}

TEST(order_of_checks) {
    int file = NEED(open("made", O_RDONLY)), place = NEED(open("made", O_PATH)), nameless = NEED(open(".", O_TMPFILE | O_RDWR, 0600));
    struct flock lock = {.l_type = F_WRLCK, .l_pid = 1};
    SHOW(fcntl(file, F_OFD_SETLK, &lock));
    SHOW(fcntl(nameless, F_OFD_SETLK, &lock));
    SHOW(fcntl(file, F_OFD_GETLK, &lock));
    SHOW(sync_file_range(place, 0, 0, 8));
    SHOW(sync_file_range(file, 0, 0, 8));
    char text[100];
    SHOW(syscall(SYS_getdents64, nameless, text, sizeof text));
    SHOW(syscall(SYS_getdents64, place, text, sizeof text));
}
