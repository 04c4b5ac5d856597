"""``sandboxctl images``."""

import fnmatch
from collections.abc import Callable

import click

from sandboxctl.cli import human
from sandboxctl.cli.listing import parse_filters, print_rows
from sandboxctl.errors import OptionError
from sandboxctl.images.describe import Named, listed, need
from sandboxctl.store.place import Place, hex_of

_COLUMNS = {"REPOSITORY": "Repository", "TAG": "Tag", "IMAGE ID": "ID", "CREATED": "CreatedSince", "SIZE": "Size"}
_FILTERS = ("dangling", "reference", "label", "id", "before", "since")


@click.command("images")
@click.argument("name", required=False)
@click.option("-q", "--quiet", is_flag=True, help="Ids only.")
@click.option("-a", "--all", is_flag=True, help="Accepted for docker's sake: there are no hidden images.")
@click.option("-n", "--noheading", is_flag=True, help="No heading.")
@click.option("--digests", is_flag=True, help="Also the manifests' digests.")
@click.option("--no-trunc", is_flag=True, help="Ids in full.")
@click.option("--format", metavar="TEMPLATE|json", help="A Go template, for example '{{.Repository}}:{{.Tag}}'.")
@click.option("-f", "--filter", "filters", multiple=True, metavar="NAME=VALUE", help=f"{', '.join(_FILTERS)}.")
def command(
    name: str | None,
    quiet: bool,
    all: bool,
    noheading: bool,
    digests: bool,
    no_trunc: bool,
    format: str | None,
    filters: tuple[str, ...],
) -> None:
    """List the images of the store, the newest first.

    \b
    Examples:
      sandboxctl images
      sandboxctl images --filter dangling=true -q
      sandboxctl images --format '{{.ID}} {{.Size}}'
    """
    place = Place()
    tests = _tests(place, filters)
    if name is not None:
        tests.append(_reference(name))
    rows = [row(named, no_trunc=no_trunc) for named in listed(place) if all_of(tests, named)]
    if quiet:
        for image_id in dict.fromkeys(row["ID"] for row in rows):
            click.echo(image_id)
        return
    columns = dict(_COLUMNS)
    if digests:
        columns = {"REPOSITORY": "Repository", "TAG": "Tag", "DIGEST": "Digest", **_COLUMNS}
    print_rows(rows, columns, format, heading=not noheading)


def row(named: Named, *, no_trunc: bool = False) -> dict[str, object]:
    """The fields of one line."""
    image = named.image
    digits = hex_of(image.id)
    return {
        "ID": f"sha256:{digits}" if no_trunc else digits[:12],
        "Id": digits,
        "Repository": named.repository,
        "Tag": named.tag,
        "Names": [f"{named.repository}:{named.tag}"] if named.tag != "<none>" else [],
        "Digest": named.manifest,
        "Created": image.created,
        "CreatedAt": image.created,
        "CreatedSince": human.ago(image.created),
        "Size": human.size(image.size),
        "VirtualSize": image.size,
        "Labels": image.config.labels,
        "Architecture": image.architecture,
        "Os": image.os,
    }


Test = Callable[[Named], bool]


def all_of(tests: list[Test], named: Named) -> bool:
    """Whether an image passes all tests."""
    return all(test(named) for test in tests)


def _tests(place: Place, filters: tuple[str, ...]) -> list[Test]:
    return [_test(place, name, value) for name, value in parse_filters(filters, _FILTERS)]


def _test(place: Place, name: str, value: str) -> Test:
    if name == "dangling":
        if value not in {"true", "false"}:
            raise OptionError(f"--filter: dangling={value!r} must be true or false")
        return lambda named: (named.tag == "<none>") == (value == "true")
    if name == "reference":
        return _reference(value)
    if name == "label":
        key, equals, wanted = value.partition("=")
        return lambda named: key in named.image.config.labels and (not equals or named.image.config.labels[key] == wanted)
    if name == "id":
        return lambda named: hex_of(named.image.id).startswith(value.removeprefix("sha256:"))
    border = need(place, value)[1].created
    if name == "before":
        return lambda named: named.image.created < border
    return lambda named: named.image.created > border


def _reference(pattern: str) -> Test:
    def test(named: Named) -> bool:
        whole = f"{named.repository}:{named.tag}"
        parts = whole.split("/")
        endings = ["/".join(parts[at:]) for at in range(len(parts))]
        return any(
            fnmatch.fnmatchcase(text, pattern) or fnmatch.fnmatchcase(text.rpartition(":")[0], pattern) for text in endings
        )

    return test
