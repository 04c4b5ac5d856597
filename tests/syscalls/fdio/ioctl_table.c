// ioctl(2): every request that both kernels answer alike, on each kind of object (ioctl_tty(2), ioctl_ficlone(2), ioctl_fideduperange(2), socket(7)).
#include "check.h"
#include <linux/fs.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>

#define ROOM(request) {#request, request, 0}
#define VALUE(request) {#request, request, 1}
static const struct { const char *name; unsigned request; int is_value; } of_terminals[] = {
    ROOM(TIOCMGET), ROOM(TIOCMBIS), ROOM(TIOCMBIC), ROOM(TIOCMSET), ROOM(TIOCGSOFTCAR), ROOM(TIOCSSOFTCAR), ROOM(TIOCGSERIAL),
    ROOM(TIOCSSERIAL), VALUE(TIOCSBRK), VALUE(TIOCCBRK), ROOM(TIOCGRS485), ROOM(TIOCSRS485), ROOM(TIOCGLCKTRMIOS), ROOM(TIOCSLCKTRMIOS),
    VALUE(TIOCMIWAIT), ROOM(TIOCGICOUNT), ROOM(TIOCSERCONFIG), ROOM(TIOCSERGWILD), ROOM(TIOCSERSWILD), ROOM(TIOCSERGSTRUCT),
    ROOM(TIOCSERGETLSR), ROOM(TIOCSERGETMULTI), ROOM(TIOCSERSETMULTI),
}, of_files[] = {
    ROOM(FIOQSIZE), VALUE(FICLONE), ROOM(FICLONERANGE), ROOM(FIDEDUPERANGE), VALUE(FIFREEZE), VALUE(FITHAW), ROOM(FITRIM),
    ROOM(FS_IOC_GETFLAGS), ROOM(FS_IOC_FSGETXATTR), ROOM(BLKGETSIZE64), ROOM(0xc020660b) /* FIEMAP */,
    ROOM(0x12345678),
}, of_sockets[] = {ROOM(FIOSETOWN), ROOM(SIOCSPGRP), ROOM(FIOGETOWN), ROOM(SIOCGPGRP), ROOM(SIOCATMARK), ROOM(SIOCGIFDSTADDR), ROOM(SIOCADDRT)};
static long room[64];

static void ask(const char *object, int fd, const char *name, unsigned request, int is_value) {
    memset(room, 0, sizeof room);
    if (request == SIOCGIFDSTADDR) strcpy((char *)room, "nosuch");
    int value = ioctl(fd, request, is_value ? NULL : room);
    printf("%s: %s: %s", object, name, value < 0 ? check_errno_name(errno) : "ok");
    printf(" %lx %lx\n", value < 0 || request == FIGETBSZ ? 0 : room[0], value < 0 ? 0 : room[1]);
}

TEST(nobody) {
    if (geteuid() != 0) return;
    NEED(setresgid(65534, 65534, 65534));
    NEED(setresuid(65534, 65534, 65534));
}

TEST(every_request) {
    int ends[2], master = NEED(posix_openpt(O_RDWR | O_NOCTTY));
    sigset_t none;
    sigemptyset(&none);
    NEED(grantpt(master));
    NEED(unlockpt(master));
    NEED(pipe(ends));
    NEED(dup2(open("/dev/null", O_RDWR), 0)); /* the source of FICLONE and FICLONERANGE */
    struct { const char *name; int fd; } all[] = {
        {"master", master}, {"slave", open(ptsname(master), O_RDWR | O_NOCTTY)}, {"null", open("/dev/null", O_RDWR)},
        {"zero", open("/dev/zero", O_RDWR)}, {"random", open("/dev/urandom", O_RDONLY)}, {"pipe", ends[0]},
        {"memfd", memfd_create("x", 0)}, {"unix", socket(AF_UNIX, SOCK_STREAM, 0)}, {"unix dgram", socket(AF_UNIX, SOCK_DGRAM, 0)},
        {"tcp", socket(AF_INET, SOCK_STREAM, 0)}, {"udp", socket(AF_INET, SOCK_DGRAM, 0)}, {"udp6", socket(AF_INET6, SOCK_DGRAM, 0)},
        {"netlink", socket(AF_NETLINK, SOCK_RAW, 0)}, {"event", eventfd(0, 0)}, {"epoll", epoll_create1(0)},
        {"timer", timerfd_create(CLOCK_MONOTONIC, 0)}, {"signal", signalfd(-1, &none, 0)}, {"inotify", inotify_init1(0)},
        {"proc", open("/proc/self/status", O_RDONLY)}, {"proc folder", open("/proc/self", O_RDONLY)}, {"closed", -1},
    };
    for (unsigned i = 0; i < sizeof all / sizeof *all; i++) {
        int is_terminal = i < 2, is_socket = i >= 7 && i < 13;
        for (unsigned k = 0; k < sizeof of_terminals / sizeof *of_terminals; k++)
            if (is_terminal || k < 4) ask(all[i].name, all[i].fd, of_terminals[k].name, of_terminals[k].request, of_terminals[k].is_value);
        for (unsigned k = 0; !is_terminal && k < sizeof of_files / sizeof *of_files; k++)
            ask(all[i].name, all[i].fd, of_files[k].name, of_files[k].request, of_files[k].is_value);
        for (unsigned k = 0; k < sizeof of_sockets / sizeof *of_sockets; k++)
            if (is_socket || k < 5) ask(all[i].name, all[i].fd, of_sockets[k].name, of_sockets[k].request, of_sockets[k].is_value);
    }
}

TEST(owners_of_sockets) {
    int fd = NEED(socket(AF_UNIX, SOCK_DGRAM, 0)), me = getpid(), group = -getpgrp(), nobody = 4194303, least = INT_MIN, owner = 0;
    EXPECT_OK(ioctl(fd, FIOSETOWN, &me));
    EXPECT_OK(ioctl(fd, SIOCGPGRP, &owner));
    EXPECT_EQ(me, owner);
    unsigned ids[2] = {7, 7};
    EXPECT_OK(fcntl(fd, 17 /* F_GETOWNER_UIDS */, ids));
    EXPECT_TRUE(ids[0] == getuid() && ids[1] == geteuid());
    EXPECT_OK(ioctl(fd, SIOCSPGRP, &group));
    EXPECT_EQ(group, fcntl(fd, F_GETOWN));
    EXPECT_EQ(me, (NEED(ioctl(fd, FIOSETOWN, &me)), syscall(SYS_fcntl, fd, F_GETOWN)));
    EXPECT_ERRNO(ESRCH, ioctl(fd, FIOSETOWN, &nobody));
    EXPECT_ERRNO(EINVAL, ioctl(fd, FIOSETOWN, &least));
    EXPECT_ERRNO(EFAULT, ioctl(fd, FIOSETOWN, BAD_PTR));
    EXPECT_ERRNO(EFAULT, ioctl(fd, FIOGETOWN, BAD_PTR));
    EXPECT_ERRNO(EFAULT, fcntl(fd, 17, BAD_PTR));
    close(fd);
}

TEST(clones) {
    int a = NEED(memfd_create("a", 0)), b = NEED(memfd_create("b", 0)), reader = NEED(open("/proc/self/exe", O_RDONLY));
    struct file_clone_range range = {.src_fd = a};
    struct file_dedupe_range *same = calloc(1, 4096);
    EXPECT_ERRNO(EOPNOTSUPP, ioctl(b, FICLONE, a));
    EXPECT_ERRNO(EOPNOTSUPP, ioctl(b, FICLONERANGE, &range));
    EXPECT_ERRNO(EXDEV, ioctl(b, FICLONE, reader));
    EXPECT_ERRNO(EBADF, ioctl(b, FICLONE, -1));
    EXPECT_ERRNO(EFAULT, ioctl(b, FICLONERANGE, BAD_PTR));
    NEED(fcntl(b, F_SETFL, O_APPEND));
    EXPECT_ERRNO(EBADF, ioctl(b, FICLONE, a));
    EXPECT_ERRNO(EOPNOTSUPP, ioctl(a, FIDEDUPERANGE, same));
    same->reserved1 = 1;
    EXPECT_ERRNO(EINVAL, ioctl(a, FIDEDUPERANGE, same));
    same->dest_count = 200;
    EXPECT_ERRNO(ENOMEM, ioctl(a, FIDEDUPERANGE, same));
    EXPECT_ERRNO(EFAULT, ioctl(a, FIDEDUPERANGE, BAD_PTR));
}

TEST(attributes) {
    int fd = NEED(memfd_create("x", 0)), none = 0, immutable = 0x10, flags = -1;
    EXPECT_OK(ioctl(fd, FS_IOC_GETFLAGS, &flags));
    EXPECT_EQ(0, flags);
    EXPECT_OK(ioctl(fd, FS_IOC_SETFLAGS, &none));
    EXPECT_ERRNO(EPERM, ioctl(fd, FS_IOC_SETFLAGS, &immutable));
    flags = 4; /* FS_COMPR_FL */
    EXPECT_ERRNO(EOPNOTSUPP, ioctl(fd, FS_IOC_SETFLAGS, &flags));
    EXPECT_ERRNO(EFAULT, ioctl(fd, FS_IOC_SETFLAGS, BAD_PTR));
}

TEST(signals_of_a_terminal) {
    int master = NEED(posix_openpt(O_RDWR | O_NOCTTY));
    EXPECT_ERRNO(EINVAL, ioctl(master, 0x40045436 /* TIOCSIG */, 0));
    EXPECT_ERRNO(EINVAL, ioctl(master, 0x40045436, SIGHUP));
    EXPECT_OK(ioctl(master, 0x40045436, SIGINT));
}
