// signalfd(2): blocked signals are read as records.
#include "check.h"
#include <poll.h>
#include <sys/signalfd.h>

static sigset_t set;

TEST(reads_a_record) {
    struct signalfd_siginfo info;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigaddset(&set, SIGRTMIN);
    NEED(sigprocmask(SIG_BLOCK, &set, NULL));
    int fd = EXPECT_OK(signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC));
    EXPECT_ERRNO(EAGAIN, read(fd, &info, sizeof info));
    struct pollfd entry = {fd, POLLIN, 0};
    EXPECT_EQ(0, poll(&entry, 1, 0));
    kill(getpid(), SIGUSR1);
    EXPECT_EQ(1, poll(&entry, 1, 0));
    EXPECT_EQ(128, read(fd, &info, sizeof info));
    EXPECT_EQ(SIGUSR1, info.ssi_signo);
    EXPECT_TRUE(info.ssi_pid == (unsigned)getpid());
    EXPECT_EQ(SI_USER, info.ssi_code);
    sigqueue(getpid(), SIGRTMIN, (union sigval){.sival_int = 77});
    EXPECT_EQ(128, read(fd, &info, sizeof info));
    EXPECT_EQ(77, info.ssi_int);
    EXPECT_ERRNO(EINVAL, read(fd, &info, 10));
    close(fd);
}

TEST(errors) {
    EXPECT_ERRNO(EINVAL, signalfd(-1, &set, 0x1234));
    EXPECT_ERRNO(EBADF, signalfd(999, &set, 0));
    EXPECT_ERRNO(EINVAL, signalfd(0, &set, 0));
    EXPECT_EQ(-EINVAL, RAW4(SYS_signalfd4, -1, &set, 4, 0));
}
