"""`--memory` where only the sentry keeps it: no control group of ours."""

import pytest

from sandboxctl import Sandbox

LIMIT = "200m"
TIMEOUT = 60
#: Shares 40 MiB with a child, touches 60 more itself and lets the child take PIECES of SIZE MiB; prints how each step ended.
PROGRAM = """
import mmap, os, sys

flags, pieces, size = getattr(mmap, sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])

def touched(mebibytes):
    memory = mmap.mmap(-1, mebibytes << 20, flags=flags)
    for at in range(0, mebibytes << 20, 4096):
        memory[at] = 1
    return memory

kept = [touched(40)]
read, write = os.pipe()
go_on, done = os.pipe()
if os.fork() == 0:
    os.close(done)
    os.read(go_on, 1)
    try:
        kept += [touched(size) for _ in range(pieces)]
        os.write(write, b"taken")
    except OSError as error:
        os.write(write, os.strerror(error.errno).encode())
    os.read(go_on, 1)
    os._exit(0)
kept += [touched(10) for _ in range(6)]
os.write(done, b".")
print(os.read(read, 100).decode(), flush=True)
for attempt in range(1000):  # a birth may be judged by a sum that is some milliseconds old
    try:
        child = os.fork()
    except OSError as error:
        print(os.strerror(error.errno))
        break
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)
else:
    print("born")
os.close(done)
"""


@pytest.fixture(params=["notify", "ptrace"])
def box(request, monkeypatch):
    monkeypatch.setenv("SANDBOXCTL_DISABLE", "memory")
    with Sandbox("host", platform=request.param, memory=LIMIT) as sandbox:
        assert "memory" not in sandbox.info["layers"]
        yield sandbox


@pytest.mark.parametrize("kind", ["MAP_PRIVATE", "MAP_SHARED"])
@pytest.mark.parametrize(
    ("pieces", "size", "answers"),
    [
        (2, 10, "taken\nborn\n"),
        (11, 10, "taken\nCannot allocate memory\n"),
        (1, 130, "Cannot allocate memory\nborn\n"),
    ],
    ids=["fits", "fills", "is refused"],
)
def test_all_processes_together(box, kind, pieces, size, answers):
    """What a child shares with its parent counts once; a large mapping or a birth beyond the limit is ENOMEM."""
    result = box.run(["/usr/bin/python3", "-c", PROGRAM, kind, str(pieces), str(size)], timeout=TIMEOUT)
    assert (result.stdout.decode(), result.stderr.decode()) == (answers, "")
