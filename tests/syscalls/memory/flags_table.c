// mmap(2), madvise(2), mremap(2), msync(2), mlock(2), mlockall(2), memfd_create(2): every flag that both kernels answer alike.
#include "check.h"

static const struct { const char *name; int flags; } maps[] = {
    {"PRIVATE", 2}, {"SHARED", 1}, {"SHARED_VALIDATE", 3}, {"no type", 0}, {"all types", 15}, {"32BIT", 2 | 0x40}, {"GROWSDOWN", 2 | 0x100},
    {"DENYWRITE", 2 | 0x800}, {"EXECUTABLE", 2 | 0x1000}, {"LOCKED", 2 | 0x2000}, {"NORESERVE", 2 | 0x4000}, {"POPULATE", 2 | 0x8000},
    {"NONBLOCK", 2 | 0x18000}, {"STACK", 2 | 0x20000}, {"SYNC VALIDATE", 3 | 0x80000}, {"UNINITIALIZED", 2 | 0x4000000},
    {"unknown VALIDATE", 3 | 1 << 25}, {"unknown SHARED", 1 | 1 << 25},
};

TEST(mappings) {
    int fd = NEED(memfd_create("x", 0));
    NEED(ftruncate(fd, 8192));
    for (unsigned i = 0; i < sizeof maps / sizeof *maps; i++)
        for (int anonymous = 0; anonymous < 2; anonymous++) {
            char *at = mmap(NULL, 8192, PROT_READ | PROT_WRITE, maps[i].flags | (anonymous ? MAP_ANONYMOUS : 0), anonymous ? -1 : fd, 0);
            printf("%s %d: %s", maps[i].name, anonymous, at == MAP_FAILED ? check_errno_name(errno) : "ok");
            if (at != MAP_FAILED) {
                at[5] = 1;
                printf(" low %d", (unsigned long)at >> 32 == 0);
                munmap(at, 8192);
            }
            puts("");
        }
}

TEST(advice) {
    int fd = NEED(memfd_create("x", 0));
    NEED(ftruncate(fd, 8192));
    for (int advice = -1; advice < 30; advice++)
        for (int kind = 0; kind < 4; kind++) {
            if (advice == 12 || advice == 13) continue; /* page merging is refused here: a side channel */
            int flags = kind == 0 ? MAP_SHARED | MAP_ANONYMOUS : kind == 1 ? MAP_PRIVATE | MAP_ANONYMOUS : kind == 2 ? MAP_SHARED : MAP_PRIVATE;
            char *at = mmap(NULL, 8192, PROT_READ | PROT_WRITE, flags, kind < 2 ? -1 : fd, 0);
            if (at == MAP_FAILED) exit(99);
            at[0] = 7;
            int status = madvise(at, 8192, advice);
            printf("advice %d kind %d: %s %d", advice, kind, status ? check_errno_name(errno) : "ok", advice == 8 ? 0 : at[0]);
            printf(" odd %s", madvise(at + 1, 8192, advice) ? check_errno_name(errno) : "ok");
            printf(" nothing %s", madvise(at, 0, advice) ? check_errno_name(errno) : "ok");
            munmap(at + 4096, 4096);
            printf(" hole %s\n", madvise(at, 8192, advice) ? check_errno_name(errno) : "ok");
            munmap(at, 4096);
        }
}

TEST(names_without_files) {
    for (int bit = 0; bit < 32; bit++) {
        struct stat info;
        if (bit == 2) continue; /* MFD_HUGETLB: no huge pages here */
        int fd = memfd_create("x", 1u << bit);
        printf("memfd %d: %s", bit, fd < 0 ? check_errno_name(errno) : "ok");
        if (fd >= 0) {
            NEED(fstat(fd, &info));
            printf(" %o %d", info.st_mode, fcntl(fd, F_GET_SEALS));
            close(fd);
        }
        puts("");
    }
    EXPECT_ERRNO(EINVAL, memfd_create("x", 8 | 16));
}

TEST(allocation) {
    int fd = NEED(memfd_create("x", 0));
    for (int mode = 0; mode < 128; mode++) {
        struct stat info;
        char text[6] = "";
        NEED(ftruncate(fd, 0));
        NEED(ftruncate(fd, 16384));
        NEED(pwrite(fd, "hello", 5, 4096));
        int status = fallocate(fd, mode, 4096, 4096), error = errno;
        NEED(fstat(fd, &info));
        NEED(pread(fd, text, 5, 4096));
        if (mode == 16 || mode == 17) continue; /* FALLOC_FL_ZERO_RANGE: files in memory have it here */
        printf("fallocate %d: %s %ld \"%s\"\n", mode, status ? check_errno_name(error) : "ok", (long)info.st_size, text);
    }
}

TEST(moves) {
    for (int flags = 0; flags < 16; flags++) {
        char *from = mmap(NULL, 8192, 3, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), *to = mmap(NULL, 8192, 3, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        from[0] = 9;
        char *at = mremap(from, 8192, 8192, flags, to);
        printf("mremap %d: %s %d\n", flags, at == MAP_FAILED ? check_errno_name(errno) : "ok", at == MAP_FAILED ? 0 : at == to ? 2 : 1);
    }
}

TEST(locks_and_syncs) {
    char *at = mmap(NULL, 8192, 3, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    for (int flags = 0; flags < 8; flags++) SHOW(syscall(SYS_mlock2, at, 4096, flags));
    for (int flags = 0; flags < 16; flags++) SHOW(msync(at, 4096, flags));
}
