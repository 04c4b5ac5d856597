// fcntl(2): F_SETLEASE and F_GETLEASE, breaking by open(2) and truncate(2).
// guest: root unordered
#include "check.h"

static volatile int signals_seen, signal_fd;
static void on_signal(int s, siginfo_t *info, void *c) { signals_seen++; signal_fd = info->si_fd; }

TEST(taking) {
    close(make_file("f", "text"));
    int fd = NEED(open("f", O_RDONLY)), rw, other;
    EXPECT_EQ(F_UNLCK, fcntl(fd, F_GETLEASE));
    EXPECT_ERRNO(EAGAIN, fcntl(fd, F_SETLEASE, F_UNLCK));
    EXPECT_ERRNO(EINVAL, fcntl(fd, F_SETLEASE, 77));
    EXPECT_OK(fcntl(fd, F_SETLEASE, F_RDLCK));
    EXPECT_EQ(F_RDLCK, fcntl(fd, F_GETLEASE));
    other = EXPECT_OK(open("f", O_RDONLY));
    EXPECT_ERRNO(EAGAIN, fcntl(fd, F_SETLEASE, F_WRLCK));
    EXPECT_OK(fcntl(other, F_SETLEASE, F_RDLCK));
    close(other);
    EXPECT_OK(fcntl(fd, F_SETLEASE, F_WRLCK));
    EXPECT_OK(fcntl(fd, F_SETLEASE, F_UNLCK));
    rw = NEED(open("f", O_RDWR));
    EXPECT_ERRNO(EAGAIN, fcntl(fd, F_SETLEASE, F_RDLCK));
    EXPECT_ERRNO(EAGAIN, fcntl(rw, F_SETLEASE, F_WRLCK));
    close(fd);
    EXPECT_OK(fcntl(rw, F_SETLEASE, F_WRLCK));
    close(rw);
    int d = NEED(open(".", O_RDONLY));
    EXPECT_ERRNO(EINVAL, fcntl(d, F_SETLEASE, F_WRLCK));
    close(d);
    pid_t p = CHILD({ NEED(setgid(65534)); NEED(setuid(65534)); int mine = NEED(open("f", O_RDONLY)); EXPECT_ERRNO(EACCES, fcntl(mine, F_SETLEASE, F_RDLCK)); });
    EXPECT_EXIT(0, p);
}

TEST(breaking) {
    struct sigaction sa = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO};
    sigaction(SIGRTMIN, &sa, 0);
    sigset_t set, old;
    sigemptyset(&set); sigaddset(&set, SIGRTMIN);
    sigprocmask(SIG_BLOCK, &set, &old);
    int fd = NEED(open("f", O_RDONLY));
    EXPECT_OK(fcntl(fd, F_SETSIG, SIGRTMIN));
    EXPECT_OK(fcntl(fd, F_SETLEASE, F_RDLCK));
    EXPECT_ERRNO(EAGAIN, open("f", O_RDWR | O_NONBLOCK));
    EXPECT_EQ(F_UNLCK, fcntl(fd, F_GETLEASE));
    sigset_t none;
    sigemptyset(&none);
    sigsuspend(&none);
    EXPECT_EQ(1, signals_seen);
    EXPECT_TRUE(signal_fd == fd);
    pid_t a = CHILD({ close(fd); int w = EXPECT_OK(open("f", O_WRONLY)); close(w); });
    EXPECT_OK(fcntl(fd, F_SETLEASE, F_UNLCK));
    EXPECT_EXIT(0, a);
    EXPECT_EQ(0, fcntl(fd, F_GETSIG));  // gone with the lease
    EXPECT_OK(fcntl(fd, F_SETSIG, SIGRTMIN));
    EXPECT_OK(fcntl(fd, F_SETLEASE, F_WRLCK));
    pid_t b = CHILD({ close(fd); int r = EXPECT_OK(open("f", O_RDONLY)); EXPECT_OK(truncate("f", 2)); close(r); });
    sigsuspend(&none);
    EXPECT_EQ(2, signals_seen);
    EXPECT_EQ(F_RDLCK, fcntl(fd, F_GETLEASE));
    EXPECT_OK(fcntl(fd, F_SETLEASE, F_RDLCK));
    sigsuspend(&none);
    EXPECT_EQ(3, signals_seen);
    close(fd);
    EXPECT_EXIT(0, b);
    struct stat st;
    stat("f", &st);
    EXPECT_EQ(2, st.st_size);
}
