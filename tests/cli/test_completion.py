"""The completion scripts, in the shells themselves."""

import os
import shutil
import subprocess

import pytest

from .conftest import SANDBOXCTL, TIME_MAX

BASH = r"""
source "$1/script"; shift
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
_sandboxctl_completion sandboxctl
printf '%s\n' "${COMPREPLY[@]}"
"""
FISH = 'source $argv[1]/script; complete --do-complete "$argv[2..]" | string split --fields 1 \\t'
#: the word in an editor of its own, on a terminal; what the editor then shows
ZSH = r"""
zmodload zsh/zpty
zpty shell zsh -f -i
zpty -w shell "fpath=($1 \$fpath); autoload -U compinit; compinit -u -D; bindkey '^I' complete-word; print SET\"\"UP"
zpty -r -m shell shown '*SETUP*'
zpty -n -w shell "${*[2,-1]}"$'\t'
zpty -r -m shell shown "*$EXPECTED*" && print found
zpty -d shell
"""


@pytest.fixture
def complete(call, tmp_path):
    """Run a shell with our completion script in the folder that is its first argument."""

    def run(shell, program, *words, **variables):
        if shutil.which(shell) is None:
            pytest.skip(f"needs Debian's package {shell}")
        script = tmp_path / ("_sandboxctl" if shell == "zsh" else "script")
        script.write_text(call("completion", shell).stdout)
        environment = {**call.environment, **variables, "PATH": f"{SANDBOXCTL.parent}:{os.environ['PATH']}", "TERM": "dumb"}
        plain = {"bash": ["--norc"], "fish": ["--no-config"], "zsh": ["-f"]}[shell]
        command = [shell, *plain, "-c", program, *(["sh"] if shell != "fish" else []), str(tmp_path), *words]
        done = subprocess.run(command, capture_output=True, text=True, timeout=TIME_MAX, check=False, env=environment)
        assert done.returncode == 0, done.stderr
        return done.stdout.split()

    return run


def test_bash(call, complete):
    name = call.name("completed")
    call("create", "--name", name, "host", "true")
    assert complete("bash", BASH, "sandboxctl", "vol") == ["volume"]
    assert complete("bash", BASH, "sandboxctl", "run", "--netw") == ["--network", "--network-log", "--network-pcap"]
    assert complete("bash", BASH, "sandboxctl", "start", name[:-2]) == [name]


def test_fish(complete):
    assert complete("fish", FISH, "sandboxctl", "vol") == ["volume"]
    assert complete("fish", FISH, "sandboxctl", "volume", "pr") == ["prune"]


def test_zsh(complete):
    assert complete("zsh", ZSH, "sandboxctl", "volume", "insp", EXPECTED="inspect") == ["found"]
