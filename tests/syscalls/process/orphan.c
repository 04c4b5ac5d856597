// An orphan goes to pid 1, or to the nearest child subreaper; its new parent can reap it.
// guest: pid1
#include "check.h"
#include <sys/prctl.h>

static int orphan_parent(void) {
    int born[2], dead[2];
    int answer = -1;
    NEED(pipe(born));
    NEED(pipe(dead));
    pid_t middle = CHILD({
        pid_t self = getpid();
        if (fork() == 0) {
            close(dead[1]);
            char c;
            while (read(dead[0], &c, 1) > 0) {}
            while (getppid() == self) {}
            int parent = getppid();
            if (write(born[1], &parent, sizeof parent) != sizeof parent) _exit(1);
            _exit(33);
        }
        _exit(0);
    });
    NEED(waitpid(middle, NULL, 0));
    close(dead[1]);
    NEED(read(born[0], &answer, sizeof answer));
    return answer;
}

TEST(subreaper_gets_the_orphan) {
    int flag = -1, status;
    EXPECT_OK(prctl(PR_GET_CHILD_SUBREAPER, &flag));
    EXPECT_EQ(0, flag);
    EXPECT_OK(prctl(PR_SET_CHILD_SUBREAPER, 1));
    EXPECT_OK(prctl(PR_GET_CHILD_SUBREAPER, &flag));
    EXPECT_EQ(1, flag);
    EXPECT_TRUE(orphan_parent() == getpid());
    EXPECT_OK(wait(&status));
    EXPECT_EQ(33 << 8, status);
    EXPECT_ERRNO(ECHILD, wait(NULL));
}

TEST(subreaper_is_not_inherited) {
    pid_t pid = CHILD({ int flag = -1; prctl(PR_GET_CHILD_SUBREAPER, &flag); EXPECT_EQ(0, flag); });
    EXPECT_EXIT(0, pid);
}

TEST(the_ancestor_subreaper_is_found) {
    int status;
    pid_t pid = CHILD({ pid_t me = getpid(); pid_t got = orphan_parent(); EXPECT_TRUE(got != me); EXPECT_TRUE(got == getppid()); });
    int codes = 0;
    for (int i = 0; i < 2; i++) {
        NEED(wait(&status));
        codes += WEXITSTATUS(status);
    }
    EXPECT_EQ(33, codes);
    (void)pid;
}

TEST(without_one_it_is_pid_1) {
    EXPECT_OK(prctl(PR_SET_CHILD_SUBREAPER, 0));
    pid_t pid = CHILD({ SHOW(orphan_parent() == 1); });
    EXPECT_EXIT(0, pid);
}
