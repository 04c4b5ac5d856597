"""The command group; each command lives in a module of its own that is imported when it is used."""

from importlib import import_module

import click

from sandboxctl.config import PLATFORMS, PROFILES
from sandboxctl.launcher import SentryProcess

_COMMANDS = {
    "run": ("sandboxctl.cli.run", "Run a program in a new sandbox."),
    "do": ("sandboxctl.cli.do", "Run a program in a tree of folders, with bubblewrap's options."),
    "create": ("sandboxctl.cli.create", "Make a sandbox that start will start."),
    "start": ("sandboxctl.cli.start", "Start sandboxes that were created or have ended."),
    "attach": ("sandboxctl.cli.attach_to", "Join our streams to those of a running sandbox."),
    "ps": ("sandboxctl.cli.ps", "List detached sandboxes."),
    "exec": ("sandboxctl.cli.execute", "Run a program in a running sandbox."),
    "logs": ("sandboxctl.cli.logs", "Print what a detached sandbox wrote."),
    "stop": ("sandboxctl.cli.stop", "End running sandboxes, politely first."),
    "kill": ("sandboxctl.cli.kill", "Send a signal to running sandboxes."),
    "wait": ("sandboxctl.cli.wait", "Wait until sandboxes have ended."),
    "rm": ("sandboxctl.cli.rm", "Remove sandboxes that have ended."),
    "pause": ("sandboxctl.cli.pause:pause", "Let the programs of sandboxes stand still."),
    "unpause": ("sandboxctl.cli.pause:unpause", "Let them go on."),
    "top": ("sandboxctl.cli.top", "List the processes in a sandbox."),
    "stats": ("sandboxctl.cli.stats", "Show what running sandboxes use."),
    "events": ("sandboxctl.cli.events", "Show what happens to sandboxes."),
    "rename": ("sandboxctl.cli.rename", "Give a sandbox another name."),
    "update": ("sandboxctl.cli.update", "Change limits and the restart policy."),
    "debug": ("sandboxctl.cli.debug", "Show what each task of a sandbox does."),
    "metrics": ("sandboxctl.cli.metrics", "Print figures of all sandboxes for Prometheus."),
    "info": ("sandboxctl.cli.info", "Show what sandboxctl has and where."),
    "pull": ("sandboxctl.cli.image_pull", "Fetch images from registries."),
    "login": ("sandboxctl.cli.login:login", "Check and keep a login for a registry."),
    "logout": ("sandboxctl.cli.login:logout", "Forget a login."),
    "push": ("sandboxctl.cli.image_push", "Copy an image to a registry."),
    "images": ("sandboxctl.cli.image_list", "List the images of the store."),
    "load": ("sandboxctl.cli.image_load", "Add the images of an archive."),
    "save": ("sandboxctl.cli.image_save", "Write images into an archive."),
    "import": ("sandboxctl.cli.image_import", "Make an image of a root file system in a tar archive."),
    "tag": ("sandboxctl.cli.image_tag", "Give an image further names."),
    "rmi": ("sandboxctl.cli.image_remove", "Remove images."),
    "prune": ("sandboxctl.cli.image_prune", "Remove images without a name."),
    "inspect": ("sandboxctl.cli.inspect", "Show all that is known of sandboxes and images."),
    "history": ("sandboxctl.cli.image_history", "Show how an image came to be."),
    "cp": ("sandboxctl.cli.cp", "Copy files between host and sandbox, or out of an image."),
    "volume": ("sandboxctl.cli.volume", "Manage named volumes."),
    "commit": ("sandboxctl.cli.commit", "Make an image of a sandbox."),
    "diff": ("sandboxctl.cli.image_diff", "Show what a sandbox, or the top layer of an image, changes."),
    "doctor": ("sandboxctl.cli.doctor", "Say what this host allows and what to change."),
    "host-surface": ("sandboxctl.cli.host_surface", "List every host call that guest, sentry and gofer may make."),
    "compat": ("sandboxctl.cli.compat", "Show which system calls work, and how far."),
    "completion": ("sandboxctl.cli.completion", "Print the completion script of bash, zsh or fish."),
    "man": ("sandboxctl.cli.man", "Write man pages made from the help."),
    "version": ("sandboxctl.cli.version", "Print the version."),
}


class Context:
    """What the group hands to its commands."""

    def __init__(self, ahead: SentryProcess | None) -> None:
        self.ahead = ahead
        self.platform: str | None = None
        self.profile = "default"


class LazyGroup(click.Group):
    """A group that knows its commands by name and first line, and imports one only to run it."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names, in the order of the help page."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the command, None if there is none of that name."""
        if cmd_name not in _COMMANDS:
            return None
        module, _, name = _COMMANDS[cmd_name][0].partition(":")
        command: click.Command = getattr(import_module(module), name or "command")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in _COMMANDS.items()])


@click.group(cls=LazyGroup)
@click.option(
    "--platform", type=click.Choice(PLATFORMS), help="How system calls are caught; the best one that works here if not given."
)
@click.option(
    "--profile",
    type=click.Choice(PROFILES),
    default="default",
    show_default=True,
    help="strict: every host call that the guest may make is checked by the sentry first; slower.",
)
@click.pass_context
def cli(ctx: click.Context, platform: str | None, profile: str) -> None:
    """Run untrusted Linux programs under a user-space kernel.

    \b
    Examples:
      sandboxctl run host -- python3 -c 'print(6*7)'
      sandboxctl run -it host -- bash
      sandboxctl doctor
    """
    assert isinstance(ctx.obj, Context)
    ctx.obj.platform = platform
    ctx.obj.profile = profile
