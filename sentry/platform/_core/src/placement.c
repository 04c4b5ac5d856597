/* Guest and sentry on one processor: a ptrace stop and its resumption then cost a switch, not two wake-ups of idle processors.
 *
 * Answers to notifications do this by themselves (SYNC_WAKE_UP); stops do not. While stops come, the sentry stays on the
 * processor where it is, and a thread that it resumes is woken there, free to be moved by the scheduler at once. After
 * some waits the sentry lets itself be moved as well: the next burst begins where it then is.
 */
#define _GNU_SOURCE
#include "core.h"
#include <sched.h>

#define WAITS_MAX 64

static struct {
    cpu_set_t all, here, own; /* the sentry's at first, where it is now, and the resumed thread's */
    int is_enabled, is_held, is_moved, waits_left;
} placement;

void placement_enable(int is_enabled)
{
    placement.is_enabled = is_enabled && sched_getaffinity(0, sizeof placement.all, &placement.all) == 0 &&
                           CPU_COUNT(&placement.all) > 1;
}

/* Stops have arrived: stay here. */
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
    }
}

/* Before a stopped thread is resumed, and after: it keeps its own mask, and a thread that may not run here is left alone. */
void placement_hold(int tid)
{
    cpu_set_t both;

    placement.is_moved = 0;
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
