// inotify(7): IN_DELETE_SELF comes when the object is gone, not when its name is.
#include "check.h"
#include <poll.h>
#include <sys/inotify.h>
static int in;
static void show(const char *what) {
    char data[4096];
    printf("%s:", what);
    ssize_t n = read(in, data, sizeof data);
    for (ssize_t at = 0; at < n;) {
        struct inotify_event *e = (void *)(data + at);
        printf(" %d:%x%s%s", e->wd, e->mask, e->len ? "=" : "", e->len ? e->name : "");
        at += sizeof *e + e->len;
    }
    printf("\n");
}
TEST(file) {
    in = NEED(inotify_init1(IN_NONBLOCK));
    int fd = make_file("f", "x");
    EXPECT_OK(inotify_add_watch(in, "f", IN_ALL_EVENTS));
    int twin = dup(fd), other = NEED(open("f", O_RDONLY));
    EXPECT_OK(unlink("f")), show("unlinked");
    close(other), show("one closed");
    close(fd), show("two closed");
    close(twin), show("last closed");
}
TEST(no_descriptor) {
    close(make_file("f", "x"));
    EXPECT_OK(inotify_add_watch(in, "f", IN_ALL_EVENTS)), EXPECT_OK(inotify_add_watch(in, ".", IN_DELETE));
    EXPECT_OK(unlink("f")), show("unlinked");
    close(make_file("f", "x"));
    EXPECT_OK(inotify_add_watch(in, "f", IN_ALL_EVENTS));
    EXPECT_OK(link("f", "g")), show("linked");
    EXPECT_OK(unlink("f")), show("unlinked");
    EXPECT_OK(unlink("g")), show("unlinked both");
}
TEST(folder) {
    NEED(mkdir("d", 0755));
    EXPECT_OK(inotify_add_watch(in, "d", IN_ALL_EVENTS));
    int fd = NEED(open("d", O_RDONLY | O_DIRECTORY));
    show("opened");
    EXPECT_OK(rmdir("d")), show("removed");
    close(fd), show("closed");
}
TEST(folder_alone) {
    NEED(mkdir("d", 0755));
    EXPECT_OK(inotify_add_watch(in, "d", IN_ALL_EVENTS)), EXPECT_OK(inotify_add_watch(in, ".", IN_DELETE | IN_MOVE));
    EXPECT_OK(rmdir("d")), show("removed");
    NEED(mkdir("d", 0755)), NEED(mkdir("e", 0755));
    EXPECT_OK(inotify_add_watch(in, "d", IN_ALL_EVENTS));
    EXPECT_OK(rename("e", "d")), show("replaced");
    close(make_file("a", "x")), close(make_file("b", "x"));
    EXPECT_OK(inotify_add_watch(in, "b", IN_ALL_EVENTS));
    EXPECT_OK(rename("a", "b")), show("file replaced");
    EXPECT_OK(unlink("b"));
    show("removed too");
}
TEST(replaced) {
    int fd = make_file("a", "x");
    close(make_file("b", "x"));
    EXPECT_OK(inotify_add_watch(in, "a", IN_ALL_EVENTS));
    EXPECT_OK(rename("b", "a")), show("replaced");
    close(fd), show("closed");
}
TEST(by_mapping_and_child) {
    int fd = make_file("f", "x");
    EXPECT_OK(inotify_add_watch(in, "f", IN_DELETE_SELF));
    int ends[2];
    NEED(pipe(ends));
    pid_t child = fork();
    if (!child) {
        char c;
        close(ends[1]);
        read(ends[0], &c, 1);
        _exit(0);
    }
    close(ends[0]), close(fd), unlink("f"), show("a child has it");
    close(ends[1]), waitpid(child, 0, 0), show("the child is gone");
}
