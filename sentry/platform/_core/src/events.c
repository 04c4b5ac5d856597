/* ptrace: births, deaths, exec, signals and stops of the guest's threads, and changes to their registers.
 *
 * All waiting for guests goes through trace_drain.
 */
#define _GNU_SOURCE
#include "core.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef NS_GET_PID_IN_PIDNS
#define NS_GET_PID_IN_PIDNS _IOR(0xb7, 0x8, int)
#endif

/* No TRACEEXIT: it costs 15 us per process, tells nothing that the exit status lacks, and exec would wait for it. */
#define OPTIONS                                                                                                              \
    (PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC |           \
     PTRACE_O_TRACESECCOMP | PTRACE_O_EXITKILL)

static int request(enum __ptrace_request what, int tid, unsigned long addr, unsigned long data)
{
    return ptrace(what, tid, addr, data) == 0 ? 0 : -errno;
}

/* PTRACE_CONT or PTRACE_SYSCALL: the thread wakes up on the sentry's processor. */
static int resume_with(enum __ptrace_request what, int tid, unsigned long signal)
{
    int result;

    placement_hold(tid);
    result = request(what, tid, 0, signal);
    placement_release(tid);
    return result;
}

int trace_seize(int tid)
{
    return request(PTRACE_SEIZE, tid, 0, OPTIONS);
}

static int is_birth(int status)
{
    int event = (unsigned)status >> 16;

    return event == PTRACE_EVENT_FORK || event == PTRACE_EVENT_VFORK || event == PTRACE_EVENT_CLONE;
}

/* The signals of the events that the last trace_drain has collected, by the event's number there. */
static siginfo_t infos[SC_EVENTS_MAX];

/* A signal-delivery stop: si_code and si_errno, si_pid and si_uid, si_value, one in each half of a word. */
static void describe_signal(uint64_t *words, int tid, siginfo_t *info)
{
    if (ptrace(PTRACE_GETSIGINFO, tid, 0, info) != 0)
        memset(info, 0, sizeof *info);
    words[0] = (uint32_t)info->si_code | (uint64_t)(uint32_t)info->si_errno << 32;
    words[1] = (uint32_t)info->si_pid | (uint64_t)info->si_uid << 32;
    words[2] = (uint64_t)(uintptr_t)info->si_ptr;
}

/* Words of an event: tid, wait status, event message (of a signal: its number among the events), nr, six arguments, rip, rax, rsp, then those of a signal. */
static void describe(uint64_t *words, int tid, int status, int number)
{
    struct user_regs_struct regs;
    unsigned long message = 0;
    int event = (unsigned)status >> 16;

    memset(words, 0, SC_EVENT_WORDS * sizeof *words);
    words[0] = (uint64_t)tid;
    words[1] = (uint32_t)status;
    if (!WIFSTOPPED(status))
        return;
    if (event == 0 && WSTOPSIG(status) != (SIGTRAP | 0x80)) {
        describe_signal(words + 13, tid, &infos[number]);
        message = (unsigned long)number;
    }
    if (event != 0 && event != PTRACE_EVENT_STOP)
        ptrace(PTRACE_GETEVENTMSG, tid, 0, &message);
    words[2] = message;
    if (is_birth(status))
        placement_born(tid, (int)message);
    if (event == PTRACE_EVENT_STOP)
        return;
    if (ptrace(PTRACE_GETREGS, tid, 0, &regs) != 0) {
        words[3] = SC_GONE; /* killed since it stopped */
        return;
    }
    words[3] = regs.orig_rax;
    words[4] = regs.rdi;
    words[5] = regs.rsi;
    words[6] = regs.rdx;
    words[7] = regs.r10;
    words[8] = regs.r8;
    words[9] = regs.r9;
    words[10] = regs.rip;
    words[11] = regs.rax;
    words[12] = regs.rsp;
}

/* Events that trace_inject met while it waited for something else. */
static struct {
    int tid, status;
} kept[64];
static int kept_count;

/* Collect up to events_max events without waiting; returns how many. The host kernel tells a newborn's first stop before its parent's
 * event; a birth that has come with others is put first, so that a newborn is nearly always known when it stops. */
int trace_drain(uint64_t *words, int events_max)
{
    int count = 0, births = 0;

    while (count < events_max && count < SC_EVENTS_MAX) {
        uint64_t birth[SC_EVENT_WORDS];
        int status, tid;

        if (kept_count > 0) {
            kept_count--;
            tid = kept[kept_count].tid;
            status = kept[kept_count].status;
        } else {
            tid = waitpid(-1, &status, __WALL | WNOHANG);
        }
        if (tid <= 0)
            break;
        describe(words + count * SC_EVENT_WORDS, tid, status, count);
        if (is_birth(status)) {
            memcpy(birth, words + count * SC_EVENT_WORDS, sizeof birth);
            memmove(words + (births + 1) * SC_EVENT_WORDS, words + births * SC_EVENT_WORDS,
                    (size_t)(count - births) * sizeof birth);
            memcpy(words + births++ * SC_EVENT_WORDS, birth, sizeof birth);
        }
        count++;
    }
    if (count)
        placement_begin();
    return count;
}

int trace_resume(int tid, int signal)
{
    return resume_with(PTRACE_CONT, tid, (unsigned long)signal);
}

/* At a signal-delivery stop, event number of the last trace_drain: deliver the signal; record, if any, replaces the begin of its
 * siginfo_t. */
int trace_deliver(int tid, int signal, int number, const void *record, int length)
{
    if (length > 0) {
        if (number < 0 || number >= SC_EVENTS_MAX || length > (int)sizeof *infos)
            return -EINVAL;
        memcpy(&infos[number], record, (size_t)length);
        if (ptrace(PTRACE_SETSIGINFO, tid, 0, &infos[number]) != 0)
            return -errno;
    }
    return resume_with(PTRACE_CONT, tid, (unsigned long)signal);
}

int trace_interrupt(int tid)
{
    return request(PTRACE_INTERRUPT, tid, 0, 0);
}

/* Go on to the next entry or exit of a call. */
int trace_step(int tid)
{
    return resume_with(PTRACE_SYSCALL, tid, 0);
}

int trace_listen(int tid)
{
    return request(PTRACE_LISTEN, tid, 0, 0);
}

static void put_arguments(struct user_regs_struct *regs, const uint64_t *arguments)
{
    regs->rdi = arguments[0];
    regs->rsi = arguments[1];
    regs->rdx = arguments[2];
    regs->r10 = arguments[3];
    regs->r8 = arguments[4];
    regs->r9 = arguments[5];
}

/* At a seccomp stop: run another call instead. to_exit: report its end as a syscall-exit stop. */
int trace_call(int tid, uint64_t nr, const uint64_t *arguments, int to_exit)
{
    struct user_regs_struct regs;

    if (ptrace(PTRACE_GETREGS, tid, 0, &regs) != 0)
        return -errno;
    regs.orig_rax = nr;
    regs.rax = (unsigned long long)-ENOSYS;
    put_arguments(&regs, arguments);
    if (ptrace(PTRACE_SETREGS, tid, 0, &regs) != 0)
        return -errno;
    return resume_with(to_exit ? PTRACE_SYSCALL : PTRACE_CONT, tid, 0);
}

/* At any stop: set the return value, restore the argument registers, set the call number (-1: there is nothing to
 * restart or to run) and, with resume, go on with a signal. */
int trace_result(int tid, int64_t value, const uint64_t *arguments, int64_t nr, int signal, int resume)
{
    struct user_regs_struct regs;

    if (ptrace(PTRACE_GETREGS, tid, 0, &regs) != 0)
        return -errno;
    regs.rax = (unsigned long long)value;
    regs.orig_rax = (unsigned long long)nr;
    if (arguments != NULL)
        put_arguments(&regs, arguments);
    if (ptrace(PTRACE_SETREGS, tid, 0, &regs) != 0)
        return -errno;
    return resume ? resume_with(PTRACE_CONT, tid, (unsigned long)signal) : 0;
}

/* At a seccomp stop: skip the call and make the guest issue it again (after any pending signal's handler). */
int trace_again(int tid, int64_t nr)
{
    struct user_regs_struct regs;

    if (ptrace(PTRACE_GETREGS, tid, 0, &regs) != 0)
        return -errno;
    regs.rip -= 2; /* the length of the syscall instruction */
    regs.rax = (unsigned long long)nr;
    regs.orig_rax = (unsigned long long)-1;
    if (ptrace(PTRACE_SETREGS, tid, 0, &regs) != 0)
        return -errno;
    return resume_with(PTRACE_CONT, tid, 0);
}

/* Wait for the next stop of a thread that trace_inject has resumed; 0 if it died: that is kept for trace_drain. */
static int injected_stop(int tid)
{
    int status;

    while (waitpid(tid, &status, __WALL) < 0)
        if (errno != EINTR)
            return 0;
    if (WIFSTOPPED(status))
        return status;
    if (kept_count < (int)(sizeof kept / sizeof *kept)) {
        kept[kept_count].tid = tid;
        kept[kept_count++].status = status;
    }
    return 0;
}

/* At a seccomp stop: run another call (one that the filter traces and that does not sleep), and come back to the same stop.
 *
 * All signals are blocked meanwhile, so that none is delivered here; an interrupt or group stop that comes is asked for again.
 * Returns 0 with the call's result, or -ESRCH if the thread is gone. */
int trace_inject(int tid, uint64_t nr, const uint64_t *arguments, int64_t *result)
{
    struct user_regs_struct saved, regs;
    uint64_t mask, all = ~0UL;
    int status, has_result = 0, is_interrupted = 0;

    if (ptrace(PTRACE_GETREGS, tid, 0, &saved) != 0 || ptrace(PTRACE_GETSIGMASK, tid, sizeof mask, &mask) != 0)
        return -errno;
    regs = saved;
    regs.orig_rax = nr;
    regs.rax = (unsigned long long)-ENOSYS;
    put_arguments(&regs, arguments);
    if (ptrace(PTRACE_SETREGS, tid, 0, &regs) != 0 || ptrace(PTRACE_SETSIGMASK, tid, sizeof all, &all) != 0 ||
        ptrace(PTRACE_SYSCALL, tid, 0, 0) != 0)
        return -errno;
    for (;;) {
        status = injected_stop(tid);
        if (status == 0)
            return -ESRCH;
        if (has_result && status >> 8 == (SIGTRAP | PTRACE_EVENT_SECCOMP << 8))
            break;
        if (!has_result && WSTOPSIG(status) == (SIGTRAP | 0x80)) {
            if (ptrace(PTRACE_GETREGS, tid, 0, &regs) != 0)
                return -errno;
            *result = (int64_t)regs.rax;
            has_result = 1;
            regs = saved;
            regs.rip -= 2;
            regs.rax = saved.orig_rax;
            regs.orig_rax = (unsigned long long)-1;
            if (ptrace(PTRACE_SETREGS, tid, 0, &regs) != 0)
                return -errno;
        } else if ((unsigned)status >> 16 == PTRACE_EVENT_STOP) {
            is_interrupted = 1;
        }
        if (ptrace(has_result ? PTRACE_CONT : PTRACE_SYSCALL, tid, 0,
                   (unsigned)status >> 16 == 0 && WSTOPSIG(status) < 64 && WSTOPSIG(status) != SIGTRAP ? WSTOPSIG(status) : 0) != 0)
            return -errno;
    }
    if (ptrace(PTRACE_SETSIGMASK, tid, sizeof mask, &mask) != 0)
        return -errno;
    return is_interrupted ? request(PTRACE_INTERRUPT, tid, 0, 0) : 0;
}

_Static_assert(sizeof(struct user_regs_struct) == SC_SAVED_BYTES, "saved registers");

/* Keep registers and mask, block every signal and run another call, up to its exit stop.
 *
 * At the entry of a call (a seccomp stop) that call is replaced. Elsewhere the call instruction before the current one is made again:
 * the next stop is its entry, where trace_call puts number and arguments in. The instruction itself may be changed by another thread,
 * which then runs what it likes, as it always may; registers and mask come back at the next stop. */
int trace_divert(int tid, void *saved, uint64_t *mask, uint64_t nr, const uint64_t *arguments, int is_entry)
{
    uint64_t all = ~0UL;
    struct user_regs_struct regs;

    if (ptrace(PTRACE_GETREGS, tid, 0, &regs) != 0 || ptrace(PTRACE_GETSIGMASK, tid, sizeof *mask, mask) != 0)
        return -errno;
    memcpy(saved, &regs, sizeof regs);
    if (is_entry) {
        regs.orig_rax = nr;
        regs.rax = (unsigned long long)-ENOSYS;
    } else {
        regs.rip -= 2; /* the length of the syscall instruction */
        regs.rax = nr;
        regs.orig_rax = (unsigned long long)-1;
    }
    put_arguments(&regs, arguments);
    if (ptrace(PTRACE_SETREGS, tid, 0, &regs) != 0 || ptrace(PTRACE_SETSIGMASK, tid, sizeof all, &all) != 0)
        return -errno;
    return resume_with(PTRACE_SYSCALL, tid, 0);
}

/* At the first stop of a thread that a diverted call has made: the registers of its maker but for what clone(2) gives it, and its mask. */
int trace_newborn(int tid, const void *saved, uint64_t mask, int resume)
{
    const struct user_regs_struct *maker = saved;
    struct user_regs_struct regs;
    const uint64_t arguments[] = {maker->rdi, maker->rsi, maker->rdx, maker->r10, maker->r8, maker->r9};

    if (ptrace(PTRACE_GETREGS, tid, 0, &regs) != 0)
        return -errno;
    put_arguments(&regs, arguments);
    regs.rip = maker->rip;
    regs.rcx = maker->rcx;
    regs.r11 = maker->r11;
    regs.rax = 0;
    regs.orig_rax = (unsigned long long)-1;
    if (ptrace(PTRACE_SETREGS, tid, 0, &regs) != 0 || ptrace(PTRACE_SETSIGMASK, tid, sizeof mask, &mask) != 0)
        return -errno;
    return resume ? resume_with(PTRACE_CONT, tid, 0) : 0;
}

/* Undo trace_divert and go on, with value as the result of the call that was under way; is_restart: after a signal it may be made again. */
int trace_return(int tid, const void *saved, uint64_t mask, int64_t value, int is_restart)
{
    struct user_regs_struct regs;

    memcpy(&regs, saved, sizeof regs);
    regs.rax = (unsigned long long)value;
    if (!is_restart)
        regs.orig_rax = (unsigned long long)-1;
    if (ptrace(PTRACE_SETREGS, tid, 0, &regs) != 0 || ptrace(PTRACE_SETSIGMASK, tid, sizeof mask, &mask) != 0)
        return -errno;
    return resume_with(PTRACE_CONT, tid, 0);
}

/* At a signal-delivery stop: let the guest see this siginfo_t; what is not given of it stays. */
int trace_set_siginfo(int tid, const void *record, int length)
{
    siginfo_t info;

    if (length > (int)sizeof info || ptrace(PTRACE_GETSIGINFO, tid, 0, &info) != 0)
        return -errno;
    memcpy(&info, record, (size_t)length);
    return ptrace(PTRACE_SETSIGINFO, tid, 0, &info) == 0 ? 0 : -errno;
}

/* Queue a signal for a process (tid 0) or a thread. Only of a timer's record does the host leave every field alone. */
int send_queued(int tgid, int tid, int signal, int error, uint32_t first, uint32_t second, uint64_t value)
{
    siginfo_t info;

    memset(&info, 0, sizeof info);
    info.si_signo = signal;
    info.si_errno = error;
    info.si_code = SI_TIMER;
    info.si_timerid = (int)first;
    info.si_overrun = (int)second;
    info.si_value.sival_ptr = (void *)value;
    if (tid)
        return syscall(SYS_rt_tgsigqueueinfo, tgid, tid, signal, &info) == 0 ? 0 : -errno;
    return syscall(SYS_rt_sigqueueinfo, tgid, signal, &info) == 0 ? 0 : -errno;
}

int send_to_thread(int tgid, int tid, int signal)
{
    return syscall(SYS_tgkill, tgid, tid, signal) == 0 ? 0 : -errno;
}

/* Put a filter on this process: the last act of a sentry's start. */
int confine_self(const void *instructions, int count)
{
    struct sock_fprog program = {(unsigned short)count, (struct sock_filter *)(uintptr_t)instructions};

    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return -errno;
    return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) == 0 ? 0 : -errno;
}

/* Blocked, ignored, caught and pending (thread's or process's) signals from /proc/TID/status. */
int task_signal_masks(int proc_fd, int tid, uint64_t *masks)
{
    static const char *const names[] = {"\nSigPnd:\t", "\nShdPnd:\t", "\nSigBlk:\t", "\nSigIgn:\t", "\nSigCgt:\t"};
    uint64_t values[5];
    char path[32], text[4096];
    ssize_t length;
    int fd;

    snprintf(path, sizeof path, "%d/status", tid);
    fd = openat(proc_fd, path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    length = read(fd, text, sizeof text - 1);
    close(fd);
    if (length <= 0)
        return -ESRCH;
    text[length] = 0;
    for (int i = 0; i < 5; i++) {
        const char *at = strstr(text, names[i]);
        if (at == NULL)
            return -ENODATA;
        values[i] = strtoull(at + strlen(names[i]), NULL, 16);
    }
    masks[0] = values[2];
    masks[1] = values[3];
    masks[2] = values[4];
    masks[3] = values[0] | values[1];
    return 0;
}

/* The number of a thread in another pid namespace (Linux 6.11). */
int task_pid_in(int pidns_fd, int tid)
{
    int result = ioctl(pidns_fd, NS_GET_PID_IN_PIDNS, tid);

    return result < 0 ? -errno : result;
}
