"""What changes a gofer's tree: each function is one request and the bookkeeping that follows from its answer."""

from typing import TYPE_CHECKING

from gofer.protocol import message as m
from gofer.protocol.attr import ATTR_SIZE, NODE_HEAD
from sentry.fs.gofer.file import OpenHandle
from sentry.fs.gofer.record import Record
from syscalls.abi.errno import EPERM, ESTALE
from syscalls.abi.errors import SyscallError

if TYPE_CHECKING:
    from sentry.fs.gofer.inode import GoferInode
    from sentry.vfs.stat import SetAttr

S_IFMT, S_IFREG, S_IFIFO, S_IFSOCK = 0o170000, 0o100000, 0o010000, 0o140000


async def set_attributes(inode: "GoferInode", change: "SetAttr") -> None:
    """chmod, chown, truncate, utimensat."""
    mask = 0
    values = []
    fields = (
        (m.SET_MODE, change.mode),
        (m.SET_UID, change.uid),
        (m.SET_GID, change.gid),
        (m.SET_SIZE, change.size),
        (m.SET_ATIME, change.atime_ns),
        (m.SET_MTIME, change.mtime_ns),
    )
    for bit, value in fields:
        if value is not None:
            mask |= bit
        values.append(value or 0)
    number = inode.opened[-1] if inode.opened else inode.fresh.number if inode.fresh is not None else 0
    place = (0, ()) if number else inode.place()
    with inode.gofer.own((inode.parent, inode.name), (inode, b"")):
        reply = await inode.gofer.client.call(m.SETATTR, place, number, mask, *values)
    inode.take_attributes(reply.bodies[0])


async def create(parent: "GoferInode", name: bytes, mode: int, uid: int, gid: int) -> "GoferInode":
    """A regular file, which comes with its descriptor, a FIFO, or the name of a socket."""
    kind = mode & S_IFMT
    client = parent.gofer.client
    if kind in (S_IFIFO, S_IFSOCK):
        with parent.gofer.own((parent, name)):
            reply = await client.call(m.MKNOD, parent.place(), name, mode, uid, gid)
        _note_own(parent)
        return parent.gofer.inode_of(parent, name, Record(reply.bodies[0], 0))
    if kind not in (S_IFREG, 0):
        raise SyscallError(EPERM)
    with parent.gofer.own((parent, name)):
        reply = await client.call(m.CREATE, parent.place(), name, mode & 0o7777, uid, gid)
    _note_own(parent)
    return _take_new(parent, name, reply.bodies[0], reply.fd)


async def tmpfile(parent: "GoferInode", mode: int, uid: int, gid: int) -> "GoferInode":
    """A file without a name."""
    reply = await parent.gofer.client.call(m.TMPFILE, parent.place(), mode & 0o7777, uid, gid)
    inode = _take_new(parent, b"", reply.bodies[0], reply.fd)
    inode.move(None, b"")
    return inode


def _note_own(parent: "GoferInode") -> None:
    if parent.gofer.coherence is not None:
        parent.gofer.coherence.own_name(parent)


def _take_new(parent: "GoferInode", name: bytes, body: bytes, fd: int) -> "GoferInode":
    inode = parent.gofer.inode_of(parent, name, Record(body, 4))
    if inode.fresh is not None:
        inode.fresh.close(parent.gofer.client)
    inode.fresh = OpenHandle(int.from_bytes(body[:4], "little"), fd)
    return inode


async def mkdir(parent: "GoferInode", name: bytes, mode: int, uid: int, gid: int) -> "GoferInode":
    """A directory, which gets a node."""
    with parent.gofer.own((parent, name)):
        body = (await parent.gofer.client.call(m.MKDIR, parent.place(), name, mode & 0o7777, uid, gid)).bodies[0]
    record = Record(body, NODE_HEAD.size)
    record.node, record.watch = NODE_HEAD.unpack_from(body)
    return parent.gofer.inode_of(parent, name, record)


async def symlink(parent: "GoferInode", name: bytes, target: bytes, uid: int, gid: int) -> "GoferInode":
    """A symbolic link."""
    with parent.gofer.own((parent, name)):
        reply = await parent.gofer.client.call(m.SYMLINK, parent.place(), name, target, uid, gid)
    _note_own(parent)
    return parent.gofer.inode_of(parent, name, Record(reply.bodies[0], 0))


async def link(parent: "GoferInode", name: bytes, inode: "GoferInode") -> None:
    """A hard link. Errors: ESTALE for a file without a name (O_TMPFILE)."""
    if inode.parent is None:
        raise SyscallError(ESTALE)
    with parent.gofer.own((parent, name), (inode.parent, inode.name)):
        reply = await parent.gofer.client.call(m.LINK, inode.place(), parent.place(), name)
    inode.take_attributes(reply.bodies[0][:ATTR_SIZE])


async def unlink(parent: "GoferInode", name: bytes, inode: "GoferInode") -> None:
    """Remove a name; an open file lives on through its handle."""
    with parent.gofer.own((parent, name)):
        await parent.gofer.client.call(m.UNLINK, parent.place(), name)
    inode.attr.nlink = max(0, inode.attr.nlink - 1)
    if inode.is_placed_at(parent, name):
        inode.move(None, b"")


async def rmdir(parent: "GoferInode", name: bytes, inode: "GoferInode") -> None:
    """Remove an empty directory."""
    with parent.gofer.own((parent, name), (inode, b"")):
        await parent.gofer.client.call(m.RMDIR, parent.place(), name)
    inode.attr.nlink = 0


async def rename(parent: "GoferInode", name: bytes, inode: "GoferInode", to: "GoferInode", to_name: bytes, flags: int) -> None:
    """Move; a directory's node follows."""
    await parent.gofer.client.call(m.RENAME, parent.place(), name, to.place(), to_name, flags, inode.node)
    inode.move(to, to_name)
