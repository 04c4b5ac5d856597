// Many signals from many processes: none is lost that may not be, nothing hangs, data survive.
// guest: timeout=20
#include "check.h"

static volatile int hits;
static void handler(int sig) { hits++; }

TEST(realtime_storm) {
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};
    sigaction(SIGRTMIN, &action, NULL);
    pid_t parent = getpid(), kids[4];
    for (int k = 0; k < 4; k++) kids[k] = CHILD({
        for (int i = 0; i < 50; i++) while (sigqueue(parent, SIGRTMIN, (union sigval){0}) == -1) {}
    });
    for (int k = 0; k < 4; k++) EXPECT_EXIT(0, kids[k]);
    EXPECT_EQ(200, hits);
}

TEST(pipe_traffic_under_signals) {
    int data[2];
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};
    sigaction(SIGUSR1, &action, NULL);
    NEED(pipe(data));
    pid_t parent = getpid();
    pid_t writer = CHILD({ close(data[0]); for (int i = 0; i < 300; i++) { unsigned char c = i; if (write(data[1], &c, 1) != 1) _exit(1); } });
    pid_t sender = CHILD({ close(data[0]); close(data[1]); for (int i = 0; i < 300; i++) kill(parent, SIGUSR1); });
    close(data[1]);
    int good = 0;
    unsigned char c;
    for (;;) {
        long n = read(data[0], &c, 1);
        if (n != 1) { EXPECT_EQ(0, n); break; }
        good += c == (unsigned char)good;
    }
    EXPECT_EQ(300, good);
    EXPECT_EXIT(0, writer);
    EXPECT_EXIT(0, sender);
}
