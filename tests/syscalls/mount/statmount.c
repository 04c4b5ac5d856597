// statmount(2), listmount(2), statx with STATX_MNT_ID_UNIQUE.
// guest: root caps=SYS_ADMIN,SYS_CHROOT
#include "check.h"
#include <sched.h>
#include <sys/mount.h>
#include <sys/sysmacros.h>
#ifndef SYS_statmount
#define SYS_statmount 457
#define SYS_listmount 458
#endif

struct request { uint32_t size, spare; uint64_t id, param; };
static union { struct { uint32_t size, opts; uint64_t mask; uint32_t major, minor; uint64_t magic; uint32_t flags, type; uint64_t id, parent;
    uint32_t old, old_parent; uint64_t attr, propagation, peers, master, from; uint32_t root, point; uint64_t ns; } s; char raw[2048]; } m;

static uint64_t unique(const char *path) {
    struct statx x;
    NEED(statx(AT_FDCWD, path, 0, 0x4000, &x));
    return x.stx_mnt_id;
}

TEST(one_mount) {
    NEED(unshare(CLONE_NEWNS));
    NEED(mount(0, "/", 0, MS_REC | MS_PRIVATE, 0));
    NEED(mkdir("m", 0755));
    NEED(mount("t", "m", "tmpfs", MS_NOSUID, 0));
    NEED(mkdir("m/in", 0755));
    NEED(mount("u", "m/in", "tmpfs", 0, 0));
    NEED(mount(0, "m/in", 0, MS_SHARED, 0));
    char *where = realpath("m", 0);
    struct request r = {24, 0, unique("m"), 1 | 2 | 8 | 0x10 | 0x20};
    EXPECT_OK(syscall(SYS_statmount, &r, &m, sizeof m, 0));
    EXPECT_EQ(1 | 2 | 8 | 0x10 | 0x20, m.s.mask);
    EXPECT_TRUE(m.s.id == r.id && m.s.parent == unique("."));
    EXPECT_STR("tmpfs", m.raw + 512 + m.s.type);
    EXPECT_STR("/", m.raw + 512 + m.s.root);
    EXPECT_STR(where, m.raw + 512 + m.s.point);
    EXPECT_EQ(2, m.s.attr);
    EXPECT_EQ(1 << 18, m.s.propagation);
    struct stat st;
    stat("m", &st);
    EXPECT_TRUE(m.s.major == major(st.st_dev) && m.s.minor == minor(st.st_dev));
    r.id = unique("m/in"); r.param = 2;
    EXPECT_OK(syscall(SYS_statmount, &r, &m, sizeof m, 0));
    EXPECT_EQ(1 << 20, m.s.propagation);
    EXPECT_TRUE(m.s.peers != 0 && m.s.parent == unique("m"));
    uint64_t ids[10];
    r.id = unique("m"); r.param = 0;
    EXPECT_EQ(1, syscall(SYS_listmount, &r, ids, 10L, 0));
    EXPECT_TRUE(ids[0] == unique("m/in"));
    r.id = ~0ull;
    EXPECT_EQ(2, syscall(SYS_listmount, &r, ids, 2L, 0));
    EXPECT_TRUE(ids[0] < ids[1]);
    r.id = 12345;
    EXPECT_ERRNO(EINVAL, syscall(SYS_statmount, &r, &m, sizeof m, 0));
    r.id = 3ull << 40;
    EXPECT_ERRNO(ENOENT, syscall(SYS_statmount, &r, &m, sizeof m, 0));
    EXPECT_ERRNO(EINVAL, syscall(SYS_statmount, &r, &m, sizeof m, 99));
    r.size = 8;
    EXPECT_ERRNO(EINVAL, syscall(SYS_statmount, &r, &m, sizeof m, 0));
    EXPECT_ERRNO(EFAULT, syscall(SYS_listmount, BAD_PTR, ids, 10L, 0));
}
