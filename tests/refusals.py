"""Which commands, options and flags does nothing in a sandbox take? Asks every object there; part of ``make evidence``.

``guestlib/asker.py`` runs inside: it gets tables of words and values, and answers the errors.
"""

import json
from pathlib import Path
from typing import Any

from syscalls.abi import errno as errnos

ASKER = Path(__file__).with_name("guestlib") / "asker.py"
#: by the beginning of a table's title: the errors that refuse; any other may be due to the arguments
_REFUSALS = {
    "socket options": {errnos.ENOPROTOOPT, errnos.EOPNOTSUPP},
    "ioctl": {errnos.ENOTTY, errnos.EIO, errnos.EOPNOTSUPP},
    "prctl": {errnos.EINVAL, errnos.EPERM},
    "": {errnos.EINVAL, errnos.EPERM, errnos.EAFNOSUPPORT, errnos.ESOCKTNOSUPPORT, errnos.EPROTONOSUPPORT, errnos.EOPNOTSUPP},
}


def ask(box: Any, words: dict[str, dict[str, int]]) -> dict[str, dict[str, str]]:
    """By table, the words that everything refuses, with the errors. ``box`` is an open sandbox."""
    argv = ["/usr/bin/python3", "-I", "-c", ASKER.read_text()]
    done = box.run(argv, input=json.dumps(words).encode(), timeout=120)
    if done.exit_code != 0:
        raise RuntimeError(done.stderr.decode())
    found: dict[str, dict[str, str]] = {}
    for title, answers in json.loads(done.stdout).items():
        refusals = next(errors for prefix, errors in _REFUSALS.items() if title.startswith(prefix))
        kept = {word: " ".join(map(errnos.name, errors)) for word, errors in answers.items() if refusals.issuperset(errors)}
        if kept:
            found[title] = kept
    return found
