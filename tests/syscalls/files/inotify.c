// inotify(7): what is told of names, contents, attributes, and the ends of watches.
#include "check.h"
#include <poll.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>

static int in;
static unsigned last_cookie;

/* Prints all waiting events. Cookies only by whether two follow each other with the same one. */
static void show(const char *what) {
    char buffer[8192] __attribute__((aligned(8)));
    ssize_t n = read(in, buffer, sizeof buffer);
    printf("%s:", what);
    for (char *p = buffer; p < buffer + n;) {
        struct inotify_event *e = (void *)p;
        printf(" [%d %x %s%s]", e->wd, e->mask, e->len ? e->name : "-", e->cookie ? e->cookie == last_cookie ? " same" : " new" : "");
        last_cookie = e->cookie;
        p += sizeof *e + e->len;
    }
    printf("\n");
}

TEST(names_in_a_directory) {
    in = EXPECT_OK(inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
    NEED(mkdir("d", 0755));
    EXPECT_EQ(1, inotify_add_watch(in, "d", IN_ALL_EVENTS));
    EXPECT_ERRNO(EAGAIN, read(in, &last_cookie, 4));
    int fd = NEED(open("d/f", O_CREAT | O_RDWR, 0644));
    show("create");
    EXPECT_EQ(3, write(fd, "abc", 3));
    EXPECT_EQ(3, pread(fd, &last_cookie, 3, 0));
    NEED(ftruncate(fd, 1));
    NEED(fchmod(fd, 0600));
    show("use");
    close(fd);
    NEED(close(open("d/f", O_RDONLY)));
    show("close");
    NEED(mkdir("d/s", 0755));
    NEED(link("d/f", "d/g"));
    NEED(symlink("f", "d/l"));
    show("make");
    NEED(unlink("d/g"));
    NEED(close(open("d/g", O_CREAT | O_WRONLY, 0600)));
    show("again");
    NEED(rename("d/f", "d/h"));
    NEED(rename("d/h", "out"));
    NEED(rename("out", "d/f"));
    NEED(rename("d/f", "d/g"));
    show("rename");
    NEED(unlink("d/l"));
    NEED(rmdir("d/s"));
    show("remove");
    NEED(truncate("d/g", 0));
    NEED(close(open("d/g", O_WRONLY | O_TRUNC)));
    show("truncate");
}

TEST(the_object_itself) {
    int wd = EXPECT_OK(inotify_add_watch(in, "d/g", IN_ATTRIB | IN_MOVE_SELF | IN_DELETE_SELF));
    EXPECT_EQ(wd, inotify_add_watch(in, "d/g", IN_ATTRIB | IN_MOVE_SELF | IN_DELETE_SELF));
    EXPECT_ERRNO(EEXIST, inotify_add_watch(in, "d/g", IN_ATTRIB | IN_MASK_CREATE));
    NEED(inotify_rm_watch(in, 1));
    show("removed watch");
    NEED(chmod("d/g", 0644));
    NEED(rename("d/g", "d/x"));
    NEED(unlink("d/x"));
    show("file");
    EXPECT_ERRNO(EINVAL, inotify_rm_watch(in, wd));
    EXPECT_OK(inotify_add_watch(in, "d", IN_DELETE_SELF | IN_ONLYDIR));
    NEED(rmdir("d"));
    show("directory");
}

TEST(one_shot_and_equal_events) {
    int fd = make_file("o", "");
    EXPECT_OK(inotify_add_watch(in, "o", IN_MODIFY | IN_ONESHOT));
    NEED(write(fd, "1", 1));
    NEED(write(fd, "2", 1));
    show("one shot");
    EXPECT_OK(inotify_add_watch(in, "o", IN_MODIFY));
    for (int i = 0; i < 5; i++) NEED(write(fd, "3", 1));
    int waiting = 0;
    EXPECT_OK(ioctl(in, FIONREAD, &waiting));
    EXPECT_EQ(16, waiting);
    struct pollfd p = { .fd = in, .events = POLLIN };
    EXPECT_EQ(1, poll(&p, 1, 0));
    show("merged");
    EXPECT_EQ(0, poll(&p, 1, 0));
    close(fd);
}

TEST(bad_arguments) {
    EXPECT_ERRNO(EINVAL, inotify_init1(0x40));
    EXPECT_ERRNO(EINVAL, inotify_add_watch(in, ".", 0));
    EXPECT_ERRNO(EINVAL, inotify_add_watch(in, ".", IN_MODIFY | IN_MASK_ADD | IN_MASK_CREATE));
    EXPECT_ERRNO(EINVAL, inotify_add_watch(1, ".", IN_MODIFY));
    EXPECT_ERRNO(EBADF, inotify_add_watch(-1, ".", IN_MODIFY));
    EXPECT_ERRNO(ENOENT, inotify_add_watch(in, "none", IN_MODIFY));
    EXPECT_ERRNO(ENOTDIR, inotify_add_watch(in, "o", IN_MODIFY | IN_ONLYDIR));
    EXPECT_ERRNO(EINVAL, inotify_rm_watch(in, 99));
    EXPECT_OK(inotify_add_watch(in, ".", IN_OPEN | IN_ONLYDIR));
    close(open("o", O_RDONLY));
    char small[16];
    EXPECT_ERRNO(EINVAL, read(in, small, sizeof small));
    show("rest");
}
