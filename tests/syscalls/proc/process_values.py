# guest: root
"""/proc/PID/oom_score_adj, oom_adj, personality, stack: what is set there or by a call, who may, and what a child inherits."""

import ctypes
import errno
import os

libc = ctypes.CDLL(None, use_errno=True)
libc.personality.argtypes = [ctypes.c_ulong]

PR_SET_DUMPABLE = 4
NOBODY = 65534


def show(what, act):
    try:
        print(what, act(), flush=True)
    except OSError as error:
        print(what, errno.errorcode[error.errno], flush=True)


def read(name):
    with open(f"/proc/self/{name}", "rb", buffering=0) as file:
        return file.read().decode().strip()


def write(name, text, of="self"):
    fd = os.open(f"/proc/{of}/{name}", os.O_WRONLY)
    try:
        return os.write(fd, text.encode())
    finally:
        os.close(fd)


def in_child(act):
    pid = os.fork()
    if pid == 0:
        act()
        os._exit(0)
    assert os.waitpid(pid, 0)[1] == 0


def scores(what):
    print(what, read("oom_score_adj"), read("oom_adj"), flush=True)


def become_nobody():
    os.setgroups([])
    os.setresgid(NOBODY, NOBODY, NOBODY)
    os.setresuid(NOBODY, NOBODY, NOBODY)
    libc.prctl(PR_SET_DUMPABLE, 1, 0, 0, 0)


def as_nobody():
    become_nobody()
    scores("nobody begins with")
    for text in ("500", "400", "100", "99", "0", "-1", "1000", "-1000"):
        show(f"nobody writes {text}:", lambda text=text: write("oom_score_adj", text))
        scores("  then")
    for text in ("10", "9", "15", "-17", "5"):
        show(f"nobody writes old {text}:", lambda text=text: write("oom_adj", text))
        scores("  then")
    show("nobody reads stack:", lambda: bool(read("stack")))
    show("nobody writes of another:", lambda: write("oom_score_adj", "900", of=str(os.getppid())))


def forms():
    for text in (
        "7",
        "7\n",
        " 7",
        "+7",
        "-0",
        "0x10",
        "010",
        "08",
        "0x",
        "7 8",
        "1_0",
        "",
        " ",
        "1001",
        "-1001",
        "99999999999",
        "7\0",
    ):
        show(f"form {text!r}:", lambda text=text: write("oom_score_adj", text))
        scores("  then")
    for text in ("3", "0xf", "16", "-18", "x"):
        show(f"old form {text!r}:", lambda text=text: write("oom_adj", text))
        scores("  then")


def inheritance():
    """A child has its own copy, whatever becomes of its maker."""
    write("oom_score_adj", "300")
    ready, go = os.pipe(), os.pipe()
    pid = os.fork()
    if pid == 0:
        scores("child begins with")
        os.write(ready[1], b"x")
        os.read(go[0], 1)
        scores("child still has")
        os._exit(0)
    os.read(ready[0], 1)
    write("oom_score_adj", "600")
    os.write(go[1], b"x")
    os.waitpid(pid, 0)
    scores("maker has")
    write("oom_score_adj", "20", of=str(os.getpid()))


def orphans():
    """The value stays when the maker is gone."""
    write("oom_score_adj", "700")
    ends, told = os.pipe(), os.pipe()
    pid = os.fork()
    if pid == 0:
        if os.fork() == 0:
            os.close(ends[1])
            os.read(ends[0], 1)
            print("orphan has", read("oom_score_adj"), flush=True)
            os.write(told[1], b"x")
        os._exit(0)
    os.close(ends[1])
    os.waitpid(pid, 0)
    os.read(told[0], 1)


def persona():
    print("personality", read("personality"))
    for value in (0x0040000, 0x0020000 | 0x0040000, 0x0008, 0):
        libc.personality(value)
        print(f"personality {value:#x}", read("personality"), flush=True)
        in_child(lambda: print("  child", read("personality"), flush=True))


write("oom_score_adj", "100")
in_child(as_nobody)
in_child(forms)
in_child(inheritance)
in_child(orphans)
persona()
