/* Every kind of descriptor against every call that takes one: a default that is never asked for is a default that nobody knows. */
// guest: timeout=120
#include <mqueue.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <sys/xattr.h>
#include <termios.h>
#include "check.h"

static int pipes[2], spare[2], sockets[2], dir, file;
static char buffer[9000];

static int o_file(void) { return open("file", O_RDWR | O_NONBLOCK); }
static int o_read_only(void) { return open("file", O_RDONLY); }
static int o_write_only(void) { return open("file", O_WRONLY); }
static int o_append(void) { return open("file", O_RDWR | O_APPEND); }
static int o_dir(void) { return open("dir", O_RDONLY); }
static int o_path(void) { return open("file", O_PATH); }
static int o_path_dir(void) { return open("dir", O_PATH | O_DIRECTORY); }
static int o_path_link(void) { return open("link", O_PATH | O_NOFOLLOW); }
static int o_reader(void) { return dup(pipes[0]); }
static int o_writer(void) { return dup(pipes[1]); }
static int o_fifo(void) { return open("fifo", O_RDWR | O_NONBLOCK); }
static int o_socket(void) { return dup(sockets[0]); }
static int o_fresh_socket(void) { return socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0); }
static int o_eventfd(void) { return eventfd(0, EFD_NONBLOCK); }
static int o_semaphore(void) { return eventfd(2, EFD_NONBLOCK | EFD_SEMAPHORE); }
static int o_timerfd(void) { return timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK); }
static int o_signalfd(void) { sigset_t none; sigemptyset(&none); return signalfd(-1, &none, SFD_NONBLOCK); }
static int o_epoll(void) { return epoll_create1(0); }
static int o_inotify(void) { return inotify_init1(IN_NONBLOCK); }
static int o_memfd(void) { return memfd_create("name", MFD_ALLOW_SEALING); }
static int o_sealed_memfd(void) { return memfd_create("name", 0); }
static int o_null(void) { return open("/dev/null", O_RDWR); }
static int o_zero(void) { return open("/dev/zero", O_RDWR); }
static int o_full(void) { return open("/dev/full", O_RDWR); }
static int o_random(void) { return open("/dev/urandom", O_RDONLY); }
static int o_master(void) { return open("/dev/ptmx", O_RDWR | O_NOCTTY | O_NONBLOCK); }
static int o_proc_text(void) { return open("/proc/self/stat", O_RDONLY); }
static int o_proc_dir(void) { return open("/proc/self/task", O_RDONLY); }
static int o_proc_link(void) { return open("/proc/self/exe", O_PATH | O_NOFOLLOW); }
static int o_none(void) { return 900; }

#define OBJECT(name) {#name, name}
static const struct { const char *name; int (*make)(void); } objects[] = {
    OBJECT(o_file), OBJECT(o_read_only), OBJECT(o_write_only), OBJECT(o_append), OBJECT(o_dir), OBJECT(o_path), OBJECT(o_path_dir), OBJECT(o_path_link),
    OBJECT(o_reader), OBJECT(o_writer), OBJECT(o_fifo), OBJECT(o_socket), OBJECT(o_fresh_socket), OBJECT(o_eventfd), OBJECT(o_semaphore), OBJECT(o_timerfd),
    OBJECT(o_signalfd), OBJECT(o_epoll), OBJECT(o_inotify), OBJECT(o_memfd), OBJECT(o_sealed_memfd), OBJECT(o_null), OBJECT(o_zero), OBJECT(o_full),
    OBJECT(o_random), OBJECT(o_master), OBJECT(o_proc_text), OBJECT(o_proc_dir), OBJECT(o_proc_link), OBJECT(o_none),
};
#define OBJECTS (int)(sizeof objects / sizeof *objects)

static long positive(long value) { return value > 0 ? 1 : value; }

static long c_fstat(int fd) { struct stat st; return fstat(fd, &st) ? -1L : (long)st.st_mode; }
static long c_getfd(int fd) { return fcntl(fd, F_GETFD); }
static long c_getfl(int fd) { return fcntl(fd, F_GETFL); }
static long c_dup(int fd) { int copy = dup(fd); if (copy >= 0) close(copy); return positive(copy); }
static long c_poll(int fd) { struct pollfd p = {fd, POLLIN | POLLOUT | POLLPRI | POLLRDHUP, 0}; poll(&p, 1, 0); return p.revents; }
static long c_read_nothing(int fd) { return read(fd, buffer, 0); }
static long c_read(int fd) { return positive(read(fd, buffer, 8)); }
static long c_read_short(int fd) { return positive(read(fd, buffer, 3)); }
static long c_pread(int fd) { return positive(pread(fd, buffer, 3, 1)); }
static long c_pread_negative(int fd) { return pread(fd, buffer, 3, -1); }
static long c_preadv(int fd) { struct iovec part = {buffer, 4}; return positive(preadv(fd, &part, 1, 0)); }
static long c_write_nothing(int fd) { return write(fd, buffer, 0); }
static long c_write(int fd) { uint64_t one = 1; return write(fd, &one, 8); }
static long c_write_short(int fd) { return write(fd, "abc", 3); }
static long c_pwrite(int fd) { return pwrite(fd, "abc", 3, 2); }
static long c_pwrite_negative(int fd) { return pwrite(fd, "abc", 3, -1); }
static long c_seek_set(int fd) { return lseek(fd, 2, SEEK_SET); }
static long c_seek_cur(int fd) { return lseek(fd, 0, SEEK_CUR); }
static long c_seek_end(int fd) { return positive(lseek(fd, 0, SEEK_END)); }
static long c_seek_data(int fd) { return lseek(fd, 0, SEEK_DATA); }
static long c_seek_hole(int fd) { return positive(lseek(fd, 0, SEEK_HOLE)); }
static long c_seek_far(int fd) { return lseek(fd, 1 << 30, SEEK_DATA); }
static long c_seek_negative(int fd) { return lseek(fd, -5, SEEK_SET); }
static long c_seek_bad(int fd) { return lseek(fd, 0, 9); }
static long c_truncate(int fd) { return ftruncate(fd, 20); }
static long c_truncate_negative(int fd) { return ftruncate(fd, -1); }
static long c_fallocate(int fd) { return fallocate(fd, 0, 0, 10); }
static long c_fallocate_mode(int fd) { return fallocate(fd, 0x400, 0, 10); }
static long c_fallocate_nothing(int fd) { return fallocate(fd, 0, 0, 0); }
static long c_fsync(int fd) { return fsync(fd); }
static long c_fdatasync(int fd) { return fdatasync(fd); }
static long c_syncfs(int fd) { return syncfs(fd); }
static long c_sync_range(int fd) { return sync_file_range(fd, 0, 10, SYNC_FILE_RANGE_WRITE); }
static long c_readahead(int fd) { return readahead(fd, 0, 10); }
static long c_advise(int fd) { int error = posix_fadvise(fd, 0, 10, POSIX_FADV_WILLNEED); errno = error; return error ? -1 : 0; }
static long c_advise_bad(int fd) { int error = posix_fadvise(fd, 0, 10, 77); errno = error; return error ? -1 : 0; }
static long c_getdents(int fd) { return positive(syscall(SYS_getdents64, fd, buffer, 9000)); }
static long c_getdents_short(int fd) { return positive(syscall(SYS_getdents64, fd, buffer, 10)); }
static long c_fchdir(int fd) { long result = fchdir(fd); if (!result) NEED(fchdir(dir)); return result; }
static long c_openat(int fd) { int made = openat(fd, "nothing", O_RDONLY); return made; }
static long c_empty_at(int fd) { struct stat st; return fstatat(fd, "", &st, AT_EMPTY_PATH); }
static long map(int fd, int protection, int flags) {
    void *at = mmap(NULL, 4096, protection, flags, fd, 0);
    if (at == MAP_FAILED) return -1;
    munmap(at, 4096);
    return 0;
}
static long c_map_private(int fd) { return map(fd, PROT_READ | PROT_WRITE, MAP_PRIVATE); }
static long c_map_shared(int fd) { return map(fd, PROT_READ, MAP_SHARED); }
static long c_map_shared_writable(int fd) { return map(fd, PROT_READ | PROT_WRITE, MAP_SHARED); }
static long c_getxattr(int fd) { return fgetxattr(fd, "user.none", buffer, 10); }
static long c_getxattr_odd(int fd) { return fgetxattr(fd, "odd.none", buffer, 10); }
static long c_removexattr(int fd) { return fremovexattr(fd, "user.none"); }
static long c_fionread(int fd) { int n = -7; long result = ioctl(fd, FIONREAD, &n); return result ? result : positive(n); }
static long c_fionbio(int fd) { int n = 1; return ioctl(fd, FIONBIO, &n); }
static long c_fioclex(int fd) { long result = ioctl(fd, FIOCLEX); return result ? result : fcntl(fd, F_GETFD); }
static long c_fionclex(int fd) { long result = ioctl(fd, FIONCLEX); return result ? result : fcntl(fd, F_GETFD); }
static long c_fioasync(int fd) { int n = 0; return ioctl(fd, FIOASYNC, &n); }
static long c_figetbsz(int fd) { int n = 0; return ioctl(fd, 2, &n); }
static long c_tcgets(int fd) { struct termios t; return ioctl(fd, TCGETS, &t); }
static long c_tiocgpgrp(int fd) { int n; return ioctl(fd, TIOCGPGRP, &n); }
static long c_ioctl_odd(int fd) { return ioctl(fd, 0x12345678, buffer); }
static long c_setfl(int fd) { return fcntl(fd, F_SETFL, O_NONBLOCK | O_APPEND) ? -1 : fcntl(fd, F_GETFL); }
static long c_setfl_back(int fd) { return fcntl(fd, F_SETFL, O_NONBLOCK) ? -1 : fcntl(fd, F_GETFL); }
static long c_setfl_direct(int fd) {
    if (fcntl(fd, F_SETFL, O_NONBLOCK | O_DIRECT)) return -1;
    return fcntl(fd, F_SETFL, O_NONBLOCK);
}
static long c_pipe_size(int fd) { return fcntl(fd, F_GETPIPE_SZ); }
static long c_set_pipe_size(int fd) { return fcntl(fd, F_SETPIPE_SZ, 65536); }
static long c_seals(int fd) { return fcntl(fd, F_GET_SEALS); }
static long c_add_seals(int fd) { return fcntl(fd, F_ADD_SEALS, F_SEAL_GROW); }
static long c_lease(int fd) { return fcntl(fd, F_GETLEASE); }
static long c_set_lease(int fd) { long result = fcntl(fd, F_SETLEASE, F_RDLCK); fcntl(fd, F_SETLEASE, F_UNLCK); return result; }
static long c_notify(int fd) { long result = fcntl(fd, F_NOTIFY, DN_CREATE); fcntl(fd, F_NOTIFY, 0); return result; }
static long c_getlk(int fd) { struct flock l = {.l_type = F_WRLCK}; return fcntl(fd, F_GETLK, &l); }
static long c_setlk_read(int fd) { struct flock l = {.l_type = F_RDLCK}; return fcntl(fd, F_SETLK, &l); }
static long c_setlk_write(int fd) { struct flock l = {.l_type = F_WRLCK}; return fcntl(fd, F_SETLK, &l); }
static long c_ofd_setlk(int fd) { struct flock l = {.l_type = F_UNLCK}; return fcntl(fd, F_OFD_SETLK, &l); }
static long c_flock(int fd) { long result = flock(fd, LOCK_SH | LOCK_NB); if (!result) flock(fd, LOCK_UN); return result; }
static long c_getown(int fd) { long result = fcntl(fd, F_GETOWN); return result == getpid() ? 1 : result; }
static long c_setown(int fd) { long result = fcntl(fd, F_SETOWN, getpid()); return result ? result : fcntl(fd, F_GETOWN) == getpid() ? fcntl(fd, F_SETOWN, 0) : 5; }
static long c_getsig(int fd) { return fcntl(fd, F_GETSIG); }
static long c_fcntl_odd(int fd) { return fcntl(fd, 777); }
static long c_dupfd(int fd) { int copy = fcntl(fd, F_DUPFD_CLOEXEC, 50); if (copy < 0) return -1; long flags = fcntl(copy, F_GETFD); close(copy); return flags; }
static long c_epoll_add(int fd) {
    int poller = epoll_create1(0);
    struct epoll_event e = {.events = EPOLLIN | EPOLLOUT};
    long result = epoll_ctl(poller, EPOLL_CTL_ADD, fd, &e);
    int error = errno;
    if (!result) result = epoll_wait(poller, &e, 1, 0) ? 100 + e.events : 0;
    close(poller);
    errno = error;
    return result;
}
static long c_epoll_of(int fd) { struct epoll_event e = {.events = EPOLLIN}; return epoll_ctl(fd, EPOLL_CTL_ADD, spare[0], &e); }
static long c_epoll_wait(int fd) { struct epoll_event e; return epoll_wait(fd, &e, 1, 0); }
static long c_splice_from(int fd) { loff_t at = 1; long result = splice(fd, &at, spare[1], NULL, 2, SPLICE_F_NONBLOCK); int error = errno; while (read(spare[0], buffer, 100) > 0) {} errno = error; return positive(result); }
static long c_splice_current(int fd) { long result = splice(fd, NULL, spare[1], NULL, 2, SPLICE_F_NONBLOCK); int error = errno; while (read(spare[0], buffer, 100) > 0) {} errno = error; return positive(result); }
static long c_tee(int fd) { return tee(fd, spare[1], 2, SPLICE_F_NONBLOCK); }
static long c_vmsplice(int fd) { struct iovec part = {buffer, 4}; return vmsplice(fd, &part, 1, SPLICE_F_NONBLOCK); }
static long c_sendfile_from(int fd) { off_t at = 0; return positive(sendfile(spare[1], fd, &at, 1)); }
static long c_sendfile_to(int fd) { off_t at = 0; return sendfile(fd, file, &at, 3); }
static long c_copy_from(int fd) { loff_t from = 0, to = 100; return positive(copy_file_range(fd, &from, file, &to, 3, 0)); }
static long c_copy_to(int fd) { loff_t from = 0, to = 100; return copy_file_range(file, &from, fd, &to, 3, 0); }
static long c_exec(int fd) { char *argv[] = {"x", NULL}; return syscall(SYS_execveat, fd, "", argv, argv + 1, AT_EMPTY_PATH); }
static long c_listen(int fd) { return listen(fd, 1); }
static long c_accept(int fd) { return accept4(fd, NULL, NULL, SOCK_NONBLOCK); }
static long c_send(int fd) { return send(fd, "x", 1, MSG_DONTWAIT | MSG_NOSIGNAL); }
static long c_getsockopt(int fd) { int value; socklen_t size = 4; return getsockopt(fd, SOL_SOCKET, SO_TYPE, &value, &size); }
static long c_shutdown(int fd) { return shutdown(fd, 7); }
static long c_timer_get(int fd) { struct itimerspec t; return timerfd_gettime(fd, &t); }
static long c_signalfd(int fd) { sigset_t none; sigemptyset(&none); long result = signalfd(fd, &none, 0); return positive(result); }
static long c_inotify_remove(int fd) { return inotify_rm_watch(fd, 77); }
static long c_pidfd_send(int fd) { return syscall(SYS_pidfd_send_signal, fd, 0, NULL, 0); }
static long c_mq(int fd) { struct mq_attr a; return syscall(SYS_mq_getsetattr, fd, NULL, &a); }
static long c_setns(int fd) { return syscall(SYS_setns, fd, 0x7fffffff); }
static long c_reopen(int fd) {
    char name[40];
    snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
    int again = open(name, O_RDONLY | O_NONBLOCK | O_NOCTTY);
    if (again >= 0) close(again);
    return positive(again);
}
static long c_offset_after(int fd) { return positive(lseek(fd, 0, SEEK_CUR)); }

static const struct { const char *name; long (*call)(int); } calls[] = {
    OBJECT(c_fstat), OBJECT(c_getfd), OBJECT(c_getfl), OBJECT(c_dup), OBJECT(c_poll), OBJECT(c_read_nothing), OBJECT(c_read_short), OBJECT(c_read), OBJECT(c_pread),
    OBJECT(c_pread_negative), OBJECT(c_preadv), OBJECT(c_write_nothing), OBJECT(c_write_short), OBJECT(c_write), OBJECT(c_pwrite),
    OBJECT(c_pwrite_negative), OBJECT(c_getdents_short), OBJECT(c_getdents), OBJECT(c_seek_set), OBJECT(c_seek_cur), OBJECT(c_seek_end), OBJECT(c_seek_data), OBJECT(c_seek_hole),
    OBJECT(c_seek_far), OBJECT(c_seek_negative), OBJECT(c_seek_bad), OBJECT(c_truncate), OBJECT(c_truncate_negative), OBJECT(c_fallocate), OBJECT(c_fallocate_mode),
    OBJECT(c_fallocate_nothing), OBJECT(c_fsync), OBJECT(c_fdatasync), OBJECT(c_syncfs), OBJECT(c_sync_range), OBJECT(c_readahead), OBJECT(c_advise),
    OBJECT(c_advise_bad), OBJECT(c_fchdir), OBJECT(c_openat), OBJECT(c_empty_at), OBJECT(c_map_private),
    OBJECT(c_map_shared), OBJECT(c_map_shared_writable), OBJECT(c_getxattr), OBJECT(c_getxattr_odd), OBJECT(c_removexattr),
    OBJECT(c_fionread), OBJECT(c_fionbio), OBJECT(c_fioclex), OBJECT(c_fionclex), OBJECT(c_fioasync), OBJECT(c_figetbsz), OBJECT(c_tcgets), OBJECT(c_tiocgpgrp),
    OBJECT(c_ioctl_odd), OBJECT(c_setfl), OBJECT(c_setfl_back), OBJECT(c_setfl_direct), OBJECT(c_pipe_size), OBJECT(c_set_pipe_size), OBJECT(c_seals),
    OBJECT(c_lease), OBJECT(c_set_lease), OBJECT(c_notify), OBJECT(c_getlk), OBJECT(c_setlk_read), OBJECT(c_setlk_write), OBJECT(c_ofd_setlk), OBJECT(c_flock),
    OBJECT(c_getown), OBJECT(c_setown), OBJECT(c_getsig), OBJECT(c_fcntl_odd), OBJECT(c_dupfd), OBJECT(c_epoll_add), OBJECT(c_epoll_of), OBJECT(c_epoll_wait),
    OBJECT(c_splice_from), OBJECT(c_splice_current), OBJECT(c_tee), OBJECT(c_vmsplice), OBJECT(c_sendfile_from), OBJECT(c_sendfile_to), OBJECT(c_copy_from),
    OBJECT(c_copy_to), OBJECT(c_exec), OBJECT(c_listen), OBJECT(c_accept), OBJECT(c_send), OBJECT(c_getsockopt), OBJECT(c_shutdown), OBJECT(c_timer_get),
    OBJECT(c_signalfd), OBJECT(c_inotify_remove), OBJECT(c_pidfd_send), OBJECT(c_mq), OBJECT(c_setns), OBJECT(c_reopen), OBJECT(c_offset_after), OBJECT(c_add_seals),
};
#define CALLS (int)(sizeof calls / sizeof *calls)

/* What depends on the host's file systems or its version, not on the kind of object. */
static const char *const left_out[] = {"dir seek_data", "dir seek_hole", "dir seek_far", "proc_dir seek_data", "proc_dir seek_hole", "proc_dir seek_far",
    "memfd copy_from", "memfd copy_to", "sealed_memfd copy_from", "sealed_memfd copy_to", "proc_text copy_from", "proc_text splice_from",
    "proc_text splice_current", "proc_text getxattr", "proc_dir getxattr", "proc_text pwrite", "proc_text sync_range", "proc_dir fsync", "proc_dir fdatasync",
    "full sendfile_to", "null splice_from", "null splice_current", "proc_text fionread", "proc_text setfl_direct", "reader pwrite", "writer pread",
    "writer preadv", "inotify pwrite", "proc_text seek_data", "proc_text seek_hole", "proc_text seek_far", "proc_text fsync", "proc_text fdatasync",
    "proc_text seek_end", "proc_text sendfile_from", "proc_text offset_after", "proc_dir seek_end", "proc_dir offset_after", "writer splice_from",
    "memfd setfl_direct", "sealed_memfd setfl_direct", "zero sendfile_from", "full sendfile_from", "random sendfile_from", "master fionread",
    "master epoll_add", "master splice_from", "master splice_current", "master read", "master read_short"};

static int is_left_out(const char *object, const char *call) {
    char both[100];
    snprintf(both, sizeof both, "%s %s", object, call);
    for (unsigned i = 0; i < sizeof left_out / sizeof *left_out; i++)
        if (!strcmp(left_out[i], both)) return 1;
    return 0;
}

TEST(all) {
    signal(SIGPIPE, SIG_IGN);
    signal(SIGIO, SIG_IGN);
    close(make_file("file", "0123456789"));
    NEED(mkdir("dir", 0755));
    NEED(symlink("file", "link"));
    NEED(mkfifo("fifo", 0644));
    NEED(pipe2(pipes, O_NONBLOCK));
    NEED(pipe2(spare, O_NONBLOCK));
    NEED(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, sockets));
    dir = NEED(open(".", O_RDONLY | O_DIRECTORY));
    file = make_file("other", "abcdefghij");
    for (int o = 0; o < OBJECTS; o++) {
        int fd = objects[o].make();
        if (fd < 0) {
            printf("%s cannot be made: %s\n", objects[o].name, check_errno_name(errno));
            continue;
        }
        for (int c = 0; c < CALLS; c++) {
            if (is_left_out(objects[o].name + 2, calls[c].name + 2)) continue;
            errno = 0;
            long value = calls[c].call(fd);
            if (value == -1) printf("%s %s %s\n", objects[o].name + 2, calls[c].name + 2, check_errno_name(errno));
            else printf("%s %s %ld\n", objects[o].name + 2, calls[c].name + 2, value);
        }
        close(fd);
    }
}
