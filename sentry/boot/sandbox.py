"""The composition root: builds one sandbox from its configuration and holds what all its containers share."""

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sentry.boot import mounts, streams
from sentry.boot.container import CAPABILITIES_DEFAULT, Container, ContainerSpec
from sentry.host import clock, entropy, identity
from sentry.host.regular_file import HostFd
from sentry.kernel.dispatch import Dispatcher
from sentry.kernel.kernel import Kernel
from sentry.kernel.limits import SandboxLimits
from sentry.kernel.namespaces import Namespaces
from sentry.kernel.net_namespace import NetNamespace
from sentry.kernel.signals import Signals
from sentry.kernel.task_table import TaskTable
from sentry.kernel.uts import UtsNamespace
from sentry.platform.choose import choose_platform
from sentry.platform.interface import JailConfig
from sentry.sched.runner import Runner
from sentry.vfs.mount import MountTable
from syscalls import registry
from syscalls.abi.resource import RLIMIT_DATA, RLIMIT_NOFILE
from syscalls.args import PROCEED

if TYPE_CHECKING:
    from sentry.boot.control import ControlServer
    from sentry.platform.interface import Platform
    from sentry.trace.census import Census

log = logging.getLogger(__name__)

TASKS_DEFAULT = 4096
#: RLIMIT_NOFILE as Linux gives it to init: what programs get, and up to where they may raise it
NOFILE_DEFAULT, NOFILE_MAX_DEFAULT = 1024, 4096
OVERLAY_DEFAULT = 1 << 30
#: host descriptors above the guests' own numbers (the exec stub's)
_RESERVED = 16


class Sandbox:
    """One sandbox: a platform with its jail, the mount tree, and containers."""

    def __init__(
        self,
        config: dict[str, Any],
        gofer_fds: Sequence[int],
        table: "list[registry.Entry | None]",
        network_fds: Mapping[str, int] | None = None,
    ) -> None:
        self.config = config
        self.is_done = False
        self.runner = Runner(clock.monotonic_ns)
        memory = config["memory"] if config["memory"] >= 0 else None
        size = config["overlay"]["size"]
        if size < 0:
            size = memory // 2 if memory is not None else OVERLAY_DEFAULT
        self.limits = SandboxLimits(
            tasks_max=config["pids"] if config["pids"] > 0 else TASKS_DEFAULT,
            memory_max=memory,
            cpu_quota_us=config["cpu_quota_us"] if config["cpu_quota_us"] > 0 else None,
            bytes_max=size,
            descriptors_max=max(min(NOFILE_MAX_DEFAULT, identity.descriptors_granted() - _RESERVED), config["nofile"]),
        )
        self.uts = UtsNamespace(config["hostname"])
        self.uts.domainname = config.get("domainname") or self.uts.domainname
        self.mounts = MountTable()
        self.net = NetNamespace()
        self.namespaces = Namespaces(self.uts)
        self.platform: Platform = choose_platform(config["platform"], self._fatal)
        self._gofer_fds = gofer_fds
        self._network_fds = network_fds or {}
        self._table = table
        self._containers: list[Container] = []
        self._server: ControlServer | None = None
        self._census: Census | None = None
        self._jail = JailConfig(
            hostname=config["hostname"],
            layers_required=frozenset([*config["require"], *(["cpu"] if config["cpu_quota_us"] > 0 else [])]),
            profile=config["profile"],
            tasks_max=self.limits.tasks_max,
            memory_max=memory,
            cpu_quota_us=self.limits.cpu_quota_us,
            nofile=self.limits.descriptors_max,
        )
        self._dispatcher = Dispatcher(registry.calls_of(table), registry.masked_of(table), PROCEED, self._fatal, self._empty)

    def prepare_privileged(self) -> None:
        """What only root can do, before the sentry becomes an ordinary user (cgroups)."""
        getattr(self.platform, "prepare_privileged", lambda jail: None)(self._jail)

    def start(self, server: "ControlServer") -> None:
        """Build the jail and the mount tree. Raises PlatformError."""
        self._server = server
        trace = None
        if self.config["trace"]:
            from sentry.boot.tracing import make_trace, trace_calls

            trace = make_trace(self.config["trace"], server.log_line, clock.monotonic_ns)
            trace_calls(self._dispatcher, self._table, trace)
        if self.config["census"]:
            from sentry.boot.tracing import count_calls

            self._census = count_calls(self._dispatcher, self._table, clock.monotonic_ns)
        self.platform.start(self._jail, self._dispatcher)
        self._tree = mounts.MountTree(self, self._gofer_fds)
        if self._network_fds:
            from sentry.boot import network

            fds = self._network_fds
            driver = network.attach(self.net, self.platform, self.runner, self.config["network"], HostFd(fds["link"]))
            network.record(self.net, driver, self.runner, fds)
            if trace is not None:
                network.trace(self.net, trace)

    def confine(self) -> None:
        """The sentry's own filter: from here on it can do no more than the list says."""
        self.platform.confine_sentry(has_overlay_on_disk=self.config["overlay"]["kind"] == "folder")

    def new_container(
        self,
        message: dict[str, Any],
        fds: list[int],
        on_exit: Callable[[int, int], None],
        on_failed: Callable[[str], None],
        on_prepared: Callable[[], None],
        inside: Container | None = None,
    ) -> Container:
        """A container for a ``run`` message, not started yet; ``inside``: one more program of a container that there is."""
        kernel = self.new_kernel() if inside is None else inside.kernel
        limits = {resource: (soft, hard) for resource, soft, hard in message["rlimits"]}
        soft, hard = limits.get(RLIMIT_NOFILE, (NOFILE_DEFAULT, self.limits.descriptors_max))
        limits[RLIMIT_NOFILE] = (min(soft, self.limits.descriptors_max), min(hard, self.limits.descriptors_max))
        own = self.config.get("capabilities", CAPABILITIES_DEFAULT)
        bounding, inheritable, ambient = message.get("capabilities") or (own, 0, 0)
        memory = self.limits.memory_max
        if memory is not None and "memory" not in self.platform.layers:
            limits.setdefault(RLIMIT_DATA, (memory, memory))
        files, terminal, finish = streams.open_streams(kernel, message, fds, self._tree)
        spec = ContainerSpec(
            argv=message["argv"],
            environment=message["env"],
            cwd=message["cwd"],
            uid=message["uid"],
            gid=message["gid"],
            groups=tuple(message["groups"]),
            files=files,
            limits=limits,
            terminal=terminal,
            is_held=message.get("held", False),
            capabilities=bounding & own,
            inheritable=inheritable,
            ambient=ambient,
            inside=inside,
            umask=message.get("umask", 0o022),
            no_new_privs=bool(message.get("no_new_privs")),
            oom_score_adj=message.get("oom_score_adj"),
            places=tuple(message.get("places", ())),
            is_reaped=bool(message.get("reaped")) and inside is None,
            seccomp=message.get("seccomp", b""),
        )

        def ended(status: int, errno: int) -> None:
            self._containers.remove(container)
            finish(lambda: on_exit(status, errno))

        def failed(text: str) -> None:
            self._containers.remove(container)
            on_failed(text)

        container = Container(kernel, self._dispatcher, self._tree, spec, ended, failed, on_prepared)
        self._containers.append(container)
        return container

    def new_kernel(self) -> Kernel:
        """The kernel record of one container: its own pids, everything else shared, network and IPC too."""
        return Kernel(
            platform=self.platform,
            runner=self.runner,
            tasks=TaskTable(),
            signals=Signals(),
            mounts=self.mounts,
            limits=self.limits,
            namespaces=self.namespaces,
            realtime_ns=clock.time_ns,
            random=entropy.urandom,
            start_ns=clock.monotonic_ns(),
            net=self.net,
        )

    def gofer_lost(self) -> None:
        """A gofer is gone: nothing that a program reads could be trusted any more (fail closed)."""
        if not self.is_done:
            self._fatal("the gofer is gone")

    def update_limits(self, memory: int, tasks: int) -> str:
        """Set the memory and task limits anew (-1: leave it); returns why one cannot be, or nothing if all is done."""
        if memory >= 0 and self.limits.memory_max is None:
            return "the sandbox was started without a memory limit, and cannot get one later"
        if tasks >= 0 and not self.platform.limit_tasks(tasks):
            return "this host counts the sandbox's tasks itself (RLIMIT_NPROC); its limit cannot be changed while it runs"
        if memory >= 0 and not self.platform.limit_memory(memory):
            return "the host refuses the new memory limit: less than what is in use, or not more than its programs were born with"
        if tasks >= 0:
            self.limits.tasks_max = tasks
        if memory >= 0:
            self.limits.memory_max = memory
        return ""

    def freeze(self) -> None:
        """All guests stand still until the event loop turns again."""
        self.platform.freeze()

    def report(self, what: str) -> dict[str, Any]:
        """What a ``query`` asks for: ``census``, ``processes``, ``tasks``, or else how often calls were let through."""
        if what == "census":
            return self.census()
        kernels = list({id(container.kernel): container.kernel for container in self._containers}.values())
        if what == "processes":
            from sentry.boot.report import processes

            return {"processes": processes(kernels)}
        if what == "tasks":
            from sentry.boot.report import tasks

            return {"tasks": tasks(kernels, self._table), "gofers": len(self.config["gofers"])}
        return {"proceeds": self.proceeds()}

    def proceeds(self) -> dict[str, int]:
        """How often each call was let through to the host, by name."""
        counts = self._dispatcher.proceeds
        return {entry.name: counts[nr] for nr, entry in enumerate(self._table) if entry is not None and counts[nr]}

    def census(self) -> dict[str, Any]:
        """What the guests have asked for so far; empty unless the configuration wanted it counted."""
        return self._census.report() if self._census is not None else {}

    async def export_changes(self, fd: int) -> int:
        """``MountTree.export_changes``."""
        return await self._tree.export_changes(fd)

    async def copying(self, kind: str, fd: int, path: bytes, name: bytes) -> int:
        """``cp`` (``sentry/boot/copying.py``) and ``restore``: returns what was left out; for ``stat`` the mode of the object."""
        from sentry.boot import copying

        task = self._tree.service_task
        if kind == "restore":
            await self._tree.restore_changes(fd)
            return 0
        if kind == "stat":
            return await copying.mode_of(task, path)
        if kind == "copy_in":
            await copying.copy_in(task, HostFd(fd), path)
            return 0
        work = copying.CopyOut(task, HostFd(fd))
        await work.run(path, name)
        return work.left_out

    def broken(self, error: BaseException) -> None:
        """A service of the sentry ended by an error that is no guest's: our bug (fail closed)."""
        log.error("a service failed", exc_info=error)
        self._fatal("the sentry failed; its log has the details")

    def stop(self) -> None:
        """End the sandbox: the loop returns and ``close`` kills what is left."""
        self.is_done = True

    def close(self) -> None:
        """Kill every guest and release the jail. Idempotent."""
        self.platform.kill_all()
        if self.net.outside is not None:
            self.net.outside.close()
        self.platform.close()

    def _empty(self, kernel: Kernel) -> None:
        for container in list(self._containers):
            if container.kernel is kernel:
                container.finished()

    def _fatal(self, message: str) -> None:
        if self._server is None or self.is_done:
            log.error("%s", message)
        else:
            log.info("%s", message)
            self._server.failed(message)  # the caller prints it
        self.is_done = True
