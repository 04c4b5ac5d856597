"""The mount tree of a sandbox: image, overlay, the sentry's own file systems, and what the caller wants mounted."""

from collections.abc import Coroutine, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from gofer.protocol import message as m
from sentry.boot.network_files import network_files
from sentry.fs.cgroup.filesystem import CgroupFileSystem
from sentry.fs.dev.filesystem import DevFileSystem
from sentry.fs.devpts.filesystem import DevPtsFileSystem
from sentry.fs.gofer.client import GoferClient
from sentry.fs.gofer.filesystem import DESCRIPTORS_MAX, GoferFileSystem
from sentry.fs.overlay.filesystem import OverlayFileSystem
from sentry.fs.pipe.fifo import open_fifo
from sentry.fs.proc.filesystem import ProcFileSystem
from sentry.fs.sys.filesystem import SysFileSystem
from sentry.fs.tmpfs.filesystem import INODES_MAX, TmpFileSystem
from sentry.fs.tmpfs.storage import StoragePool
from sentry.host import clock, regular_file
from sentry.host.gofer_channel import GoferChannel
from sentry.host.regular_file import HostFd
from sentry.kernel.creds import Credentials
from sentry.kernel.fd_table import FdTable
from sentry.kernel.fs_context import FsContext
from sentry.kernel.task import Task
from sentry.mm.usermem import BytesSource, UserMemory
from sentry.platform.interface import PlatformError
from sentry.vfs import namespace
from sentry.vfs.context import Path
from sentry.vfs.mount import MS_NODEV, MS_NOEXEC, MS_NOSUID, MS_RDONLY, MS_RELATIME, Mount, MountNamespace
from sentry.vfs.stat import SetAttr
from syscalls.abi.errno import EEXIST, EINVAL, ENOENT
from syscalls.abi.errors import SyscallError
from syscalls.abi.fcntl import AT_FDCWD, O_WRONLY
from syscalls.abi.stat import S_IFREG

if TYPE_CHECKING:
    from sentry.boot.assembly import Assembly
    from sentry.boot.sandbox import Sandbox
    from sentry.kernel.kernel import Kernel
    from sentry.vfs.file import FileDescription
    from sentry.vfs.inode import FileSystem

T = TypeVar("T")
ALL_CAPABILITIES = (1 << 41) - 1
_SAFE = MS_NOSUID | MS_NODEV | MS_RELATIME
ON_DISK_MAX = 1 << 30
_FILES_MAX = 1 << 20
LAYER_DESCRIPTORS_MIN = 4  # of each layer of an image


class _NoContext:
    """The place of a guest thread for work that the sentry does for itself."""

    guest_tid = 0
    host_tid = 0
    memory: Any = None
    data: object = None


class MountTree:
    """Builds the tree once, before the first container; containers share it."""

    def __init__(self, sandbox: "Sandbox", gofer_fds: Sequence[int]) -> None:
        self._sandbox = sandbox
        self._kernel = kernel = sandbox.new_kernel()
        config = sandbox.config
        self._clients = [
            GoferClient(GoferChannel(fd), sandbox.runner, sandbox.platform.watch, sandbox.gofer_lost)  # type: ignore[arg-type]
            for fd in gofer_fds[: len(config["gofers"])]
        ]
        self._overlay_folder = gofer_fds[-1] if config["overlay"]["kind"] == "folder" else -1
        self._mount_points: set[bytes] = set()
        self._reaper: Mount | None = None
        table = kernel.mounts
        table.open_fifo = open_fifo
        assembly = self._assembly(config)
        root_mount = (self._root_fs(config), MS_RELATIME, b"overlay") if assembly is None else assembly.root()
        self.namespace: MountNamespace = table.namespace(*root_mount)
        #: the sentry's own work on the tree, with all capabilities
        caps = ALL_CAPABILITIES
        root = Credentials(0, 0, 0, 0, 0, 0, 0, 0, permitted=caps, effective=caps, bounding=caps)
        self.service_task = self.new_task(kernel, root)
        if assembly is None:
            _run(self._build(config))
            # Found once: a guest may remove the name later.
            self._null = _run(namespace.resolve(self.service_task, AT_FDCWD, b"/dev/null"))
        else:
            maker = Credentials(0, 0, 0, assembly.uid, 0, 0, 0, assembly.gid, permitted=caps, effective=caps, bounding=caps)
            _run(assembly.build(self.namespace, self.new_task(kernel, maker)))
            self._null = _run(assembly.null())
        if config["read_only"]:  # only now: mount points may have to be made
            self.namespace.root.set_flags(MS_RDONLY | MS_RELATIME)

    def _assembly(self, config: dict[str, Any]) -> "Assembly | None":
        if "assembly" not in config:
            return None
        from sentry.boot.assembly import Assembly

        return Assembly(self, self._kernel, config)

    def reaper(self) -> Path:
        """The root of a file system of its own, out of the guest's reach, that holds the init of ``--init`` only."""
        wish = self._sandbox.config["reaper"]
        if self._reaper is None:
            fs = self.gofer_fs(wish["gofer"], wish["tree"], is_shared=False)
            self._reaper = self._kernel.mounts.mount(fs, _SAFE | MS_RDONLY, b"init")
        return Path(self._reaper, self._reaper.root)

    @property
    def root(self) -> Path:
        """Where a container's processes start."""
        return self.namespace.root_path

    async def export_changes(self, fd: int) -> int:
        """Write what has changed in the image as a layer into the host file ``fd``; returns how many objects no layer can hold.

        Errors: EINVAL without an overlay, ENOSPC, EIO.
        """
        from sentry.fs.overlay.export import LayerExport

        fs = self.namespace.root.fs
        if not isinstance(fs, OverlayFileSystem):
            raise SyscallError(EINVAL)
        export = LayerExport(fs, HostFd(fd), frozenset(self._mount_points))
        await export.run()
        return export.left_out

    async def restore_changes(self, fd: int) -> None:
        """Make the changes of the layer in the host file ``fd``. Errors: EINVAL without an overlay, and those of making files."""
        from sentry.boot.restoring import Restore

        fs = self.namespace.root.fs
        if not isinstance(fs, OverlayFileSystem):
            raise SyscallError(EINVAL)
        await Restore(self._task_in(fs)).run(HostFd(fd))

    def open_null(self, flags: int) -> "FileDescription":
        """/dev/null, for a standard stream that the caller did not give."""
        return _run(namespace.open_place(self.service_task, self._null, flags))

    def _root_fs(self, config: dict[str, Any]) -> "FileSystem":
        root = config["root"]
        if root["writable"]:
            return self.gofer_fs(root["gofer"], root["tree"], is_shared=True)
        size = config["overlay"]["size"]
        upper = self.tmpfs(size=size, mode=0o755) if self._overlay_folder < 0 else self._on_disk(size)
        lower: FileSystem
        if root["layers"] < 0:
            lower = self.gofer_fs(root["gofer"], root["tree"], is_shared=False)
        else:
            lower = self._image_fs(root["gofer"], root["layers"], upper.pool)
        return OverlayFileSystem(self._kernel.mounts.allocate_dev(), upper, [lower])

    def _image_fs(self, gofer: int, layers: int, pool: StoragePool) -> "FileSystem":
        """An image of the store: the gofer's first tree holds its index, the others its layers."""
        from sentry.fs.image.filesystem import ImageFileSystem
        from sentry.fs.image.index import INDEX_NAME, ImageIndex
        from sentry.host.mapped_file import map_file

        home = self.gofer_fs(gofer, 0, is_shared=False)
        reply = home.client.call_blocking(m.OPEN, (home.root.node, (INDEX_NAME,)), m.OPEN_DONATE)
        index = ImageIndex(map_file(reply.fd))
        kept = max(LAYER_DESCRIPTORS_MIN, DESCRIPTORS_MAX // max(1, layers))
        allocate, client = self._kernel.mounts.allocate_dev, self._clients[gofer]
        trees = [GoferFileSystem(allocate(), client, 1 + number, descriptors_max=kept) for number in range(layers)]
        return ImageFileSystem(self._kernel.mounts.allocate_dev(), index, trees, pool)

    def gofer_fs(self, gofer: int, tree: int, *, is_shared: bool) -> GoferFileSystem:
        """A tree that a gofer exports."""
        return GoferFileSystem(self._kernel.mounts.allocate_dev(), self._clients[gofer], tree, is_shared=is_shared)

    def tmpfs(self, *, size: int, mode: int, uid: int = 0, gid: int = 0, inodes: int = -1) -> TmpFileSystem:
        """An empty file system in memory; ``size`` in bytes, -1 for what the sandbox may use, as for the number of ``inodes``."""
        kernel = self._kernel
        pool = StoragePool(limits=kernel.limits, bytes_max=size if size >= 0 else None)
        most = min(inodes, INODES_MAX) if inodes >= 0 else INODES_MAX
        return TmpFileSystem(kernel.mounts.allocate_dev(), clock.time_ns, pool, mode=mode, uid=uid, gid=gid, inodes_max=most)

    def _on_disk(self, size: int) -> TmpFileSystem:
        """A file system whose large files are unlinked files in the caller's folder: bounded, but no memory."""
        folder = self._overlay_folder
        pool = StoragePool(lambda: regular_file.unlinked_file(folder), bytes_max=size if size >= 0 else ON_DISK_MAX)
        return TmpFileSystem(self._kernel.mounts.allocate_dev(), clock.time_ns, pool, mode=0o755)

    async def _build(self, config: dict[str, Any]) -> None:
        kernel = self._kernel
        await self._mount(ProcFileSystem(kernel), b"/proc", _SAFE | MS_NOEXEC, b"proc")
        await self._mount(SysFileSystem(kernel), b"/sys", _SAFE | MS_NOEXEC | MS_RDONLY, b"sysfs")
        await self._mount(CgroupFileSystem(kernel), b"/sys/fs/cgroup", _SAFE | MS_NOEXEC | MS_RDONLY, b"cgroup")
        dev = DevFileSystem(kernel)
        await self._mount(dev, b"/dev", MS_NOSUID | MS_RELATIME, b"tmpfs")
        await self._mount(DevPtsFileSystem(kernel).serve(), b"/dev/pts", MS_NOSUID | MS_NOEXEC | MS_RELATIME, b"devpts")
        await self._mount(self.tmpfs(size=config["shm_size"], mode=0o1777), b"/dev/shm", _SAFE | MS_NOEXEC, b"shm")
        resolver = [config.get(key, ()) for key in ("hosts", "dns", "dns_search", "dns_options")]
        await self.mount_files(network_files(config["hostname"], *resolver))
        for path in config.get("volumes", ()):
            await self._image_volume(path)
        for wish in config["mounts"]:
            if wish["kind"] == "tmpfs":
                await self._mount_tmpfs(wish)
            else:
                await self._bind(wish)
        if config.get("masked") or config.get("read_only_paths") or config.get("sysctls"):
            from sentry.boot import masks

            await masks.apply(self.service_task, kernel.mounts, self.namespace, self.tmpfs(size=0, mode=0o755), config)


    async def mount_files(self, texts: dict[bytes, bytes]) -> None:
        """Files of the sandbox's own over those of the image, where it has them."""
        fs = self.tmpfs(size=_FILES_MAX, mode=0o755)
        mount = self._kernel.mounts.mount(fs, _SAFE, b"tmpfs")
        task = self.service_task
        for path, text in texts.items():
            try:
                at = await namespace.resolve(task, AT_FDCWD, path)
            except SyscallError:
                continue  # made where it is missing, it would be part of what the sandbox has changed
            name = path.rpartition(b"/")[2]
            await fs.root.create(name, S_IFREG | 0o644, 0, 0)
            place = await namespace.lookup_child(task, Path(mount, mount.root), name)
            file = await namespace.open_place(task, Path(mount, place), O_WRONLY)
            file.acquire()
            file.try_write(BytesSource(text), 0)
            file.release()
            self.namespace.attach(self._kernel.mounts.mount(fs, _SAFE, b"tmpfs", root=place), at)

    async def _image_volume(self, path: bytes) -> None:
        """A folder that the image calls a volume: a mount of its own, writable whatever the root is, and no part of a commit."""
        at = await self._chosen_point(path, is_file=False)
        self.namespace.attach(self._kernel.mounts.mount(self.namespace.root.fs, MS_RELATIME, b"overlay", root=at.dentry), at)

    async def _mount_tmpfs(self, wish: dict[str, Any]) -> None:
        mode, uid, gid = (wish[key] if wish[key] >= 0 else other for key, other in (("mode", 0o1777), ("uid", 0), ("gid", 0)))
        fs = self.tmpfs(size=wish["size"], mode=mode, uid=uid, gid=gid, inodes=wish.get("inodes", -1))
        if wish.get("is_filled"):
            await self._fill(fs, wish["destination"])
            given = {key: wish[key] for key in ("mode", "uid", "gid") if wish[key] >= 0}
            await fs.root.setattr(SetAttr(**given))
        flags = MS_RELATIME
        for key, bit in (("read_only", MS_RDONLY), ("noexec", MS_NOEXEC), ("nosuid", MS_NOSUID), ("nodev", MS_NODEV)):
            flags |= bit if wish[key] else 0
        await self._mount(fs, wish["destination"], flags, b"tmpfs")

    async def _bind(self, wish: dict[str, Any]) -> None:
        """A volume: a folder, or one file of its parent folder."""
        fs = self.gofer_fs(wish["gofer"], wish["tree"], is_shared=True)
        flags = _SAFE | (MS_RDONLY if wish["read_only"] else 0) | (MS_NOEXEC if wish.get("noexec") else 0)
        if not wish["is_file"]:
            if wish.get("is_filled") and not await fs.root.read_children():
                await self._fill(fs, wish["destination"])
            await self._mount(fs, wish["destination"], flags, b"volume")
            return
        mount = self._kernel.mounts.mount(fs, flags, b"volume")
        place = await namespace.lookup_child(self.service_task, Path(mount, mount.root), wish["name"])
        at = await self._chosen_point(wish["destination"], is_file=True)
        self.namespace.attach(self._kernel.mounts.mount(fs, flags, b"volume", root=place), at)

    async def _fill(self, volume: "FileSystem", path: bytes) -> None:
        """Copy what the image has at ``path`` into a volume that is empty, as docker and podman do. Raises PlatformError."""
        from sentry.boot.copying import CopyOut
        from sentry.boot.restoring import Restore

        archive = regular_file.memfd("volume")
        try:
            await CopyOut(self._task_in(self.namespace.root.fs), archive, is_lenient=True).run(path, b".")
            await Restore(self._task_in(volume), needs_owners=False).run(archive)
        except SyscallError as error:
            if error.errno == ENOENT:
                return  # the image has nothing there
            where = path.decode("utf-8", "backslashreplace")
            raise PlatformError(f"the new volume at {where!r} cannot get the image's files: {error}") from error
        finally:
            regular_file.close(archive)

    def _task_in(self, fs: "FileSystem") -> Task:
        """A task of the sentry's own that sees nothing but one file system."""
        mount = self._kernel.mounts.mount(fs, MS_RELATIME)
        task = self.new_task(self._kernel, self.service_task.credentials)
        task.fs = FsContext(Path(mount, mount.root), Path(mount, mount.root), 0)
        return task

    async def _mount(self, fs: "FileSystem", at: bytes, flags: int, source: bytes) -> Mount:
        mount = self._kernel.mounts.mount(fs, flags, source)
        self.namespace.attach(mount, await self._chosen_point(at, is_file=False))
        return mount

    async def _chosen_point(self, at: bytes, *, is_file: bool) -> Path:
        """``_mount_point`` at a place that the caller has named. Raises PlatformError."""
        try:
            return await self._mount_point(at, is_file=is_file)
        except SyscallError as error:
            where = at.decode("utf-8", "backslashreplace")
            raise PlatformError(f"cannot mount at {where!r} in the image: {error}; choose another destination") from error

    async def _mount_point(self, at: bytes, *, is_file: bool) -> Path:
        """The place ``at``, made if it is missing. Errors: EROFS, ENOTDIR."""
        task = self.service_task
        made = b""
        self._mount_points.add(at.strip(b"/"))
        parts = [part for part in at.split(b"/") if part]
        for index, part in enumerate(parts):
            made += b"/" + part
            try:
                if is_file and index == len(parts) - 1:
                    await namespace.mknod_at(task, AT_FDCWD, made, S_IFREG | 0o644, 0)
                else:
                    await namespace.mkdir_at(task, AT_FDCWD, made, 0o755)
            except SyscallError as error:
                if error.errno != EEXIST:
                    await namespace.resolve(task, AT_FDCWD, made)  # it may be there although it could not be made
        return await namespace.resolve(task, AT_FDCWD, at)

    def new_task(self, kernel: "Kernel", credentials: Credentials) -> Task:
        """A task without a guest thread: for what the sentry does in somebody's name."""
        group: Any = None
        context: Any = _NoContext()
        memory: UserMemory = _NoContext.memory
        fs = FsContext(self.root, self.root)
        return Task(kernel, context, group, memory, FdTable(16), fs, self.namespace, credentials, b"sentry")


def _run(coro: Coroutine[Any, Any, T]) -> T:
    """Run work that needs no waiting: without a fiber, requests to a gofer block, which happens before the event loop only."""
    try:
        coro.send(None)
    except StopIteration as stop:
        result: T = stop.value
        return result
    raise AssertionError("work before the event loop must not wait")
