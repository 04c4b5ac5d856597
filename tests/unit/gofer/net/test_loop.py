"""The event loop of the network gofer."""

import os
from select import EPOLLIN

from gofer.net.loop import Loop
from sentry.netstack.stack import Stack


def make():
    return Loop(Stack(os.urandom, now=Loop.now()))


def test_work_that_asks_for_more_is_done_before_the_next_wait():
    loop, done = make(), []

    class Work:
        def __init__(self, left):
            self.left = left

        def run(self):
            done.append(self.left)
            if self.left:
                loop.later(Work(self.left - 1))

    loop.later(Work(3))
    loop.step(may_wait=False)
    assert done == [3, 2, 1, 0]


def test_an_event_of_a_descriptor_that_is_gone_is_not_its_successors():
    loop, told = make(), []
    ends = [os.pipe() for _ in range(2)]
    for reader, writer in ends:
        os.write(writer, b"x")

        def ready(_events, reader=reader):
            other = next(fd for fd, _ in ends if fd != reader)
            told.append(reader)
            loop.forget(other)
            loop.watch(other, EPOLLIN, lambda _: told.append("successor"))  # as if the number had been given anew

        loop.watch(reader, EPOLLIN, ready)
    loop.step()
    assert len(told) == 1
    assert told[0] in [reader for reader, _ in ends]
    for pair in ends:
        for fd in pair:
            os.close(fd)
