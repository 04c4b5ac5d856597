"""``sandboxctl commit``."""

import click

from sandboxctl.cli.choice import complete
from sandboxctl.cli.detached import states
from sandboxctl.errors import OptionError
from sandboxctl.images import changes
from sandboxctl.images.commit import CommitOptions, commit
from sandboxctl.images.running import of_link
from sandboxctl.state.idle import reach


@click.command("commit")
@click.argument("sandbox", metavar="SANDBOX", shell_complete=complete)
@click.argument("name", required=False)
@click.option("-a", "--author", default="", help="Who made it.")
@click.option("-m", "--message", default="", help="A comment for the history.")
@click.option("-c", "--change", "instructions", multiple=True, metavar="INSTRUCTION", help=f"{', '.join(changes.KNOWN)}.")
@click.option("-p", "--pause", is_flag=True, help="Accepted for podman's sake: programs stand still while changes are read.")
@click.option("-q", "--quiet", is_flag=True, help="Only the id.")
@click.option("--iidfile", metavar="FILE", help="Write the image's id.")
def command(
    sandbox: str,
    name: str | None,
    author: str,
    message: str,
    instructions: tuple[str, ...],
    pause: bool,
    quiet: bool,
    iidfile: str | None,
) -> None:
    """Make an image of a sandbox, running or not: its image, and one more layer. Volumes and tmpfs are no part of it.

    \b
    Example:
      sandboxctl commit -c 'CMD /bin/app' web localhost/web:2
    """
    with reach(states(), sandbox) as link:
        made, left_out = commit(of_link(link), name, CommitOptions(message, author, instructions))
    if left_out and not quiet:
        click.echo(f"sandboxctl: left out {left_out} objects that no layer can hold, such as sockets", err=True)
    if iidfile is not None:
        try:
            with open(iidfile, "w", encoding="ascii") as file:
                file.write(made.id)
        except OSError as error:
            raise OptionError(f"--iidfile: cannot write {iidfile!r}: {error.strerror}") from None
    click.echo(made.id)
