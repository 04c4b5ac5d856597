// /proc/PID of a process that ends while its files are open.
#include "check.h"

TEST(files_of_the_dead) {
    char name[64], text[256];
    int gate[2], fds[3];
    const char *files[] = {"stat", "status", "cmdline"};
    NEED(pipe(gate));
    pid_t pid = CHILD({ await_byte(gate[0]); });
    for (int i = 0; i < 3; i++) {
        sprintf(name, "/proc/%d/%s", pid, files[i]);
        fds[i] = NEED(open(name, O_RDONLY));
    }
    sprintf(name, "/proc/%d", pid);
    int dir = NEED(open(name, O_RDONLY | O_DIRECTORY));
    EXPECT_OK(faccessat(dir, "stat", F_OK, 0));
    tell(gate[1]);
    siginfo_t info;
    NEED(waitid(P_PID, pid, &info, WEXITED | WNOWAIT));
    EXPECT_TRUE(read(fds[1], text, sizeof text) > 0);
    text[255] = 0;
    EXPECT_TRUE(strstr(text, "State:\tZ (zombie)") != NULL);
    EXPECT_EXIT(0, pid);
    EXPECT_ERRNO(ESRCH, read(fds[0], text, sizeof text));
    EXPECT_ERRNO(ENOENT, open(name, O_RDONLY));
    EXPECT_ERRNO(ENOENT, access(name, F_OK));
}
