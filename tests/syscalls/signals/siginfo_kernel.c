// sigaction(2), SA_SIGINFO, sigwaitinfo(2): what signals of the kernel, of timers, of process groups and of pidfds show.
#include "check.h"
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>

static siginfo_t seen;
static volatile int hits;
static void keep(int sig, siginfo_t *info, void *context) { seen = *info; hits++; }

static void catch(int sig) {
    struct sigaction action = {.sa_sigaction = keep, .sa_flags = SA_SIGINFO};
    NEED(sigaction(sig, &action, NULL));
    memset(&seen, 0x5a, sizeof seen);
    hits = 0;
}
static void sleep_until_hit(void) { for (int i = 0; i < 2000 && !hits; i++) poll(NULL, 0, 5); }
#define SHOW_SENDER(is_me) ({ SHOW(seen.si_signo); SHOW(seen.si_code); SHOW(seen.si_errno); EXPECT_EQ(is_me, seen.si_pid == getpid()); EXPECT_EQ(is_me, seen.si_pid != 0); })

TEST(broken_pipe) {
    int fds[2];
    NEED(pipe(fds));
    close(fds[0]);
    catch(SIGPIPE);
    EXPECT_ERRNO(EPIPE, write(fds[1], "x", 1));
    SHOW_SENDER(1);
    EXPECT_TRUE(seen.si_uid == getuid());
    close(fds[1]);
    NEED(socketpair(AF_UNIX, SOCK_STREAM, 0, fds));
    close(fds[0]);
    catch(SIGPIPE);
    EXPECT_ERRNO(EPIPE, send(fds[1], "x", 1, 0));
    SHOW_SENDER(1);
    close(fds[1]);
}

TEST(file_size_limit) {
    int fd = make_file("limited", "");
    struct rlimit limit = {4, RLIM_INFINITY};
    NEED(setrlimit(RLIMIT_FSIZE, &limit));
    catch(SIGXFSZ);
    EXPECT_EQ(4, write(fd, "12345678", 8));
    EXPECT_ERRNO(EFBIG, write(fd, "x", 1));
    SHOW_SENDER(1);
    close(fd);
}

TEST(interval_timer) {
    struct itimerval once = {{0, 0}, {0, 5000}};
    catch(SIGALRM);
    NEED(setitimer(ITIMER_REAL, &once, NULL));
    sleep_until_hit();
    SHOW_SENDER(0);
    EXPECT_EQ(0, seen.si_uid);
}

TEST(posix_timer) {
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR2, .sigev_value.sival_ptr = (void *)0x123456789abcL};
    struct itimerspec soon = {{0, 0}, {0, 5000000}};
    timer_t timer;
    catch(SIGUSR2);
    NEED(timer_create(CLOCK_MONOTONIC, &event, &timer));
    NEED(timer_settime(timer, 0, &soon, NULL));
    sleep_until_hit();
    SHOW(seen.si_code);
    SHOW(seen.si_errno);
    EXPECT_EQ(0x123456789abcL, (long)seen.si_value.sival_ptr);
    EXPECT_TRUE(seen.si_timerid == (int)(long)timer);
    EXPECT_EQ(0, seen.si_overrun);
    timer_delete(timer);
}

TEST(blocked_then_taken) {
    sigset_t set;
    siginfo_t info;
    struct itimerval once = {{0, 0}, {0, 5000}};
    sigemptyset(&set); sigaddset(&set, SIGALRM); sigaddset(&set, SIGPIPE); sigaddset(&set, SIGUSR1); sigaddset(&set, SIGCHLD);
    NEED(sigprocmask(SIG_BLOCK, &set, NULL));
    NEED(setitimer(ITIMER_REAL, &once, NULL));
    EXPECT_EQ(SIGALRM, sigwaitinfo(&set, &info));
    EXPECT_EQ(SI_KERNEL, info.si_code);
    EXPECT_EQ(0, info.si_errno);
    int fds[2];
    NEED(pipe(fds));
    close(fds[0]);
    EXPECT_ERRNO(EPIPE, write(fds[1], "x", 1));
    EXPECT_EQ(SIGPIPE, sigwaitinfo(&set, &info));
    EXPECT_EQ(SI_USER, info.si_code);
    EXPECT_TRUE(info.si_pid == getpid());
    EXPECT_TRUE(info.si_uid == getuid());
    close(fds[1]);
    pid_t parent = getpid(), pid = CHILD({ kill(parent, SIGUSR1); _exit(3); });
    EXPECT_EQ(SIGUSR1, sigwaitinfo(&set, &info));
    EXPECT_TRUE(info.si_uid == getuid());
    EXPECT_TRUE(info.si_pid == pid);
    EXPECT_EQ(SIGCHLD, sigwaitinfo(&set, &info));
    EXPECT_EQ(3, info.si_status);
    EXPECT_TRUE(info.si_uid == getuid());
    reap(pid);
    struct timespec little = {0, 20000000};
    EXPECT_ERRNO(EAGAIN, sigtimedwait(&set, &info, &little));
    EXPECT_EQ(-EFAULT, ({ kill(getpid(), SIGUSR1); RAW4(SYS_rt_sigtimedwait, &set, BAD_PTR, 0, 8); }));
    NEED(sigprocmask(SIG_UNBLOCK, &set, NULL));
}

TEST(process_group) {
    int ready[2];
    NEED(pipe(ready));
    pid_t pid = CHILD({
        setpgid(0, 0);
        catch(SIGUSR1);
        kill(0, SIGUSR1);
        SHOW_SENDER(1);
        hits = 0;
        pid_t parent = getpid(), other = CHILD({ kill(0, SIGUSR1); });
        sleep_until_hit();
        EXPECT_TRUE(seen.si_pid == other);
        EXPECT_TRUE(seen.si_uid == getuid());
        (void)parent;
        EXPECT_EXIT(0, other);
    });
    EXPECT_EXIT(0, pid);
}

TEST(pidfd) {
    catch(SIGUSR1);
    int fd = NEED(syscall(SYS_pidfd_open, getpid(), 0));
    EXPECT_EQ(0, syscall(SYS_pidfd_send_signal, fd, SIGUSR1, NULL, 0));
    SHOW_SENDER(1);
    siginfo_t info = {.si_signo = SIGUSR1, .si_code = SI_QUEUE};
    info.si_pid = getpid();
    info.si_value.sival_int = 99;
    EXPECT_EQ(0, syscall(SYS_pidfd_send_signal, fd, SIGUSR1, &info, 0));
    SHOW(seen.si_code);
    SHOW(seen.si_value.sival_int);
    close(fd);
}

TEST(parents_death) {
    int back[2];
    NEED(pipe(back));
    pid_t middle = CHILD({
        pid_t self = getpid();
        int ready[2];
        NEED(pipe(ready));
        CHILD({
            catch(SIGUSR2);
            prctl(PR_SET_PDEATHSIG, SIGUSR2);
            tell(ready[1]);
            sleep_until_hit();
            struct { int code, is_parent; } report = {seen.si_code, seen.si_pid == self};
            _exit(write(back[1], &report, sizeof report) != sizeof report);
        });
        await_byte(ready[0]);
    });
    EXPECT_EXIT(0, middle);
    struct { int code, is_parent; } report;
    EXPECT_EQ(8, read(back[0], &report, sizeof report));
    SHOW(report.code);
    SHOW(report.is_parent);
}
