"""/proc/PID/mountinfo, mounts, mountstats: the mount tree as the process sees it (proc_pid_mountinfo(5))."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from sentry.vfs.context import Path
from sentry.vfs.lookup import reachable_name
from sentry.vfs.mount import split_dev
from sentry.vfs.peer_group import describe

if TYPE_CHECKING:
    from sentry.fs.proc.pid.target import Target
    from sentry.kernel.task import Task
    from sentry.vfs.mount import Mount

_ESCAPES = ((b"\\", b"\\134"), (b" ", b"\\040"), (b"\t", b"\\011"), (b"\n", b"\\012"), (b"#", b"\\043"))


def mountinfo(viewer: "Task", target: "Target") -> bytes:
    """``id parent major:minor root mountpoint options - type source super-options``."""
    lines = []
    for mount, at in _visible(target.task):
        parent = mount.parent.id if mount.parent is not None else mount.id
        major, minor = split_dev(mount.fs.dev)
        within = _name_within(mount)
        lines.append(
            b"%d %d %d:%d %b %b %b %b- %b %b %b\n"
            % (
                mount.id,
                parent,
                major,
                minor,
                _escape(within),
                at,
                mount.options(),
                describe(mount),
                mount.fs.name,
                _source(mount),
                _super(mount),
            )
        )
    return b"".join(lines)


def mounts(viewer: "Task", target: "Target") -> bytes:
    """The format of fstab(5)."""
    lines = []
    for mount, at in _visible(target.task):
        options = mount.options()
        extra = mount.fs.mount_options()
        text = options + b"," + extra if extra else options
        lines.append(b"%b %b %b %b 0 0\n" % (_source(mount), at, mount.fs.name, text))
    return b"".join(lines)


def mountstats(viewer: "Task", target: "Target") -> bytes:
    """One sentence for each mount."""
    return b"".join(
        b"device %b mounted on %b with fstype %b\n" % (_source(mount), at, mount.fs.name) for mount, at in _visible(target.task)
    )


def _visible(task: "Task") -> Iterator[tuple["Mount", bytes]]:
    """The mounts below the task's root and where they are, escaped."""
    root = task.fs.root
    for mount in task.mounts.mounts():
        if mount is root.mount:
            yield mount, b"/"
        elif mount.parent is not None and mount.mountpoint is not None:
            name, is_reachable = reachable_name(Path(mount.parent, mount.mountpoint), root)
            if is_reachable:
                yield mount, _escape(name)


def _name_within(mount: "Mount") -> bytes:
    """Where the mount's root lies in its file system (bind mounts)."""
    names = []
    dentry = mount.root
    while dentry.parent is not dentry:
        names.append(dentry.name)
        dentry = dentry.parent
    return b"/" + b"/".join(reversed(names))


def _source(mount: "Mount") -> bytes:
    return _escape(mount.source) or b"none"


def _super(mount: "Mount") -> bytes:
    options = b"ro" if mount.is_readonly else b"rw"
    extra = mount.fs.mount_options()
    return options + b"," + extra if extra else options


def _escape(text: bytes) -> bytes:
    for plain, escaped in _ESCAPES:
        text = text.replace(plain, escaped)
    return text
