"""Two ends of one TCP stream: a connection of the stack and a socket of the host. Either half closes by itself."""

import errno
from _socket import SHUT_WR, socket
from select import EPOLLIN, EPOLLOUT

from gofer.net.loop import Loop
from gofer.net.sockets import reset
from sentry.netstack.interface import NetError
from sentry.netstack.transport.tcp.connection import Connection
from sentry.netstack.transport.tcp.state import CLOSED, SYN_RECV, SYN_SENT

_CHUNK = 256 << 10


class Relay:
    """Moves bytes both ways as far as both sides take them; ends with the second end of stream, or a reset on either side.

    ``on_end`` is called once, when both are closed.
    """

    def __init__(self, loop: Loop, guest: Connection, host: socket) -> None:
        self._loop = loop
        self._guest = guest
        self._host = host
        self._waiting = b""  # from the guest, not taken by the host yet
        self._guest_ended = self._host_ended = self._is_over = False
        self._watched = -1
        guest.waker = self

    def wake(self, mask: int) -> None:
        """The stack: something has changed."""
        self._loop.later(self)

    def run(self) -> None:
        """Move what can be moved."""
        guest = self._guest
        if self._is_over or guest.state in (SYN_RECV, SYN_SENT):
            return
        try:
            self._to_host()
            self._to_guest()
        except NetError:
            self._stop(is_reset=True)  # the guest's side is gone
            return
        except OSError as error:
            if error.errno not in (errno.ENOTCONN, errno.EPIPE):
                guest.abort(self._loop.now())
            self._stop(is_reset=True)
            return
        if self._guest_ended and self._host_ended and not self._waiting:
            guest.close(self._loop.now())
            self._stop(is_reset=False)
        elif guest.state == CLOSED:
            self._stop(is_reset=not self._guest_ended)
        else:
            self._watch()

    def _to_host(self) -> None:
        while not self._guest_ended or self._waiting:
            data = self._waiting or self._guest.receive(_CHUNK, self._loop.now())
            if data is None:
                return
            if not data:
                self._guest_ended = True
                self._host.shutdown(SHUT_WR)
                return
            self._waiting = data
            try:
                self._waiting = data[self._host.send(data) :]
            except BlockingIOError:
                return

    def _to_guest(self) -> None:
        guest = self._guest
        while not self._host_ended:
            room = guest.options.sndbuf - len(guest.buffer)
            if room <= 0 or not guest.has_room():
                return
            try:
                data = self._host.recv(min(room, _CHUNK))
            except BlockingIOError:
                return
            if data:
                guest.send(data, self._loop.now())
            else:
                self._host_ended = True
                guest.shutdown(self._loop.now(), write=True)

    def _watch(self) -> None:
        events = (EPOLLOUT if self._waiting else 0) | (EPOLLIN if not self._host_ended and self._guest.has_room() else 0)
        if events != self._watched:
            self._watched = events
            self._loop.watch(self._host.fileno(), events, lambda _: self.run())

    def _stop(self, *, is_reset: bool) -> None:
        self._is_over = True
        self._loop.forget(self._host.fileno())
        if is_reset:
            reset(self._host)
        else:
            self._host.close()
