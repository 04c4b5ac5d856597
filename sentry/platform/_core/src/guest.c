/* A guest's first process, from the spawner's fork to its first execve, which the sentry turns into the stub's.
 *
 * Two processes: the carrier shares its descriptor table with the guest, because nothing can leave the guest any more
 * once its filter is on, and hands the listener to the sentry (pidfd_getfd is forbidden in many containers).
 */
#define _GNU_SOURCE
#include "core.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/futex.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)
#endif
#define NOT_YET (-2)
#define NO_LISTENER (-3)
#define RESERVED_LAST 7 /* where the ptrace platform's transfer socket lies, counted from the stub */
#define WANT_WAIT_KILLABLE 1
#define WANT_NO_LISTENER 2

/* The sentry writes this into a memfd: header, limits, filter, then path, argv and envp as NUL-ended strings. */
struct request {
    uint32_t filter_length, limit_count, argument_count, environment_count;
    uint32_t stub_number, wants;
    uint64_t scratch_addr, scratch_length;
};

struct limit {
    uint64_t resource, soft, hard;
};

/* Shared by the carrier and the guest: the listener's number, or a negative errno. */
struct handover {
    int32_t listener;
    int32_t is_wait_killable;
};

static void fail(int socket_fd, struct handover *handover, int error) __attribute__((noreturn));

static void fail(int socket_fd, struct handover *handover, int error)
{
    send_report(socket_fd, REPORT_ERROR, error, -1);
    __atomic_store_n(&handover->listener, -1, __ATOMIC_SEQ_CST);
    syscall(SYS_futex, &handover->listener, FUTEX_WAKE, 1, NULL, NULL, 0);
    _exit(126);
}

static void drop_capabilities(void)
{
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct none[2] = {{0, 0, 0}, {0, 0, 0}};

    for (int capability = 0; capability < 64; capability++)
        prctl(PR_CAPBSET_DROP, capability, 0, 0, 0);
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    syscall(SYS_capset, &header, none);
}

static char *skip_string(char *text, const char *end)
{
    char *nul = memchr(text, 0, (size_t)(end - text));
    return nul == NULL ? NULL : nul + 1;
}

static char *take_strings(char *text, const char *end, char **array, uint32_t count)
{
    for (uint32_t i = 0; i < count && text != NULL; i++) {
        array[i] = text;
        text = skip_string(text, end);
    }
    array[count] = NULL;
    return text;
}

static long install_filter(const struct request *request, struct sock_filter *filter, int32_t *is_wait_killable)
{
    struct sock_fprog program = {(unsigned short)request->filter_length, filter};
    unsigned long flags = SECCOMP_FILTER_FLAG_NEW_LISTENER;
    long fd = -1;

    *is_wait_killable = 0;
    if (request->wants & WANT_NO_LISTENER)
        return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) == 0 ? NO_LISTENER : -1;
    errno = EINVAL;
    if (request->wants & WANT_WAIT_KILLABLE) {
        fd = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, &program);
        *is_wait_killable = fd >= 0;
    }
    if (fd < 0 && errno == EINVAL)
        fd = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
    return fd;
}

static void guest(int request_fd, int socket_fd, struct handover *handover)
    __attribute__((noreturn));

static void guest(int request_fd, int socket_fd, struct handover *handover)
{
    struct stat info;
    struct request *request;
    struct limit *limits;
    struct sock_filter *filter;
    char *text, *path, **arrays;
    const char *end;
    char go;
    long listener;
    struct sigaction standard = {.sa_handler = SIG_DFL};

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    sigaction(SIGCHLD, &standard, NULL);
    sigaction(SIGPIPE, &standard, NULL);
    setsid();
    if (fstat(request_fd, &info) != 0)
        fail(socket_fd, handover, errno);
    request = mmap(NULL, (size_t)info.st_size, PROT_READ | PROT_WRITE, MAP_PRIVATE, request_fd, 0);
    if (request == MAP_FAILED)
        fail(socket_fd, handover, errno);
    limits = (struct limit *)(request + 1);
    filter = (struct sock_filter *)(limits + request->limit_count);
    path = (char *)(filter + request->filter_length);
    end = (char *)request + info.st_size;
    arrays = mmap(NULL, (request->argument_count + request->environment_count + 2) * sizeof(char *), PROT_READ | PROT_WRITE,
                  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (arrays == MAP_FAILED)
        fail(socket_fd, handover, errno);
    text = skip_string(path, end);
    text = take_strings(text, end, arrays, request->argument_count);
    text = take_strings(text, end, arrays + request->argument_count + 1, request->environment_count);
    if (text == NULL)
        fail(socket_fd, handover, EINVAL);
    if (mmap((void *)request->scratch_addr, request->scratch_length, PROT_READ | PROT_WRITE,
             MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED)
        fail(socket_fd, handover, errno);
    for (uint32_t i = 0; i < request->limit_count; i++) {
        struct rlimit value = {limits[i].soft, limits[i].hard};
        if (setrlimit((int)limits[i].resource, &value) != 0 && errno != EPERM)
            fail(socket_fd, handover, errno);
    }
    drop_capabilities();
    prctl(PR_SET_DUMPABLE, 1);
    if (send_report(socket_fd, REPORT_READY, 0, -1) != 0 || recv(socket_fd, &go, 1, 0) != 1)
        _exit(126);
    listener = install_filter(request, filter, &handover->is_wait_killable);
    if (listener < 0 && listener != NO_LISTENER)
        fail(socket_fd, handover, errno);
    __atomic_store_n(&handover->listener, (int32_t)listener, __ATOMIC_SEQ_CST);
    syscall(SYS_futex, &handover->listener, FUTEX_WAKE, 1, NULL, NULL, 0);
    /* From here on the sentry answers; execve ends in the stub or fails. */
    syscall(SYS_execve, path, arrays, arrays + request->argument_count + 1);
    for (;;)
        syscall(SYS_exit_group, 127);
}

/* Put what the guest keeps at its numbers while nobody shares the table: to grow a shared one, Linux waits for a grace period of
 * RCU (fs/file.c, expand_fdtable()), which takes some ticks. */
static int reserve_numbers(int request_fd, int stub_fd, int transfer_fd)
{
    struct request request;

    if (pread(request_fd, &request, sizeof request, 0) != (ssize_t)sizeof request)
        return EINVAL;
    if (dup3(stub_fd, (int)request.stub_number, 0) < 0)
        return errno;
    return transfer_fd >= 0 && dup3(transfer_fd, (int)request.stub_number + RESERVED_LAST, 0) < 0 ? errno : 0;
}

/* The carrier: called in a fresh child of the spawner; the guest becomes its sibling. With pidns_fd it is born in that namespace. */
void guest_process_start(int stub_fd, int use_pid_namespace, int request_fd, int socket_fd, int transfer_fd, int pidns_fd)
{
    const struct timespec moment = {0, 1000000};
    int patience = 10000;
    struct handover *handover;
    int error;
    long pid;

    handover = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (handover == MAP_FAILED)
        _exit(1);
    handover->listener = NOT_YET;
    if (pidns_fd >= 0 ? setns(pidns_fd, CLONE_NEWPID) != 0 : use_pid_namespace && unshare(CLONE_NEWPID) != 0) {
        send_report(socket_fd, REPORT_ERROR, errno, -1);
        _exit(1);
    }
    error = reserve_numbers(request_fd, stub_fd, transfer_fd);
    if (error != 0) {
        send_report(socket_fd, REPORT_ERROR, error, -1);
        _exit(1);
    }
    pid = syscall(SYS_clone, CLONE_FILES | CLONE_PARENT | SIGCHLD, 0, 0, 0, 0);
    if (pid == 0)
        guest(request_fd, socket_fd, handover);
    if (pid < 0) {
        send_report(socket_fd, REPORT_ERROR, errno, -1);
        _exit(1);
    }
    /* In profile strict the guest's wake-up is trapped and never comes: look every millisecond. */
    while (__atomic_load_n(&handover->listener, __ATOMIC_SEQ_CST) == NOT_YET && patience-- > 0)
        syscall(SYS_futex, &handover->listener, FUTEX_WAIT, NOT_YET, &moment, NULL, 0);
    if (handover->listener >= 0 || handover->listener == NO_LISTENER)
        send_report(socket_fd, REPORT_LISTENER, handover->is_wait_killable, handover->listener >= 0 ? handover->listener : -1);
    _exit(0);
}
