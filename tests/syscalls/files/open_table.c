// open(2): every flag, with each access mode, on each kind of file.
#include "check.h"

static const char *names[] = {"file", "folder", "to file", "to folder", "to nothing", "none", "fifo", "folder/", "file/", "", "/dev/null"};
enum { COUNT = sizeof names / sizeof *names };

TEST(every_flag) {
    umask(022);
    close(NEED(open("file", O_RDWR | O_CREAT, 0600)));
    NEED(mkdir("folder", 0700));
    NEED(mkfifo("fifo", 0600));
    NEED(symlink("file", "to file"));
    NEED(symlink("folder", "to folder"));
    NEED(symlink("none", "to nothing"));
    for (int name = 0; name < COUNT; name++)
        for (int access = 0; access < 4; access++) {
            printf("%s, access %d:", names[name], access);
            for (int bit = -1; bit < 32; bit++) {
                int fd = open(names[name], access | (bit < 0 ? 0 : 1u << bit) | O_NONBLOCK, 0600);
                printf(" %d:%s", bit, fd < 0 ? check_errno_name(errno) : "");
                if (fd < 0) continue;
                printf("%o", fcntl(fd, F_GETFL));
                close(fd);
                if (name == 4 || name == 5) unlink("none");
            }
            puts("");
        }
}

TEST(durable_writes) {
    int fd = NEED(open("file", O_WRONLY | O_SYNC));
    EXPECT_EQ(O_SYNC, fcntl(fd, F_GETFL) & O_SYNC);
    EXPECT_EQ(3, write(fd, "abc", 3));
    close(fd);
    fd = NEED(open("file", O_WRONLY | 04000000));
    EXPECT_EQ(O_SYNC, fcntl(fd, F_GETFL) & O_SYNC);
    close(fd);
}
