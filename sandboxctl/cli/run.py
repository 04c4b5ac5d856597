"""``sandboxctl run``: options with docker's names and meaning, one sandbox, one command."""

import sys
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import click

from sandboxctl.api import Sandbox
from sandboxctl.cli import refused
from sandboxctl.cli.attach import attach
from sandboxctl.cli.commands import Context
from sandboxctl.cli.registry_options import registry_options
from sandboxctl.config import CommandConfig, SandboxConfig
from sandboxctl.errors import OptionError
from sandboxctl.images.fetch import POLICIES, FetchOptions, prepare
from sandboxctl.options.assemble import CommandOptions, SandboxOptions, command_config, sandbox_config
from sandboxctl.options.ulimit import descriptors_max
from sandboxctl.terminal import is_terminal

_SANDBOX = (
    "rw", "read_only", "overlay", "volumes", "mounts", "tmpfs", "hostname", "name", "memory", "pids_limit", "shm_size",
    "stop_signal", "init", "network", "published", "denied", "allowed", "network_log", "network_pcap", "privileged", "devices",
    "host_as_root", "cap_add", "cap_drop", "require", "strace", "log_file",
    "cpus", "trace_json", "add_hosts", "dns", "dns_search", "dns_options", "sysctls", "tz",
)  # fmt: skip
_FETCH = ("pull", "platform", "tls_verify", "creds", "authfile", "ca_file", "cert_dir")
_COMMAND = (
    "entrypoint", "env", "env_files", "workdir", "user", "group_add", "ulimits", "tty", "interactive", "timeout", "security_opts",
    "umask",
)  # fmt: skip


def checked(
    context: Context, image: str | None, words: tuple[str, ...], options: Mapping[str, Any]
) -> tuple[SandboxConfig, CommandConfig]:
    """What the words of a command line mean. Raises OptionError."""
    refused.check(options)
    if image is None:
        raise OptionError("no image given; for example: sandboxctl run host -- ls -l /")
    prepare(image, FetchOptions(**{name: options[name] for name in _FETCH}))
    argv = words[1:] if words[:1] == ("--",) else words
    sandbox_options = {name: options[name] for name in _SANDBOX}
    config = sandbox_config(SandboxOptions(image=image, platform=context.platform, profile=context.profile, **sandbox_options))
    what = command_config(CommandOptions(argv=argv, **{name: options[name] for name in _COMMAND}), image)
    if what.tty and what.interactive and not options.get("detach") and not is_terminal(0):
        raise OptionError("-t: standard input is not a terminal; leave out -t")
    return replace(config, nofile_max=descriptors_max(what.rlimits)), what


@click.command("run", context_settings={"allow_interspersed_args": False, "max_content_width": 110})
@click.argument("image", metavar="IMAGE", required=False)
@click.argument("words", metavar="[--] [COMMAND [ARG...]]", nargs=-1, type=click.UNPROCESSED)
@click.option("-i", "--interactive", is_flag=True, help="Connect standard input.")
@click.option("-t", "--tty", is_flag=True, help="Give the command a terminal of its own.")
@click.option("-e", "--env", multiple=True, metavar="NAME[=VALUE]", help="Set a variable; NAME alone passes yours on.")
@click.option("--env-file", "env_files", multiple=True, metavar="FILE", help="Read variables from a file, one NAME=VALUE a line.")
@click.option("-w", "--workdir", metavar="DIR", help="Working directory; made if it is missing.  [default: /tmp]")
@click.option("-v", "--volume", "volumes", multiple=True, metavar="SRC:DST[:ro|nocopy]", help="Share a folder, file or volume.")
@click.option("--mount", "mounts", multiple=True, metavar="type=bind|volume|tmpfs,...", help="The same, spelled out.")
@click.option("--tmpfs", multiple=True, metavar="DST[:size=N,...]", help="An empty file system in memory.")
@click.option("-u", "--user", metavar="USER[:GROUP]", help="Names of the image, or numbers.  [default: your ids]")
@click.option("--group-add", multiple=True, metavar="GROUP", help="One more group.")
@click.option("-h", "--hostname", metavar="NAME", help="What the guest calls its machine.  [default: sandbox]")
@click.option("--name", metavar="NAME", help="A name for messages of ours.")
@click.option("--read-only", is_flag=True, help="No changes to the image, not even in the overlay.")
@click.option("--entrypoint", metavar="PROGRAM", help="Run this; the words after IMAGE are its arguments.")
@click.option("-m", "--memory", metavar="SIZE", help="Limit, for example 512m.")
@click.option("--pids-limit", metavar="N", help="How many tasks there may be.")
@click.option("--ulimit", "ulimits", multiple=True, metavar="NAME=SOFT[:HARD]", help="For example nofile=1024.")
@click.option("--shm-size", metavar="SIZE", help="Size of /dev/shm.  [default: 64m]")
@click.option("--stop-signal", metavar="SIGNAL", help="What the command gets when we are told to end.  [default: SIGTERM]")
@click.option("--init", is_flag=True, help="Run a small init as pid 1 that reaps orphans.")
@click.option("-d", "--detach", is_flag=True, help="Let it go on without us and print its id; see: sandboxctl ps.")
@click.option("--rm", is_flag=True, help="With -d: leave no record when it ends. Without -d nothing ever stays behind.")
@click.option("--label", "labels", multiple=True, metavar="NAME=VALUE", help="With -d: a note on the sandbox, for ps --filter.")
@click.option("--annotation", "annotations", multiple=True, metavar="NAME=VALUE", help="The same, for inspect.")
@click.option("--cidfile", metavar="FILE", help="With -d: write the id into a new file.")
@click.option(
    "--restart", default="no", metavar="POLICY", help="With -d: no, on-failure[:N], always or unless-stopped.  [default: no]"
)
@click.option(
    "--network", "--net", metavar="none|user|ns:PATH", default="none", show_default=True,
    help="user (also user:passt, user:netgofer): the outside; ns: take it over.",
)  # fmt: skip
@click.option("-p", "--publish", "published", multiple=True, metavar="[IP:]HOST:GUEST[/udp]", help="Let a port of the host in.")
@click.option(
    "--allow", "allowed", multiple=True, metavar="HOST[:PORT]", help="Reach only this: a name, *.NAME, an address or network."
)
@click.option(
    "--deny", "denied", multiple=True, metavar="NETWORK", help="Never send there.  [default: link-local and cloud metadata]"
)
@click.option("--network-log", metavar="FILE", help="Append a JSON line for each connection to and from the outside.")
@click.option("--network-pcap", metavar="FILE", help="Write the packets of the sandbox's link, for tshark and tcpdump.")
@click.option("--add-host", "add_hosts", multiple=True, metavar="NAME:IP", help="One more line of /etc/hosts.")
@click.option("--dns", multiple=True, metavar="IP", help="A name server for /etc/resolv.conf.")
@click.option("--dns-search", multiple=True, metavar="DOMAIN", help="Where short names are looked up.")
@click.option("--dns-option", "dns_options", multiple=True, metavar="OPTION", help="See resolv.conf(5).")
@click.option("--sysctl", "sysctls", multiple=True, metavar="NAME=VALUE", help="Write a setting of /proc/sys first.")
@click.option("--umask", metavar="OCTAL", help="Its file mode creation mask.  [default: 0022]")
@click.option("--tz", metavar="ZONE|local", help="/etc/localtime, like Europe/Berlin; local: the host's.")
@click.option("--detach-keys", metavar="KEYS", help="Typed on its terminal (-it), they leave it running, like: ctrl-p,ctrl-q.")
@click.option("--no-healthcheck", is_flag=True, help="Accepted for podman's sake: nothing is checked.")
@click.option("--timeout", metavar="TIME", help="End the sandbox after, for example, 90s; exit status 137.")
@click.option("--rw", is_flag=True, help="Write through to the folder of a dir: image.")
@click.option(
    "--overlay", metavar="memory|DIR[,size=N]", help="Keep changes in memory, or large files on disk in DIR.  [default: memory]"
)
@click.option("--cpus", metavar="NUMBER", help="At most so many processors' time, like 1.5 (needs a control group).")
@click.option("--strace", is_flag=True, help="Print the guest's system calls to standard error, or to --log-file.")
@click.option("--trace-json", is_flag=True, help="The same as one JSON object a line.")
@click.option("--log-file", metavar="FILE", help="Where our own messages, --strace and --trace-json go.")
@click.option("--require", multiple=True, metavar="LAYER,...", help="Refuse to start unless these protections are in force.")
@click.option("--host-as-root", is_flag=True, help="As root: read the host's files as root, not as nobody.")
@click.option("--commit", metavar="NAME", help="When COMMAND has ended, make an image of what it changed.")
@registry_options
@refused.refused_options
@click.option("--pull", type=click.Choice(POLICIES), default="missing", show_default=True, help="When to ask the registry.")
@click.option("--platform", metavar="OS/ARCH", help="Which of several images.  [default: this machine's]")
@click.option("--cap-add", multiple=True, metavar="CAPABILITY", help="One more right for the guest's root, like SYS_ADMIN.")
@click.option("--cap-drop", multiple=True, metavar="CAPABILITY", help="One right less; ALL for none.")
@click.option("--security-opt", "security_opts", multiple=True, metavar="OPTION", help="no-new-privileges: no set-ID bits.")
@click.option("--privileged", is_flag=True, hidden=True)
@click.option("--device", "devices", multiple=True, hidden=True)
@click.pass_obj
def command(context: Context, /, image: str | None, words: tuple[str, ...], **options: Any) -> int:
    """Run COMMAND in a new sandbox made from IMAGE.

    IMAGE is host (this machine's files without its users' and services' private ones), dir:PATH (a root file system folder),
    tar:FILE, oci:DIR[:REF], oci-archive:FILE, docker-archive:FILE, docker://HOST/NAME[:TAG], or a name of the store.
    Changes stay in the sandbox unless a volume or --rw lets them out. Exit status: the command's own, 128+n for a signal,
    125 an error of ours, 126 not executable, 127 not found.

    \b
    Examples:
      sandboxctl run host -- python3 -c 'print(6*7)'
      sandboxctl run -it host -- bash
      sandboxctl run --timeout 30s -m 512m -v ./src:/src:ro -w /src host -- make
      echo hello | sandboxctl run -i host -- wc -c
    """
    config, what = checked(context, image, words, options)
    if options["detach"]:
        if options["commit"]:
            raise OptionError("--commit does not work with -d; leave one of them out")
        from sandboxctl.cli.detached import run_detached

        click.echo(run_detached(config, what, options))
        return 0
    if options["detach_keys"] is not None:
        if options["commit"]:
            raise OptionError("--commit does not work with --detach-keys; leave one of them out")
        from sandboxctl.cli.detached import run_followed

        return run_followed(config, what, options)
    ahead, context.ahead = context.ahead, None
    with Sandbox.from_config(config, ahead) as sandbox:
        end = attach(sandbox, what)
        if options["commit"]:
            made = sandbox.commit(options["commit"])
            sys.stderr.write(f"sandboxctl: committed {made}\n")
    if end.message:
        prefix = f"sandboxctl[{config.name}]" if config.name else "sandboxctl"
        sys.stderr.write(f"{prefix}: {end.message}\n")
    return end.status
