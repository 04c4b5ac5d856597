"""``sandboxctl cp``."""

import os
import sys
from collections.abc import Callable

import click

from sandboxctl.cli.detached import states
from sandboxctl.errors import OptionError, SandboxError
from sandboxctl.images.content import ImageContent
from sandboxctl.images.copy_out import CopyOut
from sandboxctl.images.describe import need
from sandboxctl.images.stored import hold, image_of
from sandboxctl.state.copy import RemoteTree
from sandboxctl.state.folder import NotFound
from sandboxctl.state.idle import reach
from sandboxctl.store.errors import ImageError
from sandboxctl.store.place import Place


@click.command("cp")
@click.argument("source", metavar="SOURCE|-")
@click.argument("target", metavar="DEST|-")
@click.option("-a", "--archive/--no-archive", default=True, help="Into a sandbox: keep owners; else all is root's.")
def command(source: str, target: str, archive: bool) -> None:
    """Copy files between the host and a sandbox (SANDBOX:PATH), running or not, or out of an image (IMAGE:PATH).

    An existing folder DEST gets it under its own name; PATH/. means what is in it; - is a tar archive on our output or input.
    Copies on the host belong to you; in a sandbox they keep their owners' numbers.

    \b
    Examples:
      sandboxctl cp web:/var/log/app.log .
      sandboxctl cp ./config web:/etc/app/
      sandboxctl cp debian:12:/etc/os-release .
    """
    inside, outside = _remote(source), _remote(target)
    if inside is not None and outside is not None:
        raise OptionError("one of the two must be on the host; copy to the host first")
    if outside is not None:
        _sandbox(*outside, lambda tree, path: tree.from_host(source, path, keeps_owners=archive))
    elif inside is not None and _is_sandbox(inside[0]):
        _sandbox(*inside, lambda tree, path: tree.to_host(path, target))
    else:
        _from_image(source, target)


def _remote(text: str) -> tuple[str, str] | None:
    """(name, path) of NAME:PATH; None for a path of the host."""
    name, colon, path = text.rpartition(":")
    return (name, path) if colon and name and path.startswith("/") and not text.startswith(("/", ".")) else None


def _is_sandbox(name: str) -> bool:
    try:
        states().find(name)
    except NotFound:
        return False
    return True


def _sandbox(name: str, path: str, work: Callable[[RemoteTree, str], None]) -> None:
    with reach(states(), name) as link:
        tree = RemoteTree(link, name)
        try:
            work(tree, path)
        except OSError as error:
            raise SandboxError(f"cannot copy: {error.filename or name}: {error.strerror or error}") from None
    if tree.left_out:
        click.echo(f"sandboxctl: left out {tree.left_out} sockets or devices", err=True)


def _from_image(source: str, target: str) -> None:
    name, _, path = source.rpartition(":")
    if not name or not path.startswith("/"):
        raise OptionError(f"{source!r} is not SANDBOX:PATH or IMAGE:PATH with a path that begins with a slash")
    place = Place()
    image = image_of(place, name, need(place, name)[1])
    held = hold(image)
    try:
        copy = CopyOut(ImageContent(image))
        ino = copy.find(path)
        base = os.path.basename(os.path.normpath(path)) or "."
        try:
            if target == "-":
                copy.to_archive(ino, base, sys.stdout.buffer)
            else:
                _to_host(copy, ino, base, target, contents=path.endswith("/.") or base == ".")
        except OSError as error:
            raise ImageError(f"cannot write {target!r}: {error.strerror or error}") from None
    finally:
        os.close(held)
    if copy.left_out:
        click.echo(f"sandboxctl: left out {copy.left_out} FIFOs or devices; an archive (DEST -) can hold them", err=True)


def _to_host(copy: CopyOut, ino: int, base: str, target: str, *, contents: bool) -> None:
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
    if contents and not os.path.isdir(target):
        os.mkdir(target)
    into = target if os.path.isdir(target) else os.path.dirname(target.rstrip("/")) or "."
    folder = os.open(into, flags)
    try:
        if contents:
            copy.children_to_folder(ino, folder)
        else:
            copy.to_folder(ino, folder, os.fsencode(base if into == target else os.path.basename(target.rstrip("/"))))
    finally:
        os.close(folder)
