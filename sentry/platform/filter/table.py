"""The calls that a guest's own thread may make to the host kernel: one row each, with its argument filter and the reason.

Everything else traps to the sentry (default deny). Composed into BPF by ``build``, printed by ``surface``, and evaluated in
Python by ``check`` where a profile traps the native calls too. Sources: design.md section 3, kernel-facts.md 3, 17, 25.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

WORD32: Final = 0xFFFFFFFF
WORD64: Final = 0xFFFFFFFFFFFFFFFF
ALLOW, TRACE = "allow", "trace"

#: What a RET_TRACE stop is for (its event message).
#: TRACE_CALL: any other call, on the ptrace platform; TRACE_WAIT: sigtimedwait, which the host runs.
TRACE_EXEC, TRACE_MASK, TRACE_CALL, TRACE_WAIT = 1, 2, 3, 4


@dataclass(frozen=True)
class Compare:
    """``(argument & mask) == value``; with ``is_negated``, ``argument != 0`` (mask and value unused)."""

    argument: int
    mask: int = 0
    value: int = 0
    is_negated: bool = False

    def holds(self, arguments: tuple[int, ...]) -> bool:
        """Whether the unsigned 64-bit ``arguments`` satisfy the comparison."""
        actual = arguments[self.argument]
        return actual != 0 if self.is_negated else actual & self.mask == self.value


@dataclass(frozen=True)
class Rule:
    """One row. ``alternatives``: any of them suffices; in each, all comparisons must hold. Empty: unconditional.

    ``needs`` names a jail layer without which the row does not apply. ``traced_data`` belongs to TRACE rows. ``condition`` is
    what people read.
    """

    call: str
    reason: str
    condition: str = ""
    alternatives: tuple[tuple[Compare, ...], ...] = ()
    action: str = ALLOW
    needs: str = ""
    traced_data: int = 0
    is_unavoidable: bool = False

    def holds(self, arguments: tuple[int, ...]) -> bool:
        """Whether a call with these arguments falls under the row."""
        if not self.alternatives:
            return True
        return any(all(compare.holds(arguments) for compare in one) for one in self.alternatives)


def _one_of(argument: int, values: Iterable[int], mask: int = WORD32) -> tuple[tuple[Compare, ...], ...]:
    return tuple((Compare(argument, mask, value),) for value in values)


CLONE_ALLOWED: Final = (
    0xFF  # exit signal
    | 0x100  # VM
    | 0x200  # FS
    | 0x400  # FILES
    | 0x800  # SIGHAND
    | 0x4000  # VFORK
    | 0x10000  # THREAD
    | 0x40000  # SYSVSEM
    | 0x80000  # SETTLS
    | 0x100000  # PARENT_SETTID
    | 0x200000  # CHILD_CLEARTID
    | 0x400000  # DETACHED: ignored by Linux
    | 0x1000000  # CHILD_SETTID
    | 0x80000000  # IO
)

_MAP_ANONYMOUS, _MAP_HUGETLB = 0x20, 0x40000
_ANONYMOUS = Compare(3, _MAP_ANONYMOUS | _MAP_HUGETLB, _MAP_ANONYMOUS)
#: bytes from which on a mapping is asked for where only the sentry keeps a memory limit
LARGE_MAPPING: Final = 16 << 20
_FUTEX_PLAIN = (0, 1, 3, 4, 5, 9, 10)
_FUTEX_PI = (6, 7, 8, 11, 12, 13)
_CLOCKS = (0, 1, 2, 3, 4, 5, 6, 7, 11)
_SLEEP_CLOCKS = (0, 1, 2, 7, 11)
# NORMAL RANDOM SEQUENTIAL WILLNEED DONTNEED FREE DONTFORK DOFORK HUGEPAGE NOHUGEPAGE DONTDUMP DODUMP WIPEONFORK KEEPONFORK COLD
# POPULATE_READ POPULATE_WRITE DONTNEED_LOCKED. Not: MERGEABLE (a side channel), REMOVE (punches holes into files), HWPOISON.
_MADVICE = (0, 1, 2, 3, 4, 8, 10, 11, 14, 15, 16, 17, 18, 19, 20, 22, 23, 24)
# QUERY, PRIVATE_EXPEDITED and its registration, SYNC_CORE and RSEQ with theirs. Not: GLOBAL, which disturbs the whole host.
_MEMBARRIER = (0, 8, 16, 32, 64, 128, 256)
_ARCH_PRCTL = (0x1001, 0x1002, 0x1003, 0x1004)

_OWN = "touches only the caller's own memory and registers"

RULES: Final[tuple[Rule, ...]] = (
    Rule(
        "mmap",
        "anonymous memory is the MMU's work; files are mapped through the sentry",
        "flags has MAP_ANONYMOUS and not MAP_HUGETLB; with --memory kept by the sentry: shorter than 16 MiB",
        ((_ANONYMOUS, Compare(1, ~(LARGE_MAPPING - 1) & WORD64, 0)),),
    ),
    Rule(
        "mmap",
        "anonymous memory is the MMU's work; no limit, or the host's own, bounds it",
        "flags has MAP_ANONYMOUS and not MAP_HUGETLB",
        ((_ANONYMOUS,),),
        needs="memory",
    ),
    Rule("munmap", _OWN),
    Rule("mprotect", "a file's pages never gain rights that the donated descriptor lacks"),
    Rule("mremap", "moves or grows what is mapped already; a file mapping keeps its file's rights"),
    Rule("madvise", "advice on own pages", "advice on the list, not MERGEABLE, REMOVE, HWPOISON", _one_of(2, _MADVICE)),
    Rule("brk", _OWN),
    Rule("futex", "waits on own memory", "operation without priority inheritance", _one_of(1, _FUTEX_PLAIN, 0x7F)),
    Rule(
        "futex",
        "the owner's number is looked up in the container's own pid namespace",
        "priority inheritance, only inside a pid namespace",
        _one_of(1, _FUTEX_PI, 0x7F),
        needs="pidns",
    ),
    Rule("rt_sigaction", "handlers are addresses in own memory; the host kernel builds the frames"),
    Rule("rt_sigprocmask", "the mask of the calling thread"),
    Rule("rt_sigreturn", "restores the caller's own registers from its own stack", is_unavoidable=True),
    Rule("sigaltstack", _OWN),
    Rule("rt_sigpending", "reads the caller's own pending set"),
    Rule("rt_sigsuspend", "sleeps under a mask; ended exactly by host signals, which the sentry sees"),
    Rule("pause", "sleeps until a host signal, which the sentry sees"),
    Rule(
        "rt_sigtimedwait",
        "takes a pending signal of the caller; its end stops for the sentry, which corrects the siginfo",
        action=TRACE,
        traced_data=TRACE_WAIT,
    ),
    Rule("nanosleep", "sleeps; ended exactly by host signals"),
    Rule("clock_nanosleep", "sleeps; ended exactly by host signals", "a fixed clock, not a process's", _one_of(0, _SLEEP_CLOCKS)),
    Rule("restart_syscall", "continues a sleep that a stop interrupted"),
    Rule("clock_gettime", "what the vDSO answers without a call", "a fixed clock, not a process's", _one_of(0, _CLOCKS)),
    Rule("clock_getres", "a constant of the host", "a fixed clock, not a process's", _one_of(0, _CLOCKS)),
    Rule("gettimeofday", "what the vDSO answers without a call"),
    Rule("time", "what the vDSO answers without a call"),
    Rule("getcpu", "what the vDSO answers without a call"),
    Rule("sched_yield", "gives the processor away"),
    Rule("set_robust_list", "registers an address in own memory"),
    Rule("set_tid_address", "registers an address in own memory; returns the container's own number", needs="pidns"),
    Rule("rseq", "registers an address in own memory"),
    Rule("membarrier", "barriers among the caller's own threads", "private commands and QUERY", _one_of(0, _MEMBARRIER)),
    Rule("arch_prctl", "the caller's own thread pointers", "SET_FS, GET_FS, SET_GS, GET_GS", _one_of(0, _ARCH_PRCTL)),
    Rule("getrandom", "random bytes are computation: nothing is named, the pointer is only written to"),
    Rule(
        "clone",
        "copying memory and making threads is the MMU's work; each birth stops for the sentry before it runs",
        "no namespace, PTRACE, UNTRACED, PARENT, PIDFD flags",
        ((Compare(0, ~CLONE_ALLOWED & WORD32, 0),),),
        needs="userns",
    ),
    Rule("fork", "as clone", needs="userns"),
    Rule("vfork", "as clone", needs="userns"),
    Rule("exit", "ends the calling thread", is_unavoidable=True),
    Rule("exit_group", "ends the calling process", is_unavoidable=True),
    Rule("execve", "stops for the sentry, which turns it into the stub's", action=TRACE, traced_data=TRACE_EXEC),
    Rule("execveat", "stops for the sentry, which turns it into the stub's", action=TRACE, traced_data=TRACE_EXEC),
    Rule(
        "ppoll",
        "the signal frame must save the old mask: stops for the sentry",
        "with a signal mask",
        ((Compare(3, is_negated=True),),),
        TRACE,
        traced_data=TRACE_MASK,
    ),
    Rule(
        "pselect6",
        "the signal frame must save the old mask: stops for the sentry",
        "with a signal mask",
        ((Compare(5, is_negated=True),),),
        TRACE,
        traced_data=TRACE_MASK,
    ),
    Rule(
        "epoll_pwait",
        "the signal frame must save the old mask: stops for the sentry",
        "with a signal mask",
        ((Compare(4, is_negated=True),),),
        TRACE,
        traced_data=TRACE_MASK,
    ),
    Rule(
        "epoll_pwait2",
        "the signal frame must save the old mask: stops for the sentry",
        "with a signal mask",
        ((Compare(4, is_negated=True),),),
        TRACE,
        traced_data=TRACE_MASK,
    ),
    Rule(
        "io_pgetevents",
        "the signal frame must save the old mask: stops for the sentry",
        "with a signal mask",
        ((Compare(5, is_negated=True),),),
        TRACE,
        traced_data=TRACE_MASK,
    ),
)


def rules_in_force(profile: str, layers: Iterable[str]) -> list[Rule]:
    """Return the rows that ``profile`` puts into the filter, given the jail's layers.

    ``strict`` keeps only what cannot be trapped; its other rows are checked by ``check_native`` and then continued.
    """
    present = frozenset(layers)
    kept = [rule for rule in RULES if not rule.needs or rule.needs in present]
    if profile == "strict":
        kept = [rule for rule in kept if rule.action == TRACE or rule.is_unavoidable]
    return kept
