"""UDP (udp(7)): within the sandbox from socket to socket, else through ``outside``. Linux: net/ipv4/udp.c."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sentry.kernel.net_devices import LOOPBACK_INDEX
from sentry.socket.inet import control, multicast
from sentry.socket.inet.address import Endpoint
from sentry.socket.inet.base import SEND_SHUTDOWN
from sentry.socket.inet.control import Header
from sentry.socket.inet.datagram import DatagramSocket
from sentry.socket.socket import Envelope
from syscalls.abi import socket as abi
from syscalls.abi.errno import ECONNREFUSED, EINVAL, EMSGSIZE, EPIPE
from syscalls.abi.errors import SyscallError

if TYPE_CHECKING:
    from sentry.kernel.task import Task
    from sentry.socket.inet.ports import PortTable
    from sentry.vfs.io import Source

PAYLOAD_MAX4, PAYLOAD_MAX6 = 65_507, 65_527
_CORK = (abi.IPPROTO_UDP, abi.UDP_CORK)


@dataclass(slots=True)
class Corked:
    """A datagram in the making (UDP_CORK, MSG_MORE): the first send has fixed where it goes and what its header says."""

    destination: Endpoint
    header: Header
    data: bytearray


class UdpSocket(DatagramSocket):
    """Found by its port."""

    __slots__ = ("corked",)

    def __init__(self, *arguments: object) -> None:
        super().__init__(*arguments)
        self.corked: Corked | None = None

    @property
    def ports(self) -> "PortTable":
        """The table of UDP."""
        table: PortTable = self.kernel.net.udp_ports
        return table

    def choose_source(self, source: bytes) -> None:
        """Set the local address of a connection, with a port if there is none yet."""
        if not self.local.port:
            self.take_port(Endpoint(source, 0))
        else:
            self.local = Endpoint(source, self.local.port)

    def check_port(self, port: int) -> None:
        """Errors: EINVAL no port."""
        if not port:
            raise SyscallError(EINVAL)

    async def resolve(self, task: "Task", address: bytes) -> object:
        """As for all datagrams; while one is in the making, its destination stays. Errors: those of datagrams."""
        return self.corked.destination if self.corked is not None else await super().resolve(task, address)

    def set_protocol_option(self, task: "Task", level: int, name: int, value: bytes) -> None:
        """setsockopt(2) above SOL_SOCKET; without UDP_CORK what has gathered leaves. Errors: ENOPROTOOPT, EINVAL."""
        super().set_protocol_option(task, level, name, value)
        if (level, name) == _CORK and not self.values[_CORK] and self.corked is not None:
            self._uncork(self.corked)

    def try_send(self, source: "Source", envelope: Envelope) -> int | None:
        """Send one datagram; nobody there is an error for the next call of a connected socket, and for the error queue.

        Errors: EDESTADDRREQ, EMSGSIZE, EPIPE, ECONNREFUSED, EINVAL control data.
        """
        if self.error:
            raise SyscallError(self.take_error())
        if self.shut & SEND_SHUTDOWN:
            raise SyscallError(EPIPE)
        if self.corked is not None:
            return self._append(self.corked, source, envelope)
        destination = self.destination_of(envelope)
        if source.remaining > (PAYLOAD_MAX4 if destination.is_v4 else PAYLOAD_MAX6):
            raise SyscallError(EMSGSIZE)
        header = control.read_header(self, envelope) if envelope.control else control.PLAIN
        if envelope.flags & abi.MSG_MORE or self.values.get(_CORK):
            if not self.local.port:
                self.take_port(self.local)
            self.corked = Corked(destination, header, bytearray())
            return self._append(self.corked, source, envelope)
        data = _take_all(source)
        self._transmit(data, destination, header)
        return len(data)

    def _append(self, corked: Corked, source: "Source", envelope: Envelope) -> int:
        """Add to the datagram in the making; one that grows too long is dropped whole (Linux: ip_append_data())."""
        most = PAYLOAD_MAX4 if corked.destination.is_v4 else PAYLOAD_MAX6
        try:
            if len(corked.data) + source.remaining > most:
                raise SyscallError(EMSGSIZE)
            data = _take_all(source)
            self.kernel.limits.charge(len(data))
        except SyscallError:
            self._drop_corked()
            raise
        corked.data += data
        if not (envelope.flags & abi.MSG_MORE or self.values.get(_CORK)):
            self._uncork(corked)
        return len(data)

    def _uncork(self, corked: Corked) -> None:
        self._drop_corked()
        self._transmit(bytes(corked.data), corked.destination, corked.header)

    def _drop_corked(self) -> None:
        if self.corked is not None:
            self.kernel.limits.uncharge(len(self.corked.data))
            self.corked = None

    def _transmit(self, data: bytes, destination: Endpoint, header: Header) -> None:
        if not self.local.port:
            self.take_port(self.local)
        origin = Endpoint(header.source or self.source_for(destination), self.local.port)
        if not self.is_here(destination):
            packet = self.make(data, origin, destination, header)
            self.kernel.net.outside.send_datagram(self, data, origin, destination, packet.ttl, packet.tos)
            return
        is_for_all = multicast.is_group(destination.address) or destination.address == control.BROADCAST
        find = self._all_receivers if is_for_all else self._receiver
        receivers = find(destination, origin)
        if receivers:
            datagram = self.make(data, origin, destination, header)
            for receiver in receivers:
                receiver.deliver(datagram)
        elif not is_for_all:
            self.report(ECONNREFUSED, data, destination)  # the ICMP error comes back at once

    def _receiver(self, destination: Endpoint, origin: Endpoint) -> "list[UdpSocket]":
        return best(fitting(self.ports, destination, origin), destination)

    def _all_receivers(self, destination: Endpoint, origin: Endpoint) -> "list[UdpSocket]":
        is_group = multicast.is_group(destination.address)
        found = fitting(self.ports, destination, origin)
        return [other for other in found if not is_group or multicast.is_member(other, destination.address)]

    def close(self) -> None:
        """Give the port and the memory back."""
        super().close()
        self._drop_corked()
        if self.local.port:
            self.ports.drop(self, self.local.port)


def fitting(
    table: "PortTable | None", destination: Endpoint, origin: Endpoint, interface: int = LOOPBACK_INDEX
) -> list[UdpSocket]:
    """The sockets that a datagram which came in on a device may be for."""
    return [
        other
        for other in (table.on(destination.port) if table is not None else ())
        if isinstance(other, UdpSocket)
        and (other.remote is None or other.remote == origin)
        and other.accepts(destination)
        and (interface == LOOPBACK_INDEX or other.device in (0, interface))
    ]


def best(found: list[UdpSocket], destination: Endpoint) -> list[UdpSocket]:
    """The one of ``found`` that fits most exactly; a list, empty if there is none."""
    found.sort(key=lambda other: (other.remote is not None, other.local.address == destination.address))
    return found[-1:]


def _take_all(source: "Source") -> bytes:
    return b"".join(iter(lambda: source.take(source.remaining) if source.remaining else b"", b""))
