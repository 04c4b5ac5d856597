"""Calls that run natively but trap here all the same: all of them in profile ``strict``, births where only the sentry counts them
or their memory.

The row's own condition is checked on the argument registers, then the host runs the call.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Protocol

from sentry.platform.filter.table import ALLOW, RULES, Rule
from syscalls.abi.errno import EAGAIN, ENOMEM
from syscalls.abi.nr_x86_64 import NUMBERS

if TYPE_CHECKING:
    from sentry.platform.interface import Context, Sink

BIRTHS = ("clone", "fork", "vfork")
Entry = Callable[["Context", int, int, int, int, int, int, int], int | None]


class Population(Protocol):
    """Who counts the guest's threads."""

    @property
    def contexts(self) -> Mapping[int, object]:
        """By thread number."""


class NativeCalls:
    """Chooses the entry for traps: the sink's own where nothing native traps, else the check before it."""

    def __init__(self, profile: str, layers: frozenset[str], sink: "Sink", population: Population, tasks_max: int) -> None:
        self._sink = sink
        self._population = population
        self.tasks_max = tasks_max
        calls = {rule.call for rule in RULES if rule.action == ALLOW} if profile == "strict" else set()
        self._is_memory_counted = "memory" not in layers
        if "userns" not in layers:
            calls |= set(BIRTHS)
        self._rules: dict[int, list[Rule]] = {}
        for rule in RULES:
            if rule.call in calls and rule.action == ALLOW and (not rule.needs or rule.needs in layers or rule.call in BIRTHS):
                self._rules.setdefault(NUMBERS[rule.call], []).append(rule)
        self._births = frozenset(NUMBERS[name] for name in BIRTHS)
        self.entry: Entry = self._checked if self._rules else sink.syscall

    @property
    def counts_births(self) -> bool:
        """Whether births come here, so that ``tasks_max`` holds."""
        return not self._births.isdisjoint(self._rules)

    def _checked(self, context: "Context", nr: int, a0: int, a1: int, a2: int, a3: int, a4: int, a5: int) -> int | None:
        rules = self._rules.get(nr)
        if rules is None or not any(rule.holds((a0, a1, a2, a3, a4, a5)) for rule in rules):
            return self._sink.syscall(context, nr, a0, a1, a2, a3, a4, a5)
        if nr in self._births:
            if len(self._population.contexts) >= self.tasks_max:
                return -EAGAIN
            if self._sink.exceeds_process_limit(context):
                return -EAGAIN
            if self._is_memory_counted and not self._sink.admits_birth(context):
                return -ENOMEM
        self._sink.proceeded(context, nr, a0, a1, a2, a3, a4, a5)
        context.proceed()
        return None
