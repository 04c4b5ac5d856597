"""Figures against budget.toml, natively and in the sandbox, all measured in one run."""

import argparse
import json
import sys
import tomllib
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.groups import GROUPS
from benchmarks.measure import BenchmarkError, Row

_BUDGET = Path(__file__).resolve().parent / "budget.toml"


def limit_of(row: Row, budget: dict[str, Any]) -> tuple[str, bool | None]:
    """Return the budget as text and whether the row is within it (None: no budget, or no figure)."""
    entry = budget.get(row.group, {}).get(row.name, {})
    if "ratio" in entry:
        return f"<= {entry['ratio']:g}x", row.ratio <= entry["ratio"] if row.ratio is not None else None
    if "absolute" in entry:
        return f"<= {entry['absolute']:g} {row.unit}", row.sandbox <= entry["absolute"] if row.sandbox is not None else None
    return "", None


def print_table(row: Row, limit: str, within: bool | None) -> None:
    """Print one row."""
    sandbox = f"{row.sandbox:12.2f}" if row.sandbox is not None else f"{'-':>12}"
    native = f"{row.native:12.2f}" if row.native is not None else f"{'':>12}"
    ratio = f"{row.ratio:7.2f}x" if row.ratio is not None else " " * 8
    mark = {None: "", True: "ok", False: "OVER"}[within]
    print(f"{row.group:<10} {row.name:<30} {native} {sandbox} {row.unit:<3} {ratio}  {limit:<12} {mark} {row.note}", flush=True)


def main() -> int:
    """Measure; return 1 with ``--check`` if a row is over its budget, 2 if something could not be measured at all."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("groups", nargs="*", metavar="GROUP", help=f"of {', '.join(GROUPS)}; default: all")
    parser.add_argument("--platform", choices=("notify", "ptrace"))
    parser.add_argument("--format", choices=("table", "json"), default="table")
    parser.add_argument("--check", action="store_true", help="exit with 1 if a row is over its budget")
    options = parser.parse_args()
    unknown = set(options.groups) - set(GROUPS)
    if unknown:
        parser.error(f"no such group: {', '.join(sorted(unknown))}")
    budget = tomllib.loads(_BUDGET.read_text())
    found, broken = [], 0
    if options.format == "table":
        print(f"{'':<10} {'':<30} {'native':>12} {'sandbox':>12}")
    for name in options.groups or GROUPS:
        try:
            for row in GROUPS[name](options.platform):
                limit, within = limit_of(row, budget)
                found.append(
                    {
                        "group": row.group,
                        "name": row.name,
                        "unit": row.unit,
                        "native": row.native,
                        "sandbox": row.sandbox,
                        "ratio": row.ratio,
                        "budget": limit,
                        "within": within,
                        "note": row.note,
                    }
                )
                if options.format == "table":
                    print_table(row, limit, within)
        except BenchmarkError as error:
            broken += 1
            print(f"{name}: cannot be measured: {error}", file=sys.stderr)
    over = [row["name"] for row in found if row["within"] is False]
    if options.format == "json":
        print(json.dumps(found, indent=1))
    elif over:
        print(f"over budget: {', '.join(map(str, over))}")
    return 2 if broken else int(options.check and bool(over))


if __name__ == "__main__":
    sys.exit(main())
