"""Reads what test runners print: JUnit XML, TAP, pytest -v or -rA, go test -json, cargo test, ctest, or only an exit status.

Each reader returns {} for a text that is not of its format. What a runner prints is not trusted: XML entities are not expanded.
"""

import json
import re
from collections.abc import Callable

from sandboxctl.compat.suite.outcome import WHOLE, Outcome, Outcomes, Verdict

_PYTEST = re.compile(r"^(\S+::.*?) (PASSED|FAILED|ERROR|SKIPPED|XFAIL|XPASS)\b", re.MULTILINE)
_PYTEST_SUMMARY = re.compile(r"^(PASSED|FAILED|ERROR|XFAIL|XPASS) (\S+::.*?)(?: - (.*))?$", re.MULTILINE)
_TAP = re.compile(r"^(ok|not ok)\b(?: +(\d+))?(?:[ -]+([^#\n]*))?(?:# *(SKIP|TODO)\b.*)?$", re.MULTILINE | re.IGNORECASE)
_CARGO = re.compile(r"^test (.+?) \.\.\. (ok|FAILED|ignored)", re.MULTILINE)
_CARGO_MESSAGE = re.compile(r"^---- (\S+) stdout ----\n(.*?)(?=\n\n|\Z)", re.MULTILINE | re.DOTALL)
_CTEST = re.compile(
    r"^ *\d+/\d+ Test +#\d+: (.+?) \.{2,} *(?:\*+)?(Passed|Failed|Not Run|Timeout|Skipped|Exception.*?)\b.*?([\d.]+) sec",
    re.MULTILINE,
)
_MESSAGE_MAX = 2000


def junit(text: str) -> Outcomes:
    """JUnit XML: a testcase with failure or error fails."""
    from xml.etree.ElementTree import ParseError, XMLParser

    if "<testsuite" not in text[:4096] or "<!ENTITY" in text or "<!DOCTYPE" in text:
        return {}
    parser = XMLParser()  # noqa: S314
    try:
        parser.feed(text)
        root = parser.close()
    except ParseError:
        return {}
    found: Outcomes = {}
    for case in root.iter("testcase"):
        names = [case.get("classname") or "", case.get("name") or "?"]
        name = "::".join(part for part in names if part)
        bad = [part for part in case if part.tag in ("failure", "error")]
        verdict = Verdict.FAIL if bad else Verdict.SKIP if any(part.tag == "skipped" for part in case) else Verdict.PASS
        message = "\n".join(f"{part.get('message') or ''}\n{part.text or ''}".strip() for part in bad)
        found[name] = Outcome(verdict, message[:_MESSAGE_MAX], _seconds(case.get("time")))
    return found


def _seconds(text: str | None) -> float:
    try:
        return float(text or 0)
    except ValueError:
        return 0.0


def pytest(text: str) -> Outcomes:
    """The lines of pytest -v, and the summary of -rA (of -ra, -rf: failures only), which has the messages."""
    verdicts = {"PASSED": Verdict.PASS, "XPASS": Verdict.PASS, "SKIPPED": Verdict.SKIP, "XFAIL": Verdict.SKIP}
    found = {name: Outcome(verdicts.get(word, Verdict.FAIL)) for name, word in _PYTEST.findall(text)}
    for word, name, message in _PYTEST_SUMMARY.findall(text):
        found[name] = Outcome(verdicts.get(word, Verdict.FAIL), message[:_MESSAGE_MAX])
    return found


def tap(text: str) -> Outcomes:
    """The Test Anything Protocol; SKIP and TODO are skips; a missing end of the plan is a failure."""
    plan = re.search(r"^1\.\.(\d+)", text, re.MULTILINE)
    if plan is None and not text.startswith("TAP version"):
        return {}
    found: Outcomes = {}
    lines = list(_TAP.finditer(text))
    ends = [line.start() for line in lines[1:]] + [len(text)]
    for line, end in zip(lines, ends, strict=True):
        word, number, title, directive = line.groups(default="")
        name = f"{number or len(found) + 1} {title.strip()}".strip()
        is_good = word.lower() == "ok"
        verdict = Verdict.SKIP if directive else Verdict.PASS if is_good else Verdict.FAIL
        # what is said of a test follows its line: comments, or a block of YAML
        found[name] = Outcome(verdict, "" if verdict is not Verdict.FAIL else text[line.end() : end].strip()[:_MESSAGE_MAX])
    if plan and len(found) < int(plan[1]):
        found["(plan)"] = Outcome(Verdict.FAIL, f"{len(found)} of {plan[1]} tests ran")
    return found


def go(text: str) -> Outcomes:
    """go test -json: one event a line."""
    found: Outcomes = {}
    said: dict[str, str] = {}
    words = {"pass": Verdict.PASS, "fail": Verdict.FAIL, "skip": Verdict.SKIP}
    for line in text.splitlines():
        if not line.startswith("{"):
            continue
        try:
            event = json.loads(line)
        except ValueError:
            continue
        if not isinstance(event, dict) or "Action" not in event or not event.get("Test"):
            continue
        name = f"{event.get('Package', '')}.{event['Test']}"
        if event["Action"] == "output":
            said[name] = (said.get(name, "") + str(event.get("Output", "")))[:_MESSAGE_MAX]
        elif event["Action"] in words:
            verdict = words[event["Action"]]
            found[name] = Outcome(verdict, said.get(name, "") if verdict is Verdict.FAIL else "", float(event.get("Elapsed", 0)))
    return found


def cargo(text: str) -> Outcomes:
    """The lines of cargo test."""
    verdicts = {"ok": Verdict.PASS, "FAILED": Verdict.FAIL, "ignored": Verdict.SKIP}
    said = dict(_CARGO_MESSAGE.findall(text))
    return {name: Outcome(verdicts[word], said.get(name, "")[:_MESSAGE_MAX]) for name, word in _CARGO.findall(text)}


def ctest(text: str) -> Outcomes:
    """The lines of ctest."""
    verdicts = {"Passed": Verdict.PASS, "Skipped": Verdict.SKIP}
    return {
        name: Outcome(verdicts.get(word, Verdict.FAIL), "" if word in verdicts else word, _seconds(seconds))
        for name, word, seconds in _CTEST.findall(text)
    }


READERS: dict[str, Callable[[str], Outcomes]] = {
    "junit": junit,
    "go": go,
    "ctest": ctest,
    "cargo": cargo,
    "tap": tap,
    "pytest": pytest,
}


def read(text: str, exit_status: int, form: str = "auto") -> tuple[str, Outcomes]:
    """The format that fits and the outcomes of one run. A bad exit status without a failed test is a failure of its own."""
    chosen: str = "status"
    found: Outcomes = {}
    for name, reader in READERS.items():
        if form in (name, "auto") and (found := reader(text)):
            chosen = name
            break
    if not found or (exit_status != 0 and all(outcome.verdict is not Verdict.FAIL for outcome in found.values())):
        tail = "\n".join(text.strip().splitlines()[-20:])[-_MESSAGE_MAX:]
        is_good = exit_status == 0
        found[WHOLE] = Outcome(Verdict.PASS if is_good else Verdict.FAIL, "" if is_good else f"exit status {exit_status}\n{tail}")
    return chosen, found
