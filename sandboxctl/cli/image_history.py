"""``sandboxctl history``."""

import click

from sandboxctl.cli import human
from sandboxctl.cli.listing import print_rows
from sandboxctl.images.describe import Step, history
from sandboxctl.store.place import Place

_COLUMNS = {"ID": "ID", "CREATED": "CreatedSince", "CREATED BY": "CreatedBy", "SIZE": "Size", "COMMENT": "Comment"}


@click.command("history")
@click.argument("image")
@click.option("-q", "--quiet", is_flag=True, help="Ids only.")
@click.option("-H", "--human/--no-human", "is_human", default=True, show_default=True, help="Sizes and times for people.")
@click.option("--no-trunc", is_flag=True, help="Ids and commands in full.")
@click.option("--format", metavar="TEMPLATE|json", help="A Go template, for example '{{.CreatedBy}}'.")
def command(image: str, quiet: bool, is_human: bool, no_trunc: bool, format: str | None) -> None:
    """Show how an image came to be, the last step first.

    \b
    Example:
      sandboxctl history localhost/app
    """
    rows = [_row(step, is_human=is_human, no_trunc=no_trunc) for step in history(Place(), image)]
    if quiet:
        for row in rows:
            click.echo(row["ID"])
        return
    print_rows(rows, _COLUMNS, format)


def _row(step: Step, *, is_human: bool, no_trunc: bool) -> dict[str, object]:
    entry = step.entry
    created, made_by = entry.created or "", entry.created_by or ""
    short = made_by if no_trunc or len(made_by) <= 45 else made_by[:44] + "…"
    return {
        "ID": step.id if no_trunc else step.id[:12],
        "Created": created,
        "CreatedAt": created,
        "CreatedSince": human.ago(created) if is_human else created,
        "CreatedBy": short,
        "Size": human.size(step.size) if is_human else str(step.size),
        "Comment": entry.comment or "",
    }
