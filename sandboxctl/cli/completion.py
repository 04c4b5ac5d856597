"""``sandboxctl completion``: what a shell needs to complete our command lines."""

import click
from click.shell_completion import get_completion_class

from sandboxctl.errors import SandboxError

_SHELLS = ("bash", "zsh", "fish")


@click.command("completion")
@click.argument("shell", type=click.Choice(_SHELLS))
@click.pass_context
def command(context: click.Context, shell: str) -> None:
    """Print the completion script of a shell.

    \b
    Examples:
      sandboxctl completion bash >~/.local/share/bash-completion/completions/sandboxctl
      sandboxctl completion zsh >~/.zfunc/_sandboxctl
      sandboxctl completion fish >~/.config/fish/completions/sandboxctl.fish
    """
    found = get_completion_class(shell)
    if found is None:
        raise SandboxError(f"no completion for {shell}")
    click.echo(found(context.find_root().command, {}, "sandboxctl", "_SANDBOXCTL_COMPLETE").source())
