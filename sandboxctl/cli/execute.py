"""``sandboxctl exec``: a further program in a running sandbox."""

import contextlib
import signal
from dataclasses import replace

import click

from sandboxctl import terminal
from sandboxctl.cli.choice import complete
from sandboxctl.cli.detached import states
from sandboxctl.config import CommandConfig
from sandboxctl.errors import OptionError
from sandboxctl.options.assemble import CommandOptions, command_config
from sandboxctl.state.link import Link
from sandboxctl.state.plain import from_plain, to_plain
from sandboxctl.state.record import Record


@click.command("exec", context_settings={"allow_interspersed_args": False})
@click.argument("name", metavar="SANDBOX", shell_complete=complete)
@click.argument("words", metavar="COMMAND [ARG...]", nargs=-1, required=True, type=click.UNPROCESSED)
@click.option("-i", "--interactive", is_flag=True, help="Connect standard input.")
@click.option("-t", "--tty", is_flag=True, help="Give the command a terminal of its own.")
@click.option("-d", "--detach", is_flag=True, help="Do not wait for it; its output is dropped.")
@click.option("-e", "--env", multiple=True, metavar="NAME[=VALUE]", help="Set a variable.")
@click.option("-w", "--workdir", metavar="DIR", help="Working directory.  [default: the sandbox's]")
@click.option("-u", "--user", metavar="USER[:GROUP]", help="Names of the image, or numbers.  [default: the sandbox's]")
def command(
    name: str,
    words: tuple[str, ...],
    interactive: bool,
    tty: bool,
    detach: bool,
    env: tuple[str, ...],
    workdir: str | None,
    user: str | None,
) -> int:
    """Run COMMAND in a running sandbox. It shares the sandbox's files and network, and has process numbers of its own.

    \b
    Example:
      sandboxctl exec -it web -- bash
    """
    known = states()
    record = known.find(name)
    argv = words[1:] if words[0] == "--" else words
    if tty and interactive and not terminal.is_terminal(0):
        raise OptionError("-t: standard input is not a terminal; leave out -t")
    what = replace(_command(record, argv, env, workdir, user), tty=tty, interactive=interactive, timeout=None)
    link = Link(known.path(record.id))
    if detach:
        link.ask("exec", command=to_plain(what), streams=[], detach=True, rows=0, cols=0)
        return 0
    streams = ([0] if interactive else []) + ([1] if tty else [1, 2])
    screen = 0 if terminal.is_terminal(0) else 1
    rows, columns = terminal.size(screen) if tty else (0, 0)

    def resized(_signo: int, _frame: object) -> None:
        rows, columns = terminal.size(screen)
        link.channel.send("exec_resize", rows=rows, cols=columns)

    def passed(signo: int, _frame: object) -> None:
        link.channel.send("exec_signal", signo=signo)

    with contextlib.ExitStack() as stack:
        if tty and interactive:
            stack.enter_context(terminal.raw(0))
        link.ask("exec", streams, command=to_plain(what), streams=streams, detach=False, rows=rows, cols=columns)
        for signo in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
            signal.signal(signo, passed)
        if tty:
            signal.signal(signal.SIGWINCH, resized)
        return int(link.answer()["code"])


def _command(record: Record, argv: tuple[str, ...], env: tuple[str, ...], workdir: str | None, user: str | None) -> CommandConfig:
    base = from_plain(record.command)
    made = command_config(CommandOptions(argv=argv, entrypoint="", env=env, workdir=workdir, user=user), record.image)
    added = {text.partition("=")[0] for text in env}
    return replace(
        base,
        argv=made.argv,
        env={**base.env, **{name: value for name, value in made.env.items() if name in added}},
        cwd=base.cwd if workdir is None else made.cwd,
        identity=base.identity if user is None else made.identity,
    )
