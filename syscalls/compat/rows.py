"""The rows of the matrix: what the code declares, lowered to what the evidence shows."""

from collections import Counter
from pathlib import Path
from typing import Any

from syscalls.abi import errno as errnos
from syscalls.abi.nr_x86_64 import NAMES
from syscalls.compat import applications, tables
from syscalls.compat.evidence import TARGETS, Evidence, load
from syscalls.compat.levels import LEVELS
from syscalls.registry import Entry, Support, build_table

ROOT = Path(__file__).resolve().parents[2]
MATRIX = ROOT / "compat-matrix"
EVIDENCE = MATRIX / "evidence" / "syscalls.json"


def row(nr: int, entry: Entry | None, evidence: Evidence | None) -> dict[str, Any]:
    """One line of the matrix; without any evidence at hand (an installed wheel) levels are as declared."""
    name = NAMES[nr]
    if entry is None:
        return {"nr": nr, "name": name, "level": "missing", "note": "ENOSYS", "served": "", "tests": []}
    proofs = list(evidence.of(name)) if evidence is not None else []
    level = entry.support.value
    is_claim = evidence is not None and entry.support in (Support.FULL, Support.PARTIAL)
    if is_claim and not any(used.succeeded for _, used in proofs):
        level = "unproven"
    result: dict[str, Any] = {
        "nr": nr,
        "name": name,
        "family": entry.family,
        "man": entry.man,
        "level": level,
        "note": f"{errnos.name(entry.errno)}: {entry.note}" if entry.errno else entry.note,
        "served": _served(entry),
        "arguments": [f"{argument.kind.name} {argument.name}" for argument in entry.arguments],
        "errors": sorted({error for _, used in proofs for error in used.errors}),
        "tests": sorted(proof.name for proof, _ in proofs),
    }
    if entry.native:
        result["native"] = {"reason": entry.native, "condition": entry.condition or "always"}
    words = tables.words_of(name, evidence) if evidence is not None else {}
    if words:
        result["words"] = words
    return result


def _served(entry: Entry) -> str:
    if entry.support is Support.REFUSED:
        return "refused"
    if entry.native:
        return "host" if not entry.condition else "host, else sentry"
    return "sentry, then host" if entry.proceeds else "sentry"


def installed_rows() -> list[dict[str, Any]]:
    """One record for each number, with the evidence if it is here."""
    evidence = load(EVIDENCE) if EVIDENCE.exists() else None
    table = build_table()
    return [row(nr, table[nr], evidence) for nr in sorted(NAMES)]


def matrix(path: Path = EVIDENCE) -> dict[str, Any]:
    """The whole matrix."""
    evidence = load(path)
    table = build_table()
    rows = [row(nr, table[nr], evidence) for nr in sorted(NAMES)]
    totals = Counter(line["level"] for line in rows)
    return {
        "arch": "x86_64",
        "evidence": {
            "date": evidence.date,
            "kernel": evidence.kernel,
            "programs": len(evidence.proofs),
            "hold": sum(proof.holds for proof in evidence.proofs),
            "targets": {target: _counts(evidence, target) for target in TARGETS},
        },
        "totals": {level: totals[level] for level in LEVELS},
        "calls": rows,
        "tables": tables.all_tables(evidence),
        "applications": applications.proven(),
    }


def _counts(evidence: Evidence, target: str) -> int:
    return sum(proof.results.get(target) == "pass" for proof in evidence.proofs)
