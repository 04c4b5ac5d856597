"""Changes limits and the restart policy of a sandbox, whether it runs or not."""

from sandboxctl.errors import SandboxError
from sandboxctl.state.folder import States
from sandboxctl.state.link import Link
from sandboxctl.state.record import Record


def update(
    states: States, record: Record, *, restart: str | None = None, memory: int | None = None, pids_limit: int | None = None
) -> None:
    """``None`` leaves a value as it is. Raises SandboxError with the reason if a running sandbox cannot take it."""
    if record.pid:
        link = Link(states.path(record.id))
        link.ask("update", restart=restart, memory=memory, pids_limit=pids_limit)
        link.close()
        return
    if (memory is not None or pids_limit is not None) and not record.config:
        raise SandboxError("container not running")
    states.change(record, **changed(record, restart, memory, pids_limit))
    states.note(record, "update")


def changed(record: Record, restart: str | None, memory: int | None, pids_limit: int | None) -> dict[str, object]:
    """The record's new values."""
    config = dict(record.config)
    if config and memory is not None:
        config["memory"] = memory
    if config and pids_limit is not None:
        config["pids_limit"] = pids_limit
    return {"config": config, "restart": record.restart if restart is None else restart}
