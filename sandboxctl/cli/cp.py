"""``sandboxctl cp``."""

import os
import sys

import click

from sandboxctl.errors import OptionError
from sandboxctl.images.content import ImageContent
from sandboxctl.images.copy_out import CopyOut
from sandboxctl.images.describe import need
from sandboxctl.images.stored import hold, image_of
from sandboxctl.store.errors import ImageError
from sandboxctl.store.place import Place


@click.command("cp")
@click.argument("source", metavar="IMAGE:PATH")
@click.argument("target", metavar="DEST|-")
def command(source: str, target: str) -> None:
    """Copy a file or folder of an image to the host, or to standard output as a tar archive.

    An existing folder DEST gets it under its own name; PATH/. means what is in it. The copies belong to you.

    \b
    Examples:
      sandboxctl cp debian:12:/etc/os-release .
      sandboxctl cp app:/srv/. - | tar tv
    """
    name, _, path = source.rpartition(":")
    if not name or not path.startswith("/"):
        raise OptionError(f"{source!r} is not IMAGE:PATH with a path that begins with a slash")
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
