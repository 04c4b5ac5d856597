// open(2), truncate(2), execve(2): a program that runs is not written to, a file that is written to does not run (ETXTBSY).
#include "check.h"

static void copy_program(const char *path) {
    char buffer[65536];
    int from = NEED(open("/proc/self/exe", O_RDONLY)), to = NEED(open(path, O_CREAT | O_TRUNC | O_WRONLY, 0755));
    for (ssize_t n; (n = read(from, buffer, sizeof buffer)) > 0;) NEED(write(to, buffer, n));
    close(from);
    close(to);
}

TEST(a_running_program) {
    if (getenv("RUNNING")) { /* the copy: say so, and wait for the end of input */
        char c;
        NEED(write(1, "r", 1));
        _exit(read(0, &c, 1) == 0 ? 0 : 1);
    }
    copy_program("p");
    int in[2], out[2];
    NEED(pipe2(in, O_CLOEXEC));
    NEED(pipe2(out, O_CLOEXEC));
    pid_t child = NEED(fork());
    if (!child) {
        dup2(in[0], 0);
        dup2(out[1], 1);
        execle("./p", "p", NULL, (char *[]){ "RUNNING=1", NULL });
        _exit(2);
    }
    char c;
    EXPECT_EQ(1, read(out[0], &c, 1));
    EXPECT_ERRNO(ETXTBSY, open("p", O_WRONLY));
    EXPECT_ERRNO(ETXTBSY, open("p", O_RDWR | O_TRUNC));
    EXPECT_ERRNO(ETXTBSY, truncate("p", 0));
    EXPECT_OK(close(open("p", O_RDONLY)));
    EXPECT_OK(rename("p", "q"));
    EXPECT_ERRNO(ETXTBSY, open("q", O_WRONLY));
    close(in[1]);
    int status;
    EXPECT_EQ(child, waitpid(child, &status, 0));
    EXPECT_EQ(0, status);
    EXPECT_OK(close(open("q", O_WRONLY)));
}

TEST(a_file_that_is_written_to) {
    int fd = NEED(open("q", O_WRONLY));
    EXPECT_ERRNO(ETXTBSY, execl("./q", "q", NULL));
    close(fd);
}
