"""statmount(2), listmount(2)."""

from struct import Struct, pack
from typing import Final

from sentry.kernel.task import Task
from sentry.vfs.context import Path
from sentry.vfs.lookup import reachable_name
from sentry.vfs.mount import MS_RDONLY, UNIQUE_IDS, Mount, split_dev, unique_id
from syscalls.abi.errno import E2BIG, EINVAL, ENOENT, EOVERFLOW
from syscalls.abi.errors import SyscallError
from syscalls.abi.mount import (
    LISTMOUNT_REVERSE,
    LSMT_ROOT,
    MNT_ID_REQ_SIZE_VER0,
    MS_PRIVATE,
    MS_SHARED,
    MS_SLAVE,
    MS_UNBINDABLE,
    STATMOUNT_FS_TYPE,
    STATMOUNT_MNT_BASIC,
    STATMOUNT_MNT_NS_ID,
    STATMOUNT_MNT_POINT,
    STATMOUNT_MNT_ROOT,
    STATMOUNT_PROPAGATE_FROM,
    STATMOUNT_SB_BASIC,
)
from syscalls.args import Size, UInt, UserPtr
from syscalls.mount.mount_setattr import attr_of_flags
from syscalls.registry import Support, syscall

_REQUEST: Final = Struct("<IIQQ")
_REQUEST_MAX: Final = 4096
_LIST_MAX: Final = 1_000_000
#: struct statmount up to mnt_ns_id: size, options, mask, sb: major, minor, magic, flags, type; ids: own, parent, both old;
#: attributes, propagation, peer group, master, propagate_from, root, point, namespace
_FIXED: Final = Struct("<IIQIIQIIQQIIQQQQQIIQ")
_FIXED_SIZE: Final = 512


def _request(task: Task, address: int) -> tuple[int, int]:
    """Mount number and parameter. Errors: EINVAL, E2BIG, EFAULT."""
    size = task.memory.read_u32(address)
    if size < MNT_ID_REQ_SIZE_VER0:
        raise SyscallError(EINVAL)
    if size > _REQUEST_MAX:
        raise SyscallError(E2BIG)
    raw = task.memory.read(address, size)
    _, spare, number, parameter = _REQUEST.unpack_from(raw)
    if spare or any(raw[_REQUEST.size :]) or number <= UNIQUE_IDS:
        raise SyscallError(EINVAL)
    return number, parameter


def _find(task: Task, number: int) -> Mount:
    """Errors: ENOENT."""
    for mount in task.mounts.subtree(task.mounts.root):
        if unique_id(mount) == number:
            return mount
    raise SyscallError(ENOENT)


@syscall(man="statmount(2)", support=Support.PARTIAL, note="no options and no sources of mounts; the caller's own namespace only")
def sys_statmount(task: Task, req: UserPtr, buf: UserPtr, bufsize: Size, flags: UInt) -> int:
    """Store what is asked about a mount. Errors: EINVAL, EFAULT, ENOENT, EOVERFLOW."""
    if flags:
        raise SyscallError(EINVAL)
    number, wanted = _request(task, req)
    data = _describe(task, _find(task, number), wanted)
    if bufsize < _FIXED_SIZE:
        task.memory.write(buf, data[:bufsize])
        return 0
    if bufsize < len(data):
        raise SyscallError(EOVERFLOW)
    task.memory.write(buf, data)
    return 0


def _describe(task: Task, mount: Mount, wanted: int) -> bytes:
    texts = b""
    offsets = {}
    for bit, text in (
        (STATMOUNT_FS_TYPE, mount.fs.name),
        (STATMOUNT_MNT_ROOT, _name_within(mount)),
        (STATMOUNT_MNT_POINT, _point(task, mount)),
    ):
        if wanted & bit:
            offsets[bit] = len(texts)
            texts += text + b"\0"
    parent = mount.parent or mount
    major, minor = split_dev(mount.fs.dev)
    mask = wanted & (STATMOUNT_SB_BASIC | STATMOUNT_MNT_BASIC | STATMOUNT_PROPAGATE_FROM | STATMOUNT_MNT_NS_ID | sum(offsets))
    has_sb, has_mount = bool(wanted & STATMOUNT_SB_BASIC), bool(wanted & STATMOUNT_MNT_BASIC)
    peers, master = mount.peers, mount.master
    fixed = _FIXED.pack(
        _FIXED_SIZE + len(texts),
        0,
        mask,
        *((major, minor, 0, mount.flags & MS_RDONLY) if has_sb else (0, 0, 0, 0)),
        offsets.get(STATMOUNT_FS_TYPE, 0),
        *((unique_id(mount), unique_id(parent), mount.id, parent.id) if has_mount else (0, 0, 0, 0)),
        attr_of_flags(mount.flags) if has_mount else 0,
        _propagation(mount) if has_mount else 0,
        peers.id if has_mount and peers is not None else 0,
        master.id if has_mount and master is not None else 0,
        0,
        offsets.get(STATMOUNT_MNT_ROOT, 0),
        offsets.get(STATMOUNT_MNT_POINT, 0),
        task.mounts.id if wanted & STATMOUNT_MNT_NS_ID else 0,
    )
    return fixed + bytes(_FIXED_SIZE - len(fixed)) + texts


def _propagation(mount: Mount) -> int:
    kind = (MS_SHARED if mount.peers is not None else 0) | (MS_SLAVE if mount.master is not None else 0)
    if mount.is_unbindable:
        kind |= MS_UNBINDABLE
    return kind or MS_PRIVATE


def _name_within(mount: Mount) -> bytes:
    names = []
    dentry = mount.root
    while dentry.parent is not dentry:
        names.append(dentry.name)
        dentry = dentry.parent
    return b"/" + b"/".join(reversed(names))


def _point(task: Task, mount: Mount) -> bytes:
    if mount.parent is None or mount.mountpoint is None:
        return b"/"
    return reachable_name(Path(mount.parent, mount.mountpoint), task.fs.root)[0]


@syscall(man="listmount(2)", support=Support.PARTIAL, note="the caller's own namespace only")
def sys_listmount(task: Task, req: UserPtr, mnt_ids: UserPtr, nr_mnt_ids: Size, flags: UInt) -> int:
    """Store the numbers of the mounts below one, in order. Errors: EINVAL, EFAULT, ENOENT, EOVERFLOW."""
    if flags & ~LISTMOUNT_REVERSE:
        raise SyscallError(EINVAL)
    if nr_mnt_ids > _LIST_MAX:
        raise SyscallError(EOVERFLOW)
    number, last = _request(task, req)
    tree = task.mounts
    top = tree.root if number == LSMT_ROOT else _find(task, number)
    found = sorted(unique_id(mount) for mount in tree.subtree(top) if mount is not top)
    if flags & LISTMOUNT_REVERSE:
        found.reverse()
        found = [one for one in found if not last or one < last]
    else:
        found = [one for one in found if one > last]
    found = found[:nr_mnt_ids]
    if found:
        task.memory.write(mnt_ids, pack(f"<{len(found)}Q", *found))
    return len(found)
