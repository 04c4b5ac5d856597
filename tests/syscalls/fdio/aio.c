// io_setup(2), io_submit(2), io_getevents(2), io_pgetevents(2), io_cancel(2), io_destroy(2): all commands, eventfd, errors.
#include "check.h"
#include <linux/aio_abi.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/uio.h>

static aio_context_t ctx;
static struct io_event ev[20];
static struct timespec zero, soon = {0, 20000000};
static int setup(unsigned n) { ctx = 0; return syscall(SYS_io_setup, n, &ctx); }
static int submit1(struct iocb *a) { return syscall(SYS_io_submit, ctx, 1L, &a); }
static int events(long least, long most, struct timespec *t) { return syscall(SYS_io_getevents, ctx, least, most, ev, t); }

TEST(contexts) {
    EXPECT_ERRNO(EINVAL, setup(0));
    EXPECT_OK(setup(10));
    EXPECT_TRUE(ctx != 0);
    EXPECT_ERRNO(EINVAL, syscall(SYS_io_setup, 10, &ctx));
    EXPECT_ERRNO(EFAULT, syscall(SYS_io_setup, 10, BAD_PTR));
    EXPECT_EQ(0, events(0, 5, 0));
    EXPECT_EQ(0, events(1, 5, &soon));
    EXPECT_ERRNO(EINVAL, events(3, 2, 0));
    EXPECT_ERRNO(EINVAL, events(-1, 2, 0));
    EXPECT_EQ(0, ((volatile int *)ctx)[0] * 0);  // the ring is there
    EXPECT_OK(syscall(SYS_io_destroy, ctx));
    EXPECT_ERRNO(EINVAL, syscall(SYS_io_destroy, ctx));
    EXPECT_ERRNO(EINVAL, syscall(SYS_io_submit, ctx, 0L, 0));
    EXPECT_ERRNO(EINVAL, syscall(SYS_io_getevents, 0L, 0L, 1L, ev, 0));
}

TEST(reads_and_writes) {
    NEED(setup(10));
    int fd = NEED(open("f", O_RDWR | O_CREAT | O_TRUNC, 0600)), note = NEED(eventfd(0, EFD_NONBLOCK));
    char buf[32] = "";
    struct iovec vec[2] = {{"more", 4}, {" words", 6}}, into[2] = {{buf, 3}, {buf + 10, 10}};
    struct iocb w = {.aio_data = 1, .aio_lio_opcode = IOCB_CMD_PWRITE, .aio_fildes = fd, .aio_buf = (long)"hello world", .aio_nbytes = 11, .aio_flags = IOCB_FLAG_RESFD, .aio_resfd = note};
    struct iocb wv = {.aio_data = 2, .aio_lio_opcode = IOCB_CMD_PWRITEV, .aio_fildes = fd, .aio_buf = (long)vec, .aio_nbytes = 2, .aio_offset = 20};
    struct iocb s = {.aio_data = 3, .aio_lio_opcode = IOCB_CMD_FSYNC, .aio_fildes = fd};
    struct iocb *all[3] = {&w, &wv, &s};
    EXPECT_EQ(3, syscall(SYS_io_submit, ctx, 3L, all));
    EXPECT_EQ(3, events(3, 20, 0));
    long sum = 0, found[4] = {0};
    for (int i = 0; i < 3; i++) { sum += ev[i].res; found[ev[i].data] = ev[i].obj == (unsigned long)all[ev[i].data - 1] && ev[i].res2 == 0; }
    EXPECT_EQ(21, sum);
    EXPECT_TRUE(found[1] && found[2] && found[3]);
    uint64_t count = 0;
    EXPECT_EQ(8, read(note, &count, 8));
    EXPECT_EQ(1, count);
    struct iocb r = {.aio_data = 9, .aio_lio_opcode = IOCB_CMD_PREAD, .aio_fildes = fd, .aio_buf = (long)buf, .aio_nbytes = 5, .aio_offset = 6};
    EXPECT_EQ(1, submit1(&r));
    EXPECT_EQ(1, events(1, 1, &zero));
    EXPECT_EQ(5, ev[0].res);
    EXPECT_STR("world", buf);
    r.aio_lio_opcode = IOCB_CMD_PREADV; r.aio_buf = (long)into; r.aio_nbytes = 2; r.aio_offset = 20;
    EXPECT_EQ(1, submit1(&r));
    EXPECT_EQ(1, events(1, 1, 0));
    EXPECT_EQ(10, ev[0].res);
    EXPECT_STR("e words", buf + 10);
    EXPECT_EQ(0, lseek(fd, 0, SEEK_CUR));
    r.aio_lio_opcode = IOCB_CMD_PREAD; r.aio_buf = (long)BAD_PTR; r.aio_nbytes = 5; r.aio_offset = 0;
    EXPECT_EQ(1, submit1(&r));
    EXPECT_EQ(1, events(1, 1, 0));
    EXPECT_EQ(-EFAULT, ev[0].res);
    r.aio_fildes = 999;
    EXPECT_ERRNO(EBADF, submit1(&r));
    r.aio_fildes = fd; r.aio_lio_opcode = 99;
    EXPECT_ERRNO(EINVAL, submit1(&r));
    r.aio_lio_opcode = IOCB_CMD_PREAD; r.aio_reserved2 = 1;
    EXPECT_ERRNO(EINVAL, submit1(&r));
    r.aio_reserved2 = 0; r.aio_flags = IOCB_FLAG_RESFD; r.aio_resfd = fd;
    EXPECT_ERRNO(EINVAL, submit1(&r));
    r.aio_flags = 0; r.aio_rw_flags = 0x4000;
    EXPECT_ERRNO(EOPNOTSUPP, submit1(&r));
    r.aio_rw_flags = 0;
    s.aio_buf = 1;
    EXPECT_ERRNO(EINVAL, submit1(&s));
    EXPECT_ERRNO(EFAULT, submit1(BAD_PTR));
    EXPECT_ERRNO(EFAULT, syscall(SYS_io_submit, ctx, 1L, BAD_PTR));
    EXPECT_ERRNO(EINVAL, syscall(SYS_io_submit, ctx, -1L, all));
    int ro = NEED(open("f", O_RDONLY));
    w.aio_fildes = ro; w.aio_flags = 0;
    EXPECT_ERRNO(EBADF, submit1(&w));
    EXPECT_EQ(0, events(0, 5, 0));
    EXPECT_OK(syscall(SYS_io_destroy, ctx));
    close(fd); close(ro); close(note);
}

TEST(polls) {
    NEED(setup(10));
    int p[2];
    NEED(pipe(p));
    struct iocb q = {.aio_data = 5, .aio_lio_opcode = IOCB_CMD_POLL, .aio_fildes = p[0], .aio_buf = POLLIN};
    struct io_event unused;
    EXPECT_EQ(1, submit1(&q));
    EXPECT_EQ(0, events(1, 1, &soon));
    tell(p[1]);
    EXPECT_EQ(1, events(1, 1, 0));
    EXPECT_TRUE(ev[0].res & POLLIN);
    await_byte(p[0]);
    EXPECT_EQ(1, submit1(&q));
    EXPECT_ERRNO(EINPROGRESS, syscall(SYS_io_cancel, ctx, &q, &unused));
    EXPECT_EQ(1, events(1, 1, 0));
    EXPECT_EQ(0, ev[0].res);
    EXPECT_ERRNO(EINVAL, syscall(SYS_io_cancel, ctx, &q, &unused));
    q.aio_offset = 4;
    EXPECT_ERRNO(EINVAL, submit1(&q));
    q.aio_offset = 0;
    EXPECT_EQ(1, submit1(&q));
    pid_t a = CHILD({ tell(p[1]); });
    EXPECT_EQ(1, events(1, 5, 0));
    EXPECT_EXIT(0, a);
    await_byte(p[0]);
    EXPECT_EQ(1, submit1(&q));
    EXPECT_OK(syscall(SYS_io_destroy, ctx));
    close(p[0]); close(p[1]);
}

static volatile int alarms;
static void on_alarm(int s) { alarms++; }
TEST(signals) {
    NEED(setup(10));
    struct sigaction sa = {.sa_handler = on_alarm, .sa_flags = SA_RESTART};
    sigaction(SIGALRM, &sa, 0);
    sigset_t blocked, none;
    sigemptyset(&none);
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGALRM);
    sigprocmask(SIG_BLOCK, &blocked, 0);
    raise(SIGALRM);
    EXPECT_EQ(0, alarms);
    struct { const sigset_t *set; size_t size; } arg = {&none, 8};
    EXPECT_ERRNO(EINTR, syscall(SYS_io_pgetevents, ctx, 1L, 5L, ev, 0L, &arg));
    EXPECT_EQ(1, alarms);
    EXPECT_EQ(0, syscall(SYS_io_pgetevents, ctx, 1L, 5L, ev, &soon, &arg));
    EXPECT_EQ(0, syscall(SYS_io_pgetevents, ctx, 0L, 5L, ev, 0L, 0L));
    arg.size = 4;
    EXPECT_ERRNO(EINVAL, syscall(SYS_io_pgetevents, ctx, 1L, 5L, ev, &soon, &arg));
    sigprocmask(SIG_UNBLOCK, &blocked, 0);
    timer_t timer;
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGALRM};
    struct itimerspec when = {{0, 20000000}, {0, 20000000}};
    NEED(timer_create(CLOCK_MONOTONIC, &event, &timer));
    NEED(timer_settime(timer, 0, &when, 0));
    EXPECT_ERRNO(EINTR, events(1, 5, 0));
    timer_delete(timer);
    EXPECT_OK(syscall(SYS_io_destroy, ctx));
}
