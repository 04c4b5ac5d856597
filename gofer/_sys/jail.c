/* Giving up rights: namespaces, capabilities, Landlock, the filter; see native.h.
 * Meanings from namespaces(7), pivot_root(2), capabilities(7), landlock(7), seccomp(2). */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stdint.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "native.h"

#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#define SYS_landlock_add_rule 445
#define SYS_landlock_restrict_self 446
#endif

int gofer_unshare(int flags)
{
    return unshare(flags) < 0 ? -errno : 0;
}

/* In a new mount namespace: an empty read-only tmpfs becomes the root and everything else is detached. Descriptors that
 * were opened before keep their own mounts. */
int gofer_empty_root(void)
{
    if (mount(0, "/", 0, MS_REC | MS_PRIVATE, 0) < 0)
        return -errno;
    if (mount("none", "/tmp", "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "size=4k,nr_inodes=2,mode=555") < 0)
        return -errno;
    if (chdir("/tmp") < 0 || syscall(SYS_pivot_root, ".", ".") < 0)
        return -errno;
    if (umount2(".", MNT_DETACH) < 0 || chdir("/") < 0)
        return -errno;
    if (mount(0, "/", 0, MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, 0) < 0)
        return -errno;
    return 0;
}

void gofer_empty_bounding_set(void)
{
    for (int cap = 0; cap < 64 && prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++)
        prctl(PR_CAPBSET_DROP, cap, 0, 0, 0);
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
}

int gofer_set_capabilities(uint64_t kept)
{
    struct { uint32_t version; int pid; } head = {0x20080522, 0};
    struct { uint32_t effective, permitted, inheritable; } data[2] = {{0}};
    for (int half = 0; half < 2; half++)
        data[half].effective = data[half].permitted = (uint32_t)(kept >> (32 * half));
    return syscall(SYS_capset, &head, data) < 0 ? -errno : 0;
}

int gofer_prctl(int option, unsigned long value)
{
    int result = prctl(option, value, 0, 0, 0);
    return result < 0 ? -errno : result;
}

int gofer_landlock_abi(void)
{
    long abi = syscall(SYS_landlock_create_ruleset, 0, 0, 1);
    return abi < 0 ? -errno : (int)abi;
}

int gofer_landlock_create(uint64_t fs, uint64_t net, uint64_t scoped)
{
    uint64_t attr[3] = {fs, net, scoped};
    size_t size = scoped ? 24 : net ? 16 : 8;
    long fd = syscall(SYS_landlock_create_ruleset, attr, size, 0);
    return fd < 0 ? -errno : (int)fd;
}

int gofer_landlock_allow(int ruleset, int fd, uint64_t access)
{
    struct { uint64_t access; int32_t fd; } __attribute__((packed)) rule = {access, fd};
    return syscall(SYS_landlock_add_rule, ruleset, 1, &rule, 0) < 0 ? -errno : 0;
}

int gofer_landlock_enforce(int ruleset)
{
    return syscall(SYS_landlock_restrict_self, ruleset, 0) < 0 ? -errno : 0;
}

int gofer_seccomp(const char *program, int length)
{
    struct sock_fprog prog = {(unsigned short)(length / 8), (struct sock_filter *)(uintptr_t)program};
    return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &prog) < 0 ? -errno : 0;
}
