"""Access control lists of files (acl(5); Linux: fs/posix_acl.c): parse, judge, chmod, inherit. Pure: nobody is asked anything.

A list here is always *extended*: what the nine permission bits can say is kept there alone. Whatever is granted to the owner, the
group class (the mask) and the others is the same in the list and in the bits; who changes one changes the other.
"""

from struct import Struct
from typing import TYPE_CHECKING, Final, NamedTuple

from syscalls.abi.errno import EINVAL, ENOSPC, EOPNOTSUPP
from syscalls.abi.errors import SyscallError

if TYPE_CHECKING:
    from sentry.kernel.creds import Credentials

ACCESS_NAME: Final = b"system.posix_acl_access"
DEFAULT_NAME: Final = b"system.posix_acl_default"
ACL_NAMES: Final = (ACCESS_NAME, DEFAULT_NAME)
#: of one list; what a block of ext4 holds is as much
ENTRIES_MAX: Final = 500

USER_OBJ: Final = 0x01
USER: Final = 0x02
GROUP_OBJ: Final = 0x04
GROUP: Final = 0x08
MASK: Final = 0x10
OTHER: Final = 0x20

_VERSION: Final = 2
_HEADER: Final = Struct("<I")
_ENTRY: Final = Struct("<HHI")
_NO_ID: Final = 0xFFFFFFFF
_ORDER: Final = (USER_OBJ, USER, GROUP_OBJ, GROUP, MASK, OTHER)


class Entry(NamedTuple):
    """One line: whom (``tag``, and ``id`` for USER and GROUP), and rwx bits."""

    tag: int
    perm: int
    id: int = _NO_ID


class Acl:
    """An immutable list."""

    __slots__ = ("entries",)

    def __init__(self, entries: tuple[Entry, ...]) -> None:
        self.entries = entries

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Acl) and self.entries == other.entries

    def __hash__(self) -> int:
        return hash(self.entries)

    def __repr__(self) -> str:
        return f"Acl({self.entries!r})"

    @classmethod
    def parse(cls, data: bytes) -> "Acl | None":
        """The value of the extended attribute; None for a list without entries. Errors: EINVAL, EOPNOTSUPP (version).

        Only the layout is judged here (Linux: posix_acl_from_xattr()); ``check`` says whether it is a list.
        """
        if not data:
            return None
        if len(data) < _HEADER.size:
            raise SyscallError(EINVAL)
        if _HEADER.unpack_from(data)[0] != _VERSION:
            raise SyscallError(EOPNOTSUPP)
        if (len(data) - _HEADER.size) % _ENTRY.size:
            raise SyscallError(EINVAL)
        entries = tuple(
            Entry(tag, perm, number if tag in (USER, GROUP) else _NO_ID)
            for tag, perm, number in _ENTRY.iter_unpack(data[_HEADER.size :])
        )
        for entry in entries:
            if entry.tag not in _ORDER or (entry.tag in (USER, GROUP) and entry.id == _NO_ID):
                raise SyscallError(EINVAL)
        return cls(entries) if entries else None

    def encode(self) -> bytes:
        """The value of the extended attribute."""
        return _HEADER.pack(_VERSION) + b"".join(_ENTRY.pack(*entry) for entry in self.entries)

    def check(self) -> None:
        """In order, complete, with a mask where somebody is named. Errors: EINVAL, ENOSPC (too long)."""
        tags = [entry.tag for entry in self.entries]
        required = [USER_OBJ, GROUP_OBJ, OTHER] + [MASK] * (USER in tags or GROUP in tags)
        is_good = (
            tags == sorted(tags)
            and all(tags.count(tag) == 1 for tag in required)
            and tags.count(MASK) <= 1
            and all(entry.perm <= 7 for entry in self.entries)
        )
        if not is_good:
            raise SyscallError(EINVAL)
        if len(self.entries) > ENTRIES_MAX:
            raise SyscallError(ENOSPC)

    def mode(self) -> int:
        """The nine bits that stand for it: the group's are the mask's, if there is one."""
        perms = {tag: perm for tag, perm, _ in self.entries}
        return perms[USER_OBJ] << 6 | perms.get(MASK, perms[GROUP_OBJ]) << 3 | perms[OTHER]

    def extended(self) -> "Acl | None":
        """Itself, or None where the nine bits say it all."""
        return self if len(self.entries) > 3 else None

    def with_mode(self, mode: int) -> "Acl":
        """After chmod(2): the group's bits are the mask's."""
        return self._limited(mode, keep=0)

    def grants(self, creds: "Credentials", owner: int, group: int, wanted: int) -> bool:
        """Whether ``creds`` may do all of ``wanted`` (acl(5), "ACCESS CHECK ALGORITHM")."""
        is_member = False
        for tag, perm, number in self.entries:
            if tag == USER_OBJ:
                if owner == creds.fsuid:
                    return not wanted & ~perm
            elif tag == USER:
                if number == creds.fsuid:
                    return not wanted & ~(perm & self._mask())
            elif tag in (GROUP_OBJ, GROUP):
                if creds.in_group(group if tag == GROUP_OBJ else number):
                    is_member = True
                    if not wanted & ~perm:
                        return not wanted & ~self._mask()
            elif tag == OTHER:
                return not is_member and not wanted & ~perm
        return False

    def _mask(self) -> int:
        for tag, perm, _ in reversed(self.entries):
            if tag == MASK:
                return perm
        return 7

    def inherited(self, mode: int) -> "tuple[int, Acl | None]":
        """What this default list makes of a new object's ``mode``, and its access list. The umask does not count."""
        limited = self._limited(mode, keep=7)
        return mode & ~0o777 | limited.mode(), limited.extended()

    def _limited(self, mode: int, keep: int) -> "Acl":
        """The three classes' entries get the bits of ``mode``, of those that they have if ``keep``."""
        group_class = MASK if any(entry.tag == MASK for entry in self.entries) else GROUP_OBJ
        bits = {USER_OBJ: mode >> 6 & 7, group_class: mode >> 3 & 7, OTHER: mode & 7}
        return Acl(
            tuple(
                Entry(tag, (perm & bits[tag] if keep else bits[tag]) if tag in bits else perm, number)
                for tag, perm, number in self.entries
            )
        )
