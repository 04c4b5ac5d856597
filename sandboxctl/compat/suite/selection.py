"""How one test of a suite is run alone, by its format; None if the format has no way that any command understands."""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Selected:
    """The command and the variables that it wants in addition."""

    argv: Sequence[str]
    env: Mapping[str, str]


def select(form: str, argv: Sequence[str], test: str) -> Selected | None:
    """Change the command, or its surroundings, so that only ``test`` runs."""
    program = argv[0].rpartition("/")[2] if argv else ""
    if form == "pytest":
        name = test.rpartition("::")[2].partition("[")[0]
        # the command's own -k would win over the variable's
        return Selected(_without(argv, "-k"), {"PYTEST_ADDOPTS": f"-k {shlex.quote(name)}"}) if name.isidentifier() else None
    if form == "go" and program == "go":
        return Selected([*argv[:2], "-run", f"^{test.rpartition('.')[2].partition('/')[0]}$", *argv[2:]], {})
    if form == "cargo" and program == "cargo":
        separator = [] if "--" in argv else ["--"]
        return Selected([*argv, *separator, "--exact", test], {})
    if form == "ctest" and program == "ctest":
        return Selected([*argv, "-R", f"^{test}$"], {})
    return None


def _without(argv: Sequence[str], option: str) -> list[str]:
    kept: list[str] = []
    words = iter(argv)
    for word in words:
        if word == option:
            next(words, None)
        else:
            kept.append(word)
    return kept
