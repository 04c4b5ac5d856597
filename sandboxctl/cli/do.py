"""``sandboxctl do``: one program in a tree that the command line makes, in bubblewrap's options."""

import os
import sys

import click

from sandboxctl import terminal
from sandboxctl.bubble import start
from sandboxctl.bubble.arguments import Parser
from sandboxctl.bubble.wishes import EXIT_BUBBLE, BubbleError, Wishes
from sandboxctl.cli.commands import Context
from sandboxctl.config import CommandConfig, SandboxConfig
from sandboxctl.errors import EXIT_NOT_EXECUTABLE, EXIT_NOT_FOUND, SandboxError

_PR_SET_PDEATHSIG, _SIGKILL = 1, 9
#: for the help page and completion: the parser knows what they take
_SHOWN = (
    ("--bind", 2, "SRC DEST", "The host's file or folder SRC at DEST; --bind-try: if it is there."),
    ("--ro-bind", 2, "SRC DEST", "The same, read-only; also --ro-bind-try."),
    ("--dev-bind", 2, "SRC DEST", "The same; the devices in it are the sandbox's own. Also --dev-bind-try."),
    ("--tmpfs", 1, "DEST", "An empty file system in memory."),
    ("--proc", 1, "DEST", "/proc of the sandbox."),
    ("--dev", 1, "DEST", "A small /dev."),
    ("--mqueue", 1, "DEST", "Message queues."),
    ("--dir", 1, "DEST", "A folder."),
    ("--file", 2, "FD DEST", "A file with what can be read from FD; --bind-data, --ro-bind-data: mounted on DEST."),
    ("--symlink", 2, "TARGET DEST", "A symbolic link."),
    ("--chmod", 2, "OCTAL PATH", "Change permissions."),
    ("--remount-ro", 1, "DEST", "No more changes below this mount."),
    ("--perms", 1, "OCTAL", "Permissions of what the next option makes."),
    ("--size", 1, "BYTES", "Size of the next --tmpfs."),
    ("--chdir", 1, "DIR", "Start there.  [default: where you are, HOME or /]"),
    ("--setenv", 2, "NAME VALUE", "Set a variable; --unsetenv NAME removes one, --clearenv all."),
    ("--unsetenv", 1, "NAME", "Remove a variable."),
    ("--clearenv", 0, "", "Remove all variables."),
    ("--unshare-all", 0, "", "No network; all else is the sandbox's own in any case."),
    ("--unshare-net", 0, "", "No network."),
    ("--share-net", 0, "", "With --unshare-all: the network after all, through the sandbox's own stack."),
    ("--unshare-user", 0, "", "Also -pid, -ipc, -uts, -cgroup: always so."),
    ("--hostname", 1, "NAME", "With --unshare-uts: its name."),
    ("--uid", 1, "UID", "With --unshare-user: who it runs as; also --gid."),
    ("--cap-add", 1, "CAP", "A right inside, like CAP_SYS_ADMIN, or ALL; also --cap-drop."),
    ("--seccomp", 1, "FD", "A filter for seccomp(2), as libseccomp exports it, read from FD."),
    ("--as-pid-1", 0, "", "Run COMMAND as pid 1, without a small init."),
    ("--new-session", 0, "", "Keep it from this terminal."),
    ("--die-with-parent", 0, "", "End when our parent does."),
    ("--args", 1, "FD", "Read further options from FD, each ended by a NUL byte."),
    ("--block-fd", 1, "FD", "Wait until something can be read from FD."),
    ("--sync-fd", 1, "FD", "Keep FD open while it runs."),
    ("--info-fd", 1, "FD", "Write the number of the sandbox's process to FD; --json-status-fd: and the exit code."),
)


class _BubbleCommand(click.Command):
    """Takes its words as they are: what an option means depends on those before it."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Only --help is looked for."""
        if not args or "--help" in args[: args.index("--") if "--" in args else len(args)][:1]:
            return super().parse_args(ctx, ["--help"])
        ctx.params["words"] = tuple(args)
        return []


def _params() -> list[click.Parameter]:
    shown: list[click.Parameter] = [
        click.Option(
            [name],
            nargs=max(count, 1),
            is_flag=not count,
            metavar=metavar or None,
            multiple=count > 0,
            help=text,
            expose_value=False,
        )
        for name, count, metavar, text in _SHOWN
    ]
    return [*shown, click.Argument(["words"], metavar="[--] COMMAND [ARG...]", nargs=-1, type=click.UNPROCESSED)]


@click.pass_obj
def _do(context: Context, words: tuple[str, ...]) -> int:
    wishes = Parser().parse(words)
    if wishes.dies_with_parent:
        _die_with_parent()
    for line in wishes.warnings:
        sys.stderr.write(f"sandboxctl: {line}\n")
    config = start.sandbox_config(wishes, context.platform, context.profile)
    start.wait_for_go(wishes)
    is_terminal = not wishes.is_new_session and all(terminal.is_terminal(fd) for fd in (0, 1, 2))
    return _run(context, wishes, config, start.command_config(wishes, is_terminal=is_terminal))


def _run(context: Context, wishes: Wishes, config: SandboxConfig, what: CommandConfig) -> int:
    from sandboxctl.api import Sandbox
    from sandboxctl.cli.attach import attach

    ahead, context.ahead = context.ahead, None
    try:
        with Sandbox.from_config(config, ahead) as sandbox:
            pid = {"child-pid": sandbox.session.pid}
            start.tell(wishes.info_fd, pid, is_pretty=True)
            start.tell(wishes.status_fd, pid, is_pretty=False)
            end = attach(sandbox, what)
    except SandboxError as error:
        if str(error).startswith("Can't "):  # bubblewrap's words for what it would have failed at, too
            raise BubbleError(str(error)) from None
        raise
    if end.message:
        message = start.failure(what.argv[0], end.status, end.message)
        sys.stderr.write(f"sandboxctl: {message}\n")
        is_theirs = end.status in {EXIT_NOT_EXECUTABLE, EXIT_NOT_FOUND} or message.startswith("Can't ")
        return EXIT_BUBBLE if is_theirs else end.status
    start.tell(wishes.status_fd, {"exit-code": end.status}, is_pretty=False)
    return end.status


def _die_with_parent() -> None:
    """Our end is that of the sandbox. Raises BubbleError if the parent has gone already."""
    import ctypes

    parent = os.getppid()
    if ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, _SIGKILL, 0, 0, 0) or os.getppid() != parent:
        raise BubbleError("--die-with-parent: the parent is gone")


command = _BubbleCommand(
    "do",
    params=_params(),
    callback=_do,
    context_settings={"max_content_width": 110},
    help="""Run COMMAND in a tree made of the host's folders, with the options of bubblewrap.

    Options are carried out in their order; the tree begins empty. What bwrap leaves to the host's kernel is the sandbox's here:
    processes, devices and the network, whose loopback is not the host's. The sandbox ends with COMMAND. Exit status: COMMAND's,
    1 where bubblewrap would have failed, 125 for an error of ours.

    \b
    Examples:
      sandboxctl do --ro-bind / / --dev /dev --proc /proc --tmpfs /tmp --unshare-all -- id
      sandboxctl do --ro-bind /usr /usr --symlink usr/bin /bin --symlink usr/lib64 /lib64 --bind . /src --chdir /src -- ls
    """,
)
