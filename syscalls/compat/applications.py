"""Applications that were tried: what tests/applications/applications.yml says, lowered to what the newest evidence shows."""

import json
from pathlib import Path
from typing import Any

_ROOT = Path(__file__).resolve().parents[2]
APPLICATIONS = _ROOT / "tests" / "applications" / "applications.yml"
EVIDENCE = _ROOT / "tests" / "evidence" / "applications"
VERDICTS = ("yes", "partial", "no", "unproven")
PASS = "pass"  # noqa: S105


def declared(path: Path = APPLICATIONS) -> list[dict[str, Any]]:
    """What the file says; a mistake in it is a ValueError that names the application."""
    import yaml

    result: list[dict[str, Any]] = yaml.safe_load(path.read_text())
    for entry in result:
        for key in ("name", "test", "version", "category", "verdict", "exercised"):
            if not isinstance(entry.get(key), str):
                raise ValueError(f"{path.name}: {entry.get('name')}: {key} must be a text")  # noqa: TRY004
        if entry["verdict"] not in VERDICTS[:3]:
            raise ValueError(f"{path.name}: {entry['name']}: verdict must be one of {', '.join(VERDICTS[:3])}")
        if entry["verdict"] != "yes" and not entry.get("notes"):
            raise ValueError(f"{path.name}: {entry['name']}: notes must say what does not work")
    return result


def proven(path: Path = APPLICATIONS, evidence: Path = EVIDENCE) -> list[dict[str, Any]]:
    """The rows of the matrix; a yes or partial without a pass on both sides is unproven."""
    results = _results(evidence)
    rows = []
    for entry in declared(path):
        found = results.get(entry["test"], {})
        row = {key: entry[key] for key in ("name", "version", "category", "verdict", "exercised", "test")}
        row["notes"] = entry.get("notes", "")
        row |= {key: found.get(key, "") for key in ("native", "sandbox", "date")}
        if row["verdict"] != "no" and not row["native"] == row["sandbox"] == PASS:
            row["verdict"] = "unproven"
        rows.append(row)
    return sorted(rows, key=lambda row: (row["category"], row["name"].lower()))


def _results(folder: Path) -> dict[str, dict[str, str]]:
    """The newest result of each test."""
    results: dict[str, dict[str, str]] = {}
    for path in sorted(folder.glob("*.json")):
        record = json.loads(path.read_text())
        for result in record.get("details", ()):
            results[result["application"]] = {**result, "date": record["date"][:10]}
    return results
