"""A tree made step by step, as bubblewrap makes one (bwrap(1), "Filesystem related options"); ``sandboxctl do``.

``config["assembly"]`` holds ``root`` and ``steps`` (``sandboxctl/bubble/tree.py``), ``uid`` and ``gid``: the owner of all that is
made. Each step sees what those before it have made; a name is looked up in the new tree, and links lead nowhere else.
"""

from os import strerror
from typing import TYPE_CHECKING, Any, Final

from sentry.boot.network_files import network_files
from sentry.fs.dev.filesystem import DevFileSystem
from sentry.fs.devpts.filesystem import DevPtsFileSystem
from sentry.fs.mqueue.filesystem import mqueue_fs
from sentry.fs.proc.filesystem import ProcFileSystem
from sentry.fs.sys.filesystem import SysFileSystem
from sentry.mm.usermem import BytesSource
from sentry.platform.interface import PlatformError
from sentry.vfs import namespace
from sentry.vfs.context import Path
from sentry.vfs.mount import MS_NODEV, MS_NOEXEC, MS_NOSUID, MS_RDONLY, MS_RELATIME, Mount, MountNamespace
from sentry.vfs.stat import SetAttr
from syscalls.abi.errno import EEXIST, EISDIR, ENOENT, ENOTDIR
from syscalls.abi.errors import SyscallError
from syscalls.abi.fcntl import AT_FDCWD, O_CREAT, O_TRUNC, O_WRONLY
from syscalls.abi.stat import S_IFDIR, S_IFMT, S_IFREG

if TYPE_CHECKING:
    from sentry.boot.mounts import MountTree
    from sentry.kernel.kernel import Kernel
    from sentry.kernel.task import Task
    from sentry.vfs.inode import FileSystem

Step = dict[str, Any]
_SAFE: Final = MS_NOSUID | MS_NODEV | MS_RELATIME
_GROUP, _OTHERS = 0o070, 0o007
_CORE, _CONSOLE = (b"core", b"/proc/kcore"), b"console"


class Assembly:
    """Carries the steps out. Raises PlatformError in bubblewrap's words."""

    def __init__(self, tree: "MountTree", kernel: "Kernel", config: dict[str, Any]) -> None:
        self._tree = tree
        self._kernel = kernel
        self._config = config
        self._plan: dict[str, Any] = config["assembly"]
        self.dev = DevFileSystem(kernel)
        self._pts = DevPtsFileSystem(kernel).serve()
        self._own: dict[bytes, FileSystem] = {b"dev": self.dev}
        #: the files that --file and its like have made, out of anybody's sight
        self._hidden: Mount | None = None
        self._hidden_files = 0
        self._task: Task

    @property
    def uid(self) -> int:
        """Who owns what is made."""
        return int(self._plan["uid"])

    @property
    def gid(self) -> int:
        """Its group."""
        return int(self._plan["gid"])

    async def null(self) -> Path:
        """/dev/null, wherever it is mounted or not."""
        mount = self._kernel.mounts.mount(self.dev, MS_NOSUID)
        return Path(mount, await namespace.lookup_child(self._task, Path(mount, mount.root), b"null"))

    def root(self) -> tuple["FileSystem", int, bytes]:
        """The file system, flags and source of the root mount."""
        root = self._plan["root"]
        if root["kind"] == "bind":
            fs = self._tree.gofer_fs(root["gofer"], root["tree"], is_shared=True)
            return fs, _flags(root), b"volume"
        return self._tmpfs(root), _SAFE, b"tmpfs"

    async def build(self, tree: MountNamespace, task: "Task") -> None:
        """Carry all steps out in the name of ``task``. Raises PlatformError."""
        self._task = task
        task.fs.umask = 0
        self._names = tree
        console = await self.dev.root.lookup(_CONSOLE)
        assert console is not None
        await self.dev.root.unlink(_CONSOLE, console)
        await self.dev.root.symlink(*_CORE, 0, 0)
        await self.dev.root.setattr(SetAttr(uid=self.uid, gid=self.gid))
        for step in self._plan["steps"]:
            act = getattr(self, f"_do_{step['kind'].replace('-', '_')}")
            await act(step)
        if self._config.get("network"):
            texts = network_files(self._config["hostname"], (), self._config.get("dns", ()), (), ())
            await self._tree.mount_files({path: text for path, text in texts.items() if path == b"/etc/resolv.conf"})

    async def _do_bind(self, step: Step) -> None:
        fs = self._tree.gofer_fs(step["gofer"], step["tree"], is_shared=True)
        mount = self._kernel.mounts.mount(fs, _flags(step), b"volume")
        if step["is_file"]:
            place = await namespace.lookup_child(self._task, Path(mount, mount.root), step["name"])
            mount = self._kernel.mounts.mount(fs, _flags(step), b"volume", root=place)
        self._names.attach(mount, await self._point(step, is_file=step["is_file"]))

    async def _do_own(self, step: Step) -> None:
        """The sandbox's own /proc, /sys or /dev, or something in it, in the place of the host's."""
        what = step["what"]
        fs = await self._own_fs(what)
        flags = _flags(step) & ~MS_NODEV | (MS_NODEV if step["nodev"] else 0)
        mount = self._kernel.mounts.mount(fs, flags, what)
        if step["below"]:
            try:
                dentry = mount.root
                for name in step["below"].strip(b"/").split(b"/"):
                    dentry = await namespace.lookup_child(self._task, Path(mount, dentry), name)
                    if dentry.inode is None:
                        raise SyscallError(ENOENT)
            except SyscallError:
                if step["may_be_missing"]:
                    return
                what_is_missing = f"{_text(step['source'])}: the sandbox has none of its own"
                raise PlatformError(f"{what_is_missing}, and the host's never enters") from None
            mount = self._kernel.mounts.mount(fs, flags, what, root=dentry)
        self._names.attach(mount, await self._point(step, is_file=step["is_file"]))
        if what == b"dev" and not step["below"]:
            await self._do_dev_below(step["destination"])

    async def _own_fs(self, what: bytes) -> "FileSystem":
        if what not in self._own:
            self._own[what] = ProcFileSystem(self._kernel) if what == b"proc" else SysFileSystem(self._kernel)
        return self._own[what]

    async def _do_proc(self, step: Step) -> None:
        mount = self._kernel.mounts.mount(await self._own_fs(b"proc"), _SAFE | MS_NOEXEC, b"proc")
        self._names.attach(mount, await self._point(step))

    async def _do_dev(self, step: Step) -> None:
        mount = self._kernel.mounts.mount(self.dev, MS_NOSUID | MS_RELATIME, b"tmpfs")
        self._names.attach(mount, await self._point(step, mode=0o755))
        await self._do_dev_below(step["destination"])

    async def _do_dev_below(self, place: bytes) -> None:
        shm = self._tree.tmpfs(size=self._config["shm_size"], mode=0o755, **self._owner())
        flags = MS_NOSUID | MS_NOEXEC | MS_RELATIME
        for name, mount in (
            (b"/pts", self._kernel.mounts.mount(self._pts, flags, b"devpts")),
            (b"/shm", self._kernel.mounts.mount(shm, flags | MS_NODEV, b"tmpfs")),
        ):
            self._names.attach(mount, await self._find(place.rstrip(b"/") + name))

    async def _do_mqueue(self, step: Step) -> None:
        mount = self._kernel.mounts.mount(mqueue_fs(self._task), _SAFE | MS_NOEXEC, b"mqueue")
        self._names.attach(mount, await self._point(step))

    async def _do_tmpfs(self, step: Step) -> None:
        mount = self._kernel.mounts.mount(self._tmpfs(step), _SAFE, b"tmpfs")
        self._names.attach(mount, await self._point(step, mode=step["mode"]))

    def _tmpfs(self, step: Step) -> "FileSystem":
        return self._tree.tmpfs(size=step["size"], mode=step["mode"], **self._owner())

    def _owner(self) -> dict[str, int]:
        return {"uid": self.uid, "gid": self.gid}

    async def _do_dir(self, step: Step) -> None:
        await self._point(step, mode=step["mode"], made=step["mode"])

    async def _do_symlink(self, step: Step) -> None:
        at = step["destination"]
        await self._parents(at, 0)
        try:
            await namespace.symlink_at(self._task, step["target"], AT_FDCWD, at)
        except SyscallError as error:
            raise _failed("make symlink at", at, error) from None

    async def _do_chmod(self, step: Step) -> None:
        try:
            await namespace.chmod_at(self._task, AT_FDCWD, step["destination"], step["mode"])
        except SyscallError as error:
            raise _failed(f"chmod {step['mode']:#o}".replace("0o", "0"), step["destination"], error) from None

    async def _do_remount_ro(self, step: Step) -> None:
        at = step["destination"]
        place = await self._find(at, "remount readonly on")
        if place.dentry is not place.mount.root:
            raise PlatformError(f"Can't remount readonly on {_text(at)}: nothing is mounted there")
        place.mount.set_flags(place.mount.flags | MS_RDONLY)

    async def _do_file(self, step: Step) -> None:
        at = step["destination"]
        await self._parents(at, step["mode"])
        try:
            await self._write(at, step)
        except SyscallError as error:
            raise _failed("create file", at, error) from None

    async def _do_bind_data(self, step: Step) -> None:
        """A file of its own that is mounted at the place."""
        if self._hidden is None:
            self._hidden = self._kernel.mounts.mount(self._tree.tmpfs(size=-1, mode=0o755), _SAFE, b"tmpfs")
        fs, mount = self._hidden.fs, self._hidden
        self._hidden_files += 1
        name = b"%d" % self._hidden_files
        await fs.root.create(name, S_IFREG | step["mode"] & 0o7777, self.uid, self.gid)
        dentry = await namespace.lookup_child(self._task, Path(mount, mount.root), name)
        file = await namespace.open_place(self._task, Path(mount, dentry), O_WRONLY)
        file.acquire()
        file.try_write(BytesSource(step["data"]), 0)
        file.release()
        assert dentry.inode is not None
        await fs.root.unlink(name, dentry.inode)
        bound = self._kernel.mounts.mount(fs, _flags(step), b"tmpfs", root=dentry)
        self._names.attach(bound, await self._point(step, is_file=True))

    async def _write(self, at: bytes, step: Step) -> None:
        file = await namespace.open_at(self._task, AT_FDCWD, at, O_WRONLY | O_CREAT | O_TRUNC, step["mode"])
        file.acquire()
        try:
            source, offset = BytesSource(step["data"]), 0
            while source.remaining:
                offset += (await file.write_remote(source, offset) if file.is_remote else file.try_write(source, offset)) or 0
        finally:
            file.release()

    async def _point(self, step: Step, *, is_file: bool = False, mode: int = 0, made: int = 0o755) -> Path:
        """The place of a step, made if it is missing; ``mode`` decides how open its parents are. Raises PlatformError."""
        at: bytes = step["destination"]
        await self._parents(at, mode)
        try:
            place = await namespace.resolve(self._task, AT_FDCWD, at)
        except SyscallError as error:
            if error.errno != ENOENT:
                raise _failed("create file at" if is_file else "mkdir", at, error) from None
        else:
            is_folder = (await place.inode.getattr()).mode & S_IFMT == S_IFDIR
            if is_folder == is_file:
                raise _failed("create file at" if is_file else "mkdir", at, SyscallError(EISDIR if is_file else ENOTDIR))
            return place
        try:
            if is_file:
                await namespace.mknod_at(self._task, AT_FDCWD, at, S_IFREG | 0o444, 0)
            else:
                await namespace.mkdir_at(self._task, AT_FDCWD, at, made)
        except SyscallError as error:
            raise _failed("create file at" if is_file else "mkdir", at, error) from None
        return await self._find(at)

    async def _find(self, at: bytes, purpose: str = "find") -> Path:
        try:
            return await namespace.resolve(self._task, AT_FDCWD, at)
        except SyscallError as error:
            raise _failed(purpose, at, error) from None

    async def _parents(self, at: bytes, mode: int) -> None:
        """Make the folders above ``at`` that are missing; they let in the group, or others, only if ``mode`` does."""
        open_to = 0o755 & ~(0 if mode & _GROUP else _GROUP) & ~(0 if mode & _OTHERS else _OTHERS)
        made = b""
        for part in at.split(b"/")[1:-1]:
            made += b"/" + part
            try:
                await namespace.mkdir_at(self._task, AT_FDCWD, made, open_to)
            except SyscallError as error:
                if error.errno == EEXIST:
                    continue
                try:
                    await namespace.resolve(self._task, AT_FDCWD, made, want_directory=True)
                except SyscallError as missing:
                    told = missing if missing.errno == ENOTDIR else error
                    raise _failed("mkdir parents for", at, told) from None


def _flags(step: Step) -> int:
    return _SAFE | (MS_RDONLY if step["read_only"] else 0)


def _text(path: bytes) -> str:
    return path.decode("utf-8", "backslashreplace")


def _failed(what: str, at: bytes, error: SyscallError) -> PlatformError:
    return PlatformError(f"Can't {what} {_text(at)}: {strerror(error.errno)}")
