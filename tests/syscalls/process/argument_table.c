// The errors of the calls that name processes: each argument at its edges (kill(2), tgkill(2), wait4(2), waitid(2), getpriority(2), ...).
#include "check.h"
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

enum { NOBODY = 4194303, SELF = -77 };

static long call(long nr, long a, long b, long c, long d, long e) {
    long *all[] = {&a, &b, &c};
    for (int i = 0; i < 3; i++) *all[i] = *all[i] == SELF ? getpid() : *all[i];
    long result = syscall(nr, a, b, c, d, e);
    return result < 0 ? -errno : result;
}

struct row { const char *what; long nr, with[5]; };
static char room[4096];
#define ROOM ((long)room)
#define BAD ((long)BAD_PTR)

static const struct row rows[] = {
    {"kill nobody", SYS_kill, {NOBODY, 0}}, {"kill self 0", SYS_kill, {SELF, 0}}, {"kill 64+1", SYS_kill, {SELF, 65}},
    {"kill -1 sig", SYS_kill, {SELF, -1}}, {"kill group 0", SYS_kill, {0, 0}}, {"kill no group", SYS_kill, {-NOBODY, 0}},
    {"kill minimum", SYS_kill, {-2147483647L - 1, 0}}, {"kill no group bad signal", SYS_kill, {-NOBODY, 65}},
    {"tkill 0", SYS_tkill, {0, 0}}, {"tkill -1", SYS_tkill, {-1, 0}}, {"tkill nobody", SYS_tkill, {NOBODY, 0}},
    {"tkill self", SYS_tkill, {SELF, 0}}, {"tkill 65", SYS_tkill, {SELF, 65}},
    {"tgkill 0", SYS_tgkill, {0, SELF, 0}}, {"tgkill -1", SYS_tgkill, {-1, SELF, 0}}, {"tgkill tid 0", SYS_tgkill, {SELF, 0, 0}},
    {"tgkill self", SYS_tgkill, {SELF, SELF, 0}},
    {"tgkill nobody", SYS_tgkill, {SELF, NOBODY, 0}}, {"tgkill 65", SYS_tgkill, {SELF, SELF, 65}},
    {"wait4 none", SYS_wait4, {-1, 0, 0, 0}}, {"wait4 nohang", SYS_wait4, {-1, 0, WNOHANG, 0}}, {"wait4 flags", SYS_wait4, {-1, 0, 0x100, 0}},
    {"wait4 self", SYS_wait4, {SELF, 0, 0, 0}}, {"wait4 exited", SYS_wait4, {-1, 0, WEXITED, 0}},
    {"wait4 minimum", SYS_wait4, {-2147483647L - 1, 0, 0, 0}}, {"wait4 wall clone", SYS_wait4, {-1, 0, (long)(__WALL | __WCLONE), 0}},
    {"waitid none", SYS_waitid, {P_ALL, 0, 0, WEXITED, 0}}, {"waitid nothing", SYS_waitid, {P_ALL, 0, 0, 0, 0}},
    {"waitid nohang alone", SYS_waitid, {P_ALL, 0, 0, WNOHANG, 0}}, {"waitid type", SYS_waitid, {4, 0, 0, WEXITED, 0}},
    {"waitid pid 0", SYS_waitid, {P_PID, 0, 0, WEXITED, 0}}, {"waitid group -1", SYS_waitid, {P_PGID, -1, 0, WEXITED, 0}},
    {"waitid fd", SYS_waitid, {P_PIDFD, -1, 0, WEXITED, 0}}, {"waitid fd 99", SYS_waitid, {P_PIDFD, 99, 0, WEXITED, 0}},
    {"waitid group 0", SYS_waitid, {P_PGID, 0, 0, WEXITED, 0}}, {"waitid flags", SYS_waitid, {P_ALL, 0, 0, WEXITED | 0x100, 0}},
    {"getpriority 3", SYS_getpriority, {3, 0}}, {"getpriority -1", SYS_getpriority, {-1, 0}},
    {"getpriority nobody", SYS_getpriority, {PRIO_PROCESS, NOBODY}}, {"getpriority no group", SYS_getpriority, {PRIO_PGRP, NOBODY}},
    {"setpriority 3", SYS_setpriority, {3, 0, 0}},
    {"setpriority nobody", SYS_setpriority, {PRIO_PROCESS, NOBODY, 0}}, {"setpriority no user", SYS_setpriority, {PRIO_USER, 54321, 0}},
    {"getpgid nobody", SYS_getpgid, {NOBODY}}, {"getpgid -1", SYS_getpgid, {-1}}, {"getsid nobody", SYS_getsid, {NOBODY}},
    {"setpgid -1", SYS_setpgid, {0, -1}}, {"setpgid nobody", SYS_setpgid, {NOBODY, 0}},
    {"setpgid no group", SYS_setpgid, {0, NOBODY}},
    {"getrusage 2", SYS_getrusage, {2, ROOM}}, {"getrusage -2", SYS_getrusage, {-2, ROOM}}, {"getrusage bad", SYS_getrusage, {0, BAD}},
    {"getrlimit 16", SYS_getrlimit, {16, ROOM}}, {"getrlimit 15", SYS_getrlimit, {15, ROOM}}, {"getrlimit -1", SYS_getrlimit, {-1, ROOM}},
    {"getrlimit bad", SYS_getrlimit, {7, BAD}}, {"setrlimit 16", SYS_setrlimit, {16, ROOM}}, {"setrlimit bad", SYS_setrlimit, {7, BAD}},
    {"prlimit nobody", SYS_prlimit64, {NOBODY, 7, 0, ROOM}}, {"prlimit 16", SYS_prlimit64, {0, 16, 0, ROOM}},
    {"prlimit bad old", SYS_prlimit64, {0, 7, 0, BAD}}, {"prlimit bad new", SYS_prlimit64, {0, 7, BAD, 0}}, {"prlimit nothing", SYS_prlimit64, {0, 7, 0, 0}},
    {"sched_getscheduler nobody", SYS_sched_getscheduler, {NOBODY}}, {"sched_getscheduler -1", SYS_sched_getscheduler, {-1}},
    {"sched_getparam -1", SYS_sched_getparam, {-1, ROOM}}, {"sched_getparam null", SYS_sched_getparam, {0, 0}},
    {"sched_getparam bad", SYS_sched_getparam, {0, BAD}}, {"sched_getparam nobody", SYS_sched_getparam, {NOBODY, ROOM}},
    {"sched max fifo", SYS_sched_get_priority_max, {SCHED_FIFO}}, {"sched min fifo", SYS_sched_get_priority_min, {SCHED_FIFO}},
    {"sched max other", SYS_sched_get_priority_max, {SCHED_OTHER}}, {"sched max 4", SYS_sched_get_priority_max, {4}},
    {"sched min -1", SYS_sched_get_priority_min, {-1}}, {"sched max idle", SYS_sched_get_priority_max, {SCHED_IDLE}},
    {"affinity small", SYS_sched_getaffinity, {0, 0, ROOM}}, {"affinity odd", SYS_sched_getaffinity, {0, 9, ROOM}},
    {"affinity nobody", SYS_sched_getaffinity, {NOBODY, 128, ROOM}}, {"affinity bad", SYS_sched_getaffinity, {0, 128, BAD}},
    {"affinity none", SYS_sched_setaffinity, {0, 0, ROOM}}, {"affinity set bad", SYS_sched_setaffinity, {0, 128, BAD}},
    {"pidfd_open 0", SYS_pidfd_open, {0, 0}}, {"pidfd_open -1", SYS_pidfd_open, {-1, 0}}, {"pidfd_open flags", SYS_pidfd_open, {SELF, 1 << 20}},
    {"pidfd_open nobody", SYS_pidfd_open, {NOBODY, 0}}, {"pidfd signal 99", SYS_pidfd_send_signal, {99, 0, 0, 0}},
    {"pidfd signal 0", SYS_pidfd_send_signal, {0, 0, 0, 0}}, {"pidfd getfd 99", SYS_pidfd_getfd, {99, 0, 0}},
    {"pidfd getfd flags", SYS_pidfd_getfd, {99, 0, 1}},
    {"clone thread alone", SYS_clone, {CLONE_THREAD, 0, 0, 0, 0}}, {"clone sighand alone", SYS_clone, {CLONE_SIGHAND, 0, 0, 0, 0}},
    {"clone thread sighand", SYS_clone, {CLONE_THREAD | CLONE_SIGHAND, 0, 0, 0, 0}},
    {"clone fs newns", SYS_clone, {CLONE_FS | CLONE_NEWNS, 0, 0, 0, 0}},
    {"clone pidfd and tid", SYS_clone, {CLONE_PIDFD | CLONE_PARENT_SETTID | SIGCHLD, 0, ROOM, 0, 0}},
    {"clone pidfd detached", SYS_clone, {CLONE_PIDFD | CLONE_DETACHED | SIGCHLD, 0, ROOM, 0, 0}},
    {"clone3 small", SYS_clone3, {ROOM, 63}}, {"clone3 large", SYS_clone3, {ROOM, 4097}}, {"clone3 bad", SYS_clone3, {BAD, 88}},
    {"unshare flag", SYS_unshare, {1}}, {"unshare nothing", SYS_unshare, {0}}, {"setns 99", SYS_setns, {99, 0}},
    {"prctl 9999", SYS_prctl, {9999, 0, 0, 0, 0}}, {"prctl name bad", SYS_prctl, {15, BAD}}, {"prctl pdeathsig 65", SYS_prctl, {1, 65}},
    {"prctl dumpable 2", SYS_prctl, {4, 2}}, {"prctl no_new_privs 2", SYS_prctl, {38, 2, 0, 0, 0}}, {"prctl keepcaps 2", SYS_prctl, {8, 2}},
    {"set_robust_list 23", SYS_set_robust_list, {ROOM, 23}}, {"set_robust_list 25", SYS_set_robust_list, {ROOM, 25}},
    {"get_robust_list nobody", SYS_get_robust_list, {NOBODY, ROOM, ROOM}},
    {"getcpu bad", SYS_getcpu, {BAD, 0, 0}}, {"times bad", SYS_times, {BAD}}, {"getgroups -1", SYS_getgroups, {-1, ROOM}},
    {"membarrier 9999", SYS_membarrier, {9999, 0, 0}}, {"membarrier flags", SYS_membarrier, {0, 2, 0}},
    {"personality", SYS_personality, {0xffffffff}}, {"execveat flags", SYS_execveat, {-1, BAD, 0, 0, 0x4}},
    {"process_vm_readv flags", SYS_process_vm_readv, {SELF, ROOM, 0, ROOM, 0}},
};

TEST(each_argument_at_its_edge) {
    for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct row *r = &rows[i];
        long result = call(r->nr, r->with[0], r->with[1], r->with[2], r->with[3], r->with[4]);
        printf("%s: %ld\n", r->what, result);
    }
}
