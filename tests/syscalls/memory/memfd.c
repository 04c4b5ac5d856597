// memfd_create(2): a file without a name; seals.
#include "check.h"

TEST(a_file_without_a_name) {
    struct stat st;
    char text[64] = "", name[64];
    int fd = EXPECT_OK(memfd_create("thing", MFD_CLOEXEC));
    EXPECT_EQ(FD_CLOEXEC, fcntl(fd, F_GETFD));
    EXPECT_OK(ftruncate(fd, 8192));
    EXPECT_EQ(5, pwrite(fd, "hello", 5, 4096));
    char *p = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    EXPECT_EQ(0, memcmp(p + 4096, "hello", 5));
    p[0] = 'x';
    EXPECT_EQ(1, pread(fd, text, 1, 0));
    EXPECT_EQ('x', text[0]);
    EXPECT_OK(fstat(fd, &st));
    EXPECT_EQ(0100777, st.st_mode);
    EXPECT_EQ(0, st.st_nlink);
    sprintf(name, "/proc/self/fd/%d", fd);
    memset(text, 0, sizeof text);
    EXPECT_OK(readlink(name, text, sizeof text - 1));
    EXPECT_STR("/memfd:thing (deleted)", text);
    close(fd);
}

TEST(seals) {
    char text[8];
    int fd = EXPECT_OK(memfd_create("sealed", MFD_ALLOW_SEALING));
    NEED(ftruncate(fd, 4096));
    EXPECT_EQ(0, fcntl(fd, F_GET_SEALS));
    char *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    EXPECT_ERRNO(EBUSY, fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE));
    munmap(p, 4096);
    EXPECT_OK(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK));
    EXPECT_EQ(F_SEAL_WRITE | F_SEAL_SHRINK, fcntl(fd, F_GET_SEALS));
    EXPECT_ERRNO(EPERM, write(fd, "x", 1));
    EXPECT_ERRNO(EPERM, ftruncate(fd, 1));
    EXPECT_OK(ftruncate(fd, 8192));
    EXPECT_EQ(8, pread(fd, text, 8, 0));
    EXPECT_EQ(-EPERM, RAW6(SYS_mmap, 0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
    EXPECT_OK(fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL));
    EXPECT_ERRNO(EPERM, fcntl(fd, F_ADD_SEALS, F_SEAL_GROW));
    int plain = NEED(memfd_create("plain", 0));
    EXPECT_EQ(F_SEAL_SEAL, fcntl(plain, F_GET_SEALS) & F_SEAL_SEAL);
    EXPECT_ERRNO(EINVAL, fcntl(make_file("f", ""), F_GET_SEALS));
}

TEST(errors) {
    char name[300];
    memset(name, 'n', sizeof name);
    name[250] = 0;
    EXPECT_ERRNO(EINVAL, memfd_create(name, 0));
    EXPECT_ERRNO(EFAULT, memfd_create(BAD_PTR, 0));
    EXPECT_ERRNO(EINVAL, memfd_create("x", 0x1000));
}
