// sigaltstack(2): handlers run there, a stack overflow can be survived, the setting obeys the rules.
#include "check.h"
#include <setjmp.h>
#include <sys/resource.h>

static char alternate[65536] __attribute__((aligned(16)));
static volatile int inside, busy_error, flags_inside;
static sigjmp_buf back;

static void handler(int sig) {
    char here;
    stack_t now;
    inside = &here >= alternate && &here < alternate + sizeof alternate;
    sigaltstack(NULL, &now);
    flags_inside = now.ss_flags;
    busy_error = sigaltstack(&now, NULL) == -1 ? errno : 0;
}

static void overflow(int sig) { siglongjmp(back, 1); }

__attribute__((noinline)) static int recurse(int depth) {
    volatile char waste[4096];
    waste[0] = depth;
    return depth > 100000 ? 0 : recurse(depth + 1) + waste[0];
}

TEST(handler_runs_on_it) {
    stack_t stack = {.ss_sp = alternate, .ss_size = sizeof alternate}, old;
    EXPECT_OK(sigaltstack(&stack, &old));
    EXPECT_EQ(SS_DISABLE, old.ss_flags);
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_ONSTACK};
    sigaction(SIGUSR1, &action, NULL);
    raise(SIGUSR1);
    EXPECT_EQ(1, inside);
    EXPECT_EQ(SS_ONSTACK, flags_inside);
    EXPECT_EQ(EPERM, busy_error);
    action.sa_flags = 0;
    sigaction(SIGUSR1, &action, NULL);
    raise(SIGUSR1);
    EXPECT_EQ(0, inside);
}

TEST(overflow_is_survived) {
    struct rlimit limit = {256 * 1024, RLIM_INFINITY};
    pid_t pid = CHILD({
        setrlimit(RLIMIT_STACK, &limit);
        struct sigaction action = {.sa_handler = overflow, .sa_flags = SA_ONSTACK};
        sigaction(SIGSEGV, &action, NULL);
        if (sigsetjmp(back, 1) == 0) recurse(0);
        EXPECT_TRUE(1);
    });
    EXPECT_EXIT(0, pid);
}

TEST(errors) {
    stack_t stack = {.ss_sp = alternate, .ss_size = 100};
    EXPECT_ERRNO(ENOMEM, sigaltstack(&stack, NULL));
    stack.ss_flags = 0x40;
    EXPECT_ERRNO(EINVAL, sigaltstack(&stack, NULL));
    EXPECT_ERRNO(EFAULT, sigaltstack(BAD_PTR, NULL));
    stack = (stack_t){.ss_flags = SS_DISABLE};
    EXPECT_OK(sigaltstack(&stack, NULL));
    EXPECT_OK(sigaltstack(NULL, &stack));
    EXPECT_EQ(SS_DISABLE, stack.ss_flags);
}
