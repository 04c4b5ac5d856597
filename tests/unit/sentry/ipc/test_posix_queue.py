"""POSIX message queues (mq_overview(7)): priorities, who waits, and the one notification."""

from sentry.ipc.posix_queue import MessageReceiver, PosixQueue, QueuedMessage, queue_bytes
from sentry.ipc.waiter import Waiter
from sentry.kernel.limits import SandboxLimits
from sentry.vfs.readiness import POLLIN, POLLOUT, READABLE, WRITABLE

LIMITS = SandboxLimits()


def message(data: bytes, priority: int = 0) -> QueuedMessage:
    return QueuedMessage(data, priority, LIMITS)


def drain(queue: PosixQueue) -> list[bytes]:
    found = []
    while (one := queue.receive()) is not None:
        found.append(one.data)
    return found


def test_the_highest_priority_first_and_the_oldest_of_it() -> None:
    queue = PosixQueue(10, 10)
    for data, priority in ((b"a", 1), (b"b", 5), (b"c", 0), (b"d", 5), (b"e", 1)):
        queue.send(message(data, priority))
    assert (len(queue), queue.bytes_used) == (5, 5)
    assert drain(queue) == [b"b", b"d", b"a", b"e", b"c"]
    assert (len(queue), queue.bytes_used) == (0, 0)


def test_readiness_is_room_and_messages() -> None:
    queue = PosixQueue(2, 10)
    events: list[int] = []
    queue.events.enqueue(events.append)
    assert queue.readiness() == WRITABLE
    queue.send(message(b"a"))
    assert queue.readiness() == READABLE | WRITABLE
    queue.send(message(b"b"))
    assert (queue.readiness(), queue.is_full) == (READABLE, True)
    queue.receive()
    assert queue.readiness() == READABLE | WRITABLE
    assert events == [POLLIN, POLLIN, POLLOUT]


def test_who_waits_gets_the_message_directly() -> None:
    queue, gone, first, second = PosixQueue(2, 10), MessageReceiver(), MessageReceiver(), MessageReceiver()
    for receiver in (gone, first, second):
        queue.add_receiver(receiver)
    queue.give_up(gone)
    sent = message(b"a")
    queue.send(sent)
    assert (gone.result, first.result, second.result, len(queue)) == (None, 0, None, 0)
    assert first.message is sent


def test_each_place_that_becomes_free_wakes_one_sender() -> None:
    queue, senders = PosixQueue(1, 10), [Waiter() for _ in range(3)]
    queue.send(message(b"a"))
    for sender in senders:
        queue.add_sender(sender)
    queue.give_up(senders[0])
    queue.receive()
    assert [sender.result for sender in senders] == [None, 0, None]
    queue.pass_on()  # a signal ended the call of the one that was woken
    assert [sender.result for sender in senders] == [None, 0, 0]
    queue.pass_on()


def test_no_place_is_passed_on_while_the_queue_is_full() -> None:
    queue, sender = PosixQueue(1, 10), Waiter()
    queue.send(message(b"a"))
    queue.add_sender(sender)
    queue.pass_on()
    assert sender.result is None


def test_the_notification_is_for_one_message_that_comes_to_the_empty_queue() -> None:
    """mq_notify(3): only when the queue was empty, only if nobody waits in mq_receive(3), and once."""
    queue, told = PosixQueue(4, 10), []
    queue.send(message(b"old"))
    queue.ask_notification(object(), 3, 10, 77, lambda pid, uid: told.append((pid, uid)))
    assert (queue.notify_pid, queue.notify_signal, queue.notify_word) == (3, 10, 77)
    queue.send(message(b"second"), 5, 6)
    assert told == []
    assert drain(queue) == [b"old", b"second"]
    receiver = MessageReceiver()
    queue.add_receiver(receiver)
    queue.send(message(b"taken"), 5, 6)
    assert told == []
    queue.send(message(b"first"), 5, 6)
    assert told == [(5, 6)]
    assert (queue.notify_owner, queue.on_arrival) == (None, None)
    assert (queue.notify_pid, queue.notify_signal, queue.notify_word) == (0, 0, 0)
    drain(queue)
    queue.send(message(b"next"), 5, 6)
    assert told == [(5, 6)]


def test_what_a_queue_counts_against_the_users_limit() -> None:
    """getrlimit(2), RLIMIT_MSGQUEUE: the messages, a pointer or node for each, and the nodes of the priority tree."""
    assert queue_bytes(10, 8192) == 10 * (48 + 48 + 8192)
    assert queue_bytes(40_000, 1) == 40_000 * (48 + 1) + 32_768 * 48


def test_messages_cost_bounded_memory() -> None:
    limits = SandboxLimits()
    queue = PosixQueue(4, 10)
    queue.send(QueuedMessage(b"x" * 100, 0, limits))
    assert limits.bytes_used > 100
    queue.receive()
    assert limits.bytes_used == 0
