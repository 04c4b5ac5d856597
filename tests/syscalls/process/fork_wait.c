// fork(2), waitpid(2): memory is copied, descriptors are shared, each child is reaped once.
#include "check.h"

TEST(child_has_its_own_memory) {
    volatile int value = 1;
    pid_t pid = CHILD({ value = 2; _exit(value); });
    EXPECT_EXIT(2, pid);
    EXPECT_EQ(1, value);
}

TEST(child_has_a_new_pid_and_its_parent_as_ppid) {
    pid_t parent = getpid();
    pid_t pid = CHILD({ EXPECT_TRUE(getpid() != parent); EXPECT_TRUE(getppid() == parent); });
    EXPECT_EXIT(0, pid);
}

TEST(a_child_is_reaped_once) {
    pid_t pid = CHILD({});
    EXPECT_TRUE(waitpid(pid, NULL, 0) == pid);
    EXPECT_ERRNO(ECHILD, waitpid(pid, NULL, 0));
    EXPECT_ERRNO(ECHILD, wait(NULL));
}

TEST(offset_is_shared_with_the_child) {
    int fd = make_file("f", "abcdef");
    NEED(lseek(fd, 0, SEEK_SET));
    pid_t pid = CHILD({ char c[3]; EXPECT_EQ(3, read(fd, c, 3)); });
    EXPECT_EXIT(0, pid);
    EXPECT_EQ(3, lseek(fd, 0, SEEK_CUR));
    close(fd);
}

TEST(closing_in_the_child_leaves_the_parents_descriptor) {
    int fd = make_file("f", "x");
    pid_t pid = CHILD({ EXPECT_OK(close(fd)); EXPECT_ERRNO(EBADF, close(fd)); });
    EXPECT_EXIT(0, pid);
    EXPECT_OK(close(fd));
}

TEST(many_children_any_order) {
    int gate[2], sum = 0;
    NEED(pipe(gate));
    for (int i = 0; i < 20; i++) CHILD({ await_byte(gate[0]); _exit(i); });
    for (int i = 0; i < 20; i++) tell(gate[1]);
    for (int i = 0; i < 20; i++) {
        int status;
        NEED(wait(&status));
        sum += WEXITSTATUS(status);
    }
    EXPECT_EQ(190, sum);
    EXPECT_ERRNO(ECHILD, wait(NULL));
}
