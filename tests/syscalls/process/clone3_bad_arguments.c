// clone3(2) with bad arguments.
#include "check.h"
#include <linux/sched.h>

static long call(void *args, size_t size) { return RAW2(SYS_clone3, args, size); }

TEST(bad_arguments_never_make_a_child) {
    struct clone_args args = {.exit_signal = 999};
    EXPECT_TRUE(call(&args, sizeof args) < 0);
    EXPECT_EQ(-EINVAL, call(&args, 8));
    EXPECT_EQ(-EINVAL, call(&args, 63));
    EXPECT_EQ(-EFAULT, call(BAD_PTR, sizeof args));
    EXPECT_EQ(-E2BIG, call(&args, 4097));
    EXPECT_EQ(-E2BIG, call(&args, 1 << 20));
    EXPECT_ERRNO(ECHILD, waitpid(-1, NULL, __WALL | WNOHANG));
}
