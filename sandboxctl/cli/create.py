"""``sandboxctl create``: all of ``run`` but the start."""

from typing import Any

import click

from sandboxctl.cli import run
from sandboxctl.cli.commands import Context
from sandboxctl.cli.detached import create

_NOT_HERE = {"detach", "detach_keys", "commit", "strace", "trace_json", "log_file"}


@click.pass_obj
def _create(context: Context, /, image: str | None, words: tuple[str, ...], **options: Any) -> None:
    config, what = run.checked(context, image, words, {**dict.fromkeys(_NOT_HERE), **options, "detach": True, "strace": False})
    click.echo(create(config, what, options))


command = click.Command(
    "create",
    params=[parameter for parameter in run.command.params if parameter.name not in _NOT_HERE],
    callback=_create,
    context_settings=run.command.context_settings,
    help="""Make a sandbox that `sandboxctl start` will start, and print its id. The options are those of run.

    \b
    Example:
      sandboxctl create -i --name reader host -- wc -c
      echo hello | sandboxctl start -ai reader
    """,
)
