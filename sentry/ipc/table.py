"""Identifiers and keys of one kind of System V object. Linux: ipc/util.c, ipc_addid(), ipcget()."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Final, Generic, Protocol, TypeVar

from syscalls.abi.errno import EEXIST, EIDRM, EINVAL, ENOENT, ENOSPC
from syscalls.abi.errors import SyscallError
from syscalls.abi.ipc import IPC_CREAT, IPC_EXCL, IPC_PRIVATE

if TYPE_CHECKING:
    from sentry.ipc.permission import IpcPerm
    from sentry.kernel.creds import Credentials

IPCMNI: Final = 32768
_SEQ_MAX: Final = 0xFFFF
_CYCLE_MIN: Final = 64


class Keyed(Protocol):
    """What a table holds."""

    perm: "IpcPerm"


T = TypeVar("T", bound=Keyed)


class IdTable(Generic[T]):
    """Objects by index; an identifier is its index and a sequence number, so that a removed one is not found again soon."""

    __slots__ = ("_by_key", "_last_index", "_objects", "_seq")

    def __init__(self) -> None:
        self._objects: dict[int, T] = {}
        self._by_key: dict[int, T] = {}
        self._last_index = -1
        self._seq = 0

    def __len__(self) -> int:
        return len(self._objects)

    def __iter__(self) -> Iterator[T]:
        """In order of their indexes."""
        return iter([self._objects[index] for index in sorted(self._objects)])

    @property
    def index_max(self) -> int:
        """The highest index in use, 0 if there is none (what the ..._INFO commands return)."""
        return max(self._objects, default=0)

    def add(self, new: T, count_max: int) -> int:
        """Enter an object and return its identifier. Errors: ENOSPC."""
        objects = self._objects
        if len(objects) >= min(count_max, IPCMNI):
            raise SyscallError(ENOSPC)
        bound = min(max(len(objects) * 3 // 2, _CYCLE_MIN), max(count_max, 1), IPCMNI)
        index = self._last_index + 1
        while index >= bound or index in objects:
            index = 0 if index >= bound else index + 1
        if index <= self._last_index:
            self._seq = (self._seq + 1) % _SEQ_MAX
        self._last_index = index
        objects[index] = new
        perm = new.perm
        perm.seq = self._seq
        perm.id = self._seq << 15 | index
        if perm.key != IPC_PRIVATE:
            self._by_key[perm.key] = new
        return perm.id

    def get(self, number: int) -> T:
        """The object with this identifier. Errors: EINVAL none, EIDRM another one has its place."""
        found = self._objects.get(number & IPCMNI - 1) if number >= 0 else None
        if found is None:
            raise SyscallError(EINVAL)
        if found.perm.id != number:
            raise SyscallError(EIDRM)
        return found

    def at(self, index: int) -> T:
        """The object with this index (..._STAT). Errors: EINVAL."""
        found = self._objects.get(index & IPCMNI - 1) if index >= 0 else None
        if found is None:
            raise SyscallError(EINVAL)
        return found

    def obtain(self, creds: "Credentials", key: int, flags: int, make: Callable[[], int], check: Callable[[T], None]) -> int:
        """semget, msgget, shmget: find by ``key`` or ``make``. Errors: ENOENT, EEXIST, EACCES, what the functions raise."""
        found = None if key == IPC_PRIVATE else self._by_key.get(key)
        if found is None:
            if key != IPC_PRIVATE and not flags & IPC_CREAT:
                raise SyscallError(ENOENT)
            return make()
        if flags & IPC_CREAT and flags & IPC_EXCL:
            raise SyscallError(EEXIST)
        check(found)
        found.perm.check(creds, flags & 0o777)
        return found.perm.id

    def forget_key(self, old: T) -> None:
        """The key is free for another object; the identifier stays valid (a segment that is still attached)."""
        if self._by_key.get(old.perm.key) is old:
            del self._by_key[old.perm.key]
        old.perm.key = IPC_PRIVATE

    def remove(self, old: T) -> None:
        """IPC_RMID."""
        if self._by_key.get(old.perm.key) is old:
            del self._by_key[old.perm.key]
        self._objects.pop(old.perm.id & IPCMNI - 1, None)
        old.perm.is_removed = True
