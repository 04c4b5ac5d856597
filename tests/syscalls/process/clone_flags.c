// clone(2): shared tables, settid words, and combinations that are refused.
#include "check.h"
#include <linux/futex.h>
#include <sched.h>

static char stack[65536] __attribute__((aligned(16)));

static int body_of(void *argument) {
    int fd = *(int *)argument;
    close(fd);
    if (chdir("/")) return 1;
    umask(0);
    return 5;
}

static int run_clone(int flags) {
    int fd = NEED(open("/dev/null", O_RDONLY));
    int pid = NEED(clone(body_of, stack + sizeof stack, flags | SIGCHLD, &fd));
    EXPECT_EXIT(5, pid);
    return fd;
}

TEST(nothing_shared) {
    int fd = run_clone(0);
    EXPECT_OK(close(fd));
    EXPECT_EQ(022, umask(022));
}

TEST(files_shared) {
    int fd = run_clone(CLONE_FILES);
    EXPECT_ERRNO(EBADF, close(fd));
}

TEST(fs_shared) {
    char before[PATH_MAX], after[PATH_MAX];
    NEED(getcwd(before, sizeof before) != NULL ? 0 : -1);
    close(run_clone(CLONE_FS));
    EXPECT_TRUE(getcwd(after, sizeof after) != NULL);
    EXPECT_STR("/", after);
    EXPECT_EQ(0, umask(022));
    EXPECT_OK(chdir(before));
}

TEST(vm_shared_with_vfork) {
    static volatile int shared;
    int writer(void *p) { shared = 42; return 0; }
    pid_t pid = NEED(clone(writer, stack + sizeof stack, CLONE_VM | CLONE_VFORK | SIGCHLD, NULL));
    EXPECT_EQ(42, shared);
    EXPECT_EXIT(0, pid);
}

TEST(settid_words) {
    pid_t parent_word = 0, *child_word = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pid_t pid = syscall(SYS_clone, CLONE_PARENT_SETTID | CLONE_CHILD_SETTID | SIGCHLD, NULL, &parent_word, child_word, NULL);
    if (pid == 0) _exit(*child_word == getpid() ? 0 : 1);
    EXPECT_TRUE(parent_word == pid);
    EXPECT_EXIT(0, pid);
    EXPECT_TRUE(*child_word == pid);
}

TEST(refused_combinations) {
    EXPECT_EQ(-EINVAL, RAW5(SYS_clone, CLONE_THREAD | SIGCHLD, 0, 0, 0, 0));
    EXPECT_EQ(-EINVAL, RAW5(SYS_clone, CLONE_SIGHAND | SIGCHLD, 0, 0, 0, 0));
    EXPECT_EQ(-EINVAL, RAW5(SYS_clone, CLONE_THREAD | CLONE_SIGHAND | SIGCHLD, 0, 0, 0, 0));
    EXPECT_EQ(-EINVAL, RAW5(SYS_clone, CLONE_NEWNS | CLONE_FS | SIGCHLD, 0, 0, 0, 0));
}

TEST(no_exit_signal) {
    int status;
    pid_t pid = NEED(syscall(SYS_clone, 0, NULL, NULL, NULL, NULL));
    if (pid == 0) _exit(1);
    EXPECT_ERRNO(ECHILD, waitpid(pid, &status, 0));
    EXPECT_TRUE(waitpid(pid, &status, __WALL) == pid);
}
