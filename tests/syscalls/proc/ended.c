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

TEST(children_are_listed) {
    int gate[2], fd;
    char path[64], text[64] = "", wanted[32];
    NEED(pipe(gate));
    pid_t pid = CHILD({ await_byte(gate[0]); });
    snprintf(path, sizeof path, "/proc/self/task/%d/children", getpid());
    fd = open(path, O_RDONLY);
    if (fd < 0) {
        printf("no children file: %s\n", strerrorname_np(errno));
    } else {
        NEED(read(fd, text, sizeof text - 1));
        snprintf(wanted, sizeof wanted, "%d ", pid);
        EXPECT_TRUE(!strcmp(text, wanted));
    }
    tell(gate[1]);
    EXPECT_EXIT(0, pid);
}
