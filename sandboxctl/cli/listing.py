"""Prints rows as a table, by a Go template or as JSON: what every listing command offers."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import click

from sandboxctl.cli.template import Template
from sandboxctl.errors import OptionError


def print_rows(
    rows: Sequence[Mapping[str, Any]], columns: Mapping[str, str], format: str | None, *, heading: bool = True
) -> None:
    """``columns`` maps headings to the fields of the plain table; ``format`` is a template, ``json`` or None."""
    if format == "json":
        click.echo(json.dumps(list(rows), indent=4, ensure_ascii=False))
        return
    if format is not None and format != "table":
        template = Template(format)
        if not template.is_table:
            for row in rows:
                click.echo(template.render(row))
            return
        lines = [template.render(row).split("\t") for row in rows]
        head = template.header().split("\t")
    else:
        lines = [[_plain(row[field]) for field in columns.values()] for row in rows]
        head = list(columns)
    _table([head, *lines] if heading else lines)


def _table(lines: list[list[str]]) -> None:
    if not lines:
        return
    widths = [max(len(line[at]) for line in lines if at < len(line)) for at in range(max(map(len, lines)))]
    for line in lines:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=False)).rstrip())


def _plain(value: object) -> str:
    """A cell without control characters: an image may call itself anything."""
    return "".join(c if c.isprintable() else "?" for c in str(value))


def parse_filters(texts: Sequence[str], known: Sequence[str]) -> list[tuple[str, str]]:
    """``NAME=VALUE`` pairs. Raises OptionError for a name that is not known."""
    pairs = []
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or name not in known:
            raise OptionError(f"--filter: {text!r} is not NAME=VALUE with one of: {', '.join(known)}")
        pairs.append((name, value))
    return pairs
