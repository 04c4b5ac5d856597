"""What drives the stack: frames when the link's descriptor is ready, timers when they are due. Nothing runs in between."""

import logging
from typing import TYPE_CHECKING

from sentry.host.link.errors import LinkLost
from sentry.vfs.readiness import POLLERR, POLLHUP, POLLIN, POLLOUT
from syscalls.abi.netlink import IFF_LOWER_UP, IFF_RUNNING

if TYPE_CHECKING:
    from collections.abc import Callable

    from sentry.host.link.packet import PacketLink
    from sentry.host.link.stream import StreamLink
    from sentry.kernel.net_namespace import NetNamespace
    from sentry.netstack.stack import Stack
    from sentry.platform.interface import Platform
    from sentry.sched.runner import Runner, Timer

log = logging.getLogger(__name__)


class LinkDriver:
    """Owns ``link``. ``is_lost`` once the other side is gone: then every connection over it has ended with an error."""

    def __init__(
        self, net: "NetNamespace", platform: "Platform", runner: "Runner", index: int, link: "StreamLink | PacketLink"
    ) -> None:
        assert net.stack is not None
        self.is_lost = False
        self.link = link
        self._net = net
        self._stack: Stack = net.stack
        self._platform = platform
        self._runner = runner
        self._index = index
        self._stop: Callable[[], None] = lambda: None
        self._timer: Timer | None = None

    def start(self) -> None:
        """Watch the descriptor and the stack's timers."""
        self._watch(POLLIN)
        self.link.on_full = lambda: self._watch(POLLIN | POLLOUT)
        self._stack.timers.on_first = self._arm
        deadline = self._stack.next_deadline()
        if deadline is not None:
            self._arm(deadline)

    def _watch(self, events: int) -> None:
        self._stop()
        self._stop = self._platform.watch(self.link.fd, events, self._ready)  # type: ignore[arg-type]

    def _ready(self, revents: int) -> None:
        link, stack = self.link, self._stack
        if revents & POLLOUT and link.flush():
            self._watch(POLLIN)
        if not revents & (POLLIN | POLLERR | POLLHUP):
            return
        try:
            frames = link.receive()
        except LinkLost as error:
            self._lose(error)
            return
        now = self._runner.monotonic_ns()
        for frame, is_checked in frames:
            stack.receive(self._index, frame, now, is_checked=is_checked)

    def _arm(self, deadline: int) -> None:
        timer = self._timer
        if timer is not None:
            if timer.deadline_ns <= deadline:
                return
            timer.cancel()
        self._timer = self._runner.call_at(deadline, self._due)

    def _due(self) -> None:
        self._timer = None
        self._stack.poll(self._runner.monotonic_ns())
        deadline = self._stack.next_deadline()
        if deadline is not None:
            self._arm(deadline)

    def _lose(self, error: LinkLost) -> None:
        """The device goes down; what was connected over it fails now instead of by timeouts."""
        log.warning("the sandbox's network link is lost: %s", error)
        self.is_lost = True
        self._stop()
        self.link.close()
        self.link.on_full = None
        device = self._stack.devices[self._index]
        device.is_up = False
        self._stack.routes.changed()
        shown = self._net.devices.by_index(self._index)
        if shown is not None:
            shown.flags &= ~(IFF_LOWER_UP | IFF_RUNNING)
        if self._net.outside is not None:
            self._net.outside.fail()
