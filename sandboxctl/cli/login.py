"""``sandboxctl login`` and ``sandboxctl logout``."""

import sys

import click

from sandboxctl.errors import OptionError
from sandboxctl.images.remote import credentials
from sandboxctl.images.remote.client import Access, check_login

_PASSWORD_MAX = 1 << 16


@click.command("login")
@click.argument("registry", metavar="HOST[:PORT]")
@click.option("-u", "--username", metavar="USER", help="Who you are there.")
@click.option("-p", "--password", metavar="PASSWORD", help="Seen by all who can list processes: better --password-stdin.")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
@click.option("--get-login", is_flag=True, help="Only print who you are logged in as.")
@click.option("--authfile", metavar="FILE", help="Where to keep it.  [default: podman's auth.json]")
@click.option("--ca-file", metavar="FILE", help="Certificates to trust instead of the system's.")
@click.option("--cert-dir", metavar="DIR", help="*.crt to trust, NAME.cert and NAME.key to show.")
@click.option("--tls-verify", type=bool, default=True, show_default=True, help="false: accept any certificate, or none.")
def login(
    registry: str,
    username: str | None,
    password: str | None,
    authfile: str | None,
    ca_file: str | None,
    cert_dir: str | None,
    **flags: bool,
) -> None:
    """Check a login with a registry, and keep it where podman and skopeo find it too.

    \b
    Example:
      sandboxctl login --username me --password-stdin registry.example <password.txt
    """
    host = credentials.host_of(registry)
    if flags["get_login"]:
        found = credentials.find(host, "", authfile)
        if found is None:
            raise OptionError(f"not logged into {host}; see: sandboxctl login --help")
        click.echo(found.user)
        return
    if flags["password_stdin"]:
        if password is not None:
            raise OptionError("--password and --password-stdin contradict each other; leave one of them out")
        password = sys.stdin.read(_PASSWORD_MAX).removesuffix("\n").removesuffix("\r")
    user = username if username is not None else _ask("Username", hides=False)
    secret = password if password is not None else _ask("Password", hides=True)
    wanted = credentials.parse(f"{user}:{secret}")
    check_login(host, Access(flags["tls_verify"], wanted, ca_file, cert_dir))
    credentials.keep(host, wanted, authfile)
    click.echo("Login Succeeded!")


def _ask(what: str, *, hides: bool) -> str:
    if not sys.stdin.isatty():
        raise OptionError(f"--{what.lower()} is missing, and there is nobody to ask; use --username and --password-stdin")
    return str(click.prompt(what, hide_input=hides, err=True))


@click.command("logout")
@click.argument("registry", metavar="HOST[:PORT]", required=False)
@click.option("-a", "--all", "everything", is_flag=True, help="Of all registries.")
@click.option("--authfile", metavar="FILE", help="Where it is kept.  [default: podman's auth.json]")
def logout(registry: str | None, everything: bool, authfile: str | None) -> None:
    """Forget the login for a registry.

    \b
    Example:
      sandboxctl logout registry.example
    """
    if (registry is None) != everything:
        raise OptionError("name a registry, or give --all")
    host = None if registry is None else credentials.host_of(registry)
    if not credentials.forget(host, authfile) and host is not None:
        raise OptionError(f"not logged into {host}")
    click.echo("Removed login credentials for " + (host or "all registries"))
