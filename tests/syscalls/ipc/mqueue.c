// mq_open(3), mq_timedsend(3), mq_timedreceive(3), mq_notify(3), mq_getsetattr(2), mq_unlink(3), poll on a queue.
// guest: unordered libs=-lrt
#include "check.h"
#include <mqueue.h>
#include <poll.h>
#include <sys/resource.h>

#define NAME "/guest-mqueue-test"
static struct mq_attr attr = {.mq_maxmsg = 3, .mq_msgsize = 64}, now;
static char buf[100];
static unsigned prio;

TEST(opening) {
    mq_unlink(NAME);
    EXPECT_ERRNO(ENOENT, mq_open(NAME, O_RDWR));
    mqd_t q = EXPECT_OK(mq_open(NAME, O_RDWR | O_CREAT | O_EXCL, 0600, &attr));
    EXPECT_ERRNO(EEXIST, mq_open(NAME, O_RDWR | O_CREAT | O_EXCL, 0600, &attr));
    mqd_t again = EXPECT_OK(mq_open(NAME, O_RDONLY | O_CREAT, 0600, NULL));
    EXPECT_EQ(FD_CLOEXEC, fcntl(again, F_GETFD));
    EXPECT_ERRNO(EBADF, mq_send(again, "x", 1, 0));
    mqd_t writer = EXPECT_OK(mq_open(NAME, O_WRONLY));
    EXPECT_ERRNO(EBADF, mq_receive(writer, buf, 100, 0));
    EXPECT_OK(mq_getattr(q, &now));
    EXPECT_TRUE(now.mq_maxmsg == 3 && now.mq_msgsize == 64 && now.mq_curmsgs == 0 && now.mq_flags == 0);
    struct stat st;
    EXPECT_OK(fstat(q, &st));
    EXPECT_EQ(S_IFREG | 0600, st.st_mode);
    EXPECT_EQ(80, st.st_size);
    EXPECT_ERRNO(EINVAL, mq_open("/guest-mqueue-two", O_RDWR | O_CREAT, 0600, &(struct mq_attr){.mq_maxmsg = 0, .mq_msgsize = 8}));
    EXPECT_ERRNO(EINVAL, mq_open("/guest-mqueue-two", O_RDWR | O_CREAT, 0600, &(struct mq_attr){.mq_maxmsg = 1, .mq_msgsize = -8}));
    EXPECT_ERRNO(EACCES, syscall(SYS_mq_open, "a/b", O_RDWR | O_CREAT, 0600, 0));
    EXPECT_ERRNO(ENOENT, syscall(SYS_mq_open, "", O_RDWR | O_CREAT, 0600, 0));
    EXPECT_ERRNO(EFAULT, syscall(SYS_mq_open, "x", O_RDWR | O_CREAT, 0600, BAD_PTR));
    EXPECT_ERRNO(EBADF, mq_send(0, "x", 1, 0));
    EXPECT_OK(mq_unlink(NAME));
    EXPECT_ERRNO(ENOENT, mq_unlink(NAME));
    EXPECT_OK(mq_send(writer, "still", 5, 9));
    EXPECT_EQ(5, mq_receive(q, buf, 100, &prio));
    EXPECT_EQ(9, prio);
    close(q); close(again); close(writer);
}

TEST(priorities) {
    mqd_t q = NEED(mq_open(NAME, O_RDWR | O_CREAT | O_NONBLOCK, 0600, &attr));
    struct pollfd p = {q, POLLIN | POLLOUT, 0};
    EXPECT_EQ(1, poll(&p, 1, 0));
    EXPECT_EQ(POLLOUT, p.revents);
    EXPECT_ERRNO(EAGAIN, mq_receive(q, buf, 100, 0));
    EXPECT_OK(mq_send(q, "low", 3, 1));
    EXPECT_OK(mq_send(q, "high", 4, 32767));
    EXPECT_OK(mq_send(q, "low2", 4, 1));
    EXPECT_ERRNO(EAGAIN, mq_send(q, "full", 4, 1));
    EXPECT_EQ(1, poll(&p, 1, 0));
    EXPECT_EQ(POLLIN, p.revents);
    EXPECT_ERRNO(EINVAL, mq_send(q, "x", 1, 32768));
    EXPECT_ERRNO(EMSGSIZE, mq_send(q, buf, 65, 0));
    EXPECT_ERRNO(EMSGSIZE, mq_receive(q, buf, 63, 0));
    memset(buf, 0, sizeof buf);
    EXPECT_EQ(4, mq_receive(q, buf, 64, &prio));
    EXPECT_STR("high", buf);
    EXPECT_EQ(3, mq_receive(q, buf, 64, &prio));
    EXPECT_EQ(4, mq_receive(q, buf, 64, &prio));
    EXPECT_STR("low2", buf);
    EXPECT_OK(mq_send(q, "", 0, 0));
    EXPECT_EQ(0, mq_receive(q, buf, 64, &prio));
    EXPECT_ERRNO(EFAULT, mq_send(q, BAD_PTR, 1, 0));
    char text[100] = "";
    mq_send(q, "12345", 5, 0);
    EXPECT_TRUE(read(q, text, 99) > 0);
    SHOW_STR(text);
    struct mq_attr set = {.mq_flags = 0};
    EXPECT_OK(mq_setattr(q, &set, &now));
    EXPECT_EQ(O_NONBLOCK, now.mq_flags);
    EXPECT_EQ(1, now.mq_curmsgs);
    EXPECT_EQ(0, fcntl(q, F_GETFL) & O_NONBLOCK);
    set.mq_flags = 1;
    EXPECT_ERRNO(EINVAL, mq_setattr(q, &set, 0));
    EXPECT_OK(mq_unlink(NAME));
    close(q);
}

TEST(waiting) {
    mqd_t q = NEED(mq_open(NAME, O_RDWR | O_CREAT, 0600, &attr));
    struct timespec past = {1, 0}, bad = {0, -1}, soon;
    EXPECT_ERRNO(ETIMEDOUT, mq_timedreceive(q, buf, 64, 0, &past));
    EXPECT_ERRNO(EINVAL, mq_timedreceive(q, buf, 64, 0, &bad));
    clock_gettime(CLOCK_REALTIME, &soon);
    soon.tv_nsec += 20000000;
    if (soon.tv_nsec >= 1000000000) { soon.tv_sec++; soon.tv_nsec -= 1000000000; }
    EXPECT_ERRNO(ETIMEDOUT, mq_timedreceive(q, buf, 64, 0, &soon));
    pid_t a = CHILD({ for (int i = 0; i < 20; i++) { snprintf(buf, 64, "%d", i); NEED(mq_send(q, buf, 3, 5)); } });
    int good = 0;
    for (int i = 0; i < 20; i++) { NEED(mq_receive(q, buf, 64, &prio)); good += atoi(buf) == i; }
    EXPECT_EQ(20, good);
    EXPECT_EXIT(0, a);
    EXPECT_ERRNO(ETIMEDOUT, (mq_send(q, "", 0, 0), mq_send(q, "", 0, 0), mq_send(q, "", 0, 0), mq_timedsend(q, "", 0, 0, &past)));
    EXPECT_OK(mq_unlink(NAME));
    close(q);
}

static volatile int signalled;
static siginfo_t told;
static void on_message(int s, siginfo_t *info, void *c) { told = *info; signalled = info->si_value.sival_int; }

TEST(notification) {
    mqd_t q = NEED(mq_open(NAME, O_RDWR | O_CREAT, 0600, &attr));
    struct sigaction sa = {.sa_sigaction = on_message, .sa_flags = SA_SIGINFO};
    sigaction(SIGUSR1, &sa, 0);
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1, .sigev_value.sival_int = 77};
    EXPECT_OK(mq_notify(q, &event));
    EXPECT_ERRNO(EBUSY, mq_notify(q, &event));
    pid_t a = CHILD({ EXPECT_ERRNO(EBUSY, mq_notify(q, &event)); EXPECT_OK(mq_send(q, "a", 1, 0)); });
    EXPECT_EXIT(0, a);
    EXPECT_EQ(77, signalled);
    EXPECT_EQ(SI_MESGQ, told.si_code);
    EXPECT_TRUE(told.si_pid == a && told.si_uid == getuid());
    signalled = 0;
    EXPECT_OK(mq_notify(q, &event));
    EXPECT_OK(mq_send(q, "b", 1, 0));
    EXPECT_EQ(0, signalled);  // not empty before
    EXPECT_OK(mq_notify(q, NULL));
    EXPECT_EQ(1, mq_receive(q, buf, 64, 0));
    EXPECT_EQ(1, mq_receive(q, buf, 64, 0));
    event.sigev_signo = 999;
    EXPECT_ERRNO(EINVAL, mq_notify(q, &event));
    event.sigev_notify = SIGEV_NONE;
    EXPECT_OK(mq_notify(q, &event));
    EXPECT_OK(mq_unlink(NAME));
    close(q);
}

TEST(limits) {
    pid_t a = CHILD({
        if (geteuid() == 0) { NEED(setgid(65534)); NEED(setuid(65534)); }
        EXPECT_ERRNO(EINVAL, mq_open("/guest-mqueue-b", O_RDWR | O_CREAT, 0600, &(struct mq_attr){.mq_maxmsg = 11, .mq_msgsize = 8}));
        EXPECT_ERRNO(EINVAL, mq_open("/guest-mqueue-b", O_RDWR | O_CREAT, 0600, &(struct mq_attr){.mq_maxmsg = 1, .mq_msgsize = 8193}));
        struct rlimit r = {5000, 5000};
        NEED(setrlimit(RLIMIT_MSGQUEUE, &r));
        EXPECT_ERRNO(EMFILE, mq_open("/guest-mqueue-b", O_RDWR | O_CREAT, 0600, &(struct mq_attr){.mq_maxmsg = 10, .mq_msgsize = 512}));
        mqd_t q = EXPECT_OK(mq_open("/guest-mqueue-b", O_RDWR | O_CREAT, 0200, &(struct mq_attr){.mq_maxmsg = 4, .mq_msgsize = 512}));
        close(q);
        EXPECT_ERRNO(EACCES, mq_open("/guest-mqueue-b", O_RDONLY));
        EXPECT_OK(mq_unlink("/guest-mqueue-b"));
    });
    EXPECT_EXIT(0, a);
}
