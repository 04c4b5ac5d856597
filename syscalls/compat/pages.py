"""The files of compat-matrix/: JSON, Markdown and one HTML page, from the matrix."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

from syscalls.compat import html
from syscalls.compat.applications import VERDICTS
from syscalls.compat.levels import LEVEL_TEXTS, LEVELS
from syscalls.compat.rows import matrix
from syscalls.registry import FAMILIES


def pages() -> dict[str, str]:
    """File name to text."""
    data = matrix()
    result = {"matrix.json": as_json(data), "README.md": overview(data), "tables.md": tables_page(data)}
    result["applications.md"] = applications_page(data["applications"])
    result["index.html"] = html.page(data)
    return result | {f"{family}.md": family_page(family, data) for family in FAMILIES}


def as_json(data: dict[str, Any]) -> str:
    """One row a line, so that a change is one line of a diff."""
    head = ",\n".join(f'  "{key}": {json.dumps(data[key])}' for key in ("arch", "evidence", "totals"))
    calls = ",\n".join("    " + json.dumps(line) for line in data["calls"])
    tables = ",\n".join("    " + _table_json(table) for table in data["tables"])
    applications = ",\n".join("    " + json.dumps(row) for row in data["applications"])
    named = (("calls", calls), ("tables", tables), ("applications", applications))
    lists = ",\n".join(f'  "{name}": [\n{text}\n  ]' for name, text in named)
    return f"{{\n{head},\n{lists}\n}}\n"


def _table_json(table: dict[str, Any]) -> str:
    rows = ",\n".join("      " + json.dumps(row) for row in table["rows"])
    return f'{{"title": {json.dumps(table["title"])}, "calls": {json.dumps(table["calls"])}, "rows": [\n{rows}\n    ]}}'


def overview(data: dict[str, Any]) -> str:
    """README.md: how to read it, totals by family."""
    proof = data["evidence"]
    lines = [
        "# Compatibility matrix",
        "",
        "Generated from the declarations beside the handlers and from the evidence in [evidence](evidence) by",
        "`python -m syscalls.compat`; do not edit. [index.html](index.html) is the same as one page to search and filter.",
        "[tables.md](tables.md) has commands, options, flags and files, [applications.md](applications.md) applications.",
        "[matrix.json](matrix.json) is the same as data; [matrix.schema.json](matrix.schema.json) describes it.",
        "",
        f"Evidence of {proof['date'] or 'no day yet'}, Linux {proof['kernel'] or '-'}: {proof['programs']} differential programs,"
        f" {proof['hold']} of them with equal results natively and on every platform (`make evidence`).",
        "",
        *(f"- *{level}*: {text}" for level, text in LEVEL_TEXTS.items()),
        "",
        "| family | " + " | ".join(LEVELS[:-1]) + " |",
        "| --- |" + " --- |" * (len(LEVELS) - 1),
    ]
    for family in FAMILIES:
        counts = Counter(line["level"] for line in data["calls"] if line.get("family") == family)
        lines.append(f"| [{family}]({family}.md) | " + " | ".join(str(counts[level]) for level in LEVELS[:-1]) + " |")
    totals = data["totals"]
    lines.append("| all | " + " | ".join(str(totals[level]) for level in LEVELS[:-1]) + " |")
    missing = [line["name"] for line in data["calls"] if line["level"] == "missing"]
    lines += ["", f"Missing ({len(missing)}): {', '.join(missing)}.", ""]
    return "\n".join(lines)


def family_page(family: str, data: dict[str, Any]) -> str:
    """<family>.md."""
    lines = [f"# {family}", "", "| call | level | note | served by | words that tests use | tests |", "| --- " * 6 + "|"]
    for line in data["calls"]:
        if line.get("family") == family:
            words = ", ".join(f"{word}" if state == "works" else f"({word})" for word, state in line.get("words", {}).items())
            cells = [line["name"], line["level"], line["note"], line["served"], words, str(len(line["tests"]) or "")]
            lines.append("| " + " | ".join(_cell(text) for text in cells) + " |")
    return "\n".join([*lines, "", "A word in parentheses gave the same error natively and in the sandbox in every test.", ""])


def tables_page(data: dict[str, Any]) -> str:
    """tables.md: commands, options, flags and files."""
    lines = ["# Commands, options, flags and files", ""]
    lines += ["*works*: a test uses it with success, natively and in the sandbox. *error*: tests see the same error in both.", ""]
    lines += ["*refused*: every object in a sandbox answers it with the error that is named; a real kernel may take it.", ""]
    for table in data["tables"]:
        lines += [f"## {table['title']}", ""]
        for state, text in _STATES:
            found = [_with_errors(row) for row in table["rows"] if row["state"] == state]
            if found:
                lines += [f"{text} ({len(found)}): {', '.join(_cell(name) for name in found)}.", ""]
    return "\n".join(lines)


_STATES = (("works", "Works"), ("error", "Error, as natively"), ("refused", "Refused"), ("untried", "No test uses it"))


def _with_errors(row: dict[str, Any]) -> str:
    return f"{row['name']} ({row['errors']})" if "errors" in row else str(row["name"])


def applications_page(rows: list[dict[str, Any]]) -> str:
    """applications.md: what was tried with each, and with which result."""
    totals = Counter(row["verdict"] for row in rows)
    lines = [
        "# Applications",
        "",
        "Each has a test in [tests/applications](../tests/applications) that does real work and checks its answers, natively and",
        "in the sandbox (`make test-applications`). A verdict without a pass on both sides is *unproven*.",
        "",
        ", ".join(f"{totals[verdict]} {verdict}" for verdict in VERDICTS) + ".",
        "",
        "| application | version | category | verdict | exercised | native, sandbox | notes |",
        "| --- " * 7 + "|",
    ]
    for row in rows:
        result = f"{row['native']}, {row['sandbox']} ({row['date']})" if row["date"] else ""
        cells = [row["name"], row["version"], row["category"], row["verdict"], row["exercised"], result, row["notes"]]
        lines.append("| " + " | ".join(_cell(text) for text in cells) + " |")
    return "\n".join([*lines, ""])


def stale(folder: Path) -> dict[str, str]:
    """The files whose text in ``folder`` is not what it should be."""
    return {name: text for name, text in pages().items() if not (folder / name).exists() or (folder / name).read_text() != text}


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
