"""The contract suite of a platform: every set of kernel features must behave alike (design.md section 4)."""

import errno
import os
import signal

import pytest
from isolated import isolated
from passthrough import Passthrough

from sentry.platform.interface import JailConfig, PlatformError
from sentry.platform.notify.platform import NotifyPlatform
from sentry.platform.ptrace.platform import PtracePlatform

DEGRADED = {
    "all": "",
    "no-wake-up": "sync_wake_up",
    "no-killable": "wait_killable",
    "no-landlock": "landlock",
    "no-process-vm": "process_vm",
    "no-namespaces": "userns",
    "no-pidns": "pidns,pid_translation",
    "bare": "userns,landlock,sync_wake_up,wait_killable,pid_translation",
    "ptrace": "ptrace:",
    "ptrace-bare": "ptrace:userns,landlock,pid_translation",
    "python-ptrace": "ptrace:core_registers",
}


@pytest.fixture(params=DEGRADED)
def disable(request):
    return DEGRADED[request.param]


class World:
    """A platform with the pass-through sink, closed at the end."""

    def __init__(self, **config):
        self.escapes = []
        kind = PtracePlatform if os.environ.get("CONTRACT_PLATFORM") == "ptrace" else NotifyPlatform
        self.platform = kind(self.escapes.append)
        self.sink = Passthrough()
        self.sink.start(self.platform, JailConfig(**{"hostname": b"guest", **config}))

    def __enter__(self):
        return self.sink

    def __exit__(self, *exc):
        self.platform.close()
        assert not self.escapes, self.escapes
        with pytest.raises(ChildProcessError):
            os.waitpid(-1, os.WNOHANG)


def run(*argv, **config):
    with World(**config) as sink:
        return sink.run_program(*argv)


def text(*argv, **config):
    status, output = run(*argv, **config)
    return status, output.decode()


def test_a_program_runs(guest, disable):
    assert isolated(run, "/bin/true", disable=disable) == (0, b"")
    assert isolated(run, guest, "echo", "hello", disable=disable) == (0, b"hello\n")


def test_a_shell_with_pipes(disable):
    assert isolated(run, "/bin/sh", "-c", "echo one | cat | cat; (exit 3); echo $?", disable=disable) == (0, b"one\n3\n")


def test_threads(guest, disable):
    assert isolated(run, guest, "threads", disable=disable) == (0, b"count 16000\n")


def test_fork_vfork_wait_and_death_by_signal(guest, disable):
    assert isolated(run, guest, "children", disable=disable) == (0, b"0 1 2 3 4 signal 6\n")


def test_a_script_gets_its_rebuilt_arguments(guest, tmp_path):
    script = os.path.join(os.path.dirname(guest.decode()), "script")
    with open(script, "wb") as stream:
        stream.write(b"#!" + guest + b" echo\n")
    os.chmod(script, 0o755)
    try:
        assert isolated(run, script) == (0, script.encode() + b"\n")
        assert isolated(run, "/bin/sh", "-c", f"{script}; {script} x") == (0, script.encode() + b"\n" + script.encode() + b"\n")
    finally:
        os.unlink(script)


def test_exec_by_another_thread_takes_the_leaders_number(guest, disable):
    assert isolated(run, guest, "thread-exec", guest, "echo", "survivor", disable=disable) == (0, b"survivor\n")


def test_an_exec_that_is_too_big_fails_and_the_next_succeeds(guest, disable):
    assert isolated(run, guest, "too-big", disable=disable) == (0, b"exec -1 errno 7\nafter\n")


def test_the_break_lies_behind_the_program(guest):
    assert isolated(run, guest, "break") == (0, b"break 1 grows 1\n")


def test_a_faulting_first_process_dies_with_its_signal(guest, disable):
    assert isolated(run, guest, "fault", disable=disable)[0] & 0x7F == signal.SIGSEGV


def test_a_kill_that_runs_on_the_host_tells_when_it_has_run(guest, disable):
    def scenario():
        with World() as sink:
            told = []
            sink.handlers["kill"] = lambda context, *_: context.proceed_then(lambda: told.append(1))
            return sink.run_program(guest, "kill"), told

    assert isolated(scenario, disable=disable) == ((0, b"kill 0 caught 1\n"), [1])


def interrupted_read(guest, what, restart):
    """A read that waits here is kicked after a signal; the second read (after a restart) gets end of file."""
    with World() as sink:
        reads = []

        def read(context, fd, *rest):
            if fd:
                return sink.sys_read(context, fd, *rest)
            reads.append(context)
            if len(reads) > 1:
                return 0
            context.send_signal(signal.SIGUSR1)
            assert context.pending_signals() & 1 << signal.SIGUSR1 - 1 or not sink.platform.is_wait_killable
            if sink.platform.is_wait_killable:
                context.kick(restart)
            return None

        sink.handlers["read"] = read
        return sink.run_program(guest, what), len(reads)


def test_a_kicked_call_restarts_or_fails_as_the_handler_says(guest, disable):
    caught = signal.SIGUSR1
    assert isolated(interrupted_read, guest, "restart", 512, disable=disable) == ((0, b"read 0 errno 0 caught %d\n" % caught), 2)
    if "wait_killable" not in disable:
        interrupted = (0, b"read -1 errno 4 caught %d\n" % caught)
        assert isolated(interrupted_read, guest, "read", 512, disable=disable) == (interrupted, 1)
        assert isolated(interrupted_read, guest, "restart", 514, disable=disable) == (interrupted, 1)


def test_a_kick_without_a_signal_only_repeats_the_call(guest, disable):
    def scenario():
        with World() as sink:
            reads = []

            def read(context, fd, *rest):
                if fd:
                    return sink.sys_read(context, fd, *rest)
                reads.append(1)
                if len(reads) > 1:
                    return 0
                context.kick(512)
                return None

            sink.handlers["read"] = read
            return sink.run_program(guest, "read"), len(reads)

    result, count = isolated(scenario, disable=disable)
    assert result == (0, b"read 0 errno 0 caught 0\n")
    assert count >= 2


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        ("reply", b"ppoll 3 errno 0 caught 0 mask kept 1\n"),
        ("unpark", b"ppoll 3 errno 0 caught 0 mask kept 1\n"),
        ("timeout", b"ppoll 0 errno 0 caught 0 mask kept 1\n"),
        ("signal", b"ppoll -1 errno 4 caught 1 mask kept 1\n"),
        ("ignored", b"ppoll 7 errno 0 caught 0 mask kept 1\n"),
    ],
)
def test_a_call_with_a_signal_mask(guest, how, expected, disable):
    def scenario():
        with World() as sink:
            calls, ends = [], []

            def masked(context, nr, *arguments):
                calls.append(nr)
                if how == "reply":
                    context.unpark(3)
                elif how == "timeout":
                    context.park_masked(~0, 5_000_000, lambda result: (ends.append(result), context.unpark(0)))
                elif how == "ignored" and len(calls) == 2:
                    context.unpark(7)
                else:
                    context.park_masked(0, None, ends.append)
                    if how == "unpark":
                        context.unpark(3)
                    elif how == "signal":
                        context.send_signal(signal.SIGUSR1)
                    else:
                        context.send_signal(signal.SIGCONT)

            sink.masked = masked
            return sink.run_program(guest, "masked"), calls, ends

    result, _, ends = isolated(scenario, disable=disable)
    assert result == (0, expected)
    if how == "timeout":
        assert ends == [0]
    if how == "signal":
        assert ends == [-errno.EINTR]


def test_a_group_stop_is_reported_and_ends(guest, disable):
    def scenario():
        with World() as sink:

            def wait4(context, pid, status, options, *_):
                """WUNTRACED: hold until a stop is known, then let the host answer."""
                process = context.data
                if options & 2:
                    if sink.stops:
                        context.proceed()
                    else:
                        process.stop_waiter = context
                    return None
                return sink.sys_wait4(context, pid, status, options, 0)

            def stopped(context, number):
                sink.stops.append(("stopped", number))
                waiter = getattr(context.data.parent, "stop_waiter", None)
                if waiter is not None:
                    context.data.parent.stop_waiter = None
                    waiter.proceed()

            sink.handlers["wait4"] = wait4
            sink.stopped = stopped
            sink.continued = lambda context: sink.stops.append(("continued",))
            return sink.run_program(guest, "stops"), sink.stops

    (status, output), stops = isolated(scenario, disable=disable)
    assert (status, output) == (0, b"stopped 19\nexited 5\n")
    assert stops == [("stopped", 19), ("continued",)]


def test_guest_memory_obeys_the_guests_own_protection(guest, disable):
    def scenario():
        from syscalls.abi.errors import Fault

        found = {}

        def probe(context, area, *_):
            memory = context.memory
            found["read"] = memory.read(area, 8)
            found["partial"] = len(memory.read_partial(area, 3 * 4096))
            for name, act in {
                "beyond": lambda: memory.read(area + 2 * 4096, 1),
                "endless": lambda: memory.read_string(area, 1 << 20),
                "read only": lambda: memory.write(area + 4096, b"x"),
                "null": lambda: memory.read(0, 1),
                "huge": lambda: memory.read(2**64 - 4096, 4096),
            }.items():
                try:
                    act()
                    found[name] = "no fault"
                except Fault:
                    found[name] = "fault"
            found["half"] = memory.write_partial(area + 4092, b"12345678")
            memory.write(area, b"new!")
            found["long"] = memory.read_string(area, 16)
            return 0

        with World() as sink:
            sink.handlers["1000"] = probe
            return sink.run_program(guest, "memory"), found

    result, found = isolated(scenario, disable=disable)
    assert result == (0, b"new! aaaa\n")
    assert found["read"] == b"a" * 8
    assert found["partial"] == 8192
    assert found["half"] == 4
    assert found["long"] is None
    assert {found[name] for name in ("beyond", "endless", "read only", "null", "huge")} == {"fault"}


def test_profile_strict_traps_the_native_calls_and_lets_them_run(guest, disable):
    def scenario():
        with World(profile="strict") as sink:
            return sink.run_program(guest, "threads"), sink.run_program("/bin/sh", "-c", "echo a | cat")

    assert isolated(scenario, disable=disable) == ((0, b"count 16000\n"), (0, b"a\n"))


def test_numbers_in_the_container_start_at_one(guest):
    def scenario():
        with World() as sink:
            context, _ = sink.spawn([b"/bin/true"])
            first = context.guest_tid
            sink.run(lambda: sink.root_status is not None)
            return first, sorted(sink.platform.layers)

    first, layers = isolated(scenario)
    if "pidns" in layers:
        assert first == 1


def test_two_containers_in_one_sandbox(guest, disable):
    def scenario():
        with World() as sink:
            one, _ = sink.spawn([guest, b"pause"])
            two, _ = sink.spawn([guest, b"pause"])
            for _ in range(200):
                sink.platform.run_once(1_000_000)
            has_own_numbers = "pidns" in sink.platform.layers
            numbers = [one.guest_tid, two.guest_tid] == ([1, 1] if has_own_numbers else [one.host_tid, two.host_tid])
            sink.platform.kill_all()
            sink.run(lambda: sink.alive == 0)
            return numbers, len(sink.platform.tracer.contexts)

    assert isolated(scenario, disable=disable) == (True, 0)


def test_a_layer_that_is_required_and_missing_is_named():
    def scenario():
        platform = NotifyPlatform()
        try:
            platform.start(JailConfig(b"guest", layers_required=frozenset(("landlock", "userns"))), Passthrough())
        except PlatformError as error:
            return str(error)
        finally:
            platform.close()
        return ""

    message = isolated(scenario, disable="landlock")
    assert "landlock" in message
    assert "\n" not in message


def test_watched_descriptors_are_level_triggered():
    def scenario():
        with World() as sink:
            reader, writer = os.pipe()
            seen = []
            stop = sink.platform.watch(reader, 1, seen.append)
            os.write(writer, b"x")
            sink.platform.run_once(1_000_000_000)
            sink.platform.run_once(1_000_000_000)
            stop()
            sink.platform.run_once(0)
            return seen

    assert isolated(scenario) == [1, 1]
