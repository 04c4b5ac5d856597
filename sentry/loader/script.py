"""``#!`` scripts (execve(2), "Interpreter scripts")."""

from syscalls.abi.errno import ENOEXEC
from syscalls.abi.errors import SyscallError

#: Linux looks at this much of the first line (BINPRM_BUF_SIZE)
LINE_MAX = 256
#: how often an interpreter may be a script again
DEPTH_MAX = 5


def is_script(head: bytes) -> bool:
    """Whether the file starts with ``#!``."""
    return head[:2] == b"#!"


def parse(head: bytes) -> tuple[bytes, bytes | None]:
    """Return the interpreter and its single optional argument. Errors: ENOEXEC for an empty or truncated name.

    Linux: fs/binfmt_script.c, load_script().
    """
    line, newline, _ = head[2:LINE_MAX].partition(b"\n")
    nul = line.find(b"\0")
    if nul >= 0:
        line, newline = line[:nul], b"\n"
    stripped = line.strip(b" \t")
    if not stripped:
        raise SyscallError(ENOEXEC)
    name = stripped.replace(b"\t", b" ").split(b" ", 1)[0]
    argument = stripped[len(name) :].strip(b" \t")
    if not newline and not argument and len(head) >= LINE_MAX:
        raise SyscallError(ENOEXEC)  # the name itself was cut off
    return name, argument or None
