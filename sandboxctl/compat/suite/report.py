"""The report of a comparison: JSON, Markdown, and one HTML page without anything from elsewhere. Texts of tests are untrusted."""

import json
import platform
from collections import Counter
from datetime import UTC, datetime
from html import escape
from typing import Any

from sandboxctl.compat.suite.classify import failing
from sandboxctl.compat.suite.comparison import Comparison
from sandboxctl.compat.suite.outcome import Outcome

_STYLE = """
:root { color-scheme: light dark; --good: #2e7d32; --bad: #c62828; --bar: #1565c0; --line: #8884; }
@media (prefers-color-scheme: dark) { :root { --good: #81c784; --bad: #ef9a9a; --bar: #64b5f6; } }
body { font: 16px/1.45 system-ui, sans-serif; max-width: 60rem; margin: auto; padding: 1rem; overflow-wrap: anywhere; }
table { border-collapse: collapse; width: 100%; }
td, th { text-align: left; padding: .3rem .5rem; border-top: 1px solid var(--line); }
code, pre { font: 13px/1.4 ui-monospace, monospace; overflow-wrap: anywhere; white-space: pre-wrap; }
.bar { display: grid; grid-template-columns: minmax(8rem, 14rem) 1fr; gap: .5rem; align-items: center; margin: .2rem 0; }
.bar i { display: block; height: 1rem; background: var(--bar); border-radius: 2px; }
.bad { color: var(--bad); } .good { color: var(--good); }
"""


def as_data(result: Comparison, command: str) -> dict[str, Any]:
    """Plain data; the other forms are written from it."""
    return {
        "command": command,
        "date": datetime.now(tz=UTC).isoformat(timespec="seconds"),
        "kernel": platform.release(),
        "format": result.form,
        "repeat": result.repeat,
        "totals": result.totals(),
        "classes": dict(Counter(str(finding.kind) for finding in result.findings)),
        "seconds": {"native": [round(s, 3) for s in result.native_s], "sandbox": [round(s, 3) for s in result.inside_s]},
        "notes": result.notes,
        "differences": [
            {
                "test": finding.test,
                "class": str(finding.kind),
                "reason": finding.reason,
                "first_call": finding.first_call,
                "message": finding.message,
                "native": _words(result.native[finding.test]),
                "sandbox": _words(result.inside[finding.test]),
            }
            for finding in result.findings
        ],
        "tests": [
            {"test": test, "native": _words(runs), "sandbox": _words(result.inside[test])}
            for test, runs in result.native.items()
            if failing(runs) == failing(result.inside[test]) or failing(runs) == len(runs)
        ],
    }


def _words(runs: list[Outcome | None]) -> list[str]:
    return ["missing" if outcome is None else str(outcome.verdict) for outcome in runs]


def as_json(data: dict[str, Any]) -> str:
    """For machines."""
    return json.dumps(data, indent=1) + "\n"


def as_markdown(data: dict[str, Any]) -> str:
    """For a bug report."""
    lines = [f"# {_inline(data['command'])}, natively and in the sandbox", "", _summary(data), ""]
    lines += [f"- {name}: {count}" for name, count in data["classes"].items()]
    for one in data["differences"]:
        lines += ["", f"## {_inline(one['test'])}", "", f"**{one['class']}**: {one['reason']}.", ""]
        lines.append(f"Natively {', '.join(one['native'])}; in the sandbox {', '.join(one['sandbox'])}.")
        if one["first_call"]:
            lines += ["", "First call that differs:", "", f"    {one['first_call']}"]
        if one["message"]:
            lines += ["", *(f"    {line}" for line in one["message"].splitlines())]
    lines += ["", *(f"Note: {note}." for note in data["notes"])]
    return "\n".join(lines).rstrip() + "\n"


def _inline(text: str) -> str:
    return f"`{text.replace('`', chr(39)).replace(chr(10), ' ')}`"


def _summary(data: dict[str, Any]) -> str:
    counts = ", ".join(f"{count} {name}" for name, count in data["totals"].items())
    return f"{counts}; {data['repeat']} runs each, read as {data['format']}; {data['date']}, Linux {data['kernel']}."


def as_html(data: dict[str, Any]) -> str:
    """For people: totals and times as bars, then each difference."""
    totals = data["totals"]
    parts = [f"<h1><code>{escape(data['command'])}</code></h1><p>{escape(_summary(data))}</p>", "<h2>Tests</h2>", _bars(totals)]
    if data["classes"]:
        parts += ["<h2>Classes of differences</h2>", _bars(data["classes"])]
    parts += ["<h2>Seconds a run</h2>", _bars({name: min(values, default=0) for name, values in data["seconds"].items()})]
    parts.append("<h2>Differences</h2>" if data["differences"] else '<p class="good">No differences.</p>')
    for one in data["differences"]:
        parts.append(
            f"<h3><code>{escape(one['test'])}</code></h3><p><b class='bad'>{escape(one['class'])}</b>: {escape(one['reason'])}. "
            f"Natively {escape(', '.join(one['native']))}; in the sandbox {escape(', '.join(one['sandbox']))}.</p>"
        )
        if one["first_call"]:
            parts.append(f"<p>First call that differs:</p><pre>{escape(one['first_call'])}</pre>")
        if one["message"]:
            parts.append(f"<details><summary>Message</summary><pre>{escape(one['message'])}</pre></details>")
    parts += [f"<p>{escape(note)}.</p>" for note in data["notes"]]
    cells = ((f"<code>{escape(row['test'])}</code>", " ".join(row["native"]), " ".join(row["sandbox"])) for row in data["tests"])
    rows = "".join(f"<tr><td>{'</td><td>'.join(row)}</td></tr>" for row in cells)
    table = f"<table><tr><th>test</th><th>natively</th><th>sandbox</th></tr>{rows}</table>"
    parts.append(f"<details><summary>All other tests</summary>{table}</details>")
    head = '<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
    body = "\n".join(parts)
    return f"<!doctype html>\n<html lang=en>{head}<title>compat test</title><style>{_STYLE}</style>\n{body}\n</html>\n"


def _bars(values: dict[str, float]) -> str:
    most = max(values.values(), default=0) or 1
    return "".join(
        f'<div class="bar"><span>{escape(name)}: {value:g}</span><i style="width: {100 * value / most:.1f}%"></i></div>'
        for name, value in values.items()
    )
