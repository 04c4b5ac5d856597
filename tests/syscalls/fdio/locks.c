// flock(2) and fcntl(2) record locks: who conflicts, what is released when.
// guest: unordered
#include "check.h"
#include <sys/file.h>

static int set(int fd, int cmd, int type, off_t start, off_t len) {
    struct flock lock = {.l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = len};
    return fcntl(fd, cmd, &lock);
}

TEST(flock_belongs_to_the_description) {
    int a = make_file("f", "0123456789"), b = NEED(open("f", O_RDWR)), copy = NEED(dup(a));
    EXPECT_OK(flock(a, LOCK_EX));
    EXPECT_ERRNO(EWOULDBLOCK, flock(b, LOCK_SH | LOCK_NB));
    EXPECT_OK(flock(copy, LOCK_SH));
    EXPECT_OK(flock(b, LOCK_SH | LOCK_NB));
    EXPECT_ERRNO(EWOULDBLOCK, flock(b, LOCK_EX | LOCK_NB));
    close(a);
    EXPECT_ERRNO(EWOULDBLOCK, flock(b, LOCK_EX | LOCK_NB));
    close(copy);
    EXPECT_OK(flock(b, LOCK_EX | LOCK_NB));
    EXPECT_OK(flock(b, LOCK_UN));
    EXPECT_ERRNO(EINVAL, flock(b, 0));
    EXPECT_ERRNO(EBADF, flock(-1, LOCK_SH));
    close(b);
}

TEST(records_belong_to_the_process) {
    int fd = NEED(open("f", O_RDWR));
    EXPECT_OK(set(fd, F_SETLK, F_WRLCK, 2, 3));
    EXPECT_OK(set(fd, F_SETLK, F_WRLCK, 0, 10));
    EXPECT_OK(set(fd, F_SETLK, F_UNLCK, 4, 2));
    pid_t parent = getpid();
    pid_t pid = CHILD({
        int own = NEED(open("f", O_RDWR));
        EXPECT_ERRNO(EAGAIN, set(own, F_SETLK, F_RDLCK, 0, 1));
        EXPECT_OK(set(own, F_SETLK, F_WRLCK, 4, 2));
        EXPECT_ERRNO(EAGAIN, set(own, F_SETLK, F_WRLCK, 4, 3));
        struct flock test = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 5, .l_len = 0};
        EXPECT_OK(fcntl(own, F_GETLK, &test));
        EXPECT_EQ(F_WRLCK, test.l_type);
        EXPECT_EQ(6, test.l_start);
        EXPECT_EQ(4, test.l_len);
        EXPECT_TRUE(test.l_pid == parent);
    });
    EXPECT_EXIT(0, pid);
    int other = NEED(open("f", O_RDONLY));
    close(other);
    pid = CHILD({ EXPECT_OK(set(NEED(open("f", O_RDWR)), F_SETLK, F_WRLCK, 0, 0)); });
    EXPECT_EXIT(0, pid);
    close(fd);
}

TEST(waiting_for_a_record) {
    int fd = NEED(open("f", O_RDWR)), ready[2];
    NEED(pipe(ready));
    NEED(set(fd, F_SETLK, F_WRLCK, 0, 0));
    pid_t pid = CHILD({ int own = NEED(open("f", O_RDWR)); tell(ready[1]); EXPECT_OK(set(own, F_SETLKW, F_WRLCK, 0, 0)); });
    await_byte(ready[0]);
    EXPECT_OK(set(fd, F_SETLK, F_UNLCK, 0, 0));
    EXPECT_EXIT(0, pid);
    close(fd);
}

TEST(deadlock_is_found) {
    int fd = NEED(open("f", O_RDWR)), ready[2];
    NEED(pipe(ready));
    NEED(set(fd, F_SETLK, F_WRLCK, 0, 1));
    pid_t pid = CHILD({
        int own = NEED(open("f", O_RDWR));
        NEED(set(own, F_SETLK, F_WRLCK, 1, 1));
        tell(ready[1]);
        if (set(own, F_SETLKW, F_WRLCK, 0, 1) == -1) _exit(errno == EDEADLK ? 0 : 9);
        _exit(0);
    });
    await_byte(ready[0]);
    long mine = set(fd, F_SETLKW, F_WRLCK, 1, 1);
    EXPECT_TRUE(mine == 0 || errno == EDEADLK);
    close(fd);
    EXPECT_EXIT(0, pid);
}

TEST(open_file_description_locks) {
    int a = NEED(open("f", O_RDWR)), b = NEED(open("f", O_RDWR));
    EXPECT_OK(set(a, F_OFD_SETLK, F_WRLCK, 0, 5));
    EXPECT_ERRNO(EAGAIN, set(b, F_OFD_SETLK, F_RDLCK, 4, 1));
    EXPECT_OK(set(b, F_OFD_SETLK, F_RDLCK, 5, 1));
    close(a);
    EXPECT_OK(set(b, F_OFD_SETLK, F_WRLCK, 0, 0));
    close(b);
}

TEST(errors) {
    int ro = NEED(open("f", O_RDONLY)), wo = NEED(open("f", O_WRONLY));
    EXPECT_ERRNO(EBADF, set(ro, F_SETLK, F_WRLCK, 0, 1));
    EXPECT_ERRNO(EBADF, set(wo, F_SETLK, F_RDLCK, 0, 1));
    EXPECT_ERRNO(EINVAL, set(ro, F_SETLK, 7, 0, 1));
    EXPECT_ERRNO(EINVAL, set(ro, F_SETLK, F_RDLCK, -1, 1));
    EXPECT_ERRNO(EFAULT, fcntl(ro, F_SETLK, BAD_PTR));
}
