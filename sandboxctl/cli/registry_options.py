"""The options of every command that talks to a registry."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])


def registry_options(function: F) -> F:
    """Add --tls-verify, --creds, --authfile, --ca-file and --cert-dir."""
    for option in (
        click.option("--cert-dir", metavar="DIR", help="*.crt to trust, NAME.cert and NAME.key to show.  [default: podman's]"),
        click.option("--ca-file", metavar="FILE", help="Certificates to trust instead of the system's."),
        click.option("--authfile", metavar="FILE", help="Logins, as podman and docker keep them.  [default: theirs]"),
        click.option("--creds", metavar="USER:PASSWORD", help="A login, instead of those that are kept."),
        click.option("--tls-verify", type=bool, default=True, show_default=True, help="false: accept any certificate, or none."),
    ):
        function = option(function)
    return function
