"""System V message queues: which message msgrcv(2) takes, and who of those who wait gets a new one."""

import pytest

from sentry.ipc.message import Message, MessageQueue, Receiver, new_queue
from sentry.ipc.waiter import Waiter
from sentry.kernel.creds import Credentials
from sentry.kernel.limits import SandboxLimits
from syscalls.abi.errno import E2BIG, EIDRM
from syscalls.abi.ipc import MSG_COPY, MSG_EXCEPT

ROOT = Credentials(0, 0, 0, 0, 0, 0, 0, 0)
LIMITS = SandboxLimits()
UNLIMITED = 1 << 62
LONG_MIN = -(1 << 63)


def message(kind: int, data: bytes = b"x") -> Message:
    return Message(kind, data, LIMITS)


def queue(bytes_max: int = 100) -> MessageQueue:
    return new_queue(ROOT, 0, 0o600, bytes_max, LIMITS, 1000)


def receiver(wanted: int = 0, flags: int = 0, size_max: int = UNLIMITED, pid: int = 7) -> Receiver:
    return Receiver(wanted, flags, size_max, pid)


@pytest.mark.parametrize(
    ("wanted", "flags", "found"),
    [
        (0, 0, 0),
        (5, 0, 0),
        (3, 0, 1),
        (4, 0, None),
        (5, MSG_EXCEPT, 1),
        (3, MSG_EXCEPT, 0),
        (-5, 0, 2),  # the lowest type, not the first
        (-2, 0, 2),
        (-1, 0, None),
        (LONG_MIN, 0, 2),
        (0, MSG_COPY, 0),
        (2, MSG_COPY, 2),
        (4, MSG_COPY, None),
        (-1, MSG_COPY, None),
    ],
)
def test_which_message_is_meant(wanted: int, flags: int, found: int | None) -> None:
    """msgop(2): 0 the first, > 0 the first of that type (or of another: MSG_EXCEPT), < 0 the lowest type up to it."""
    messages = [message(kind) for kind in (5, 3, 2, 2)]
    q = queue()
    for one in messages:
        q.send(one, 1, 1)
    assert q.find(receiver(wanted, flags)) is (None if found is None else messages[found])
    assert len(q) == 4


def test_room_is_counted_in_bytes_and_in_messages() -> None:
    q = queue(bytes_max=3)
    assert q.has_room(3)
    assert not q.has_room(4)
    q.send(message(1, b"ab"), 1, 1)
    assert (q.bytes_used, q.has_room(1), q.has_room(2)) == (2, True, False)
    for _ in range(2):
        q.send(message(1, b""), 1, 1)
    assert not q.has_room(0)  # empty messages are bounded too (Linux: msg_fits_inqueue())
    found = q.find(receiver())
    assert found is not None
    q.take(found, 9, 5)
    assert (q.bytes_used, len(q), q.has_room(3)) == (0, 2, True)


def test_the_times_and_numbers_of_the_last_calls() -> None:
    q = queue()
    assert (q.ctime, q.stime, q.rtime, q.sender_pid, q.receiver_pid) == (1000, 0, 0, 0, 0)
    one = message(1)
    q.send(one, 4, 1005)
    q.take(one, 5, 1006)
    assert (q.ctime, q.stime, q.rtime, q.sender_pid, q.receiver_pid) == (1000, 1005, 1006, 4, 5)


def test_a_message_goes_to_the_first_who_likes_it_and_is_never_queued() -> None:
    q, picky, first, second = queue(), receiver(wanted=9), receiver(pid=21), receiver(pid=22)
    for one in (picky, first, second):
        q.add_receiver(one)
    sent = message(1)
    q.send(sent, 4, 1005)
    assert (picky.result, first.result, second.result) == (None, 0, None)
    assert first.message is sent
    assert (len(q), q.bytes_used, q.receiver_pid, q.rtime) == (0, 0, 21, 1005)
    q.send(message(1), 4, 1006)
    assert second.result == 0
    q.send(message(1), 4, 1007)
    assert (len(q), picky.result) == (1, None)


def test_who_has_no_room_for_the_message_fails_and_the_next_gets_it() -> None:
    """msgrcv(2), E2BIG: the text is longer than msgsz and MSG_NOERROR is not given."""
    q, small, exact = queue(), receiver(size_max=2), receiver(size_max=3)
    q.add_receiver(small)
    q.add_receiver(exact)
    q.send(message(1, b"abc"), 4, 1)
    assert (small.result, exact.result, len(q)) == (-E2BIG, 0, 0)


def test_senders_try_again_in_order_when_there_is_room() -> None:
    q, senders = queue(bytes_max=1), [Waiter(), Waiter()]
    one = message(1)
    q.send(one, 1, 1)
    for sender in senders:
        q.add_sender(sender)
    q.give_up(senders[1])
    q.take(one, 1, 1)
    assert [sender.result for sender in senders] == [0, None]
    q.remove()
    assert senders[1].result is None


def test_who_gave_up_gets_no_message() -> None:
    q, gone, patient = queue(), receiver(), receiver()
    q.add_receiver(gone)
    q.add_receiver(patient)
    q.give_up(gone)
    q.give_up(gone)
    q.send(message(1), 1, 1)
    assert (gone.result, patient.result) == (None, 0)


def test_new_settings_make_everybody_look_again_and_removal_ends_every_sleep() -> None:
    q = queue()
    reader, writer = receiver(), Waiter()
    q.add_receiver(reader)
    q.add_sender(writer)
    q.settings_changed()
    assert (reader.result, writer.result) == (1, 0)
    reader, writer = receiver(), Waiter()
    q.add_receiver(reader)
    q.add_sender(writer)
    q.remove()
    assert (reader.result, writer.result) == (-EIDRM, -EIDRM)


def test_the_first_result_of_a_sleep_counts() -> None:
    waiter = Waiter()
    waiter.finish(3)
    waiter.finish(-EIDRM)
    assert waiter.result == 3


def test_messages_and_queues_cost_bounded_memory() -> None:
    limits = SandboxLimits()
    q = new_queue(ROOT, 0, 0o600, 100, limits, 0)
    empty = limits.bytes_used
    assert empty > 0
    q.send(Message(1, b"x" * 50, limits), 1, 1)
    assert limits.bytes_used >= empty + 50
    del q
    assert limits.bytes_used == 0
