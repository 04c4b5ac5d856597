/* 500 random steps on one file: reads, writes, offsets, sizes, holes that read as zeros, copies, times that move or stay. */
// guest: timeout=120
#include <sys/sendfile.h>
#include <sys/uio.h>
#include "check.h"

static uint32_t state = 815;
static unsigned pick(unsigned n) {
    state = state * 1664525 + 1013904223;
    return (state >> 10) % n;
}

static char data[1 << 17], got[1 << 18];
static int fds[4]; /* read and write, append, read only, write only */

static unsigned sum(const char *p, long n) {
    unsigned value = 7;
    for (long i = 0; i < n; i++) value = value * 31 + (unsigned char)p[i];
    return n > 0 ? value : 0;
}

static long somewhere(void) {
    static const long edges[] = {0, 1, 4095, 4096, 65535, 65536, 65537, 70000};
    return pick(3) ? (long)pick(9000) : edges[pick(8)];
}

static void step_of(int fd, int other) {
    long n = pick(4) ? pick(6000) : somewhere(), at = somewhere(), result = 0;
    struct iovec parts[3] = {{data + 5, n / 2}, {data, 0}, {data + 77, n - n / 2}};
    struct iovec into[2] = {{got, n / 3}, {got + n / 3, n - n / 3}};
    loff_t from = at, to = somewhere();
    off_t position = at;
    const char *what = "";
    struct stat before, after;
    NEED(fstat(fd, &before));
    errno = 0;
    unsigned check = 0;
    switch (pick(17)) {
    case 0: what = "write"; result = write(fd, data + at % 99, n); break;
    case 1: what = "read"; result = read(fd, got, n); check = sum(got, result); break;
    case 2: what = "pwrite"; result = pwrite(fd, data + at % 99, n, at); break;
    case 3: what = "pread"; result = pread(fd, got, n, at); check = sum(got, result); break;
    case 4: what = "writev"; result = writev(fd, parts, 3); break;
    case 5: what = "preadv"; result = preadv(fd, into, 2, at); check = sum(got, result); break;
    case 6: what = "pwritev"; result = pwritev(fd, parts, 3, at); break;
    case 7: what = "truncate"; result = ftruncate(fd, at); break;
    case 8: what = "seek set"; result = lseek(fd, at, SEEK_SET); break;
    case 9: what = "seek cur"; result = lseek(fd, at - 4000, SEEK_CUR); break;
    case 10: what = "seek end"; result = lseek(fd, at - 4000, SEEK_END); break;
    case 11: what = "fallocate"; result = fallocate(fd, pick(2) ? FALLOC_FL_KEEP_SIZE : 0, at, n); break;
    case 12: what = "punch"; result = fallocate(fd, FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE, at, n); break;
    case 13: what = "copy"; result = copy_file_range(fd, &from, other, &to, n, 0); check = from * 1000003 + to; break;
    case 14: what = "sendfile"; result = sendfile(fd, other, pick(2) ? &position : NULL, n % 3000); check = position; break;
    case 15: what = "zero"; result = fallocate(fd, FALLOC_FL_ZERO_RANGE | (pick(2) ? FALLOC_FL_KEEP_SIZE : 0), at, n); break;
    default: what = "append"; result = pwritev2(fd, parts, 3, pick(2) ? -1 : at, RWF_APPEND); break;
    }
    int error = errno;
    NEED(fstat(fd, &after));
    printf("%s %ld at %ld: %ld %s %u; size %ld offset %ld%s\n", what, n, at, result, result < 0 ? check_errno_name(error) : "", check, (long)after.st_size,
        (long)lseek(fd, 0, SEEK_CUR), before.st_size != after.st_size && before.st_blksize != after.st_blksize ? " ?" : "");
}

static void walk(int steps) {
    fds[0] = NEED(open("f", O_RDWR | O_CREAT | O_TRUNC, 0644));
    fds[1] = NEED(open("f", O_RDWR | O_APPEND));
    fds[2] = NEED(open("f", O_RDONLY));
    fds[3] = NEED(open("f", O_WRONLY));
    int other = NEED(open("other", O_RDWR | O_CREAT | O_TRUNC, 0644));
    NEED(write(other, data, 30000));
    NEED(lseek(other, 100, SEEK_SET));
    for (int i = 0; i < steps; i++) {
        step_of(fds[pick(8) > 3 ? 0 : pick(4)], other);
        if (i % 20 == 19) {
            long n = pread(fds[2], got, sizeof got, 0);
            printf("all %ld %u\n", n, sum(got, n));
        }
    }
    for (int i = 0; i < 4; i++) close(fds[i]);
    close(other);
}

TEST(one) {
    for (unsigned i = 0; i < sizeof data; i++) data[i] = i * 7 + (i >> 8) + 1;
    walk(250);
}
TEST(another) {
    state = 99;
    walk(250);
}

/* Which call moves which time: an old one is set first, the clock is then past it. */
TEST(times) {
    close(make_file("f", "0123456789"));
    fds[0] = NEED(open("f", O_RDWR));
    int other = make_file("other", "xxxxxxxxxx");
    for (int what = 0; what < 14; what++) {
        struct timespec old[2] = {{1000, 5}, {2000, 6}};
        NEED(futimens(fds[0], old));
        struct stat before, after;
        NEED(fstat(fds[0], &before));
        struct timespec now;
        do clock_gettime(CLOCK_REALTIME_COARSE, &now);
        while (now.tv_sec == before.st_ctim.tv_sec && now.tv_nsec == before.st_ctim.tv_nsec);
        long result = 0;
        loff_t zero = 0, third = 3;
        switch (what) {
        case 0: result = pwrite(fds[0], "a", 1, 0); break;
        case 1: result = pwrite(fds[0], "a", 0, 0); break;
        case 2: result = ftruncate(fds[0], 10); break;
        case 3: result = ftruncate(fds[0], 9); break;
        case 4: result = fchmod(fds[0], 0600); break;
        case 5: result = fchown(fds[0], -1, -1); break;
        case 6: result = link("f", "second"); break;
        case 7: result = unlink("second"); break;
        case 8: result = rename("f", "g"); break;
        case 9: result = rename("g", "f"); break;
        case 10: result = copy_file_range(other, &zero, fds[0], &third, 3, 0); break;
        case 11: result = fallocate(fds[0], FALLOC_FL_KEEP_SIZE, 0, 5); break;
        case 12: result = close(NEED(open("f", O_WRONLY | O_TRUNC))); break;
        default: result = close(NEED(open("f", O_WRONLY)));
        }
        NEED(fstat(fds[0], &after));
        printf("%d: %ld atime %s mtime %s ctime %s nlink %ld size %ld\n", what, result, after.st_atim.tv_sec == 1000 ? "stays" : "moves",
            after.st_mtim.tv_sec == 2000 ? "stays" : "moves",
            after.st_ctim.tv_sec == before.st_ctim.tv_sec && after.st_ctim.tv_nsec == before.st_ctim.tv_nsec ? "stays" : "moves", (long)after.st_nlink,
            (long)after.st_size);
    }
}
