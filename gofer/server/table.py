"""Which function answers which operation."""

from gofer.protocol import message as m
from gofer.server import access, change, walk
from gofer.server.connection import Connection

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

READING: "dict[int, Callable[[Connection, list[object]], bytes]]" = {
    m.ATTACH.op: walk.attach,
    m.WALK.op: walk.walk,
    m.OPEN.op: access.open_file,
    m.OPENMANY.op: access.open_many,
    m.READDIR.op: walk.readdir,
    m.GETATTR.op: access.getattr_,
    m.STATFS.op: access.statfs,
    m.READ.op: access.read,
    m.CLOSE.op: access.close,
    m.FORGET.op: walk.forget,
    m.GETXATTR.op: access.getxattr,
    m.LISTXATTR.op: access.listxattr,
    m.FSYNC.op: access.fsync,
}
WRITING: "dict[int, Callable[[Connection, list[object]], bytes]]" = {
    m.WRITE.op: change.write,
    m.SETATTR.op: change.setattr_,
    m.CREATE.op: change.create,
    m.MKDIR.op: change.mkdir,
    m.SYMLINK.op: change.symlink,
    m.LINK.op: change.link,
    m.UNLINK.op: change.unlink,
    m.RMDIR.op: change.rmdir,
    m.RENAME.op: change.rename,
    m.MKNOD.op: change.mknod,
    m.SETXATTR.op: change.setxattr,
    m.REMOVEXATTR.op: change.removexattr,
    m.TMPFILE.op: change.tmpfile,
    m.ALLOCATE.op: change.allocate,
}
