// A static program without a dynamic loader.
// guest: static
#include "check.h"
#include <pthread.h>
#include <sys/auxv.h>

static void *thread(void *arg) { return arg; }

TEST(it_runs) {
    EXPECT_TRUE(getauxval(AT_BASE) == 0);
    pthread_t t;
    void *value;
    EXPECT_EQ(0, pthread_create(&t, NULL, thread, (void *)5));
    EXPECT_EQ(0, pthread_join(t, &value));
    EXPECT_EQ(5, (long)value);
    EXPECT_EXIT(4, CHILD({ _exit(4); }));
    char *block = malloc(1 << 20);
    memset(block, 1, 1 << 20);
    free(block);
    EXPECT_EXIT(0, CHILD({ execl("/bin/true", "true", (char *)0); }));
}
