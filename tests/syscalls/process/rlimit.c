// getrlimit(2), setrlimit(2), prlimit(2): what is set is read back and obeyed.
#include "check.h"
#include <sys/resource.h>

TEST(set_and_get) {
    struct rlimit limit = {50, 60}, got;
    EXPECT_OK(setrlimit(RLIMIT_NOFILE, &limit));
    EXPECT_OK(getrlimit(RLIMIT_NOFILE, &got));
    EXPECT_EQ(50, got.rlim_cur);
    EXPECT_EQ(60, got.rlim_max);
    limit.rlim_cur = 70;
    EXPECT_ERRNO(EINVAL, setrlimit(RLIMIT_NOFILE, &limit));
}

TEST(nofile_is_obeyed) {
    int fds[64], count = 0;
    while (count < 64 && (fds[count] = open("/dev/null", O_RDONLY)) >= 0) count++;
    EXPECT_EQ(EMFILE, errno);
    EXPECT_EQ(47, count);
    EXPECT_ERRNO(EMFILE, dup(0));
    int both[2];
    EXPECT_ERRNO(EMFILE, pipe(both));
    EXPECT_ERRNO(EBADF, dup2(0, 50));
    EXPECT_ERRNO(EINVAL, fcntl(0, F_DUPFD, 50));
    EXPECT_ERRNO(EMFILE, fcntl(0, F_DUPFD, 49));
    while (count) close(fds[--count]);
}

TEST(inherited_by_the_child) {
    pid_t pid = CHILD({ struct rlimit got; getrlimit(RLIMIT_NOFILE, &got); EXPECT_EQ(50, got.rlim_cur); });
    EXPECT_EXIT(0, pid);
}

TEST(prlimit_both_ways) {
    struct rlimit new = {40, 55}, old;
    EXPECT_OK(prlimit(0, RLIMIT_NOFILE, &new, &old));
    EXPECT_EQ(50, old.rlim_cur);
    EXPECT_EQ(60, old.rlim_max);
    EXPECT_OK(prlimit(getpid(), RLIMIT_NOFILE, NULL, &old));
    EXPECT_EQ(40, old.rlim_cur);
    EXPECT_EQ(55, old.rlim_max);
    EXPECT_ERRNO(ESRCH, prlimit(0x3ffffff0, RLIMIT_NOFILE, NULL, &old));
    EXPECT_ERRNO(EINVAL, prlimit(0, 99, NULL, &old));
    EXPECT_ERRNO(EFAULT, prlimit(0, RLIMIT_NOFILE, BAD_PTR, NULL));
    EXPECT_ERRNO(EFAULT, prlimit(0, RLIMIT_NOFILE, NULL, BAD_PTR));
}

TEST(fsize_is_obeyed) {
    pid_t pid = CHILD({
        struct rlimit limit = {10, 10};
        signal(SIGXFSZ, SIG_IGN);
        NEED(setrlimit(RLIMIT_FSIZE, &limit));
        int fd = NEED(open("f", O_RDWR | O_CREAT, 0644));
        EXPECT_EQ(10, write(fd, "0123456789abc", 13));
        EXPECT_ERRNO(EFBIG, write(fd, "x", 1));
        EXPECT_ERRNO(EFBIG, ftruncate(fd, 11));
        EXPECT_OK(ftruncate(fd, 5));
        signal(SIGXFSZ, SIG_DFL);
        fflush(stdout);
        lseek(fd, 10, SEEK_SET);
        write(fd, "x", 1);
    });
    EXPECT_KILLED(SIGXFSZ, pid);
}

TEST(every_limit_can_be_read) {
    struct rlimit got;
    for (int i = 0; i < 16; i++) EXPECT_OK(getrlimit(i, &got));
    EXPECT_ERRNO(EINVAL, getrlimit(16, &got));
    EXPECT_ERRNO(EFAULT, getrlimit(0, BAD_PTR));
}
