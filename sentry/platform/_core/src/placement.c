/* Guest and sentry on one processor: a ptrace stop and its resumption then cost a switch, not two wake-ups of idle processors.
 *
 * Answers to notifications do this by themselves (SYNC_WAKE_UP); stops do not, nor does the installing of a descriptor (ADDFD),
 * for which the guest wakes, works and wakes the sentry in turn. While these come, the sentry stays on the processor where it
 * is, and a thread that it resumes is woken there, free to be moved by the scheduler at once. After some waits the sentry lets
 * itself be moved as well: the next burst begins where it then is.
 */
#define _GNU_SOURCE
#include "core.h"
#include <sched.h>
#include <stddef.h>

#define WAITS_MAX 64
#define BIRTHS_MAX 8
#define PATIENCE_NS 500000

static struct {
    cpu_set_t all, here, own; /* the sentry's at first, where it is now, and the resumed thread's */
    int is_enabled, is_held, is_moved, waits_left;
} placement;

void placement_enable(int is_enabled)
{
    placement.is_enabled = is_enabled && sched_getaffinity(0, sizeof placement.all, &placement.all) == 0 &&
                           CPU_COUNT(&placement.all) > 1;
}

/* Stops have arrived, or a descriptor is about to be lent: stay here. */
void placement_begin(void)
{
    int cpu;

    if (!placement.is_enabled || placement.is_held)
        return;
    if (sched_getaffinity(0, sizeof placement.all, &placement.all) != 0)
        return; /* it may have changed since the last burst */
    cpu = sched_getcpu();
    if (cpu < 0 || cpu >= CPU_SETSIZE)
        return;
    CPU_ZERO(&placement.here);
    CPU_SET(cpu, &placement.here);
    placement.is_held = sched_setaffinity(0, sizeof placement.here, &placement.here) == 0;
    placement.waits_left = WAITS_MAX;
}

/* One wait of the event loop has passed. */
void placement_tick(void)
{
    if (placement.is_held && --placement.waits_left <= 0) {
        sched_setaffinity(0, sizeof placement.all, &placement.all);
        placement.is_held = 0;
        placement_rest();
    }
}

/* Births. A new thread is first woken on an idle processor, only to stop there for the sentry at once. So a thread that is about to
 * make one, as its refused clone3 tells (C libraries then call clone), is kept on the sentry's processor; its child, which inherits the
 * mask, gets its own back as soon as it is there. The parent is free again at its next call, or when nothing has happened for a moment:
 * whoever starts threads one after the other is not moved to and fro. */
static struct birth {
    int tid, child; /* the latest child, until it runs */
    cpu_set_t own, here;
} births[BIRTHS_MAX];
static int birth_count;

static void give_back(const struct birth *birth, int tid)
{
    cpu_set_t now;

    if (sched_getaffinity(tid, sizeof now, &now) == 0 && CPU_EQUAL(&now, &birth->here)) /* else it was changed meanwhile */
        sched_setaffinity(tid, sizeof birth->own, &birth->own);
}

static struct birth *find_birth(int tid)
{
    for (int i = 0; i < birth_count; i++)
        if (births[i].tid == tid)
            return &births[i];
    return NULL;
}

static void forget(struct birth *birth)
{
    give_back(birth, birth->tid);
    if (birth->child)
        give_back(birth, birth->child);
    *birth = births[--birth_count];
}

static void keep_here(int tid)
{
    struct birth *birth = &births[birth_count];
    cpu_set_t both;

    placement_begin();
    if (!placement.is_held || birth_count == BIRTHS_MAX || sched_getaffinity(tid, sizeof birth->own, &birth->own) != 0)
        return;
    birth->here = placement.here;
    CPU_AND(&both, &birth->own, &birth->here);
    if (CPU_COUNT(&both) == 0 || sched_setaffinity(tid, sizeof birth->here, &birth->here) != 0)
        return;
    birth->tid = tid;
    birth->child = 0;
    birth_count++;
}

/* A call has arrived. */
void placement_trapped(int tid, int is_birth)
{
    struct birth *birth;

    if (birth_count == 0 && !is_birth)
        return;
    birth = find_birth(tid);
    if (birth != NULL && !is_birth) {
        forget(birth);
    } else if (birth == NULL && is_birth) {
        keep_here(tid);
    }
}

/* The thread has a child. */
void placement_born(int tid, int child)
{
    struct birth *birth = find_birth(tid);

    if (birth == NULL)
        return;
    if (birth->child)
        give_back(birth, birth->child);
    birth->child = child;
}

/* How long a wait of the sentry's may last before placement_rest is called, in ns; negative: for ever. */
int64_t placement_patience(int64_t timeout_ns)
{
    return birth_count && (timeout_ns < 0 || timeout_ns > PATIENCE_NS) ? PATIENCE_NS : timeout_ns;
}

/* Nothing has happened for a moment: everybody may go where the scheduler likes. */
void placement_rest(void)
{
    while (birth_count)
        forget(&births[birth_count - 1]);
}

/* Before a stopped thread is resumed or one that is trapped gets a descriptor, and after: it keeps its own mask, and a thread that may not run here is left alone. */
void placement_hold(int tid)
{
    cpu_set_t both;

    placement.is_moved = 0;
    for (int i = 0; i < birth_count; i++) {
        if (births[i].tid == tid)
            return;
        if (births[i].child == tid) {
            births[i].child = 0;
            placement.own = births[i].own;
            placement.is_moved = 1;
            return;
        }
    }
    if (!placement.is_held || sched_getaffinity(tid, sizeof placement.own, &placement.own) != 0)
        return;
    CPU_AND(&both, &placement.own, &placement.here);
    if (CPU_COUNT(&both) != 0)
        placement.is_moved = sched_setaffinity(tid, sizeof placement.here, &placement.here) == 0;
}

void placement_release(int tid)
{
    if (placement.is_moved)
        sched_setaffinity(tid, sizeof placement.own, &placement.own);
    placement.is_moved = 0;
}
