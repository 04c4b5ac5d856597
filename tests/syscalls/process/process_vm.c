// process_vm_readv(2), process_vm_writev(2): the memory of another process.
#include "check.h"
#include <sys/uio.h>

static char area[3 * 4096] __attribute__((aligned(4096)));

static long copy_from(pid_t pid, void *local, size_t length, void *remote, size_t remote_length) {
    struct iovec mine = {local, length}, theirs = {remote, remote_length};
    return process_vm_readv(pid, &mine, 1, &theirs, 1, 0);
}

TEST(own_memory) {
    char text[] = "hello", got[6] = "";
    EXPECT_EQ(6, copy_from(getpid(), got, 6, text, 6));
    EXPECT_TRUE(!strcmp(got, "hello"));
    EXPECT_EQ(3, copy_from(getpid(), got, 3, text, 6));
    EXPECT_EQ(2, copy_from(getpid(), got, 6, text, 2));
    EXPECT_EQ(0, copy_from(getpid(), got, 0, text, 6));
}

TEST(a_child) {
    int gate[2], ready[2];
    NEED(pipe(gate));
    NEED(pipe(ready));
    strcpy(area, "parent");
    pid_t pid = CHILD({
        strcpy(area, "child one");
        strcpy(area + 4096, "child two");
        tell(ready[1]);
        await_byte(gate[0]);
        _exit(strcmp(area, "written") == 0 ? 7 : 1);
    });
    await_byte(ready[0]);
    char one[10], two[10];
    struct iovec mine[] = {{one, 10}, {two, 10}}, theirs[] = {{area, 10}, {area + 4096, 10}};
    EXPECT_EQ(20, process_vm_readv(pid, mine, 2, theirs, 2, 0));
    EXPECT_TRUE(!strcmp(one, "child one") && !strcmp(two, "child two"));
    EXPECT_TRUE(!strcmp(area, "parent"));
    struct iovec text = {"written", 8}, at = {area, 8};
    EXPECT_EQ(8, process_vm_writev(pid, &text, 1, &at, 1, 0));
    tell(gate[1]);
    EXPECT_EXIT(7, pid);
    EXPECT_ERRNO(ESRCH, copy_from(pid, one, 1, area, 1));
}

TEST(where_memory_ends) {
    char got[8192];
    NEED(mprotect(area + 4096, 4096, PROT_NONE));
    EXPECT_EQ(100, copy_from(getpid(), got, 200, area + 4096 - 100, 200));
    EXPECT_ERRNO(EFAULT, copy_from(getpid(), got, 10, area + 4096, 10));
    EXPECT_ERRNO(EFAULT, copy_from(getpid(), BAD_PTR, 10, area, 10));
    struct iovec good = {area, 8}, bad = {area + 4096, 8}, text = {"12345678", 8};
    EXPECT_ERRNO(EFAULT, process_vm_writev(getpid(), &text, 1, &bad, 1, 0));
    NEED(mprotect(area + 4096, 4096, PROT_READ));
    EXPECT_ERRNO(EFAULT, process_vm_writev(getpid(), &text, 1, &bad, 1, 0));
    EXPECT_EQ(8, process_vm_readv(getpid(), &good, 1, &bad, 1, 0));
    NEED(mprotect(area + 4096, 4096, PROT_READ | PROT_WRITE));
}

TEST(bad_arguments) {
    char byte;
    struct iovec good = {&byte, 1}, negative = {&byte, (size_t)-1};
    EXPECT_ERRNO(EINVAL, process_vm_readv(getpid(), &good, 1, &good, 1, 1));
    EXPECT_ERRNO(ESRCH, process_vm_readv(0x3ffffff0, &good, 1, &good, 1, 0));
    EXPECT_ERRNO(EINVAL, process_vm_readv(getpid(), &good, IOV_MAX + 1, &good, 1, 0));
    EXPECT_ERRNO(EINVAL, process_vm_readv(getpid(), &good, 1, &good, IOV_MAX + 1, 0));
    EXPECT_ERRNO(EINVAL, process_vm_readv(getpid(), &negative, 1, &good, 1, 0));
    EXPECT_ERRNO(EFAULT, process_vm_readv(getpid(), BAD_PTR, 1, &good, 1, 0));
    EXPECT_ERRNO(EFAULT, process_vm_readv(getpid(), &good, 1, BAD_PTR, 1, 0));
    EXPECT_EQ(0, process_vm_readv(getpid(), &good, 0, &good, 1, 0));
    EXPECT_EQ(0, process_vm_readv(getpid(), &good, 1, &good, 0, 0));
}
