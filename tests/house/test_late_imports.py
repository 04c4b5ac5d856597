"""Every import inside a function of the sentry is on the list of ``sentry/boot/late.py``, or happens before root is given up."""

import ast
from pathlib import Path

from sentry.boot.late import MODULES, OPTIONAL

ROOT = Path(__file__).resolve().parents[2]
#: functions that run before the drop (or in tests and builds only)
EARLY = {"load", "choose_platform", "prepare_privileged", "fill_from_host", "drain_to_host", "main", "build"}


def late_imports():
    for path in sorted(ROOT.glob("sentry/**/*.py")):
        for function in ast.walk(ast.parse(path.read_text())):
            if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef) and function.name not in EARLY:
                for node in ast.walk(function):
                    if isinstance(node, ast.Import):
                        yield from ((path, {alias.name}) for alias in node.names)
                    elif isinstance(node, ast.ImportFrom):
                        yield path, {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}


def test_the_list_is_complete():
    known = {*MODULES, *OPTIONAL}
    missing = [f"{path.relative_to(ROOT)}: {sorted(names)}" for path, names in late_imports() if not names & known]
    assert not missing
