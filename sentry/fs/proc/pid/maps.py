"""/proc/PID/maps, smaps, smaps_rollup: the host's table with the guest's names (proc_pid_maps(5)).

A line of the host may name a file of the host or of the sentry. None of these names reaches a guest: a mapping is shown with the
guest file that was lent for it, or as anonymous memory. The exec stub is not shown at all.
"""

from typing import TYPE_CHECKING, Final

from sentry.arch.x86_64 import STUB_CODE_START, STUB_END
from sentry.fs.proc import host_thread
from sentry.vfs.mount import make_dev, split_dev

if TYPE_CHECKING:
    from sentry.fs.proc.pid.target import Target
    from sentry.kernel.task import Task

#: where the name begins (Linux: fs/proc/task_mmu.c, seq_setwidth())
_NAME_COLUMN: Final = 73
#: what Linux calls anonymous memory that processes share
_SHARED_MEMORY: Final = b"/dev/zero (deleted)"


def maps(viewer: "Task", target: "Target") -> bytes:
    """One line for each mapping."""
    return b"" if target.is_zombie else _translate(viewer, target, host_thread.read(target.task, "maps"))


def mapped_files(viewer: "Task", target: "Target") -> dict[tuple[int, int], tuple[bytes, bytes]]:
    """First and last address of each mapping of a file: its permissions (``rw-p``) and its name."""
    files = {}
    for line in maps(viewer, target).splitlines():
        words = line.split(None, 5)
        if len(words) > 5 and words[4] != b"0":
            low, _, high = words[0].partition(b"-")
            files[int(low, 16), int(high, 16)] = (words[1], words[5])
    return files


def smaps(viewer: "Task", target: "Target") -> bytes:
    """The same with the sizes of each."""
    return b"" if target.is_zombie else _translate(viewer, target, host_thread.read(target.task, "smaps"))


def smaps_rollup(viewer: "Task", target: "Target") -> bytes:
    """The sum of all sizes."""
    return b"" if target.is_zombie else host_thread.read(target.task, "smaps_rollup")


def _translate(viewer: "Task", target: "Target", text: bytes) -> bytes:
    lines = []
    is_hidden = False
    for line in text.splitlines():
        words = line.split(None, 5)
        if len(words) >= 5 and b"-" in words[0] and not words[0].endswith(b":"):
            shown = _header(viewer, target, words)
            is_hidden = shown is None
            if shown is not None:
                lines.append(shown)
        elif not is_hidden:
            lines.append(line)
    lines.append(b"")
    return b"\n".join(lines)


def _header(viewer: "Task", target: "Target", words: list[bytes]) -> bytes | None:
    """The guest's line for a mapping of the host; None for the stub."""
    span, permissions, offset, device, ino = words[:5]
    start = int(span.partition(b"-")[0], 16)
    if STUB_CODE_START <= start < STUB_END:
        return None
    name = words[5] if len(words) > 5 else b""
    if ino == b"0" and name[:1] != b"/":
        return _line(span, permissions, offset, 0, 0, name)
    major, minor = (int(part, 16) for part in device.split(b":"))
    host_name = name.removesuffix(b" (deleted)").rsplit(b"/", 1)[-1]
    file = target.task.kernel.mounts.mapped.find(make_dev(major, minor), int(ino), host_name)
    if file is None and name == _SHARED_MEMORY:
        return _line(span, permissions, offset, make_dev(0, 1), int(ino), name)
    if file is None:
        return _line(span, permissions, b"00000000", 0, 0, b"")
    return _line(span, permissions, offset, file.dev, file.ino, file.pathname(viewer.fs.root).replace(b"\n", b"\\012"))


def _line(span: bytes, permissions: bytes, offset: bytes, dev: int, ino: int, name: bytes) -> bytes:
    head = b"%b %b %b %02x:%02x %d " % (span, permissions, offset, *split_dev(dev), ino)
    return head.ljust(_NAME_COLUMN) + name if name else head
