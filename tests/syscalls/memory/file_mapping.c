// mmap(2) of files: private and shared, coherence with read and write, rights, end of file.
// guest: unordered
#include "check.h"
#include <setjmp.h>

#define P 4096
static sigjmp_buf back;
static volatile int code;
static void on_fault(int sig, siginfo_t *info, void *c) { code = info->si_code; siglongjmp(back, sig); }

TEST(private_copy) {
    int fd = make_file("f", "original");
    char *p = mmap(NULL, P, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0), text[16] = "";
    EXPECT_EQ(0, memcmp(p, "original", 9));
    memcpy(p, "changed!", 8);
    EXPECT_EQ(8, pread(fd, text, 15, 0));
    EXPECT_STR("original", text);
    munmap(p, P);
    close(fd);
}

TEST(shared_is_coherent) {
    int fd = make_file("g", "0123456789");
    char *p = mmap(NULL, P, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0), text[16] = "";
    memcpy(p, "abc", 3);
    EXPECT_EQ(10, pread(fd, text, 15, 0));
    EXPECT_STR("abc3456789", text);
    EXPECT_EQ(3, pwrite(fd, "xyz", 3, 7));
    EXPECT_EQ(0, memcmp(p + 7, "xyz", 3));
    EXPECT_OK(msync(p, P, MS_SYNC));
    close(fd);
    p[0] = 'Z';
    fd = NEED(open("g", O_RDONLY));
    EXPECT_EQ(1, read(fd, text, 1));
    EXPECT_EQ('Z', text[0]);
    pid_t pid = CHILD({ p[1] = 'C'; });
    EXPECT_EXIT(0, pid);
    EXPECT_EQ('C', p[1]);
    munmap(p, P);
    close(fd);
}

TEST(two_processes_that_open_it_themselves) {
    int fd = make_file("h", "................"), ready[2], done[2];
    NEED(pipe(ready));
    NEED(pipe(done));
    pid_t pid = CHILD({
        int own = NEED(open("h", O_RDWR));
        char *q = mmap(NULL, P, PROT_READ | PROT_WRITE, MAP_SHARED, own, 0);
        q[3] = 'c';
        tell(ready[1]);
        await_byte(done[0]);
        EXPECT_EQ('p', q[4]);
    });
    char *p = mmap(NULL, P, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    await_byte(ready[0]);
    EXPECT_EQ('c', p[3]);
    p[4] = 'p';
    tell(done[1]);
    EXPECT_EXIT(0, pid);
}

TEST(rights) {
    int ro = NEED(open("f", O_RDONLY)), wo = NEED(open("f", O_WRONLY));
    EXPECT_EQ(-EACCES, RAW6(SYS_mmap, 0, P, PROT_READ | PROT_WRITE, MAP_SHARED, ro, 0));
    EXPECT_EQ(-EACCES, RAW6(SYS_mmap, 0, P, PROT_READ, MAP_PRIVATE, wo, 0));
    char *p = mmap(NULL, P, PROT_READ, MAP_SHARED, ro, 0);
    EXPECT_TRUE(p != MAP_FAILED);
    EXPECT_ERRNO(EACCES, mprotect(p, P, PROT_READ | PROT_WRITE));
    p = mmap(NULL, P, PROT_READ, MAP_PRIVATE, ro, 0);
    EXPECT_OK(mprotect(p, P, PROT_READ | PROT_WRITE));
    p[0] = 'x';
    int dir = NEED(open(".", O_RDONLY)), fds[2];
    EXPECT_EQ(-ENODEV, RAW6(SYS_mmap, 0, P, PROT_READ, MAP_PRIVATE, dir, 0));
    NEED(pipe(fds));
    EXPECT_EQ(-ENODEV, RAW6(SYS_mmap, 0, P, PROT_READ, MAP_PRIVATE, fds[0], 0));
    int path = NEED(open("f", O_PATH));
    EXPECT_EQ(-EBADF, RAW6(SYS_mmap, 0, P, PROT_READ, MAP_PRIVATE, path, 0));
    EXPECT_EQ(-EINVAL, RAW6(SYS_mmap, 0, P, PROT_READ, MAP_PRIVATE, ro, 100));
}

TEST(end_of_file) {
    struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO};
    sigaction(SIGBUS, &action, NULL);
    int fd = make_file("k", "x");
    volatile char *p = mmap(NULL, 3 * P, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    EXPECT_EQ('x', p[0]);
    EXPECT_EQ(0, p[100]);
    int got = sigsetjmp(back, 1);
    if (!got) { p[P] = 1; EXPECT_TRUE(0); } else { EXPECT_EQ(SIGBUS, got); EXPECT_EQ(BUS_ADRERR, code); }
    NEED(ftruncate(fd, 2 * P));
    p[P] = 5;
    char c;
    EXPECT_EQ(1, pread(fd, &c, 1, P));
    EXPECT_EQ(5, c);
    NEED(ftruncate(fd, 0));
    got = sigsetjmp(back, 1);
    if (!got) { p[0] = 1; EXPECT_TRUE(0); } else EXPECT_EQ(SIGBUS, got);
}

TEST(mapping_outlives_close_and_unlink) {
    int fd = make_file("u", "unlinked");
    char *p = mmap(NULL, P, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    NEED(unlink("u"));
    EXPECT_EQ(0, memcmp(p, "unlinked", 8));
    p[0] = 'U';
    pid_t pid = CHILD({ EXPECT_EQ('U', p[0]); });
    EXPECT_EXIT(0, pid);
}

TEST(offsets) {
    int fd = NEED(open("o", O_RDWR | O_CREAT, 0644));
    NEED(ftruncate(fd, 4 * P));
    NEED(pwrite(fd, "third", 5, 2 * P));
    char *p = mmap(NULL, P, PROT_READ, MAP_SHARED, fd, 2 * P);
    EXPECT_EQ(0, memcmp(p, "third", 5));
    EXPECT_EQ(5, pwrite(fd, "THIRD", 5, 2 * P));
    EXPECT_EQ(0, memcmp(p, "THIRD", 5));
}

TEST(a_sparse_file_larger_than_memory_is_read) {
    size_t size = (size_t)1 << 40;
    int fd = NEED(open("sparse", O_RDWR | O_CREAT, 0644));
    EXPECT_OK(ftruncate(fd, size));
    EXPECT_EQ(4, pwrite(fd, "tail", 4, size - 4));
    char *shared = mmap(NULL, 8192, PROT_READ, MAP_SHARED, fd, size - 8192);
    EXPECT_TRUE(shared != MAP_FAILED);
    EXPECT_EQ(0, memcmp(shared + 8188, "tail", 4));
    EXPECT_EQ(4, pwrite(fd, "TAIL", 4, size - 4));
    EXPECT_EQ(0, memcmp(shared + 8188, "TAIL", 4));
    char *private = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, size - 8192);
    EXPECT_TRUE(private != MAP_FAILED);
    private[0] = 1;
    EXPECT_EQ(0, shared[0]);
    munmap(shared, 8192);
    munmap(private, 8192);
    close(fd);
    unlink("sparse");
}
