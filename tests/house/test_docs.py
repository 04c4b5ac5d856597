"""The documents keep to the code: files that they name exist, commands that they show are known, the example runs."""

import re
import textwrap
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
TOPS = "sandboxctl|sentry|gofer|syscalls|tests|docs|benchmarks"
PATHS = re.compile(rf"`((?:{TOPS})/[\w./*-]+)`")
LINKS = re.compile(r"\]\(([^)#:]+)\)")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_named_files_exist(document):
    text = document.read_text()
    missing = [name for name in PATHS.findall(text) if not any(ROOT.glob(name.rstrip("/")))]
    missing += [link for link in LINKS.findall(text) if not (document.parent / link).exists()]
    assert not missing


def test_readme_commands_are_known():
    from sandboxctl.cli.commands import _COMMANDS

    shown = set(re.findall(r"sandboxctl (?:--\S+ \S+ )?([a-z][a-z-]+)", (ROOT / "README.md").read_text()))
    assert {"run", "doctor", "compat"} <= shown & set(_COMMANDS)


def test_make_targets_of_the_documents_exist():
    targets = set(re.findall(r"^([a-z-]+(?: [a-z-]+)*):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    known = {word for target in targets for word in target.split()}
    for document in DOCUMENTS:
        for word in re.findall(r"^    make ([a-z-]+)", document.read_text(), re.MULTILINE):
            assert word in known, f"{document.name}: make {word}"


def test_readme_example_runs(capsys):
    text = (ROOT / "README.md").read_text()
    block = text.partition("From Python:\n\n")[2].partition("\n## ")[0]
    exec(compile(textwrap.dedent(block), "README.md", "exec"), {})
    assert capsys.readouterr().out == "0 b'42\\n'\n"
