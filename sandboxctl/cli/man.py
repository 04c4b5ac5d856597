"""``sandboxctl man``: man pages made from the help of the commands (man-pages(7))."""

import inspect
import os
from collections.abc import Iterator

import click

from sandboxctl import __version__
from sandboxctl.errors import OptionError


@click.command("man")
@click.argument("folder", type=click.Path(exists=True, file_okay=False))
@click.pass_context
def command(context: click.Context, folder: str) -> None:
    """Write a man page for every command into FOLDER.

    \b
    Example:
      mkdir -p ~/.local/share/man/man1 && sandboxctl man ~/.local/share/man/man1
    """
    root = context.find_root()
    for names, found in _all(root, root.command, ["sandboxctl"]):
        path = os.path.join(folder, f"{'-'.join(names)}.1")
        try:
            with open(path, "w", encoding="utf-8") as file:
                file.write(page(names, found, root))
        except OSError as error:
            raise OptionError(f"cannot write {path}: {error.strerror}") from None


def _all(context: click.Context, found: click.Command, names: list[str]) -> Iterator[tuple[list[str], click.Command]]:
    yield names, found
    if isinstance(found, click.Group):
        for name in found.list_commands(context):
            below = found.get_command(context, name)
            if below is not None and not below.hidden:
                yield from _all(context, below, [*names, name])


def page(names: list[str], found: click.Command, root: click.Context) -> str:
    """The page of one command."""
    context = click.Context(found, info_name=" ".join(names), obj=root.obj)
    paragraphs = inspect.cleandoc(found.help or "").replace("\b\n", "\n").strip().split("\n\n")
    first = " ".join(paragraphs[0].split("\n"))
    lines = [f'.TH "{"-".join(names).upper()}" 1 "" "sandboxctl {__version__}"', ".SH NAME"]
    lines += [f"{_plain('-'.join(names))} \\- {_plain(first.rstrip('.'))}", ".SH SYNOPSIS"]
    lines += [f".B {' '.join(names)}", _plain(" ".join(found.collect_usage_pieces(context))), ".SH DESCRIPTION"]
    for paragraph in paragraphs:
        kept = paragraph.strip("\n").split("\n")
        is_literal = any(line.startswith(" ") for line in kept)
        lines += [".PP", *([".nf"] if is_literal else []), *map(_plain, kept), *([".fi"] if is_literal else [])]
    options = [parameter for parameter in found.get_params(context) if isinstance(parameter, click.Option)]
    records = [record for option in options if (record := option.get_help_record(context)) is not None]
    if records:
        lines.append(".SH OPTIONS")
    for name, text in records:
        lines += [".TP", f".B {_plain(name)}", _plain(text)]
    if isinstance(found, click.Group):
        lines += [".SH SEE ALSO", ", ".join(f"{_plain('-'.join([*names, name]))}(1)" for name in found.list_commands(context))]
    return "\n".join(lines) + "\n"


def _plain(text: str) -> str:
    """Text that troff takes as it is."""
    escaped = text.replace("\\", "\\e").replace("-", "\\-")
    return f"\\&{escaped}" if escaped.startswith((".", "'")) else escaped
