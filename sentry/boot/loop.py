"""The event loop of a sentry: ready fibers, then the platform's next event. Idle costs nothing: it sleeps in the host."""

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sentry.platform.interface import Platform
    from sentry.sched.runner import Runner


#: a guest's timer may lie further away than any host call can say
SLEEP_MAX_NS = 1 << 60


def run(runner: "Runner", platform: "Platform", is_done: Callable[[], bool]) -> None:
    """Drive ``runner`` and ``platform`` until ``is_done()``."""
    ready = runner.ready
    run_once = platform.run_once
    while not is_done():
        runner.run_ready()
        if ready:
            run_once(0)
            continue
        deadline = runner.next_deadline_ns()
        run_once(None if deadline is None else min(max(0, deadline - runner.monotonic_ns()), SLEEP_MAX_NS))
