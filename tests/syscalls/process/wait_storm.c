// guest: timeout=30
// wait4(2): many children end while the parent waits now and then: every status arrives once, and what has been waited for is gone.
#include "check.h"
#include <sched.h>

enum { ROUNDS = 60, CHILDREN = 12 };

static long lost, twice, wrong, unknown, ghosts;

static void spin(int rounds) { for (volatile int i = 0; i < rounds * 1000; i++) {} }

static void round_of_children(int round) {
    pid_t pids[CHILDREN];
    int seen[CHILDREN] = {0}, left = CHILDREN;

    for (int i = 0; i < CHILDREN; i++) {
        pids[i] = fork();
        if (pids[i] == 0) {
            if (i % 3 == 0) spin(round * 7 % 40);
            _exit(i + 1);
        }
    }
    if (round % 2) sched_yield();
    while (left > 0) {
        int status = -1, i = 0;
        pid_t pid = wait4(-1, &status, round % 3 == 2 ? WNOHANG : 0, NULL);

        if (pid == 0) continue;
        if (pid < 0) break;
        while (i < CHILDREN && pids[i] != pid) i++;
        if (i == CHILDREN) { unknown++; continue; }
        if (kill(pid, 0) != -1 || errno != ESRCH) ghosts++;
        twice += seen[i]++ > 0;
        wrong += status != (i + 1) << 8;
        left--;
    }
    lost += left;
    unknown += waitpid(-1, NULL, WNOHANG) != -1 || errno != ECHILD;
}

TEST(every_status_once) {
    for (int round = 0; round < ROUNDS; round++) round_of_children(round);
    EXPECT_EQ(0, lost);
    EXPECT_EQ(0, twice);
    EXPECT_EQ(0, wrong);
    EXPECT_EQ(0, unknown);
    EXPECT_EQ(0, ghosts);
}
