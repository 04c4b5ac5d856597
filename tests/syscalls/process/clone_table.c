// clone(2), unshare(2): every flag, by somebody without rights.
#include "check.h"
#include <sched.h>

static char stack[65536] __attribute__((aligned(16)));

static int body(void *unused) { return 5; }

TEST(nobody) {
    if (geteuid() != 0) return;
    NEED(setresgid(65534, 65534, 65534));
    NEED(setresuid(65534, 65534, 65534));
}

TEST(harmless_flags) {
    static const struct { const char *name; int flags; } rows[] = {
        {"IO", CLONE_IO}, {"DETACHED", CLONE_DETACHED}, {"PARENT_SETTID", CLONE_PARENT_SETTID}, {"IO FILES FS", CLONE_IO | CLONE_FILES | CLONE_FS},
    };
    for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
        pid_t parent_tid = 0;
        int pid = clone(body, stack + sizeof stack, rows[i].flags | SIGCHLD, NULL, &parent_tid), status = 0;
        printf("%s: %s", rows[i].name, pid < 0 ? check_errno_name(errno) : "ok");
        if (pid > 0) waitpid(pid, &status, 0);
        printf(" status %x told %d\n", status, parent_tid == pid);
    }
}

TEST(refused) {
    static const struct { const char *name; long flags; } rows[] = {
        {"NEWPID", CLONE_NEWPID}, {"NEWNET", CLONE_NEWNET}, {"NEWNS", CLONE_NEWNS}, {"NEWUTS", CLONE_NEWUTS}, {"NEWIPC", CLONE_NEWIPC},
        {"NEWCGROUP", CLONE_NEWCGROUP}, {"THREAD", CLONE_THREAD}, {"SIGHAND", CLONE_SIGHAND}, {"NEWNS FS", CLONE_NEWNS | CLONE_FS},
    };
    for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
        int pid = clone(body, stack + sizeof stack, rows[i].flags | SIGCHLD, NULL);
        printf("clone %s: %s\n", rows[i].name, pid < 0 ? check_errno_name(errno) : "ok");
        if (pid > 0) waitpid(pid, NULL, 0);
        if (i > 5) continue;
        pid = CHILD({ int status = unshare(rows[i].flags); printf("unshare %s: %s\n", rows[i].name, status ? check_errno_name(errno) : "ok"); });
        EXPECT_EXIT(0, pid);
    }
    EXPECT_EXIT(0, CHILD({ SHOW(unshare(CLONE_NEWTIME)); }));
    EXPECT_EXIT(0, CHILD({ SHOW(unshare(CLONE_PARENT)); }));
    EXPECT_EXIT(0, CHILD({ SHOW(unshare(CLONE_FILES | CLONE_FS | CLONE_SYSVSEM)); }));
}
