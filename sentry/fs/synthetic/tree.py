"""Trees as data: nested dictionaries of names to files, links and directories, turned into inodes once.

Such as ``plant(root, {b"version": File(version), b"self": Symlink(current), b"sys": {b"fs": {b"nr_open": File(nr_open)}}})``.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Union

from sentry.fs.synthetic.generated import Command, GeneratedFile, Text
from sentry.fs.synthetic.node import Directory, Link
from sentry.vfs.inode import Inode

if TYPE_CHECKING:
    from sentry.kernel.task import Task


@dataclass(frozen=True, slots=True)
class File:
    """A regular file: fixed bytes or a function of the reader, maybe with a command."""

    text: "bytes | Text | None"
    command: Command | None = None
    mode: int | None = None


@dataclass(frozen=True, slots=True)
class Symlink:
    """A symbolic link."""

    text: "bytes | Callable[[Task | None], bytes]"


Plan = Mapping[bytes, Union[File, Symlink, Inode, "Plan"]]


def plant(parent: Directory, plan: Plan) -> None:
    """Make what ``plan`` lists below ``parent``."""
    fs = parent.fs
    for name, wish in plan.items():
        if isinstance(wish, File):
            fixed = wish.text
            text = (lambda task, fixed=fixed: fixed) if isinstance(fixed, bytes) else fixed
            parent.add(name, GeneratedFile(fs, text, wish.command, wish.mode))
        elif isinstance(wish, Symlink):
            parent.add(name, Link(fs, wish.text))
        elif isinstance(wish, Inode):
            parent.add(name, wish)
        else:
            child = Directory(fs)
            plant(child, wish)
            parent.add(name, child)
