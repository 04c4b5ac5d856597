// shmget(2), shmat(2), shmdt(2), shmctl(2): sharing, rights, addresses, attach counts over fork, exec and munmap, IPC_RMID.
// guest: unordered
#include "check.h"
#include <pthread.h>
#include <sys/ipc.h>
#include <sys/shm.h>
#ifndef SHM_DEST
#define SHM_DEST 01000
#endif

static int attached(int id) { struct shmid_ds ds; return shmctl(id, IPC_STAT, &ds) ? -1 : (int)ds.shm_nattch; }
#define FAILED ((void *)-1)

TEST(keys) {
    key_t key = 0x5a17c0d2;
    int old = shmget(key, 0, 0);
    if (old != -1) shmctl(old, IPC_RMID, 0);
    EXPECT_ERRNO(ENOENT, shmget(key, 4096, 0600));
    int id = EXPECT_OK(shmget(key, 5000, IPC_CREAT | 0600)), same;
    same = NEED(shmget(key, 100, 0));
    EXPECT_TRUE(id == same);
    EXPECT_ERRNO(EINVAL, shmget(key, 5001, 0));
    EXPECT_ERRNO(EEXIST, shmget(key, 100, IPC_CREAT | IPC_EXCL));
    EXPECT_ERRNO(EINVAL, shmget(IPC_PRIVATE, 0, 0600));
    struct shmid_ds ds;
    EXPECT_OK(shmctl(id, IPC_STAT, &ds));
    EXPECT_EQ(5000, ds.shm_segsz);
    EXPECT_EQ(0600, ds.shm_perm.mode);
    EXPECT_TRUE(ds.shm_cpid == getpid() && ds.shm_lpid == 0 && ds.shm_atime == 0 && ds.shm_ctime != 0);
    EXPECT_OK(shmctl(id, IPC_RMID, 0));
    EXPECT_ERRNO(EINVAL, shmctl(id, IPC_STAT, &ds));
    EXPECT_ERRNO(EINVAL, shmctl(-1, IPC_STAT, &ds));
    EXPECT_ERRNO(ENOENT, shmget(key, 4096, 0600));
}

TEST(sharing) {
    int id = NEED(shmget(IPC_PRIVATE, 8192, 0600));
    char *p = shmat(id, 0, 0), *q = shmat(id, 0, SHM_RDONLY);
    EXPECT_TRUE(p != FAILED && q != FAILED && p != q);
    EXPECT_EQ(2, attached(id));
    EXPECT_TRUE(p[0] == 0 && p[8191] == 0);
    strcpy(p + 4090, "over the edge");
    EXPECT_STR("over the edge", q + 4090);
    pid_t a = CHILD({
        EXPECT_EQ(4, attached(id));
        EXPECT_STR("over the edge", p + 4090);
        strcpy(p, "child");
        EXPECT_OK(shmdt(q));
        EXPECT_EQ(3, attached(id));
    });
    EXPECT_EXIT(0, a);
    EXPECT_STR("child", q);
    EXPECT_EQ(2, attached(id));
    pid_t b = CHILD({ q[0] = 1; });
    EXPECT_KILLED(SIGSEGV, b);
    EXPECT_OK(shmdt(q));
    EXPECT_ERRNO(EINVAL, shmdt(q));
    EXPECT_ERRNO(EINVAL, shmdt(p + 4096));
    EXPECT_ERRNO(EINVAL, shmdt(p + 1));
    EXPECT_OK(mprotect(p, 4096, PROT_READ));
    EXPECT_EQ(2, attached(id));
    EXPECT_OK(shmdt(p));
    EXPECT_EQ(0, attached(id));
    EXPECT_OK(shmctl(id, IPC_RMID, 0));
}

TEST(removed_while_attached) {
    key_t key = 0x5a17c0d3;
    int old = shmget(key, 0, 0);
    if (old != -1) shmctl(old, IPC_RMID, 0);
    int id = NEED(shmget(key, 4096, IPC_CREAT | 0600));
    char *p = shmat(id, 0, 0);
    struct shmid_ds ds;
    EXPECT_OK(shmctl(id, IPC_RMID, 0));
    EXPECT_OK(shmctl(id, IPC_STAT, &ds));
    EXPECT_EQ(0600 | SHM_DEST, ds.shm_perm.mode);
    EXPECT_EQ(0, ds.shm_perm.__key);
    EXPECT_ERRNO(ENOENT, shmget(key, 4096, 0));
    char *q = shmat(id, 0, 0);
    EXPECT_TRUE(q != FAILED);
    q[5] = 42;
    EXPECT_EQ(42, p[5]);
    EXPECT_OK(munmap(q, 4096));
    EXPECT_EQ(1, attached(id));
    EXPECT_OK(munmap(p, 4096));
    EXPECT_ERRNO(EINVAL, shmctl(id, IPC_STAT, &ds));
    EXPECT_ERRNO(EINVAL, shmat(id, 0, 0) == FAILED ? -1 : 0);
    id = NEED(shmget(IPC_PRIVATE, 4096, 0600));
    pid_t a = CHILD({ EXPECT_TRUE(shmat(id, 0, 0) != FAILED); EXPECT_OK(shmctl(id, IPC_RMID, 0)); execl("/bin/true", "true", NULL); });
    EXPECT_EXIT(0, a);
    EXPECT_ERRNO(EINVAL, shmctl(id, IPC_STAT, &ds));
}

TEST(addresses) {
    int id = NEED(shmget(IPC_PRIVATE, 4096, 0600));
    char *room = mmap(0, 5 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    room[4096] = 7;
    EXPECT_ERRNO(EINVAL, shmat(id, room + 4096, 0) == FAILED ? -1 : 0);
    EXPECT_ERRNO(EINVAL, shmat(id, room + 4097, SHM_REMAP) == FAILED ? -1 : 0);
    EXPECT_ERRNO(EINVAL, shmat(id, 0, SHM_REMAP) == FAILED ? -1 : 0);
    EXPECT_TRUE(shmat(id, room + 4097, SHM_REMAP | SHM_RND) == room + 4096);
    EXPECT_EQ(0, room[4096]);
    EXPECT_OK(shmdt(room + 4096));
    EXPECT_TRUE(shmat(id, room + 4096, 0) == room + 4096);
    EXPECT_OK(shmdt(room + 4096));
    EXPECT_OK(munmap(room, 5 * 4096));
    EXPECT_ERRNO(EINVAL, shmat(-1, 0, 0) == FAILED ? -1 : 0);
    EXPECT_OK(shmctl(id, IPC_RMID, 0));
}

TEST(permissions) {
    int id = NEED(shmget(IPC_PRIVATE, 4096, 0644)), secret = NEED(shmget(IPC_PRIVATE, 4096, 0600));
    struct shmid_ds ds;
    if (geteuid() == 0) {
        pid_t a = CHILD({
            NEED(setgid(65534)); NEED(setuid(65534));
            EXPECT_ERRNO(EACCES, shmat(id, 0, 0) == FAILED ? -1 : 0);
            char *p = shmat(id, 0, SHM_RDONLY);
            EXPECT_TRUE(p != FAILED);
            EXPECT_ERRNO(EACCES, mprotect(p, 4096, PROT_READ | PROT_WRITE));
            EXPECT_ERRNO(EACCES, shmat(secret, 0, SHM_RDONLY) == FAILED ? -1 : 0);
            EXPECT_ERRNO(EACCES, shmctl(secret, IPC_STAT, &ds));
            EXPECT_ERRNO(EPERM, shmctl(id, IPC_RMID, 0));
            EXPECT_ERRNO(EPERM, shmctl(id, SHM_LOCK, 0));
        });
        EXPECT_EXIT(0, a);
    }
    EXPECT_OK(shmctl(id, IPC_STAT, &ds));
    ds.shm_perm.mode = 0600;
    EXPECT_OK(shmctl(id, IPC_SET, &ds));
    EXPECT_OK(shmctl(id, SHM_LOCK, 0));
    EXPECT_OK(shmctl(id, IPC_STAT, &ds));
    EXPECT_EQ(0600 | SHM_LOCKED, ds.shm_perm.mode);
    EXPECT_OK(shmctl(id, SHM_UNLOCK, 0));
    EXPECT_ERRNO(EINVAL, shmctl(id, 77, 0));
    EXPECT_ERRNO(EFAULT, shmctl(id, IPC_STAT, BAD_PTR));
    EXPECT_OK(shmctl(id, IPC_RMID, 0));
    EXPECT_OK(shmctl(secret, IPC_RMID, 0));
}

static int many_id;
static void *many(void *unused) {
    for (int i = 0; i < 50; i++) {
        volatile int *p = shmat(many_id, 0, 0);
        if (p == FAILED) return (void *)1;
        __sync_fetch_and_add(p, 1);
        if (shmdt((void *)p)) return (void *)2;
    }
    return 0;
}

TEST(threads) {
    many_id = NEED(shmget(IPC_PRIVATE, 4096, 0600));
    pthread_t threads[4];
    void *result;
    for (int i = 0; i < 4; i++) pthread_create(&threads[i], 0, many, 0);
    for (int i = 0; i < 4; i++) { pthread_join(threads[i], &result); EXPECT_EQ(0, (long)result); }
    int *p = shmat(many_id, 0, 0);
    EXPECT_EQ(200, *p);
    shmdt(p);
    EXPECT_EQ(0, attached(many_id));
    EXPECT_OK(shmctl(many_id, IPC_RMID, 0));
}

TEST(information) {
    int id = NEED(shmget(IPC_PRIVATE, 4096, 0600));
    struct shminfo limits;
    struct shm_info info;
    struct shmid_ds ds;
    int last = EXPECT_OK(shmctl(0, SHM_INFO, (struct shmid_ds *)&info)) , found = 0;
    EXPECT_TRUE(info.used_ids >= 1 && info.shm_tot >= 1);
    EXPECT_TRUE(shmctl(0, IPC_INFO, (struct shmid_ds *)&limits) == last);
    EXPECT_EQ(1, limits.shmmin);
    for (int i = 0; i <= last; i++) if (shmctl(i, SHM_STAT, &ds) == id) found++;
    EXPECT_EQ(1, found);
    char line[300], wanted[64];
    snprintf(wanted, sizeof wanted, " %10d   600                  4096", id);
    FILE *f = fopen("/proc/sysvipc/shm", "r");
    int listed = 0;
    while (fgets(line, sizeof line, f)) listed += !!strstr(line, wanted);
    fclose(f);
    EXPECT_EQ(1, listed);
    char *p = shmat(id, 0, 0);
    listed = 0;
    f = fopen("/proc/self/maps", "r");
    while (fgets(line, sizeof line, f)) listed += strtoul(line, 0, 16) == (unsigned long)p && strstr(line, "/SYSV00000000 (deleted)") && strstr(line, " rw-s ");
    fclose(f);
    EXPECT_EQ(1, listed);
    EXPECT_OK(shmdt(p));
    EXPECT_OK(shmctl(id, IPC_RMID, 0));
}
