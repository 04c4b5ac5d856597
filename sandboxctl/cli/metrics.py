"""``sandboxctl metrics``: the text format of Prometheus, for a scraper of files (node_exporter's textfile collector)."""

from collections.abc import Iterator

import click

from sandboxctl import __version__
from sandboxctl.cli.detached import states
from sandboxctl.cli.stats import usage
from sandboxctl.state.folder import States
from sandboxctl.state.record import CREATED, PAUSED, RUNNING, STOPPED

_LABELS = ("id", "name", "image")


class _Collector:
    """What prometheus_client asks for metrics."""

    def __init__(self, known: States) -> None:
        self._known = known

    def collect(self) -> Iterator[object]:
        """Look at every sandbox once."""
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily

        records = self._known.all()
        yield InfoMetricFamily("sandboxctl", "The program that tells this.", value={"version": __version__})
        count = GaugeMetricFamily("sandboxctl_sandboxes", "Sandboxes by their state.", labels=("state",))
        for status in (CREATED, RUNNING, PAUSED, STOPPED):
            count.add_metric((status,), sum(record.status == status for record in records))
        yield count
        cpu = CounterMetricFamily("sandboxctl_cpu_seconds", "Processor time of the living processes.", labels=_LABELS)
        memory = GaugeMetricFamily("sandboxctl_memory_bytes", "Resident memory of the processes.", labels=_LABELS)
        limit = GaugeMetricFamily("sandboxctl_memory_limit_bytes", "The memory limit, where there is one.", labels=_LABELS)
        processes = GaugeMetricFamily("sandboxctl_processes", "Processes.", labels=_LABELS)
        tasks = GaugeMetricFamily("sandboxctl_tasks", "Threads.", labels=_LABELS)
        restarts = CounterMetricFamily("sandboxctl_restarts", "Restarts by policy.", labels=_LABELS)
        started = GaugeMetricFamily("sandboxctl_start_time_seconds", "When it started, since the epoch.", labels=_LABELS)
        for record in records:
            now = usage(self._known, record) if record.is_alive else None
            if now is None:
                continue
            labels = (record.id, record.name, record.image)
            cpu.add_metric(labels, now.cpu_ns / 1e9)
            memory.add_metric(labels, now.memory)
            processes.add_metric(labels, now.pids)
            tasks.add_metric(labels, now.tasks)
            restarts.add_metric(labels, record.restarts)
            started.add_metric(labels, record.started)
            if now.memory_limit:
                limit.add_metric(labels, now.memory_limit)
        yield from (cpu, memory, limit, processes, tasks, restarts, started)


@click.command("metrics")
def command() -> None:
    """Print figures of all sandboxes in Prometheus' text format.

    \b
    Example:
      sandboxctl metrics >/var/lib/node_exporter/sandboxctl.prom
    """
    from prometheus_client import CollectorRegistry, generate_latest

    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Collector(states()))  # type: ignore[arg-type]
    click.echo(generate_latest(registry).decode("ascii", "backslashreplace"), nl=False)
