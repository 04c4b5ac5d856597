"""Which addresses a sandbox may send to. Asked below the sockets, so no guest gets around it (docs/adr/0027).

With something allowed all else is denied. Names are matched by what the caller's own name servers answered to this sandbox's
questions, and only questions for names that are allowed ever leave: a name server is a way out as well.
"""

from collections import OrderedDict
from collections.abc import Callable
from typing import Final, NamedTuple

from sentry.netstack.egress.names import ObservedNames
from sentry.netstack.egress.rules import ANY_PORT, Rules, has_any
from sentry.netstack.interface import SECOND
from sentry.netstack.wire import dns

TCP, UDP = 6, 17
#: the reason of a decision about what a name server is asked
QUESTION: Final = "question"
#: IPv6 headers that hide the protocol, or lead elsewhere (RFC 8200 section 4; 51, 135, 139 and 140 are built like them)
_HEADERS6: Final = frozenset((0, 43, 44, 51, 60, 135, 139, 140))
PENDING_MAX, PENDING_TIME = 512, 30 * SECOND
#: as netfilter remembers who has spoken to a UDP socket (nf_conntrack_udp_timeout_stream)
PEERS_MAX, PEER_TIME = 4096, 120 * SECOND
_ANY: Final = frozenset((ANY_PORT,))


class Decision(NamedTuple):
    """``port`` -1: of a protocol without. ``reason``: deny, reserved, default, allow, name, resolver, answer, question."""

    protocol: int
    address: bytes
    port: int
    is_allowed: bool
    reason: str
    name: dns.Name | None = None


class EgressPolicy:
    """``resolvers`` may be asked at port 53. ``listeners`` hear of each decision."""

    def __init__(self, rules: Rules, resolvers: "frozenset[bytes]", now: Callable[[], int]) -> None:
        self.rules = rules
        self.resolvers = resolvers
        self.names = ObservedNames()
        self.now = now
        self.listeners: list[Callable[[Decision], None]] = []
        self._pending: OrderedDict[tuple[bytes, int, int], tuple[dns.Name, int, int]] = OrderedDict()
        self._peers: OrderedDict[tuple[int, bytes, int], int] = OrderedDict()

    def is_resolver(self, protocol: int, address: bytes, port: int) -> bool:
        """Whether this is the way to a name server."""
        return port == dns.PORT and protocol in (TCP, UDP) and address in self.resolvers

    # --- decisions -----------------------------------------------------------------------------------------------------------

    def permits(self, protocol: int, address: bytes, port: int | None, local_port: int = 0) -> bool:
        """Whether packets of ``protocol`` may leave for ``address``; port None: of a protocol without ports."""
        is_allowed, reason, name = self._judge(protocol, address, port, local_port)
        self._decide(Decision(protocol, address, -1 if port is None else port, is_allowed, reason, name))
        return is_allowed

    def _judge(self, protocol: int, address: bytes, port: int | None, local_port: int) -> tuple[bool, str, dns.Name | None]:
        rules = self.rules
        if port is not None and self.is_resolver(protocol, address, port):
            return True, "resolver", None
        if has_any(rules.denied, address):
            return False, "deny", self.names.name_of(address)
        if rules.denies_by_default and len(address) == 16 and protocol in _HEADERS6:
            return False, "default", None
        if rules.allows(address, port):
            return True, "allow", None
        if has_any(rules.reserved, address):
            return False, "reserved", self.names.name_of(address)
        if not rules.denies_by_default:
            return True, "default", self.names.name_of(address)
        name = self.names.meant(address, _ANY if port is None else frozenset((ANY_PORT, port)), self.now())
        if name is not None:
            return True, "name", name
        if protocol == UDP and port is not None and self._peers.get((local_port, address, port), 0) > self.now():
            return True, "answer", None
        return False, "default", self.names.name_of(address)

    def permits_packet(self, protocol: int, address: bytes, message: bytes) -> bool:
        """As ``permits``, for a message that a program has made: its ports are read from it, and no question may be in it."""
        if protocol not in (TCP, UDP):
            return self.permits(protocol, address, None)
        port = int.from_bytes(message[2:4], "big")
        if len(message) < 4 or (self.rules.denies_by_default and self.is_resolver(protocol, address, port)):
            self._decide(Decision(protocol, address, port, False, QUESTION))
            return False
        return self.permits(protocol, address, port, int.from_bytes(message[:2], "big"))

    def _decide(self, decision: Decision) -> None:
        for listener in self.listeners:
            listener(decision)

    # --- names ---------------------------------------------------------------------------------------------------------------

    def question(self, protocol: int, address: bytes, data: bytes) -> tuple[dns.Question | None, bytes]:
        """What a message to a name server asks, None if it may not leave; and what we answer to it then, if anything."""
        question = dns.query(data)
        if not self.rules.denies_by_default:
            return question or dns.Question(-1, (), 0, 0), b""
        is_allowed = question is not None and bool(self.rules.ports_of(question.name))
        name = question.name if question is not None else None
        self._decide(Decision(protocol, address, dns.PORT, is_allowed, QUESTION, name))
        if is_allowed or question is None:
            return question, b""
        return None, dns.no_such_name(data, question)

    def ask(self, local_port: int, address: bytes, data: bytes) -> bytes | None:
        """A datagram to a name server: b"" it may leave, else what we answer; None: it is no question and may not leave."""
        question, refusal = self.question(UDP, address, data)
        if question is None:
            return refusal or None
        pending = self._pending
        pending[address, local_port, question.id] = question.name, question.type, self.now() + PENDING_TIME
        pending.move_to_end((address, local_port, question.id))
        if len(pending) > PENDING_MAX:
            pending.popitem(last=False)
        return b""

    def heard(self, address: bytes, port: int, local_port: int, payload: bytes) -> None:
        """A datagram has come from outside to a socket."""
        if self.is_resolver(UDP, address, port):
            said = dns.answer(payload)
            if said is None:
                return
            question, addresses = said
            asked = self._pending.pop((address, local_port, question.id), None)
            if asked is not None and asked[:2] == (question.name, question.type) and asked[2] > self.now():
                self.learn(question.name, addresses)
        elif self.rules.denies_by_default:
            self._peers[local_port, address, port] = self.now() + PEER_TIME
            self._peers.move_to_end((local_port, address, port))
            if len(self._peers) > PEERS_MAX:
                self._peers.popitem(last=False)

    def learn(self, name: dns.Name, addresses: list[dns.Address]) -> None:
        """A name server has answered a question that was allowed."""
        self.names.learn(name, self.rules.ports_of(name), addresses, self.now())
