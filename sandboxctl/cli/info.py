"""``sandboxctl info``."""

import json
import os
import platform
from typing import Any

import click

from sandboxctl import __version__
from sandboxctl.cli.detached import states
from sandboxctl.cli.template import Template
from sandboxctl.images.describe import listed
from sandboxctl.state.record import CREATED, PAUSED, RUNNING, STOPPED
from sandboxctl.store.place import Place


def _found() -> dict[str, Any]:
    """podman's names where it has them."""
    known = states()
    place = Place()
    statuses = [record.status for record in known.all()]
    return {
        "host": {
            "arch": "amd64",
            "cpus": len(os.sched_getaffinity(0)),
            "kernel": platform.release(),
            "memTotal": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
            "os": "linux",
            "security": {"rootless": os.geteuid() != 0},
        },
        "store": {
            "containerStore": {
                "number": len(statuses),
                "created": statuses.count(CREATED),
                "running": statuses.count(RUNNING),
                "paused": statuses.count(PAUSED),
                "stopped": statuses.count(STOPPED),
            },
            "graphRoot": place.root,
            "runRoot": known.folder,
            "imageStore": {"number": len({found.image.id for found in listed(place)})},
        },
        "version": {"Version": __version__, "PythonVersion": platform.python_version()},
    }


@click.command("info")
@click.option("-f", "--format", metavar="TEMPLATE|json", help="A Go template, for example '{{.store.graphRoot}}'.")
def command(format: str | None) -> None:
    """Show the host, the places of images and sandboxes, and how many there are. What the host allows: sandboxctl doctor.

    \b
    Example:
      sandboxctl info --format '{{.host.arch}}'
    """
    found = _found()
    if format is not None and format != "json":
        click.echo(Template(format).render(found))
    else:
        click.echo(json.dumps(found, indent=2))
