// What is checked first when several arguments are wrong: process_vm_readv(2), ioprio_set(2), capget(2), as an ordinary user.
// guest: root
#include "check.h"
#include <linux/capability.h>
#include <sys/syscall.h>
#include <sys/uio.h>

enum { NOBODY = 65534, NO_PROCESS = 4194303, RT = 1 << 13, BE = 2 << 13, IDLE = 3 << 13, UNKNOWN = 4 << 13 };

static void become_nobody(void) { NEED(syscall(SYS_setresuid, NOBODY, NOBODY, NOBODY)); }

TEST(nothing_to_copy_comes_before_whose_memory) {
    static char room[8];
    struct iovec none = {room, 0}, some = {room, 8};
    EXPECT_EQ(0, process_vm_readv(NO_PROCESS, &none, 1, &some, 1, 0));
    EXPECT_EQ(0, process_vm_readv(NO_PROCESS, &some, 1, &none, 1, 0));
    EXPECT_EQ(0, process_vm_readv(NO_PROCESS, &some, 0, &some, 1, 0));
    EXPECT_EQ(0, process_vm_readv(NO_PROCESS, &some, 1, &some, 0, 0));
    EXPECT_EQ(0, process_vm_writev(NO_PROCESS, &none, 1, BAD_PTR, 1, 0));
    EXPECT_EQ(0, process_vm_writev(NO_PROCESS, &none, 1, &some, 1025, 0));
    EXPECT_ERRNO(EFAULT, process_vm_readv(NO_PROCESS, &some, 1, BAD_PTR, 1, 0));
    EXPECT_ERRNO(EINVAL, process_vm_readv(NO_PROCESS, &some, 1, &some, 1025, 0));
    EXPECT_ERRNO(EINVAL, process_vm_readv(NO_PROCESS, &none, 1, &none, 1, 1));
    EXPECT_ERRNO(ESRCH, process_vm_readv(NO_PROCESS, &some, 1, &some, 1, 0));
}

TEST(the_priority_comes_before_whose) {
    become_nobody();
    static const int who[][2] = {{0, 0}, {1, 0}, {1, NO_PROCESS}, {1, -1}, {4, 0}};
    for (unsigned i = 0; i < sizeof who / sizeof *who; i++) {
        EXPECT_ERRNO(EPERM, syscall(SYS_ioprio_set, who[i][0], who[i][1], RT));
        EXPECT_ERRNO(EPERM, syscall(SYS_ioprio_set, who[i][0], who[i][1], RT | 7));
        EXPECT_ERRNO(EINVAL, syscall(SYS_ioprio_set, who[i][0], who[i][1], UNKNOWN));
        EXPECT_ERRNO(EINVAL, syscall(SYS_ioprio_set, who[i][0], who[i][1], 1));
        EXPECT_ERRNO(EINVAL, syscall(SYS_ioprio_set, who[i][0], who[i][1], -1));
    }
    EXPECT_ERRNO(ESRCH, syscall(SYS_ioprio_set, 1, NO_PROCESS, BE | 4));
    EXPECT_ERRNO(EINVAL, syscall(SYS_ioprio_set, 0, 0, BE | 4));
    EXPECT_EQ(0, syscall(SYS_ioprio_set, 1, 0, BE | 7));
    EXPECT_EQ(BE | 7, syscall(SYS_ioprio_get, 1, 0));
    EXPECT_EQ(0, syscall(SYS_ioprio_set, 1, 0, IDLE));
    EXPECT_EQ(0, syscall(SYS_ioprio_set, 1, 0, 0));
}

TEST(without_room_only_the_version_is_asked_for) {
    static const unsigned versions[] = {_LINUX_CAPABILITY_VERSION_1, _LINUX_CAPABILITY_VERSION_2, _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2];
    for (unsigned i = 0; i < 3; i++) {
        struct __user_cap_header_struct head = {versions[i], NO_PROCESS};
        EXPECT_EQ(0, syscall(SYS_capget, &head, NULL));
        EXPECT_ERRNO(ESRCH, syscall(SYS_capget, &head, data));
        head.pid = -1;
        EXPECT_EQ(0, syscall(SYS_capget, &head, NULL));
        EXPECT_ERRNO(EINVAL, syscall(SYS_capget, &head, data));
    }
    struct __user_cap_header_struct head = {0x12345678, -1};
    EXPECT_EQ(0, syscall(SYS_capget, &head, NULL));
    EXPECT_EQ(_LINUX_CAPABILITY_VERSION_3, head.version);
}
