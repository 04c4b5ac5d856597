/* The hot path: one call sends the last answer, waits and receives the next trap.
 *
 * poll, not epoll, waits for the listeners: the wake-up keeps its "on this processor" hint only through poll's own wait
 * function. RECEIVE blocks for ever when there is nothing (it ignores O_NONBLOCK), so it always follows a poll.
 */
#define _GNU_SOURCE
#include "core.h"
#include <errno.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#ifndef SECCOMP_IOCTL_NOTIF_SET_FLAGS
#define SECCOMP_IOCTL_NOTIF_SET_FLAGS SECCOMP_IOW(4, __u64)
#endif
#ifndef SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP
#define SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP (1UL << 0)
#endif
#ifndef SECCOMP_ADDFD_FLAG_SEND
#define SECCOMP_ADDFD_FLAG_SEND (1UL << 1)
#endif

enum { SLOT_SIGNAL, SLOT_EPOLL, SLOT_LISTENER };

struct core {
    uint64_t words[SC_TRAP_WORDS];
    struct pollfd slots[SLOT_LISTENER + SC_LISTENERS_MAX];
    int slot_count;
    int next_slot; /* where the search for a ready listener starts: no listener starves another */
    int trap_listener;
    int64_t c_answered; /* a call that is answered here with 0, for comparison only; negative: none */
    union {
        struct seccomp_notif notification;
        char room[512]; /* a newer kernel's structure may be longer */
    } request;
};

struct core *core_new(void)
{
    struct seccomp_notif_sizes sizes;
    struct core *core = calloc(1, sizeof *core);
    sigset_t set;

    if (core == NULL)
        return NULL;
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    core->slots[SLOT_SIGNAL].fd = -1;
    core->slots[SLOT_EPOLL].fd = -1;
    if (syscall(SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, 0, &sizes) == 0 &&
        (sizes.seccomp_notif > sizeof core->request || sizes.seccomp_notif_resp > sizeof core->request)) {
        errno = EOVERFLOW;
        goto fail;
    }
    if (sigprocmask(SIG_BLOCK, &set, NULL) != 0)
        goto fail;
    core->slots[SLOT_SIGNAL].fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    core->slots[SLOT_EPOLL].fd = epoll_create1(EPOLL_CLOEXEC);
    if (core->slots[SLOT_SIGNAL].fd < 0 || core->slots[SLOT_EPOLL].fd < 0)
        goto fail;
    core->slots[SLOT_SIGNAL].events = POLLIN;
    core->slots[SLOT_EPOLL].events = POLLIN;
    core->slot_count = SLOT_LISTENER;
    core->next_slot = SLOT_LISTENER;
    core->trap_listener = -1;
    core->c_answered = -1;
    return core;
fail:
    core_free(core);
    return NULL;
}

void core_free(struct core *core)
{
    if (core == NULL)
        return;
    if (core->slots[SLOT_SIGNAL].fd >= 0)
        close(core->slots[SLOT_SIGNAL].fd);
    if (core->slots[SLOT_EPOLL].fd >= 0)
        close(core->slots[SLOT_EPOLL].fd);
    free(core);
}

uint64_t *core_trap_words(struct core *core)
{
    return core->words;
}

int core_epoll_fd(struct core *core)
{
    return core->slots[SLOT_EPOLL].fd;
}

int core_trap_listener(struct core *core)
{
    return core->trap_listener;
}

/* What would a trap cost without Python? From now on nr is answered with 0 and never reported. */
void core_answer_in_c(struct core *core, int nr)
{
    core->c_answered = nr;
}

/* Returns 1 if answers wake the guest on this processor (Linux 6.6), 0 if not. */
int core_add_listener(struct core *core, int fd, int sync_wake_up)
{
    struct pollfd *slot;

    if (core->slot_count == SLOT_LISTENER + SC_LISTENERS_MAX)
        return -ENFILE;
    slot = &core->slots[core->slot_count++];
    slot->fd = fd;
    slot->events = POLLIN;
    slot->revents = 0;
    if (!sync_wake_up)
        return 0;
    return ioctl(fd, SECCOMP_IOCTL_NOTIF_SET_FLAGS, SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP) == 0;
}

void core_drop_listener(struct core *core, int fd)
{
    for (int i = SLOT_LISTENER; i < core->slot_count; i++) {
        if (core->slots[i].fd != fd && core->slots[i].fd != -1 - fd)
            continue;
        core->slots[i] = core->slots[--core->slot_count];
        core->next_slot = SLOT_LISTENER;
        return;
    }
}

static int receive(struct core *core, int listener)
{
    struct seccomp_notif *notification = &core->request.notification;
    uint64_t *words = core->words;

    memset(notification, 0, sizeof core->request);
    if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, notification) != 0)
        return 0; /* ENOENT, EINTR: the thread was killed meanwhile */
    core->trap_listener = listener;
    words[0] = notification->id;
    words[1] = notification->pid;
    words[2] = (uint32_t)notification->data.nr;
    memcpy(words + 3, notification->data.args, sizeof notification->data.args);
    placement_trapped((int)notification->pid, notification->data.nr == SYS_clone3);
    return 1;
}

static int receive_any(struct core *core)
{
    int listeners = core->slot_count - SLOT_LISTENER;

    for (int i = 0; i < listeners; i++) {
        int index = core->next_slot;
        struct pollfd *slot = &core->slots[index];

        core->next_slot = index + 1 < core->slot_count ? index + 1 : SLOT_LISTENER;
        if (slot->revents & POLLIN) {
            if (receive(core, slot->fd))
                return 1;
        } else if (slot->revents & (POLLHUP | POLLERR | POLLNVAL)) {
            slot->fd = -1 - slot->fd; /* the last task under this filter is gone: poll ignores it from now on */
            slot->revents = 0;
        }
    }
    return 0;
}

static int send_response(int listener, uint64_t id, int64_t value, uint32_t flags)
{
    struct seccomp_notif_resp response = {.id = id, .flags = flags};

    if (flags == 0) {
        if (value < 0 && value >= -4095)
            response.error = (int32_t)value;
        else
            response.val = value;
    }
    return ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &response) == 0 ? 0 : -errno;
}

/* Wait up to timeout_ns (negative: for ever) and return which of SC_TRAP, SC_CHILD, SC_READY there is. */
int core_wait(struct core *core, int64_t timeout_ns)
{
    int64_t patience_ns = placement_patience(timeout_ns);
    struct timespec timeout = {patience_ns / 1000000000, patience_ns % 1000000000};
    struct signalfd_siginfo infos[4];
    int result = 0, count;

again:
    count = ppoll(core->slots, (nfds_t)core->slot_count, patience_ns < 0 ? NULL : &timeout, NULL);
    placement_tick();
    if (count == 0)
        placement_rest();
    if (count <= 0)
        return count == 0 || errno == EINTR ? 0 : -errno;
    if (core->slots[SLOT_SIGNAL].revents) {
        if (read(core->slots[SLOT_SIGNAL].fd, infos, sizeof infos) > 0)
            result |= SC_CHILD;
        count--;
    }
    if (core->slots[SLOT_EPOLL].revents) {
        result |= SC_READY;
        count--;
    }
    if (count > 0 && receive_any(core)) {
        if ((int64_t)core->words[2] != core->c_answered)
            return result | SC_TRAP;
        send_response(core->trap_listener, core->words[0], 0, 0);
        if (result == 0)
            goto again;
    }
    return result;
}

/* Answer one trap (a thread that is gone meanwhile is no error) and wait for the next. */
int core_reply_wait(struct core *core, int listener, uint64_t id, int64_t value, int64_t timeout_ns)
{
    int error = send_response(listener, id, value, 0);

    if (error != 0 && error != -ENOENT)
        return error;
    return core_wait(core, timeout_ns);
}

int core_answer(int listener, uint64_t id, int64_t value)
{
    return send_response(listener, id, value, 0);
}

/* Let the host kernel run the call. Only for calls whose arguments are registers. */
int core_continue(int listener, uint64_t id)
{
    return send_response(listener, id, 0, SECCOMP_USER_NOTIF_FLAG_CONTINUE);
}

/* Install a copy of source as number (any free number if negative); with send, the number also answers the trap. */
int core_add_fd(int listener, uint64_t id, int tid, int source, int number, int cloexec, int send)
{
    struct seccomp_notif_addfd add = {
        .id = id,
        .flags = (uint32_t)((number >= 0 ? SECCOMP_ADDFD_FLAG_SETFD : 0) | (send ? SECCOMP_ADDFD_FLAG_SEND : 0)),
        .srcfd = (uint32_t)source,
        .newfd = number >= 0 ? (uint32_t)number : 0,
        .newfd_flags = cloexec ? 02000000 : 0,
    };
    int result;

    placement_begin();
    placement_hold(tid);
    do
        result = ioctl(listener, SECCOMP_IOCTL_NOTIF_ADDFD, &add);
    while (result < 0 && errno == EINTR);
    result = result < 0 ? -errno : result;
    placement_release(tid);
    return result;
}

int core_is_alive(int listener, uint64_t id)
{
    return ioctl(listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &id) == 0;
}
