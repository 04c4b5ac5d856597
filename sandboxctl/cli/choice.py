"""Which sandboxes a command is for: names, ``--all``, ``--latest``, ``--cidfile``, ``--filter``, with podman's meaning."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import click

from sandboxctl.cli.listing import parse_filters
from sandboxctl.cli.main import complain
from sandboxctl.errors import OptionError, SandboxError
from sandboxctl.state.folder import NotFound, States
from sandboxctl.state.record import CREATED, PAUSED, RUNNING, Record

F = TypeVar("F", bound=Callable[..., Any])
FILTERS = ("id", "name", "status", "label", "ancestor", "exited", "before", "since")
#: podman's words for what a record says
STATUS = {CREATED: "created", RUNNING: "running", PAUSED: "paused", "stopped": "exited"}
_CIDFILE_MAX = 4096


@dataclass(frozen=True, slots=True)
class Chosen:
    """A sandbox as it was named; ``found`` says so if there is none."""

    name: str
    found: "Record | SandboxError"

    @property
    def record(self) -> Record:
        """Raises NotFound."""
        if isinstance(self.found, SandboxError):
            raise self.found
        return self.found


@dataclass(frozen=True, slots=True)
class Choice:
    """The words and options of one command line."""

    names: Sequence[str]
    everything: bool = False
    latest: bool = False
    cidfiles: Sequence[str] = ()
    filters: Sequence[str] = ()
    #: say nothing of what there is not
    ignore: bool = False

    def find(self, known: States, fits: Callable[[Record], bool]) -> "list[Chosen]":
        """What is chosen; of ``--all`` and ``--filter`` those that ``fits`` holds for. Raises OptionError."""
        pairs = parse_filters(self.filters, FILTERS)
        if self.everything or pairs:
            if self.names or self.latest or self.cidfiles:
                raise OptionError("names, --latest and --cidfile do not go with --all and --filter; choose one")
            records = known.all()
            return [Chosen(record.id, record) for record in records if fits(record) and holds(record, pairs, records)]
        if self.latest:
            if self.names or self.cidfiles:
                raise OptionError("--latest and names contradict each other; leave one of them out")
            record = latest(known)
            return [Chosen(record.id, record)]
        names = [*self.names, *map(self._read, self.cidfiles)]
        if not names:
            raise OptionError("name a sandbox; see: sandboxctl ps -a")
        found = []
        for name in names:
            try:
                found.append(Chosen(name, known.find(name)))
            except NotFound as error:
                if not self.ignore:
                    found.append(Chosen(name, error))
        return found

    def _read(self, path: str) -> str:
        try:
            with open(path, encoding="ascii", errors="replace") as file:
                return file.read(_CIDFILE_MAX).strip()
        except OSError as error:
            if self.ignore and isinstance(error, FileNotFoundError):
                return "?"
            raise OptionError(f"--cidfile: cannot read {path}: {error.strerror}") from None


def choosing(*kinds: str) -> Callable[[F], F]:
    """Add the argument and the options ``all``, ``latest``, ``cidfile``, ``filter`` and ``ignore`` that are asked for."""
    options = {
        "all": click.option("-a", "--all", "everything", is_flag=True, help="All that it makes sense for."),
        "every": click.option("--all", "everything", is_flag=True, help="All that it makes sense for."),
        "latest": click.option("-l", "--latest", is_flag=True, help="The one that was created last."),
        "cidfile": click.option("--cidfile", "cidfiles", multiple=True, metavar="FILE", help="Read the id from a file."),
        "filter": click.option("--filter", "filters", multiple=True, metavar="NAME=VALUE", help=f"{', '.join(FILTERS)}."),
        "ignore": click.option("-i", "--ignore", is_flag=True, help="Say nothing of what there is not."),
    }
    if "filter" in kinds and "short" in kinds:
        names = ("-f", "--filter", "filters")
        options["filter"] = click.option(*names, multiple=True, metavar="NAME=VALUE", help=f"{', '.join(FILTERS)}.")

    def add(function: F) -> F:
        for kind in reversed([kind for kind in kinds if kind != "short"]):
            function = options[kind](function)
        return click.argument("names", nargs=-1, metavar="[SANDBOX...]", shell_complete=complete)(function)

    return add


def complete(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    """The names that begin so, for a shell's completion."""
    from sandboxctl.cli.detached import states

    return [record.name for record in states().all() if record.name.startswith(incomplete)]


def latest(known: States) -> Record:
    """The one that was created last. Raises SandboxError."""
    records = known.all()
    if not records:
        raise SandboxError("there is no sandbox; see: sandboxctl run -d")
    return records[-1]


def holds(record: Record, pairs: Sequence[tuple[str, str]], records: Sequence[Record]) -> bool:
    """Whether all filters hold; those of one name, but label, are alternatives (podman-ps(1)). Raises OptionError."""
    for name in {name for name, _ in pairs}:
        found = [_holds(record, name, value, records) for other, value in pairs if other == name]
        if not (all(found) if name == "label" else any(found)):
            return False
    return True


def _holds(record: Record, name: str, value: str, records: Sequence[Record]) -> bool:
    if name == "label":
        key, equals, wanted = value.partition("=")
        return key in record.labels and (not equals or record.labels[key] == wanted)
    if name in {"before", "since"}:
        other = next((one for one in records if value == one.name or one.id.startswith(value)), None)
        if other is None:
            raise OptionError(f"--filter {name}: no sandbox {value!r}")
        return record.created < other.created if name == "before" else record.created > other.created
    if name == "exited":
        return STATUS[record.status] == "exited" and str(record.exit_code) == value
    if name == "ancestor":
        return value in {record.image, record.image.rpartition("/")[2], record.image.partition(":")[0]}
    if name == "status":
        return value in {STATUS[record.status], record.status}
    return record.id.startswith(value) if name == "id" else value in record.name


def each(found: Sequence[Chosen], work: Callable[[Record], object]) -> int:
    """Do the work for each and print what it was for; what goes wrong is told, and the others go on. Returns the exit status."""
    status = 0
    for chosen in found:
        try:
            work(chosen.record)
        except SandboxError as error:
            status = complain(str(error), error.exit_code)
        else:
            click.echo(chosen.name)
    return status
