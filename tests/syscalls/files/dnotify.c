// fcntl(F_NOTIFY): signals about changes in a folder.
#include "check.h"
#ifndef DN_MULTISHOT
#error "no dnotify"
#endif
static volatile int count, last_fd, last_band, last_code;
static void heard(int signo, siginfo_t *info, void *context) {
    (void)signo, (void)context;
    count++, last_fd = info->si_fd, last_band = info->si_band, last_code = info->si_code;
}
static int watch(int signo, unsigned long mask) {
    struct sigaction act = {.sa_sigaction = heard, .sa_flags = SA_SIGINFO | SA_RESTART};
    NEED(sigaction(signo, &act, 0));
    int fd = NEED(open("d", O_RDONLY | O_DIRECTORY));
    if (signo != SIGIO) NEED(fcntl(fd, F_SETSIG, signo));
    EXPECT_OK(fcntl(fd, F_NOTIFY, mask));
    count = 0;
    return fd;
}
static void said(const char *what) {
    getppid();
    printf("%s: %d\n", what, count);
    count = 0;
}
TEST(begin) {
    NEED(mkdir("d", 0755)), NEED(mkdir("e", 0755));
    int fd = NEED(open("plain", O_RDWR | O_CREAT, 0600));
    EXPECT_ERRNO(ENOTDIR, fcntl(fd, F_NOTIFY, DN_CREATE));
    close(fd);
    EXPECT_ERRNO(EBADF, fcntl(fd, F_NOTIFY, DN_CREATE));
}
TEST(once) {
    int fd = watch(SIGIO, DN_CREATE);
    close(NEED(open("d/a", O_RDWR | O_CREAT, 0600))), said("create");
    close(NEED(open("d/b", O_RDWR | O_CREAT, 0600))), said("create again");
    close(fd);
}
TEST(many) {
    int fd = watch(SIGRTMIN + 1, DN_CREATE | DN_MULTISHOT);
    close(NEED(open("d/c", O_RDWR | O_CREAT, 0600))), said("create");
    printf("%d %d %d\n", last_fd == fd, last_band, last_code);
    NEED(mkdir("d/sub", 0755)), said("mkdir");
    NEED(symlink("x", "d/s")), said("symlink");
    NEED(link("d/c", "d/l")), said("link");
    NEED(rename("plain", "d/plain")), said("moved in");
    NEED(rename("d/plain", "plain")), said("moved out");
    NEED(unlink("d/l")), said("unlink");
    EXPECT_OK(fcntl(fd, F_NOTIFY, DN_DELETE));
    NEED(unlink("d/s")), said("unlink, added");
    NEED(rmdir("d/sub")), said("rmdir");
    NEED(rename("d/c", "e/c")), said("moved out");
    EXPECT_OK(fcntl(fd, F_NOTIFY, 0));
    close(NEED(open("d/c", O_RDWR | O_CREAT, 0600))), said("create, ended");
    close(fd);
}
TEST(kinds) {
    int fd = watch(SIGRTMIN + 1, DN_ACCESS | DN_MULTISHOT);
    int file = NEED(open("d/c", O_RDWR));
    said("open");
    char text[4];
    NEED(write(file, "abc", 3)), said("write");
    NEED(pread(file, text, 3, 0)), said("read");
    EXPECT_OK(fcntl(fd, F_NOTIFY, 0)), EXPECT_OK(fcntl(fd, F_NOTIFY, DN_MODIFY | DN_MULTISHOT));
    NEED(pwrite(file, "abc", 3, 0)), said("write");
    NEED(ftruncate(file, 1)), said("truncate");
    NEED(fchmod(file, 0640)), said("chmod");
    EXPECT_OK(fcntl(fd, F_NOTIFY, 0)), EXPECT_OK(fcntl(fd, F_NOTIFY, DN_ATTRIB | DN_MULTISHOT));
    NEED(fchmod(file, 0600)), said("chmod");
    NEED(futimens(file, 0)), said("utimens");
    NEED(chmod("d", 0750)), said("chmod of the folder");
    EXPECT_OK(fcntl(fd, F_NOTIFY, 0)), EXPECT_OK(fcntl(fd, F_NOTIFY, DN_RENAME | DN_MULTISHOT));
    NEED(rename("d/c", "d/c2")), said("rename");
    NEED(rename("d/c2", "e/c2")), said("moved out");
    NEED(rename("e/c2", "d/c2")), said("moved in");
    int twin = NEED(dup(fd));
    close(fd);
    NEED(rename("d/c2", "d/c")), said("after a close of a twin");
    close(twin);
    NEED(rename("d/c", "d/c2")), said("after close");
    close(file);
}
TEST(two) {
    int one = watch(SIGRTMIN + 1, DN_CREATE | DN_MULTISHOT), two = watch(SIGRTMIN + 1, DN_CREATE | DN_MULTISHOT);
    close(NEED(open("d/x", O_RDWR | O_CREAT, 0600))), said("two watches");
    close(one);
    close(NEED(open("d/y", O_RDWR | O_CREAT, 0600))), said("one");
    close(two);
}
