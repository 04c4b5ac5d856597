"""``sandboxctl doctor``: what this host allows, in plain words, with the remedy."""

import json
import sys

import click

from sandboxctl.cli.commands import Context
from sandboxctl.cli.table import columns
from sandboxctl.config import LAYERS, PLATFORMS
from sandboxctl.doctor.check import Check, Verdict
from sandboxctl.doctor.kernel import look
from sandboxctl.doctor.trial import Trial, attempt, check_memory


@click.command("doctor")
@click.option("--format", "form", type=click.Choice(("text", "json")), default="text", show_default=True)
@click.pass_obj
def command(context: Context, form: str) -> int:
    """Say what this host allows, which platform and jail layers are in force, what a trap costs, and what to change.

    Exit status: 0 if a sandbox works here, 125 if none does.

    \b
    Examples:
      sandboxctl doctor
      sandboxctl --platform ptrace doctor --format json
    """
    checks = look()
    trials = [attempt(name, context.profile) for name in PLATFORMS if context.platform in {None, name}]
    if any(not trial.error for trial in trials):
        checks.append(check_memory(trials))
    if form == "json":
        click.echo(json.dumps(_record(checks, trials), indent=1))
    else:
        _print(checks, trials)
    return 0 if any(not trial.error for trial in trials) else 125


def _record(checks: list[Check], trials: list[Trial]) -> dict[str, object]:
    return {
        "checks": [{"name": c.name, "verdict": c.verdict.value, "text": c.text, "remedy": c.remedy} for c in checks],
        "platforms": [
            {"name": t.platform, "error": t.error, "layers": list(t.layers), "start_ms": t.start_ms, "trap_ns": t.trap_ns}
            for t in trials
        ],
    }


def _print(checks: list[Check], trials: list[Trial]) -> None:
    is_terminal = sys.stdout.isatty()
    for line in columns(("host", "", ""), [(c.name, c.verdict.value, c.text) for c in checks], is_terminal=is_terminal):
        click.echo(line)
    click.echo()
    best = next((trial.platform for trial in trials if not trial.error), None)
    for trial in trials:
        if trial.error:
            click.echo(f"platform {trial.platform}: does not work here: {trial.error}")
            continue
        trap = f"{trial.trap_ns / 1000:.1f} µs a trap" if trial.trap_ns is not None else "trap not measured (no python3 here)"
        chosen = ", the one that is used" if trial.platform == best else ""
        click.echo(f"platform {trial.platform}: works{chosen}; {trap}; /bin/true from start to end {trial.start_ms:.0f} ms")
        click.echo(f"  layers in force: {', '.join(trial.layers)}")
        missing = [name for name in LAYERS if name not in trial.layers]
        if missing:
            click.echo(f"  not in force: {', '.join(missing)} (a missing one can be made fatal: --require NAME)")
    remedies = [(check.name, check.remedy) for check in checks if check.verdict is not Verdict.OK and check.remedy]
    if remedies:
        click.echo("\nWhat to change, if it matters to you:")
        for name, remedy in remedies:
            click.echo(f"  {name}: {remedy}")
