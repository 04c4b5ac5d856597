/* The spawner: host pid 1 of the jail. It keeps the namespaces, starts guests and reaps what nobody waits for.
 *
 * It is a copy of the sentry's process that never returns to Python, makes no use of the heap, and ends when its control
 * socket closes; with it, everything in its pid namespace ends. Guests are never its copies while they run guest code:
 * they execute the stub first.
 */
#define _GNU_SOURCE
#include "core.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef SYS_close_range
#define SYS_close_range 436
#endif
#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x80
#endif
#define LAYER_MAPS 1
#define LAYER_ROOT 2
#define LAYER_TIME 4
#define LAYER_LANDLOCK 8

/* struct landlock_ruleset_attr as of ABI 6; older kernels take a prefix of it. */
struct ruleset {
    uint64_t handled_access_fs;
    uint64_t handled_access_net;
    uint64_t scoped;
};

int send_report(int socket_fd, int kind, int value, int fd)
{
    int32_t body[2] = {kind, value};
    struct iovec io = {body, sizeof body};
    union {
        char room[CMSG_SPACE(sizeof(int))];
        struct cmsghdr align;
    } control;
    struct msghdr message = {.msg_iov = &io, .msg_iovlen = 1};

    if (fd >= 0) {
        struct cmsghdr *header;
        memset(&control, 0, sizeof control);
        message.msg_control = control.room;
        message.msg_controllen = sizeof control.room;
        header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(header), &fd, sizeof fd);
    }
    return sendmsg(socket_fd, &message, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

/* Returns the number of descriptors received (stored in fds), or a negative errno; -EPIPE at the end of the stream. */
int receive_fds(int socket_fd, void *data, unsigned long size, int *fds, int fds_max)
{
    struct iovec io = {data, size};
    union {
        char room[CMSG_SPACE(4 * sizeof(int))];
        struct cmsghdr align;
    } control;
    struct msghdr message = {
        .msg_iov = &io, .msg_iovlen = 1, .msg_control = control.room, .msg_controllen = sizeof control.room};
    struct cmsghdr *header;
    int count = 0;
    ssize_t got;

    do
        got = recvmsg(socket_fd, &message, MSG_CMSG_CLOEXEC);
    while (got < 0 && errno == EINTR);
    if (got <= 0)
        return got < 0 ? -errno : -EPIPE;
    for (header = CMSG_FIRSTHDR(&message); header != NULL; header = CMSG_NXTHDR(&message, header)) {
        if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS)
            continue;
        for (size_t i = 0; i < (header->cmsg_len - CMSG_LEN(0)) / sizeof(int); i++) {
            int fd;
            memcpy(&fd, CMSG_DATA(header) + i * sizeof(int), sizeof fd);
            if (count < fds_max)
                fds[count++] = fd;
            else
                close(fd);
        }
    }
    return count;
}

static int write_file(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    ssize_t put;

    if (fd < 0)
        return -errno;
    put = write(fd, text, strlen(text));
    close(fd);
    return put == (ssize_t)strlen(text) ? 0 : -EPERM;
}

/* The identity inside is the one outside: not root, so that no execve gives capabilities and RLIMIT_NPROC counts. */
static int write_id_maps(uint32_t uid, uint32_t gid)
{
    char line[48];

    if (write_file("/proc/self/setgroups", "deny") != 0)
        return -EPERM;
    snprintf(line, sizeof line, "%u %u 1", gid, gid);
    if (write_file("/proc/self/gid_map", line) != 0)
        return -EPERM;
    snprintf(line, sizeof line, "%u %u 1", uid, uid);
    return write_file("/proc/self/uid_map", line);
}

static int enter_empty_root(void)
{
    static const char *const places[] = {"/tmp", "/proc", "/run", "/dev", "/var"};
    const unsigned long flags = MS_NOSUID | MS_NODEV | MS_NOEXEC;

    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
        return -errno;
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        if (mount("none", places[i], "tmpfs", flags, "size=4k,nr_inodes=2,mode=0555") != 0)
            continue;
        if (chdir(places[i]) != 0 || syscall(SYS_pivot_root, ".", ".") != 0 || umount2(".", MNT_DETACH) != 0)
            return -errno;
        if (chdir("/") != 0 || mount(NULL, "/", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | flags, NULL) != 0)
            return -errno;
        return 0;
    }
    return -ENOENT;
}

/* Deny every path, port, abstract socket and signal to the outside; the guests inherit it. */
static int deny_all_paths(void)
{
    static const uint64_t fs_by_abi[] = {0, 0x1fff, 0x3fff, 0x7fff, 0x7fff, 0xffff};
    struct ruleset rules = {0, 0, 0};
    size_t size = sizeof(uint64_t);
    long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    long ruleset;
    int result;

    if (abi < 1)
        return -ENOSYS;
    rules.handled_access_fs = fs_by_abi[abi < 5 ? abi : 5];
    if (abi >= 4) {
        rules.handled_access_net = 3;
        size = 2 * sizeof(uint64_t);
    }
    if (abi >= 6) {
        rules.scoped = 3;
        size = sizeof rules;
    }
    ruleset = syscall(SYS_landlock_create_ruleset, &rules, size, 0);
    if (ruleset < 0)
        return -errno;
    result = syscall(SYS_landlock_restrict_self, ruleset, 0) == 0 ? 0 : -errno;
    close((int)ruleset);
    return result;
}

static void close_others(int keep_low, int keep_high)
{
    if (keep_low > keep_high) {
        int swap = keep_low;
        keep_low = keep_high;
        keep_high = swap;
    }
    if (keep_low > 0)
        syscall(SYS_close_range, 0, keep_low - 1, 0);
    if (keep_high > keep_low + 1)
        syscall(SYS_close_range, keep_low + 1, keep_high - 1, 0);
    if (syscall(SYS_close_range, keep_high + 1, ~0U, 0) != 0)
        for (int fd = 0; fd < 65536; fd++)
            if (fd != keep_low && fd != keep_high)
                close(fd);
}

static void reset_signals(void)
{
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    sigset_t none;

    const unsigned long standard[4] = {0}; /* the host kernel's own layout: libc refuses its private signals 32 and 33 */

    for (int signal = 1; signal < 65; signal++)
        syscall(SYS_rt_sigaction, signal, standard, NULL, sizeof(unsigned long));
    sigaction(SIGCHLD, &ignore, NULL); /* the host reaps for us */
    sigaction(SIGPIPE, &ignore, NULL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

/* What the spawner still needs in its own user namespace: new pid namespaces, and taking capabilities from guests. */
static void keep_few_capabilities(void)
{
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    const uint32_t kept = 1U << CAP_SYS_ADMIN | 1U << CAP_SETPCAP;
    struct __user_cap_data_struct sets[2] = {{kept, kept, 0}, {0, 0, 0}};

    for (int capability = 0; capability < 64; capability++)
        if (capability != CAP_SYS_ADMIN && capability != CAP_SETPCAP)
            prctl(PR_CAPBSET_DROP, capability, 0, 0, 0);
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    syscall(SYS_capset, &header, sets);
}

static void serve(const struct jail_config *config, int use_pid_namespace) __attribute__((noreturn));

static void serve(const struct jail_config *config, int use_pid_namespace)
{
    for (;;) {
        char kind;
        int fds[4] = {-1, -1, -1, -1};
        int count = receive_fds(config->control_fd, &kind, 1, fds, 4);
        int joins = kind == 'j'; /* the third descriptor is the pid namespace to be born in */

        if (count == -EPIPE || count == -ECONNRESET)
            _exit(0);
        if (count >= 2 + joins && (kind == 'g' || joins)) {
            if (syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0) == 0)
                guest_process_start(config->stub_fd, use_pid_namespace, fds[0], fds[1], fds[2 + joins], joins ? fds[2] : -1);
        }
        for (int i = 0; i < count; i++)
            close(fds[i]);
    }
}

static void spawner(const struct jail_config *config) __attribute__((noreturn));

static void spawner(const struct jail_config *config)
{
    int layers = 0;
    int error = 0;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    prctl(PR_SET_DUMPABLE, 1); /* /proc/self is ours again after the sentry's change of uid; undone below */
    prctl(PR_SET_NAME, "sandbox-jail");
    reset_signals();
    close_others(config->control_fd, config->stub_fd);
    setsid();
    if (config->clone_flags & CLONE_NEWUSER) {
        error = write_id_maps(config->uid, config->gid);
        if (error == 0)
            layers |= LAYER_MAPS;
    }
    if ((config->clone_flags & CLONE_NEWNS) && config->use_empty_root && enter_empty_root() == 0)
        layers |= LAYER_ROOT;
    if (config->clone_flags & CLONE_NEWUTS)
        (void)!sethostname(config->hostname, strlen(config->hostname));
    if (config->use_time_namespace && unshare(CLONE_NEWTIME) == 0)
        layers |= LAYER_TIME;
    if (!(config->clone_flags & CLONE_NEWPID))
        prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 && error == 0)
        error = -errno;
    if (config->use_landlock && deny_all_paths() == 0)
        layers |= LAYER_LANDLOCK;
    keep_few_capabilities();
    if (error != 0) {
        send_report(config->control_fd, REPORT_ERROR, -error, -1);
        _exit(1);
    }
    if (send_report(config->control_fd, REPORT_JAIL, layers, -1) != 0)
        _exit(1);
    serve(config, (config->clone_flags & CLONE_NEWPID) != 0);
}

/* Returns the spawner's pid; -EPERM, -ENOSPC, -EINVAL if the namespaces are refused. */
int jail_start(const struct jail_config *config)
{
    long pid = syscall(SYS_clone, config->clone_flags | SIGCHLD, 0, 0, 0, 0);

    if (pid < 0)
        return -errno;
    if (pid == 0)
        spawner(config);
    return (int)pid;
}
