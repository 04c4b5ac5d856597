// semget(2), semop(2), semtimedop(2), semctl(2): keys, atomicity, order, undo, errors. Run as root and as nobody.
// guest: unordered
#include "check.h"
#include <sched.h>
#include <sys/ipc.h>
#include <sys/sem.h>

union semun { int val; struct semid_ds *buf; unsigned short *array; struct seminfo *info; };
static int ctl(int id, int n, int cmd, int val) { union semun u = {.val = val}; return semctl(id, n, cmd, u); }
static int op(int id, int n, int change, int flags) { struct sembuf b = {n, change, flags}; return semop(id, &b, 1); }

TEST(keys_and_flags) {
    key_t key = 0x5a17c0de;
    int old = semget(key, 0, 0);
    if (old != -1) semctl(old, 0, IPC_RMID);
    EXPECT_ERRNO(ENOENT, semget(key, 1, 0600));
    int id = EXPECT_OK(semget(key, 3, IPC_CREAT | 0600)) , same;
    same = NEED(semget(key, 3, IPC_CREAT | 0600));
    EXPECT_TRUE(same == id);
    EXPECT_TRUE(semget(key, 0, 0) == id);
    EXPECT_ERRNO(EINVAL, semget(key, 4, 0600));
    EXPECT_ERRNO(EEXIST, semget(key, 3, IPC_CREAT | IPC_EXCL | 0600));
    EXPECT_ERRNO(EINVAL, semget(IPC_PRIVATE, 0, 0600));
    EXPECT_ERRNO(EINVAL, semget(IPC_PRIVATE, -1, 0600));
    EXPECT_ERRNO(EINVAL, semget(IPC_PRIVATE, 65537, 0600));
    EXPECT_OK(semctl(id, 0, IPC_RMID));
    EXPECT_ERRNO(EINVAL, semctl(id, 0, GETVAL));
    EXPECT_ERRNO(ENOENT, semget(key, 3, 0600));
}

TEST(values) {
    int id = NEED(semget(IPC_PRIVATE, 3, 0600));
    unsigned short all[3] = {5, 6, 7};
    union semun u = {.array = all};
    struct semid_ds ds;
    EXPECT_EQ(0, ctl(id, 1, GETVAL, 0));
    EXPECT_OK(semctl(id, 0, SETALL, u));
    EXPECT_EQ(6, ctl(id, 1, GETVAL, 0));
    EXPECT_EQ(getpid() == ctl(id, 1, GETPID, 0), 1);
    EXPECT_OK(ctl(id, 2, SETVAL, 32767));
    EXPECT_ERRNO(ERANGE, ctl(id, 2, SETVAL, 32768));
    EXPECT_ERRNO(ERANGE, ctl(id, 2, SETVAL, -1));
    EXPECT_ERRNO(EINVAL, ctl(id, 3, GETVAL, 0));
    EXPECT_ERRNO(EINVAL, ctl(id, -1, SETVAL, 0));
    EXPECT_ERRNO(ERANGE, op(id, 2, 1, 0));
    EXPECT_ERRNO(EFBIG, op(id, 3, 1, 0));
    EXPECT_ERRNO(EINVAL, ctl(id, 0, 77, 0));
    EXPECT_ERRNO(EFAULT, semctl(id, 0, GETALL, BAD_PTR));
    EXPECT_ERRNO(EFAULT, semctl(id, 0, IPC_STAT, BAD_PTR));
    memset(all, 0, sizeof all);
    EXPECT_OK(semctl(id, 0, GETALL, u));
    EXPECT_EQ(5, all[0]);
    EXPECT_EQ(32767, all[2]);
    u.buf = &ds;
    EXPECT_OK(semctl(id, 0, IPC_STAT, u));
    EXPECT_EQ(3, ds.sem_nsems);
    EXPECT_EQ(0600, ds.sem_perm.mode);
    EXPECT_TRUE(ds.sem_perm.uid == geteuid() && ds.sem_perm.cgid == getegid());
    EXPECT_TRUE(ds.sem_otime == 0 && ds.sem_ctime != 0);
    ds.sem_perm.mode = 01640;
    EXPECT_OK(semctl(id, 0, IPC_SET, u));
    EXPECT_OK(semctl(id, 0, IPC_STAT, u));
    EXPECT_EQ(0640, ds.sem_perm.mode);
    EXPECT_OK(op(id, 0, -1, 0));
    EXPECT_OK(semctl(id, 0, IPC_STAT, u));
    EXPECT_TRUE(ds.sem_otime != 0);
    EXPECT_OK(semctl(id, 0, IPC_RMID));
}

TEST(all_or_nothing) {
    int id = NEED(semget(IPC_PRIVATE, 2, 0600));
    EXPECT_OK(syscall(SYS_semop, id, &(struct sembuf){0, 7, 0}, 1L));
    EXPECT_EQ(7, ctl(id, 0, GETVAL, 0));
    ctl(id, 0, SETVAL, 2);
    struct sembuf both[2] = {{0, -1, 0}, {1, -1, IPC_NOWAIT}};
    EXPECT_ERRNO(EAGAIN, semop(id, both, 2));
    EXPECT_EQ(2, ctl(id, 0, GETVAL, 0));
    ctl(id, 1, SETVAL, 1);
    EXPECT_OK(semop(id, both, 2));
    EXPECT_EQ(1, ctl(id, 0, GETVAL, 0));
    struct sembuf same[3] = {{0, -1, IPC_NOWAIT}, {0, 0, IPC_NOWAIT}, {0, 5, 0}};
    EXPECT_OK(semop(id, same, 3));
    EXPECT_EQ(5, ctl(id, 0, GETVAL, 0));
    EXPECT_ERRNO(EAGAIN, op(id, 0, 0, IPC_NOWAIT));
    EXPECT_ERRNO(EINVAL, semop(id, both, 0));
    EXPECT_ERRNO(E2BIG, semop(id, both, 1000));
    EXPECT_ERRNO(EFAULT, semop(id, BAD_PTR, 1));
    EXPECT_ERRNO(EINVAL, semop(-1, both, 1));
    struct timespec ts = {0, 20000000}, bad = {0, -1};
    EXPECT_ERRNO(EAGAIN, semtimedop(id, &(struct sembuf){1, -1, 0}, 1, &ts));
    EXPECT_ERRNO(EINVAL, semtimedop(id, &(struct sembuf){1, -1, 0}, 1, &bad));
    EXPECT_OK(semctl(id, 0, IPC_RMID));
}

static void wait_for_sleepers(int id, int n, int cmd, int count) {
    while (ctl(id, n, cmd, 0) != count) sched_yield();
}

TEST(sleepers) {
    int id = NEED(semget(IPC_PRIVATE, 2, 0600));
    pid_t a = CHILD({ EXPECT_OK(op(id, 0, -2, 0)); });
    wait_for_sleepers(id, 0, GETNCNT, 1);
    pid_t b = CHILD({ EXPECT_OK(op(id, 1, -1, 0)); EXPECT_OK(op(id, 0, 0, 0)); });
    wait_for_sleepers(id, 1, GETNCNT, 1);
    EXPECT_OK(op(id, 0, 1, 0));
    EXPECT_EQ(1, ctl(id, 0, GETVAL, 0));
    EXPECT_OK(op(id, 1, 1, 0));
    wait_for_sleepers(id, 0, GETZCNT, 1);
    EXPECT_OK(op(id, 0, 1, 0));
    EXPECT_EXIT(0, a);
    EXPECT_EXIT(0, b);
    EXPECT_EQ(0, ctl(id, 0, GETVAL, 0));
    pid_t c = CHILD({ EXPECT_ERRNO(EIDRM, op(id, 0, -2, 0)); });
    wait_for_sleepers(id, 0, GETNCNT, 1);
    EXPECT_OK(semctl(id, 0, IPC_RMID));
    EXPECT_EXIT(0, c);
}

static void on_alarm(int s) {}
TEST(interrupted) {
    int id = NEED(semget(IPC_PRIVATE, 1, 0600));
    struct sigaction sa = {.sa_handler = on_alarm, .sa_flags = SA_RESTART};
    sigaction(SIGALRM, &sa, 0);
    pid_t parent = getpid();
    pid_t a = CHILD({ wait_for_sleepers(id, 0, GETNCNT, 1); kill(parent, SIGALRM); });
    EXPECT_ERRNO(EINTR, op(id, 0, -1, 0));
    EXPECT_EXIT(0, a);
    EXPECT_EQ(0, ctl(id, 0, GETNCNT, 0));
    EXPECT_OK(semctl(id, 0, IPC_RMID));
}

TEST(undo) {
    int id = NEED(semget(IPC_PRIVATE, 2, 0600));
    ctl(id, 0, SETVAL, 5);
    pid_t a = CHILD({ EXPECT_OK(op(id, 0, -3, SEM_UNDO)); EXPECT_OK(op(id, 1, 2, SEM_UNDO)); EXPECT_OK(op(id, 0, 1, 0)); });
    EXPECT_EXIT(0, a);
    EXPECT_EQ(6, ctl(id, 0, GETVAL, 0));
    EXPECT_EQ(0, ctl(id, 1, GETVAL, 0));
    pid_t b = CHILD({ EXPECT_OK(op(id, 0, -6, SEM_UNDO)); EXPECT_OK(ctl(id, 0, SETVAL, 1)); raise(SIGKILL); });
    EXPECT_KILLED(SIGKILL, b);
    EXPECT_EQ(1, ctl(id, 0, GETVAL, 0));
    pid_t c = CHILD({
        EXPECT_OK(op(id, 0, 9, SEM_UNDO));
        EXPECT_EXIT(0, CHILD({ EXPECT_OK(op(id, 0, -1, 0)); }));  // undo is not inherited over fork
        EXPECT_OK(op(id, 0, -8, 0));
    });
    EXPECT_EXIT(0, c);
    EXPECT_EQ(0, ctl(id, 0, GETVAL, 0));  // 10 - 9 - 9, not below 0
    EXPECT_OK(semctl(id, 0, IPC_RMID));
}

TEST(permissions) {
    int id = NEED(semget(IPC_PRIVATE, 1, 0640));
    int open_id = NEED(semget(IPC_PRIVATE, 1, 0666));
    int read_only = NEED(semget(IPC_PRIVATE, 1, 0444));
    struct semid_ds ds;
    union semun u = {.buf = &ds};
    if (geteuid() == 0) {
        pid_t a = CHILD({
            NEED(setgid(65534)); NEED(setuid(65534));
            EXPECT_ERRNO(EACCES, op(id, 0, 1, 0));
            EXPECT_ERRNO(EACCES, ctl(id, 0, GETVAL, 0));
            EXPECT_ERRNO(EACCES, semctl(id, 0, IPC_STAT, u));
            EXPECT_OK(op(open_id, 0, 1, 0));
            EXPECT_ERRNO(EPERM, semctl(open_id, 0, IPC_RMID));
            EXPECT_ERRNO(EACCES, op(read_only, 0, 1, 0));
            EXPECT_EQ(0, ctl(read_only, 0, GETVAL, 0));
            EXPECT_OK(op(read_only, 0, 0, 0));
        });
        EXPECT_EXIT(0, a);
    }
    EXPECT_OK(semctl(id, 0, IPC_RMID));
    EXPECT_OK(semctl(open_id, 0, IPC_RMID));
    EXPECT_OK(semctl(read_only, 0, IPC_RMID));
}

TEST(information) {
    int id = NEED(semget(IPC_PRIVATE, 4, 0600));
    struct seminfo info;
    union semun u = {.info = &info};
    EXPECT_TRUE(semctl(0, 0, IPC_INFO, u) >= 0);
    EXPECT_EQ(32767, info.semvmx);
    EXPECT_TRUE(info.semmni > 0 && info.semopm >= 100);
    int last = EXPECT_OK(semctl(0, 0, SEM_INFO, u)) , found = 0;
    EXPECT_TRUE(info.semusz >= 1 && info.semaem >= 4);
    struct semid_ds ds;
    for (int i = 0; i <= last; i++) { u.buf = &ds; if (semctl(i, 0, SEM_STAT, u) == id) found++; }
    EXPECT_EQ(1, found);
    char line[256], wanted[64];
    int listed = 0;
    snprintf(wanted, sizeof wanted, " %10d   600          4", id);
    FILE *f = fopen("/proc/sysvipc/sem", "r");
    while (fgets(line, sizeof line, f)) listed += !!strstr(line, wanted);
    fclose(f);
    EXPECT_EQ(1, listed);
    EXPECT_OK(semctl(id, 0, IPC_RMID));
}
