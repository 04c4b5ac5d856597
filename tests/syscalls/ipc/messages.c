// msgget(2), msgsnd(2), msgrcv(2), msgctl(2): types, flags, blocking, limits, errors.
// guest: unordered
#include "check.h"
#include <sched.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#ifndef MSG_COPY
#define MSG_COPY 040000
#endif

static struct { long type; char text[9000]; } m;
static int put(int id, long type, const char *text, int flags) { m.type = type; strcpy(m.text, text); return msgsnd(id, &m, strlen(text), flags); }
static int get(int id, long type, int size, int flags) { memset(&m, 0, sizeof m); return msgrcv(id, &m, size, type, flags); }

TEST(keys) {
    key_t key = 0x5a17c0d1;
    int old = msgget(key, 0);
    if (old != -1) msgctl(old, IPC_RMID, 0);
    EXPECT_ERRNO(ENOENT, msgget(key, 0600));
    int id = EXPECT_OK(msgget(key, IPC_CREAT | 0600)), same;
    same = NEED(msgget(key, 0));
    EXPECT_TRUE(id == same);
    EXPECT_ERRNO(EEXIST, msgget(key, IPC_CREAT | IPC_EXCL | 0600));
    EXPECT_OK(msgctl(id, IPC_RMID, 0));
    EXPECT_ERRNO(EINVAL, msgctl(id, IPC_RMID, 0));
    EXPECT_ERRNO(EINVAL, put(id, 1, "x", 0));
}

TEST(types) {
    int id = NEED(msgget(IPC_PRIVATE, 0600));
    EXPECT_OK(put(id, 3, "three", 0));
    EXPECT_OK(put(id, 1, "one", 0));
    EXPECT_OK(put(id, 2, "two", 0));
    EXPECT_OK(put(id, 1, "uno", 0));
    EXPECT_EQ(3, get(id, 2, 100, 0));
    EXPECT_STR("two", m.text);
    EXPECT_EQ(3, get(id, 0, 100, MSG_COPY | IPC_NOWAIT) == -1 ? 3 : get(id, 1, 100, MSG_COPY | IPC_NOWAIT));
    EXPECT_EQ(3, get(id, -2, 100, 0));
    EXPECT_STR("one", m.text);
    EXPECT_EQ(1, m.type);
    EXPECT_EQ(3, get(id, 3, 100, MSG_EXCEPT));
    EXPECT_STR("uno", m.text);
    EXPECT_ERRNO(ENOMSG, get(id, 9, 100, IPC_NOWAIT));
    EXPECT_ERRNO(E2BIG, get(id, 0, 2, 0));
    EXPECT_EQ(2, get(id, 0, 2, MSG_NOERROR));
    EXPECT_STR("th", m.text);
    EXPECT_ERRNO(ENOMSG, get(id, 0, 100, IPC_NOWAIT));
    EXPECT_ERRNO(EINVAL, get(id, 0, 100, MSG_COPY));
    EXPECT_ERRNO(EINVAL, put(id, 0, "x", 0));
    EXPECT_ERRNO(EINVAL, put(id, -1, "x", 0));
    EXPECT_ERRNO(EINVAL, msgsnd(id, &m, -1, 0));
    EXPECT_ERRNO(EINVAL, msgrcv(id, &m, -1, 0, 0));
    EXPECT_ERRNO(EINVAL, put(-1, 1, "x", 0));
    EXPECT_ERRNO(EFAULT, msgsnd(id, BAD_PTR, 1, 0));
    m.type = 1;
    EXPECT_OK(msgsnd(id, &m, 0, 0));
    EXPECT_EQ(0, get(id, 0, 0, 0));
    EXPECT_OK(msgctl(id, IPC_RMID, 0));
}

TEST(capacity) {
    int id = NEED(msgget(IPC_PRIVATE, 0600));
    struct msqid_ds ds;
    m.type = 4;
    EXPECT_OK(msgsnd(id, &m, 8192, 0));
    EXPECT_ERRNO(EINVAL, msgsnd(id, &m, 8193, 0));
    EXPECT_OK(msgsnd(id, &m, 8192, 0));
    EXPECT_ERRNO(EAGAIN, msgsnd(id, &m, 1, IPC_NOWAIT));
    EXPECT_OK(msgctl(id, IPC_STAT, &ds));
    EXPECT_EQ(2, ds.msg_qnum);
    EXPECT_EQ(16384, ds.msg_qbytes);
    EXPECT_EQ(16384, ds.__msg_cbytes);
    EXPECT_TRUE(ds.msg_lspid == getpid() && ds.msg_lrpid == 0 && ds.msg_stime && !ds.msg_rtime);
    pid_t a = CHILD({ m.type = 5; EXPECT_OK(msgsnd(id, &m, 100, 0)); });
    EXPECT_EQ(8192, get(id, 0, 8192, 0));
    EXPECT_EXIT(0, a);
    EXPECT_EQ(100, get(id, 5, 8192, 0));
    ds.msg_qbytes = 100;
    EXPECT_OK(msgctl(id, IPC_SET, &ds));
    EXPECT_ERRNO(EAGAIN, put(id, 1, "y", IPC_NOWAIT));
    EXPECT_EQ(8192, get(id, 0, 8192, 0));
    EXPECT_OK(put(id, 1, "y", IPC_NOWAIT));
    EXPECT_ERRNO(EFAULT, msgctl(id, IPC_STAT, BAD_PTR));
    EXPECT_ERRNO(EINVAL, msgctl(id, 99, &ds));
    EXPECT_OK(msgctl(id, IPC_RMID, 0));
}

TEST(waiting) {
    int id = NEED(msgget(IPC_PRIVATE, 0600)), pipes[2];
    NEED(pipe(pipes));
    pid_t a = CHILD({ EXPECT_EQ(4, get(id, 7, 100, 0)); EXPECT_STR("late", m.text); tell(pipes[1]); EXPECT_ERRNO(EIDRM, get(id, 8, 100, 0)); });
    EXPECT_OK(put(id, 6, "other", 0));
    EXPECT_OK(put(id, 7, "late", 0));
    await_byte(pipes[0]);
    EXPECT_EQ(5, get(id, 0, 100, 0));
    EXPECT_STR("other", m.text);
    char path[64];
    for (int asleep = 0; !asleep;) {  // until the child sleeps in msgrcv
        snprintf(path, sizeof path, "/proc/%d/stat", a);
        FILE *f = fopen(path, "r");
        char state = 0;
        if (fscanf(f, "%*d %*s %c", &state) != 1) state = 0;
        fclose(f);
        asleep = state == 'S';
        sched_yield();
    }
    EXPECT_OK(msgctl(id, IPC_RMID, 0));
    int status = reap(a);
    EXPECT_TRUE(WIFEXITED(status));
    close(pipes[0]); close(pipes[1]);
}

static void on_alarm(int s) {}
TEST(interrupted) {
    int id = NEED(msgget(IPC_PRIVATE, 0600));
    struct sigaction sa = {.sa_handler = on_alarm, .sa_flags = SA_RESTART};
    sigaction(SIGALRM, &sa, 0);
    struct itimerval { struct timeval i, v; } unused;
    (void)unused;
    timer_t timer;
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGALRM};
    struct itimerspec when = {{0, 20000000}, {0, 20000000}};
    NEED(timer_create(CLOCK_MONOTONIC, &event, &timer));
    NEED(timer_settime(timer, 0, &when, 0));
    EXPECT_ERRNO(EINTR, get(id, 0, 100, 0));
    timer_delete(timer);
    EXPECT_OK(msgctl(id, IPC_RMID, 0));
}

TEST(permissions) {
    int id = NEED(msgget(IPC_PRIVATE, 0604)), open_id = NEED(msgget(IPC_PRIVATE, 0666));
    struct msqid_ds ds;
    if (geteuid() == 0) {
        pid_t a = CHILD({
            NEED(setgid(65534)); NEED(setuid(65534));
            EXPECT_ERRNO(EACCES, put(id, 1, "x", 0));
            EXPECT_ERRNO(ENOMSG, get(id, 0, 10, IPC_NOWAIT));
            EXPECT_OK(put(open_id, 1, "x", 0));
            EXPECT_OK(msgctl(open_id, IPC_STAT, &ds));
            EXPECT_ERRNO(EPERM, msgctl(open_id, IPC_SET, &ds));
            EXPECT_ERRNO(EPERM, msgctl(open_id, IPC_RMID, 0));
        });
        EXPECT_EXIT(0, a);
    }
    EXPECT_OK(msgctl(id, IPC_RMID, 0));
    EXPECT_OK(msgctl(open_id, IPC_RMID, 0));
}

TEST(information) {
    int id = NEED(msgget(IPC_PRIVATE, 0600));
    put(id, 1, "12345", 0);
    struct msginfo info;
    int last = EXPECT_OK(msgctl(0, MSG_INFO, (struct msqid_ds *)&info)) , found = 0;
    EXPECT_TRUE(info.msgpool >= 1 && info.msgmap >= 1 && info.msgtql >= 5);
    EXPECT_TRUE(msgctl(0, IPC_INFO, (struct msqid_ds *)&info) == last);
    EXPECT_EQ(8192, info.msgmax);
    EXPECT_EQ(16, info.msgssz);
    struct msqid_ds ds;
    for (int i = 0; i <= last; i++) if (msgctl(i, MSG_STAT, &ds) == id) found++;
    EXPECT_EQ(1, found);
    EXPECT_OK(msgctl(id, IPC_RMID, 0));
}
