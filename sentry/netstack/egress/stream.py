"""A TCP connection to a name server: every question is looked at before its last byte leaves (RFC 1035 section 4.2.2)."""

from typing import TYPE_CHECKING, Final

from sentry.netstack.egress.policy import TCP
from sentry.netstack.wire import dns

if TYPE_CHECKING:
    from sentry.netstack.egress.policy import EgressPolicy

_LENGTH: Final = 2
_PENDING_MAX: Final = 64


class QuestionStream:
    """Sees the bytes of one connection, both ways; holds at most one message of each."""

    def __init__(self, policy: "EgressPolicy", address: bytes) -> None:
        self._policy = policy
        self._address = address
        self._out = bytearray()
        self._in = bytearray()
        self._pending: dict[int, tuple[dns.Name, int]] = {}

    def may_send(self, data: bytes) -> bool:
        """Whether these bytes may go on; a question that is not allowed ends the connection."""
        out = self._out
        out += data
        is_strict = self._policy.rules.denies_by_default
        while len(out) >= _LENGTH:
            size = int.from_bytes(out[:_LENGTH], "big")
            if is_strict and not 0 < size <= dns.QUERY_MAX:
                return False
            if len(out) < _LENGTH + size:
                break
            message = bytes(out[_LENGTH : _LENGTH + size])
            del out[: _LENGTH + size]
            question, _ = self._policy.question(TCP, self._address, message)
            if question is None:
                return False
            if len(self._pending) < _PENDING_MAX:
                self._pending[question.id] = question.name, question.type
        return True

    def has_come(self, data: bytes) -> None:
        """Bytes that a program has read."""
        come = self._in
        come += data
        while len(come) >= _LENGTH and len(come) >= _LENGTH + int.from_bytes(come[:_LENGTH], "big"):
            size = int.from_bytes(come[:_LENGTH], "big")
            said = dns.answer(bytes(come[_LENGTH : _LENGTH + size]))
            del come[: _LENGTH + size]
            if said is None:
                continue
            question, addresses = said
            if self._pending.pop(question.id, None) == (question.name, question.type):
                self._policy.learn(question.name, addresses)
