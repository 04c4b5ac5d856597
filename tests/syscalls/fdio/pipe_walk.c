/* 600 random steps on one pipe, nothing waits: sizes, what is left, readiness, splice and tee, and the last of each end. */
// guest: timeout=120
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include "check.h"

static uint32_t state = 4711;
static unsigned pick(unsigned n) {
    state = state * 1664525 + 1013904223;
    return (state >> 10) % n;
}

static char data[1 << 18], got[1 << 18];
static int ends[2], other[2];
static long written;

static long size_of(void) {
    static const long sizes[] = {0, 1, 2, 100, 4095, 4096, 4097, 8192, 10000, 65535, 65536, 70000};
    return sizes[pick(12)];
}

static unsigned sum(const char *p, long n) {
    unsigned value = 7;
    for (long i = 0; i < n; i++) value = value * 31 + (unsigned char)p[i];
    return n > 0 ? value : 0;
}

static void show(const char *what, long asked, long result) {
    int error = errno, left = -1;
    struct pollfd p[2] = {{ends[0], POLLIN, 0}, {ends[1], POLLOUT, 0}};
    poll(p, 2, 0);
    ioctl(ends[0], FIONREAD, &left);
    printf("%s %ld: %ld %s; left %d size %d events %x %x\n", what, asked, result, result < 0 ? check_errno_name(error) : "", left,
        fcntl(ends[0], F_GETPIPE_SZ), p[0].revents, p[1].revents);
}

/* Spliced pages fill the slots in another way than written ones: what follows begins with an empty pipe. */
static void drain(void) {
    long n;
    while ((n = read(ends[0], got, sizeof got)) > 0) printf("  drained %ld %u\n", n, sum(got, n));
}

static void walk(int flags, int steps) {
    NEED(pipe2(ends, O_NONBLOCK | flags));
    NEED(pipe2(other, O_NONBLOCK));
    int file = NEED(open("file", O_RDWR | O_CREAT | O_TRUNC, 0644));
    NEED(write(file, data, 20000));
    for (int step = 0; step < steps; step++) {
        long n = size_of(), result;
        loff_t at = pick(21000);
        errno = 0;
        switch (pick(12)) {
        case 0: case 1: case 2:
            result = write(ends[1], data + written % 1000, n);
            if (result > 0) written += result;
            show("write", n, result);
            break;
        case 3: case 4: case 5:
            result = read(ends[0], got, n);
            show("read", n, result);
            printf("  %u\n", sum(got, result));
            break;
        case 6: {
            struct iovec parts[3] = {{data, pick(5000)}, {data + 50, 0}, {data + 9, pick(9000)}};
            result = writev(ends[1], parts, 3);
            show("writev", parts[0].iov_len + parts[2].iov_len, result);
            break;
        }
        case 7: {
            struct iovec parts[3] = {{got, pick(5000)}, {got + 5000, 0}, {got + 5000, pick(9000)}};
            result = readv(ends[0], parts, 3);
            show("readv", parts[0].iov_len + parts[2].iov_len, result);
            break;
        }
        case 8:
            result = tee(ends[0], other[1], n, SPLICE_F_NONBLOCK);
            show("tee", n, result);
            result = read(other[0], got, sizeof got);
            printf("  %ld %u\n", result, sum(got, result));
            while (read(other[0], got, sizeof got) > 0) {}
            break;
        case 9:
            drain();
            at = 4096 * pick(4);
            result = splice(file, &at, ends[1], NULL, n % 3000, SPLICE_F_NONBLOCK);
            show("splice from", n % 3000, result);
            printf("  %ld\n", (long)at);
            drain();
            break;
        case 10:
            at = 20000 + pick(1000);
            result = splice(ends[0], NULL, file, &at, n, SPLICE_F_NONBLOCK);
            show("splice to", n, result);
            printf("  %ld\n", (long)at);
            drain();
            break;
        default:
            if (pick(3)) break;
            n = pick(2) ? n : 1L << (10 + pick(9));
            result = fcntl(ends[pick(2)], F_SETPIPE_SZ, n);
            show("resize", n, result);
        }
    }
    close(ends[1]);
    while ((written = read(ends[0], got, sizeof got)) > 0) printf("last %ld %u\n", written, sum(got, written));
    show("closed", 0, 0);
    close(ends[0]);
    close(other[0]);
    close(other[1]);
    close(file);
}

TEST(bytes) {
    for (unsigned i = 0; i < sizeof data; i++) data[i] = i * 7 + (i >> 8);
    walk(0, 200);
}
TEST(packets) { walk(O_DIRECT, 150); }

TEST(without_a_reader) {
    signal(SIGPIPE, SIG_IGN);
    NEED(pipe2(ends, O_NONBLOCK));
    EXPECT_EQ(3, write(ends[1], "abc", 3));
    close(ends[0]);
    struct pollfd p = {ends[1], POLLOUT | POLLIN, 0};
    SHOW(poll(&p, 1, 0));
    SHOW(p.revents);
    EXPECT_ERRNO(EPIPE, write(ends[1], "x", 1));
    SHOW(write(ends[1], "x", 0));
    NEED(pipe2(other, 0));
    NEED(write(other[1], "abc", 3));
    EXPECT_ERRNO(EPIPE, splice(other[0], NULL, ends[1], NULL, 3, 0));
    EXPECT_ERRNO(EPIPE, tee(other[0], ends[1], 3, 0));
    struct iovec part = {data, 10};
    EXPECT_ERRNO(EPIPE, vmsplice(ends[1], &part, 1, 0));
    close(ends[1]);
}

/* After a call nothing is held: a pipe whose ends are closed is at its end, or broken. */
TEST(nothing_is_held) {
    signal(SIGPIPE, SIG_IGN);
    for (int how = 0; how < 9; how++) {
        int from[2], to[2];
        NEED(pipe2(from, O_NONBLOCK));
        NEED(pipe2(to, O_NONBLOCK));
        int file = NEED(open("file", O_RDWR));
        NEED(write(from[1], "abcdef", 6));
        struct iovec part = {data, 3};
        loff_t at = 0;
        off_t position = 0;
        long result = 0;
        if (how == 0) result = splice(from[0], NULL, to[1], NULL, 3, 0);
        if (how == 1) result = splice(from[0], NULL, file, &at, 3, 0);
        if (how == 2) result = splice(file, &at, to[1], NULL, 3, 0);
        if (how == 3) result = tee(from[0], to[1], 3, 0);
        if (how == 4) result = vmsplice(to[1], &part, 1, 0);
        if (how == 5) result = syscall(SYS_sendfile, to[1], file, &position, 3);
        if (how == 6) result = splice(to[0], NULL, from[1], NULL, 3, SPLICE_F_NONBLOCK); /* nothing there */
        if (how == 7) result = tee(to[0], from[1], 3, SPLICE_F_NONBLOCK);
        if (how == 8) result = splice(from[0], NULL, to[1], NULL, 3, SPLICE_F_NONBLOCK | SPLICE_F_MOVE | SPLICE_F_MORE);
        printf("%d: %ld\n", how, result);
        close(from[0]);
        EXPECT_ERRNO(EPIPE, write(from[1], "x", 1));
        close(from[1]);
        close(to[1]);
        while ((result = read(to[0], got, 100)) > 0) printf("  %ld %.*s\n", result, (int)result, got);
        EXPECT_EQ(0, result);
        close(to[0]);
        close(file);
    }
}

TEST(bad_arguments) {
    int from[2], to[2], file = NEED(open("file", O_RDWR)), appended = NEED(open("file", O_RDWR | O_APPEND));
    NEED(pipe2(from, O_NONBLOCK));
    NEED(pipe2(to, O_NONBLOCK));
    NEED(write(from[1], "abcdef", 6));
    loff_t at = 0, negative = -1;
    SHOW(splice(from[0], &at, to[1], NULL, 3, 0));
    SHOW(splice(from[0], NULL, to[1], &at, 3, 0));
    SHOW(splice(from[0], NULL, from[1], NULL, 3, 0));
    SHOW(splice(from[1], NULL, to[1], NULL, 3, 0));
    SHOW(splice(from[0], NULL, to[0], NULL, 3, 0));
    SHOW(splice(from[0], NULL, appended, NULL, 3, 0));
    SHOW(splice(from[0], NULL, file, &negative, 3, 0));
    SHOW(splice(file, &negative, to[1], NULL, 3, 0));
    SHOW(splice(file, NULL, appended, NULL, 3, 0));
    SHOW(splice(from[0], NULL, to[1], NULL, 3, 0x100));
    SHOW(splice(from[0], NULL, to[1], NULL, 0, 0));
    SHOW(splice(900, NULL, 901, NULL, 0, 0));
    SHOW(splice(900, NULL, to[1], NULL, 1, 0));
    SHOW(tee(from[0], from[1], 3, 0));
    SHOW(tee(from[0], file, 3, 0));
    SHOW(tee(file, to[1], 3, 0));
    SHOW(tee(from[0], to[1], 0, 0));
    SHOW(tee(from[0], to[1], 3, 0x100));
    SHOW(tee(from[1], to[1], 3, 0));
    SHOW(vmsplice(to[1], NULL, 0, 0));
    SHOW(vmsplice(to[1], BAD_PTR, 1, 0));
    SHOW(vmsplice(to[1], NULL, 1025, 0));
    SHOW(vmsplice(to[1], NULL, 1, 0x100));
    SHOW(syscall(SYS_sendfile, to[1], file, &negative, 3));
    SHOW(syscall(SYS_sendfile, to[1], file, BAD_PTR, 3));
    SHOW(syscall(SYS_sendfile, appended, file, NULL, 3));
    SHOW(syscall(SYS_sendfile, to[0], file, NULL, 3));
    SHOW(syscall(SYS_sendfile, 900, file, NULL, 3));
    SHOW(syscall(SYS_sendfile, to[1], from[0], NULL, 3));
    SHOW(syscall(SYS_sendfile, to[1], file, NULL, 0));
    SHOW(syscall(SYS_sendfile, to[1], file, NULL, -1L));
    SHOW(copy_file_range(file, &negative, file, &at, 3, 0));
    SHOW(copy_file_range(file, &at, file, &negative, 3, 0));
    SHOW(copy_file_range(file, NULL, file, NULL, 3, 1));
    SHOW(copy_file_range(file, NULL, appended, NULL, 3, 0));
    SHOW(copy_file_range(file, NULL, 900, NULL, 3, 0));
    loff_t here = 0, there = 3;
    SHOW(copy_file_range(file, &here, file, &there, 3, 0));
    here = 0, there = 2;
    SHOW(copy_file_range(file, &here, file, &there, 3, 0));
    here = 3, there = 0;
    SHOW(copy_file_range(file, &here, file, &there, 4, 0));
    here = INT64_MAX - 2;
    SHOW(copy_file_range(file, &here, file, &there, 2, 0));
    SHOW(copy_file_range(file, &here, file, &there, 3, 0));
    SHOW(fcntl(from[0], F_SETPIPE_SZ, -1));
    SHOW(fcntl(from[0], F_SETPIPE_SZ, 0));
    SHOW(fcntl(from[0], F_SETPIPE_SZ, 1));
    SHOW(fcntl(from[0], F_SETPIPE_SZ, 4097));
    SHOW(fcntl(from[0], F_SETPIPE_SZ, 1u << 31));
    SHOW(fcntl(file, F_SETPIPE_SZ, 4096));
}
