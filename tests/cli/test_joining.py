"""Programs that join the pid namespace of another one's, as exec does."""

import os

import pytest

from sandboxctl.options.assemble import CommandOptions, SandboxOptions, command_config, sandbox_config
from sandboxctl.session import Session

EXECS = 70  # more than there can be listeners at once
ORPHAN = "import os,time\nwhile os.getppid() != 1: time.sleep(0.001)\nprint(os.getppid(), flush=True)"


def command(*argv):
    return command_config(CommandOptions(argv=argv), "host")


@pytest.fixture(params=["notify", "ptrace"])
def session(request):
    made = Session(sandbox_config(SandboxOptions(image="host", platform=request.param)))
    yield made
    made.close(grace=0)


def output(session, main, *argv):
    reader, writer = os.pipe()
    made = session.run(command(*argv), {1: writer}, inside=main)
    os.close(writer)
    assert session.wait(made, 120) == 0
    with os.fdopen(reader) as file:
        return file.read()


def test_they_see_each_other_and_orphans_go_to_the_first(session):
    main = session.run(command("sleep", "1000"), {})
    rows = [line.split() for line in output(session, main, "ps", "-e", "-o", "pid=,ppid=,comm=").splitlines()]
    assert rows[0] == ["1", "0", "sleep"]
    assert rows[1][1:] == ["0", "ps"]
    assert output(session, main, "sh", "-c", f"python3 -c '{ORPHAN}' & exit 0") == "1\n"
    for _ in range(EXECS):
        assert session.wait(session.run(command("true"), {}, inside=main), 120) == 0
    long = session.run(command("sh", "-c", "sleep 1000 & wait"), {}, inside=main)
    while len(session.processes()) < 3:
        pass
    session.signal(main, 9)
    assert session.wait(main, 120) == 137
    assert session.wait(long, 120) == 137


def test_the_end_of_one_that_joined_ends_nothing_else(session):
    main = session.run(command("sleep", "1000"), {})
    one = session.run(command("sh", "-c", "sleep 1001 & wait"), {}, inside=main)
    while len(session.processes()) < 3:
        pass
    session.signal(one, 9, everyone=True)
    assert session.wait(one, 120) == 137
    while [process["pid"] for process in session.processes()] != [1]:
        pass  # its child dies a moment later
    assert session.run(command("true"), {}, inside=one) is not None
    session.signal(main, 15)  # init is deaf to it
    assert output(session, main, "echo", "lives") == "lives\n"


def test_pausing_stops_what_computes_and_what_waits(session):
    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    program = "import time\nwhile True: print(time.monotonic_ns(), flush=True)"
    main = session.run(command("python3", "-c", program), {1: writer})
    spins = session.run(command("sh", "-c", "while :; do :; done"), {})
    while len(session.processes()) < 2:
        session.pump(0.01)
    session.pause()
    for _ in range(3):
        before = {process["pid"]: process["cpu_ns"] for process in session.processes()}
    try:
        while os.read(reader, 1 << 16):
            pass
    except BlockingIOError:
        pass
    for _ in range(1000):
        now = {process["pid"]: process["cpu_ns"] for process in session.processes()}
    assert now == before
    with pytest.raises(BlockingIOError):
        os.read(reader, 1 << 16)
    session.resume()
    os.set_blocking(reader, True)
    assert os.read(reader, 10)
    for made in (main, spins):
        session.signal(made, 9)
        os.set_blocking(reader, False)
        assert session.wait(made, 120) == 137
    os.close(reader)
    os.close(writer)
