// inotify(7): a folder hears of what is in it before the file itself does.
#include "check.h"
#include <sys/inotify.h>
TEST(both_watched) {
    int in = NEED(inotify_init1(IN_NONBLOCK));
    NEED(mkdir("d", 0755));
    close(make_file("d/f", "x"));
    EXPECT_OK(inotify_add_watch(in, "d", IN_ALL_EVENTS)), EXPECT_OK(inotify_add_watch(in, "d/f", IN_ALL_EVENTS));
    int fd = NEED(open("d/f", O_RDWR));
    char text[4];
    NEED(read(fd, text, 1)), NEED(write(fd, "y", 1)), NEED(fchmod(fd, 0600)), NEED(ftruncate(fd, 0)), close(fd);
    NEED(link("d/f", "d/g")), NEED(unlink("d/g")), NEED(rename("d/f", "d/h")), NEED(chmod("d", 0700)), NEED(unlink("d/h"));
    char data[4096];
    ssize_t n = read(in, data, sizeof data);
    for (ssize_t at = 0; at < n;) {
        struct inotify_event *e = (void *)(data + at);
        printf("%d:%x%s%s\n", e->wd, e->mask, e->len ? "=" : "", e->len ? e->name : "");
        at += sizeof *e + e->len;
    }
}
