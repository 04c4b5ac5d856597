// prctl(2): every option that both kernels answer alike, with several arguments, each in a process of its own.
#include "check.h"
#include <sys/prctl.h>

static long room[8];
/* not those that depend on the machine, name addresses, or are refused here: PR_SET_PTRACER, PR_SET_VMA, MDWE, KSM, newer ones */
static const int options[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 17, 18, 19, 20, 21, 24, 25, 26, 27, 28, 29, 30,
                              36, 37, 38, 39, 41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, 54, 55, 56, 57, 58, 60, 61, 63, 64, 69, 70, 71, 999};

static void ask(int option, const char *what, long a, long b, long e) {
    pid_t pid = CHILD({
        char text[80];
        errno = 0;
        long value = syscall(SYS_prctl, option, a, b, 0, e);
        int n = value == -1 && errno ? snprintf(text, sizeof text, " %s:%s", what, check_errno_name(errno))
                                     : snprintf(text, sizeof text, " %s:%ld", what, value);
        if (room[0]) n += snprintf(text + n, sizeof text - n, "=%lx", room[0]);
        if (write(1, text, n) != n) _exit(1);
        _exit(0);
    });
    int status;
    waitpid(pid, &status, 0);
    if (status) printf(" status %x", status);
}

/* what root may do beyond others differs with its capabilities */
TEST(nobody) {
    if (geteuid() != 0) return;
    NEED(setresgid(65534, 65534, 65534));
    NEED(setresuid(65534, 65534, 65534));
}

TEST(every_option) {
    for (unsigned i = 0; i < sizeof options / sizeof *options; i++) {
        printf("prctl %d", options[i]);
        fflush(stdout);
        ask(options[i], "0", 0, 0, 0);
        ask(options[i], "1", 1, 0, 0);
        ask(options[i], "2", 2, 0, 0);
        ask(options[i], "-1", -1, 0, 0);
        ask(options[i], "room", (long)room, 0, 0);
        ask(options[i], "1,1", 1, 1, 0);
        ask(options[i], "3,0,0,1", 3, 0, 1);
        printf("\n");
        fflush(stdout);
    }
}
