"""Pseudo-terminals and the console as objects: time, sessions, hang-up, a far side that is slow or gone."""

from dataclasses import replace
from struct import pack

import pytest

from sentry.fs.tty.console import ConsoleTerminal
from sentry.fs.tty.terminal import PKT_DOSTOP, PKT_FLUSHREAD, PKT_FLUSHWRITE, PKT_NOSTOP, PKT_START, PKT_STOP
from sentry.mm.usermem import BytesSink, BytesSource
from sentry.sched.wait import Interrupted
from sentry.vfs.readiness import POLLHUP, POLLIN, READABLE, WRITABLE
from syscalls.abi import ioctl
from syscalls.abi.errno import EIO, ENOENT, ENOTTY, EPERM
from syscalls.abi.errors import SyscallError
from syscalls.abi.signal import SIGCONT, SIGHUP, SIGINT, SIGTTIN, SIGTTOU, SIGWINCH
from syscalls.abi.termios import ICANON, IXON, TERMIOS, VMIN, VSTART, VSTOP, VTIME
from tests.unit.sentry.fs.synthetic_world import BASE, World

O_RDWR, O_NOCTTY = 2, 0o400


@pytest.fixture
def world() -> World:
    return World()


def pair(world: World):
    master = world.open(b"/dev/ptmx", O_RDWR | O_NOCTTY)
    world.init.memory.write_u32(BASE, 0)
    master.ioctl(world.init, ioctl.TIOCSPTLCK, BASE)
    slave = world.open(b"/dev/pts/%d" % master.terminal.number, O_RDWR | O_NOCTTY)
    return master, slave


def read(file, length: int = 100) -> bytes | None:
    sink = BytesSink(length)
    return None if file.try_read(sink, 0) is None else bytes(sink.data)


def write(file, data: bytes) -> int | None:
    return file.try_write(BytesSource(data), 0)


def raw(slave, minimum: int, decisecs: int) -> None:
    modes = slave.terminal.discipline.modes
    fields = list(TERMIOS.unpack(modes.pack()))
    cc = bytearray(fields[5])
    cc[VMIN], cc[VTIME] = minimum, decisecs
    fields[3] &= ~ICANON
    slave.terminal.set_modes(modes.unpack(TERMIOS.pack(*fields[:5], bytes(cc))))


def test_both_directions(world: World) -> None:
    master, slave = pair(world)
    assert write(slave, b"out\n") == 4
    assert read(master) == b"out\r\n"
    assert write(master, b"in\r") == 3
    assert read(slave) == b"in\n"
    assert read(slave) is None


def test_vtime_alone(world: World) -> None:
    master, slave = pair(world)
    raw(slave, 0, 5)
    sink = BytesSink(10)
    assert slave.try_read(sink, 0) is None
    world.now_ns += 499_000_000
    assert slave.try_read(sink, 0) is None
    world.now_ns += 1_000_000
    assert slave.try_read(sink, 0) == 0
    write(master, b"x")
    assert read(slave) == b"x"


def test_vtime_begins_anew_with_every_byte(world: World) -> None:
    master, slave = pair(world)
    raw(slave, 5, 1)
    sink = BytesSink(10)
    assert slave.try_read(sink, 0) is None
    world.now_ns += 10**9
    for byte in (b"a", b"b"):
        write(master, byte)
        assert slave.try_read(sink, 0) is None
        world.now_ns += 90_000_000
    world.now_ns += 10_000_000
    assert slave.try_read(sink, 0) == 2


def test_a_full_reader_stops_the_master(world: World) -> None:
    master, slave = pair(world)
    raw(slave, 1, 0)
    source = BytesSource(bytes(20_000))
    done = master.try_write(source, 0)
    assert 4095 <= done < 20_000
    assert master.try_write(source, 0) is None
    woken: list[int] = []
    master.queue.enqueue(woken.append)
    total = 0
    while total < done:
        total += len(read(slave, 1000))
    assert total == done
    assert woken
    assert master.try_write(source, 0)


def test_writers_wait_for_the_master(world: World) -> None:
    master, slave = pair(world)
    source = BytesSource(b"x" * 50_000)
    first = slave.try_write(source, 0)
    assert first < 50_000
    assert slave.try_write(source, 0) is None
    assert read(master, 4096) == b"x" * 4096
    assert slave.try_write(source, 0)


def test_hang_up(world: World) -> None:
    leader = world.spawn(2, world.init, new_session=True)
    master, slave = pair(world)
    slave.terminal.become_controlling(leader.group.process_group.session)
    waiting = BytesSink(5)
    assert slave.try_read(waiting, 0) is None
    number = slave.terminal.number
    master.release()
    assert world.signals.sent == [(2, SIGHUP), (2, SIGCONT)]
    with pytest.raises(SyscallError, match="EIO"):
        slave.try_read(waiting, 0)
    assert read(slave) == b""
    assert slave.readiness() & POLLHUP
    with pytest.raises(SyscallError):
        write(slave, b"x")
    with pytest.raises(SyscallError) as caught:
        world.open(b"/dev/pts/%d" % number)
    assert caught.value.errno == ENOENT
    assert leader.group.process_group.session.terminal is None


def test_last_slave_leaves(world: World) -> None:
    master, slave = pair(world)
    write(slave, b"bye")
    slave.release()
    assert master.readiness() & (POLLHUP | POLLIN) == POLLHUP | POLLIN
    assert read(master) == b"bye"
    with pytest.raises(SyscallError) as caught:
        read(master)
    assert caught.value.errno == EIO


def test_opening_makes_a_leader_controlling(world: World) -> None:
    leader = world.spawn(2, world.init, new_session=True)
    master, _ = pair(world)
    world.open(b"/dev/pts/%d" % master.terminal.number, O_RDWR, leader)
    assert master.terminal.session is leader.group.process_group.session
    tty = world.open(b"/dev/tty", O_RDWR, leader)
    assert tty.terminal is master.terminal
    assert tty.ioctl(leader, ioctl.TIOCNOTTY, 0) == 0
    assert master.terminal.session is None


def test_background(world: World) -> None:
    leader = world.spawn(2, world.init, new_session=True)
    _, slave = pair(world)
    slave.terminal.become_controlling(leader.group.process_group.session)
    job = world.spawn(3, leader)
    world.own_process_group(job)
    slave.before_read(leader)
    with pytest.raises(Interrupted):
        slave.before_read(job)
    assert world.signals.sent == [(3, SIGTTIN)]
    slave.before_write(job)
    with pytest.raises(Interrupted):
        world.run(slave.ioctl(job, ioctl.TCSETS, BASE), job)
    assert world.signals.sent[-1] == (3, SIGTTOU)
    job.context.ignored = 1 << (SIGTTIN - 1)
    with pytest.raises(SyscallError):
        slave.before_read(job)


def test_foreground_gets_the_keys(world: World) -> None:
    leader = world.spawn(2, world.init, new_session=True)
    master, slave = pair(world)
    slave.terminal.become_controlling(leader.group.process_group.session)
    job = world.spawn(3, leader)
    world.own_process_group(job)
    leader.memory.write_u32(BASE, 3)
    assert slave.ioctl(leader, ioctl.TIOCSPGRP, BASE) == 0
    write(master, b"\x03")
    master.ioctl(leader, ioctl.TIOCSWINSZ, BASE)
    assert world.signals.sent == [(3, SIGINT), (3, SIGWINCH)]


def test_only_leaders_get_terminals(world: World) -> None:
    child = world.spawn(2, world.init)
    _, slave = pair(world)
    with pytest.raises(SyscallError) as caught:
        slave.ioctl(child, ioctl.TIOCSCTTY, 0)
    assert caught.value.errno == EPERM
    with pytest.raises(SyscallError) as caught:
        slave.ioctl(child, ioctl.TIOCGPGRP, BASE)
    assert caught.value.errno == ENOTTY
    with pytest.raises(SyscallError) as caught:
        slave.ioctl(child, ioctl.TIOCSTI, BASE)
    assert caught.value.errno == EIO


class Stream:
    """A host stream that takes ``room`` bytes at a time."""

    def __init__(self, fd: int, *, is_terminal: bool = True) -> None:
        self.fd = fd
        self.is_terminal = is_terminal
        self.is_always_ready = False
        self.incoming: list[bytes] = []
        self.sent = b""
        self.room = 0
        self.is_closed = False
        self.is_broken = False

    def try_read(self, length: int) -> bytes | None:
        return self.incoming.pop(0) if self.incoming else None

    def try_write(self, data: bytes | memoryview) -> int | None:
        if self.is_broken:
            raise SyscallError(EIO)
        if not self.room:
            return None
        part = bytes(data[: self.room])
        self.room -= len(part)
        self.sent += part
        return len(part)

    def close(self) -> None:
        self.is_closed = True


def console(world: World, **kwargs: bool):
    source, target = Stream(10, **kwargs), Stream(11)
    target.room = 1 << 20
    terminal = ConsoleTerminal(world.kernel, source, target, rows=24, columns=80)
    return terminal, terminal.open(O_RDWR, world.namespace).acquire(), source, target


def test_console_has_a_name_and_a_size(world: World) -> None:
    terminal, file, _, _ = console(world)
    world.init.fds.install(file)
    assert world.readlink(b"/proc/self/fd/0") == b"/dev/pts/0"
    file.ioctl(world.init, ioctl.TIOCGWINSZ, BASE)
    assert world.init.memory.read(BASE, 8) == pack("4H", 24, 80, 0, 0)
    assert world.open(b"/dev/pts/0", O_RDWR | O_NOCTTY).terminal is terminal.terminal


def test_console_types_and_shows(world: World) -> None:
    _, file, source, target = console(world)
    source.incoming = [b"hi\r"]
    world.watched[10](POLLIN)
    assert read(file) == b"hi\n"
    assert target.sent == b"hi\r\n"
    write(file, b"yes\n")
    assert target.sent == b"hi\r\nyes\r\n"


def test_slow_caller_gets_every_byte_before_done(world: World) -> None:
    terminal, file, source, target = console(world)
    target.room = 2
    write(file, b"abcdef")
    done: list[bytes] = []
    terminal.drain(lambda: done.append(target.sent))
    assert not done
    while 11 in world.watched:
        target.room = 2
        world.watched[11](0)
    assert done == [b"abcdef"]
    assert source.is_closed
    assert target.is_closed
    assert not world.watched


def test_caller_is_gone(world: World) -> None:
    terminal, file, _, target = console(world)
    target.is_broken = True
    write(file, b"x")
    assert terminal.terminal.is_hung_up
    done: list[int] = []
    terminal.drain(lambda: done.append(1))
    assert done == [1]


def test_end_of_piped_input_is_an_end_of_file(world: World) -> None:
    _, file, source, _ = console(world, is_terminal=False)
    source.incoming = [b""]
    world.watched[10](POLLIN)
    assert read(file) == b""
    assert not file.terminal.is_hung_up


class Listener:
    """A far side that notes what it is told."""

    def __init__(self) -> None:
        self.told: list[int] = []

    def output_changed(self) -> None:
        pass

    def input_drained(self) -> None:
        pass

    def notice(self, status: int) -> None:
        self.told.append(status)

    def slaves_changed(self) -> None:
        pass


def test_the_far_side_hears_when_it_may_do_flow_control_itself(world: World) -> None:
    _, slave = pair(world)
    terminal = slave.terminal
    terminal.far = far = Listener()
    usual = terminal.discipline.modes
    cc = bytearray(usual.cc)
    for index, char in ((VSTART, 1), (VSTOP, 1)):
        other = cc.copy()
        other[index] = char
        terminal.set_modes(replace(usual, cc=bytes(other)))
        assert far.told == [PKT_NOSTOP]
        terminal.set_modes(usual)
        assert far.told == [PKT_NOSTOP, PKT_DOSTOP]
        far.told.clear()
    terminal.set_modes(replace(usual, iflag=usual.iflag & ~IXON))
    terminal.set_modes(replace(usual, iflag=usual.iflag & ~IXON, lflag=0))
    assert far.told == [PKT_NOSTOP]


def test_the_far_side_hears_of_held_output_and_of_a_flush(world: World) -> None:
    _, slave = pair(world)
    terminal = slave.terminal
    terminal.far = far = Listener()
    terminal.set_flow(stopped=True)
    terminal.set_flow(stopped=False)
    terminal.type(b"\3")
    assert far.told == [PKT_STOP, PKT_START, PKT_FLUSHREAD | PKT_FLUSHWRITE]


class Woken:
    """A wait queue that notes whom it wakes."""

    def __init__(self) -> None:
        self.masks: list[int] = []

    def wake(self, mask: int) -> None:
        self.masks.append(mask)

    def taken(self) -> list[int]:
        masks, self.masks = self.masks, []
        return masks


def test_who_is_woken(world: World) -> None:
    _, slave = pair(world)
    terminal = slave.terminal
    assert write(slave, b"out") == 3
    terminal.queue = queue = Woken()
    assert terminal.take_output(2) == b"ou"
    assert queue.taken() == [WRITABLE]
    assert (terminal.take_output(2), terminal.take_output(2)) == (b"t", b"")
    assert queue.taken() == [WRITABLE]
    terminal.set_modes(terminal.discipline.modes)
    assert queue.taken() == [READABLE | WRITABLE]
    terminal.set_flow(stopped=True)
    assert queue.taken() == [WRITABLE]
    assert terminal.discipline.is_output_held
    terminal.set_flow(stopped=False)
    assert not terminal.discipline.is_output_held
    queue.taken()
    terminal.type(b"x")
    assert queue.taken() == [READABLE | WRITABLE]
    terminal.hang_up()
    assert queue.taken() == [READABLE | WRITABLE | POLLHUP]
    terminal.hang_up()
    assert queue.taken() == []


def test_an_exclusive_terminal_opens_for_the_privileged_only(world: World) -> None:
    _, slave = pair(world)
    terminal = slave.terminal
    terminal.is_exclusive = True
    name = b"/dev/pts/%d" % terminal.number
    again = world.open(name, O_RDWR | O_NOCTTY)
    assert (terminal.slaves, terminal.is_exclusive) == (2, True)
    terminal.close_slave()
    assert terminal.is_exclusive
    terminal.close_slave()
    assert (terminal.slaves, terminal.is_exclusive) == (0, False)
    assert again.terminal is terminal
    terminal.slaves = 2
