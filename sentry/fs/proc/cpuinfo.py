"""/proc/cpuinfo: the processors that the sandbox may use, which its programs see through CPUID anyway (proc_cpuinfo(5))."""

from typing import TYPE_CHECKING

from sentry.host import procfs

if TYPE_CHECKING:
    from sentry.kernel.task import Task


def cpuinfo(viewer: "Task") -> bytes:
    """The host's paragraphs of those processors."""
    allowed = procfs.processors()
    text = procfs.read("cpuinfo") or b""
    paragraphs = []
    for paragraph in text.split(b"\n\n"):
        first = paragraph.partition(b"\n")[0]
        name, _, number = first.partition(b":")
        if name.strip() == b"processor" and number.strip().isdigit() and int(number) in allowed:
            paragraphs.append(paragraph + b"\n\n")
    return b"".join(paragraphs)
