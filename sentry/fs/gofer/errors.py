"""From the gofer's host errno to the guest's: what a file system may say; anything else is EIO."""

from typing import Final

from syscalls.abi import errno as e

_PASSED: Final = frozenset(
    (
        *(e.EPERM, e.ENOENT, e.EIO, e.ENXIO, e.E2BIG, e.EAGAIN, e.EACCES, e.EBUSY, e.EEXIST, e.EXDEV, e.ENOTDIR, e.EISDIR),
        *(e.EINVAL, e.ENFILE, e.ETXTBSY, e.EFBIG, e.ENOSPC, e.EROFS, e.EMLINK, e.ERANGE, e.ENAMETOOLONG, e.ENOTEMPTY),
        *(e.ELOOP, e.ENODATA, e.EOPNOTSUPP, e.ESTALE, e.EDQUOT, e.EOVERFLOW),
    )
)


def guest_errno(host_errno: int) -> int:
    """The errno that the guest gets."""
    if host_errno in _PASSED:
        return host_errno
    return e.ENFILE if host_errno == e.EMFILE else e.EIO
