/* The C core of the platform: mechanism only, no policy, no parsing of guest data beyond copying it.
 *
 * loop.c   wait for traps, host signals and descriptors; receive and answer seccomp notifications
 * memory.c guest memory through process_vm_readv and process_vm_writev
 * placement.c which processor a resumed guest runs on
 * events.c ptrace: drain events, resume, rewrite registers
 * jail.c   the spawner: host pid 1 of the jail
 * guest.c  a guest's first process up to its first execve
 *
 * Every function returns a negative errno on failure unless its comment says otherwise.
 */
#ifndef SANDBOXCTL_CORE_H
#define SANDBOXCTL_CORE_H

#include <stdint.h>

#define SC_LISTENERS_MAX 64
#define SC_TRAP_WORDS 9   /* id, pid, nr, six arguments */
#define SC_GONE UINT64_MAX   /* the call of an event whose thread cannot be asked any more */
#define SC_EVENT_WORDS 16 /* see events.c */
#define SC_EVENTS_MAX 64
#define SC_SAVED_BYTES 216 /* struct user_regs_struct */

enum { SC_TRAP = 1, SC_CHILD = 2, SC_READY = 4 };

struct core;

/* loop.c */
struct core *core_new(void);
void core_free(struct core *core);
void core_answer_in_c(struct core *core, int nr);
uint64_t *core_trap_words(struct core *core);
int core_epoll_fd(struct core *core);
int core_add_listener(struct core *core, int fd, int sync_wake_up);
void core_drop_listener(struct core *core, int fd);
int core_trap_listener(struct core *core);
int core_wait(struct core *core, int64_t timeout_ns);
int core_reply_wait(struct core *core, int listener, uint64_t id, int64_t value, int64_t timeout_ns);
int core_answer(int listener, uint64_t id, int64_t value);
int core_continue(int listener, uint64_t id);
int core_add_fd(int listener, uint64_t id, int tid, int source, int number, int cloexec, int send);
int core_is_alive(int listener, uint64_t id);

/* placement.c */
void placement_enable(int is_enabled);
void placement_begin(void);
void placement_tick(void);
void placement_hold(int tid);
void placement_release(int tid);
void placement_trapped(int tid, int is_birth);
void placement_born(int tid, int child);
int64_t placement_patience(int64_t timeout_ns);
void placement_rest(void);

/* memory.c */
void guest_memory_by_files(int proc_fd);
int64_t guest_read(int tid, uint64_t addr, void *buffer, uint64_t length);
int64_t guest_write(int tid, uint64_t addr, const void *buffer, uint64_t length);
int64_t guest_read_string(int tid, uint64_t addr, char *buffer, uint64_t limit);
int64_t guest_fill(int tid, uint64_t addr, uint64_t length, int fd, int64_t offset, int *host_errno);
int64_t guest_drain(int tid, uint64_t addr, uint64_t length, int fd, int64_t offset, int *host_errno);

/* events.c */
int trace_seize(int tid);
int trace_drain(uint64_t *words, int events_max);
int trace_resume(int tid, int signal);
int trace_deliver(int tid, int signal, int number, const void *record, int length);
int trace_interrupt(int tid);
int trace_step(int tid);
int trace_listen(int tid);
int trace_call(int tid, uint64_t nr, const uint64_t *arguments, int to_exit);
int trace_result(int tid, int64_t value, const uint64_t *arguments, int64_t nr, int signal, int resume);
int trace_again(int tid, int64_t nr);
int trace_inject(int tid, uint64_t nr, const uint64_t *arguments, int64_t *result);
int trace_divert(int tid, void *saved, uint64_t *mask, uint64_t nr, const uint64_t *arguments, int is_entry);
int trace_newborn(int tid, const void *saved, uint64_t mask, int resume);
int trace_return(int tid, const void *saved, uint64_t mask, int64_t value, int is_restart);
int trace_set_siginfo(int tid, const void *record, int length);
int send_queued(int tgid, int tid, int signal, int error, uint32_t first, uint32_t second, uint64_t value);
int send_to_thread(int tgid, int tid, int signal);
int confine_self(const void *instructions, int count);
int task_signal_masks(int proc_fd, int tid, uint64_t *masks);
int task_pid_in(int pidns_fd, int tid);

/* jail.c */
struct jail_config {
    uint64_t clone_flags;
    int control_fd;
    int stub_fd;
    uint32_t uid, gid;
    int use_time_namespace, use_landlock, use_empty_root;
    const char *hostname;
};
int jail_start(const struct jail_config *config);

/* guest.c */
void guest_process_start(int stub_fd, int use_pid_namespace, int request_fd, int socket_fd, int transfer_fd, int pidns_fd);
int send_report(int socket_fd, int kind, int value, int fd);
int receive_fds(int socket_fd, void *data, unsigned long size, int *fds, int fds_max);
enum { REPORT_READY = 1, REPORT_LISTENER = 2, REPORT_ERROR = 3, REPORT_JAIL = 4 };

#endif
