/* 400 random steps with open-file-description and flock locks on one file: every answer, and what F_OFD_GETLK tells between them. */
// guest: unordered timeout=120
#include <sys/file.h>
#include "check.h"

static uint32_t state = 20240229;
static unsigned pick(unsigned n) {
    state = state * 1664525 + 1013904223;
    return (state >> 10) % n;
}

static int fds[4];
static const short types[] = {F_RDLCK, F_WRLCK, F_UNLCK, 7, -1};
static const char *const kinds[] = {"read", "write", "none"};

static void show_conflict(int fd, int type, off_t start, off_t len) {
    struct flock lock = {.l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = len};
    long result = fcntl(fd, F_OFD_GETLK, &lock);
    printf(" %s %d %ld+%ld %d", result ? check_errno_name(errno) : lock.l_type <= 2 ? kinds[lock.l_type] : "?", lock.l_whence, (long)lock.l_start,
        (long)lock.l_len, (int)lock.l_pid);
}

TEST(records) {
    close(make_file("f", "0123456789"));
    for (int i = 0; i < 4; i++) fds[i] = NEED(open("f", i == 3 ? O_RDONLY : O_RDWR));
    for (int step = 0; step < 400; step++) {
        int fd = fds[pick(4)];
        struct flock lock = {.l_type = types[pick(pick(8) ? 3 : 5)], .l_whence = pick(8) ? SEEK_SET : (short)pick(4), .l_start = (int)pick(14) - 1,
            .l_len = (int)pick(9) - 2};
        if (!pick(20)) lock.l_start = INT64_MAX - pick(3);
        if (!pick(20)) lock.l_len = INT64_MAX - pick(3);
        if (!pick(30)) lock.l_pid = 5;
        if (!pick(12)) lseek(fd, pick(12), SEEK_SET);
        long result = fcntl(fd, F_OFD_SETLK, &lock);
        printf("%d %ld+%ld %d: %s;", lock.l_type, (long)lock.l_start, (long)lock.l_len, lock.l_whence, result ? check_errno_name(errno) : "ok");
        show_conflict(fds[pick(3)], pick(2) ? F_WRLCK : F_RDLCK, pick(12), pick(5));
        show_conflict(fds[0], F_WRLCK, 0, 0);
        printf("\n");
    }
    for (int i = 0; i < 4; i++) {
        close(fds[i]);
        if (i < 2) show_conflict(fds[2], F_WRLCK, 0, 0);
        printf("\n");
    }
}

TEST(processes) {
    int fd = NEED(open("f", O_RDWR)), go[2], done[2];
    NEED(pipe(go));
    NEED(pipe(done));
    pid_t pid = CHILD({
        int own = NEED(open("f", O_RDWR));
        for (int step = 0; step < 60; step++) {
            await_byte(go[0]);
            struct flock lock = {.l_type = types[pick(3)], .l_whence = SEEK_SET, .l_start = pick(12), .l_len = pick(4)};
            fcntl(own, F_SETLK, &lock);
            tell(done[1]);
        }
        await_byte(go[0]);
    });
    for (int step = 0; step < 60; step++) {
        tell(go[1]);
        await_byte(done[0]);
        struct flock lock = {.l_type = types[pick(3)], .l_whence = SEEK_SET, .l_start = pick(12), .l_len = pick(4)};
        long result = fcntl(fd, F_SETLK, &lock);
        int error = errno;
        struct flock found = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = pick(12), .l_len = pick(6)};
        NEED(fcntl(fd, F_GETLK, &found));
        printf("%s: %s %ld+%ld %d\n", result ? check_errno_name(error) : "ok", kinds[found.l_type], (long)found.l_start, (long)found.l_len, found.l_pid == pid);
    }
    tell(go[1]);
    EXPECT_EXIT(0, pid);
    struct flock found = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    NEED(fcntl(fd, F_GETLK, &found));
    SHOW(found.l_type);
}

TEST(flocks) {
    for (int i = 0; i < 4; i++) fds[i] = NEED(open("f", i == 3 ? O_RDONLY : O_RDWR));
    static const int operations[] = {LOCK_SH | LOCK_NB, LOCK_EX | LOCK_NB, LOCK_UN, LOCK_UN | LOCK_NB, LOCK_SH | LOCK_EX | LOCK_NB, 0, 16, LOCK_MAND};
    for (int step = 0; step < 150; step++) {
        int one = pick(4), operation = operations[pick(pick(5) ? 3 : 8)];
        long result = flock(fds[one], operation);
        printf("%d %d: %s\n", one, operation, result ? check_errno_name(errno) : "ok");
        if (!pick(20)) {
            close(fds[one]);
            fds[one] = NEED(open("f", one == 3 ? O_RDONLY : O_RDWR));
        }
    }
}

/* Waiters go on when the lock that they wait for goes: by an unlock, a change, or the end of the last descriptor. */
TEST(waiters) {
    for (int how = 0; how < 4; how++) {
        int fd = NEED(open("f", O_RDWR)), ready[2];
        NEED(pipe(ready));
        NEED(flock(fd, LOCK_EX));
        pid_t pid = CHILD({
            close(fd);
            int own = NEED(open("f", O_RDWR));
            tell(ready[1]);
            EXPECT_OK(flock(own, LOCK_SH));
        });
        await_byte(ready[0]);
        char name[40];
        char text[100] = "";
        snprintf(name, sizeof name, "/proc/%d/stat", pid);
        do { /* until it sleeps */
            int look = NEED(open(name, O_RDONLY));
            text[NEED(read(look, text, sizeof text - 1))] = 0;
            close(look);
        } while (!strstr(text, ") S"));
        if (how == 0) EXPECT_OK(flock(fd, LOCK_UN));
        if (how == 1) EXPECT_OK(flock(fd, LOCK_SH));
        if (how == 2) close(fd);
        if (how == 3) NEED(dup2(ready[0], fd));
        EXPECT_EXIT(0, pid);
        if (how != 2) close(fd);
    }
}
