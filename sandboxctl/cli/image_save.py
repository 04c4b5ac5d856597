"""``sandboxctl save``."""

import os
import sys

import click

from sandboxctl.errors import OptionError
from sandboxctl.images.describe import need
from sandboxctl.images.transport.save import FORMATS, Wanted, docker_archive, oci_archive, oci_dir
from sandboxctl.store.errors import ImageError
from sandboxctl.store.store import Store


@click.command("save")
@click.argument("images", nargs=-1, required=True, metavar="IMAGE...")
@click.option("-o", "--output", metavar="FILE", help="Where to.  [default: standard output]")
@click.option("--format", type=click.Choice(FORMATS), default="docker-archive", show_default=True, help="What to write.")
@click.option("-q", "--quiet", is_flag=True, help="Accepted for docker's sake: nothing is printed.")
@click.option("-m", "--multi-image-archive", is_flag=True, help="Accepted for podman's sake: several images are one archive.")
def command(images: tuple[str, ...], output: str | None, format: str, quiet: bool, multi_image_archive: bool) -> None:
    """Write images into an archive that docker, podman and skopeo read.

    \b
    Examples:
      sandboxctl save -o app.tar localhost/app
      sandboxctl save --format oci-archive localhost/app | ssh host podman load
    """
    store = Store()
    wanted = _wanted(store, images)
    if format == "oci-dir":
        if output is None:
            raise OptionError("--format oci-dir needs -o FOLDER")
        oci_dir(store, wanted, output)
        return
    write = oci_archive if format == "oci-archive" else docker_archive
    with store.adding():  # nothing that is being read is removed
        if output is None:
            if sys.stdout.isatty():
                raise OptionError("an archive is nothing for a terminal: use -o FILE, or a pipe")
            write(store, wanted, sys.stdout.buffer)
            return
        part = f"{output}.part-{os.getpid()}"
        try:
            with open(part, "xb") as file:
                write(store, wanted, file)
            os.rename(part, output)
        except OSError as error:
            raise ImageError(f"-o: cannot write {output!r}: {error.strerror}") from None
        finally:
            if os.path.lexists(part):
                os.unlink(part)


def _wanted(store: Store, images: tuple[str, ...]) -> list[Wanted]:
    """The images, each once, with all the names under which it was asked for."""
    found: dict[str, Wanted] = {}
    for text in images:
        name, image, digest = need(store.place, text)
        known = found.get(digest)
        own = (*(known.names if known else ()), *((name,) if name else ()))
        found[digest] = Wanted(image, digest, tuple(dict.fromkeys(own)))
    return list(found.values())
