// A message queue's descriptor is a file: offset, state as text, size, epoll; what it refuses.
#include "check.h"
#include <mqueue.h>
#include <sys/epoll.h>
#include <sys/poll.h>
#include <sys/sendfile.h>
#include <sys/xattr.h>

static int queue(void) {
    struct mq_attr attr = {.mq_maxmsg = 2, .mq_msgsize = 8};
    mq_unlink("/descriptor");
    int fd = NEED(mq_open("/descriptor", O_CREAT | O_RDWR | O_NONBLOCK, 0600, &attr));
    NEED(mq_unlink("/descriptor"));
    return fd;
}

TEST(offsets) {
    int fd = queue();
    char text[200] = "";
    struct stat st;
    SHOW(lseek(fd, 0, SEEK_END));
    SHOW(read(fd, text, 10));
    SHOW(lseek(fd, 3, SEEK_SET));
    SHOW(read(fd, text, sizeof text));
    SHOW_STR(text);
    SHOW(read(fd, text, sizeof text));
    SHOW(lseek(fd, 0, SEEK_CUR));
    SHOW(pread(fd, text, 20, 50));
    SHOW(pread(fd, text, 20, 70));
    SHOW(pwrite(fd, text, 2, 0));
    SHOW(write(fd, text, 2));
    SHOW(lseek(fd, 6, SEEK_DATA));
    SHOW(lseek(fd, 6, SEEK_HOLE));
    SHOW(lseek(fd, 80, SEEK_DATA));
    SHOW(lseek(fd, -1, SEEK_SET));
    SHOW(ftruncate(fd, 5));
    NEED(fstat(fd, &st));
    SHOW(st.st_size);
    SHOW(lseek(fd, 0, SEEK_END));
    SHOW(lseek(fd, 0, SEEK_SET));
    SHOW(read(fd, text, sizeof text));
    SHOW(ftruncate(fd, 500));
    NEED(fstat(fd, &st));
    SHOW(st.st_size);
    SHOW(pread(fd, text, 20, 100));
    close(fd);
}

TEST(readiness) {
    int fd = queue(), ep = NEED(epoll_create1(0));
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT};
    EXPECT_OK(epoll_ctl(ep, EPOLL_CTL_ADD, fd, &event));
    for (int i = 0; i < 3; i++) {
        SHOW(epoll_wait(ep, &event, 1, 0));
        SHOW(event.events);
        SHOW(mq_send(fd, "hi", 2, 0));
    }
    char text[8];
    SHOW(mq_receive(fd, text, sizeof text, NULL));
    SHOW(epoll_wait(ep, &event, 1, 0));
    SHOW(event.events);
    event.events = EPOLLIN | EPOLLET;
    EXPECT_OK(epoll_ctl(ep, EPOLL_CTL_MOD, fd, &event));
    SHOW(epoll_wait(ep, &event, 1, 0));
    SHOW(epoll_wait(ep, &event, 1, 0));
    pid_t pid = CHILD({ NEED(mq_send(fd, "new", 3, 0)); });
    EXPECT_EXIT(0, pid);
    SHOW(epoll_wait(ep, &event, 1, 60000));
    close(ep);
    close(fd);
}

TEST(refused) {
    int fd = queue(), pair[2];
    char text[8];
    NEED(pipe(pair));
    SHOW(fsetxattr(fd, "user.x", "v", 1, 0));
    SHOW(fgetxattr(fd, "user.x", text, sizeof text));
    SHOW(fremovexattr(fd, "user.x"));
    SHOW(fgetxattr(fd, "system.posix_acl_access", text, sizeof text));
    SHOW(fallocate(fd, 0, 0, 10));
    SHOW(fsync(fd));
    SHOW(sendfile(pair[1], fd, NULL, 5));
    SHOW(mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0) == MAP_FAILED ? -1 : 0);
    close(fd);
}
