"""`sandboxctl compat scan`: what it finds without running a program, against what strace sees of a run."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SANDBOXCTL = Path(sys.executable).with_name("sandboxctl")
PROGRAMS = (
    "ls -lR .", "cat f", "sort f", "cp -a f g", "rm g", "mkdir d", "find .", "grep a f", "sed -i s/a/b/ f", "awk {print} f",
    "tar cf x.tar f", "gzip -kf f", "dash -c ls|cat", "date", "touch t", "ln -s t u", "stat f", "make -v", "git init q",
    "perl -e 1", "ps", "sleep 0", "id", "du .", "env true", "xargs -a f echo", "timeout 5 true",
)  # fmt: skip
LEAST = 0.95
DEBIAN = "/usr/bin:/bin"
CALL = re.compile(r"^(\d+) +(?:<\.\.\. )?([a-z][a-z0-9_]*)(?:\(| resumed)")
EXECUTED = re.compile(r'^(\d+) +execve\("([^"]+)".* = 0$')


def scan(*words, status=0):
    done = subprocess.run([SANDBOXCTL, "compat", "scan", *words], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == status, done.stderr
    return done


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed: apt-get install strace")
def test_it_finds_what_programs_do(tmp_path):
    (tmp_path / "f").write_text("b\na\n")
    log = tmp_path.parent / "strace.log"
    chosen = {words[0]: words for words in (text.split() for text in PROGRAMS) if shutil.which(words[0], path=DEBIAN)}
    assert len(chosen) >= 20, f"only {sorted(chosen)} are installed"
    paths = {name: str(Path(shutil.which(name, path=DEBIAN)).resolve()) for name in chosen}
    rows = json.loads(scan("--format", "json", *paths.values()).stdout)
    found = {row["path"]: {call["call"] for call in row["calls"]} for row in rows}
    table = []
    for name, words in chosen.items():
        command = ["strace", "-f", "-qq", "-o", log, *words]
        environment = {**os.environ, "PATH": DEBIAN}
        quiet = {"capture_output": True, "stdin": subprocess.DEVNULL, "env": environment}
        subprocess.run(command, cwd=tmp_path, timeout=120, check=False, **quiet)
        calls = calls_by_program(log.read_text(), paths[name])
        assert "execve" in calls[paths[name]]
        for path in calls.keys() & found.keys():
            table.append((name, path, len(calls[path]), sorted(calls[path] - found[path])))
    for name, path, count, missing in sorted(table):
        print(f"{name:10} {path:30} {count:4} calls, not found: {' '.join(missing) or '-'}")
    made, missed = sum(row[2] for row in table), sum(len(row[3]) for row in table)
    print(f"{made - missed} of {made} found: {100 * (made - missed) / made:.1f} %")
    assert made - missed >= LEAST * made, f"{missed} of {made} were not found"


def calls_by_program(text, first):
    """What each program has called, children followed: a process is another program once it has executed it."""
    programs, calls = {}, {}
    for line in text.splitlines():
        if match := EXECUTED.match(line):
            programs[match[1]] = str(Path(match[2]).resolve())
            calls.setdefault(programs[match[1]], set()).add("execve")
        elif (match := CALL.match(line)) and match[2] != "execve":
            calls.setdefault(programs.get(match[1], first), set()).add(match[2])
    return calls


def test_children_are_told_from_their_parents():
    text = '1 execve("/bin/a", [], 0) = 0\n1 fork() = 2\n2 close(3) = 0\n2 execve("/none/b", [], 0) = 0\n'
    text += '2 read(0 <unfinished ...>\n'
    text += '1 wait4(2 <unfinished ...>\n2 <... read resumed>) = 0\n2 execve("/none/c", [], 0) = -1 ENOENT\n'
    a = str(Path("/bin/a").resolve())
    assert calls_by_program(text, a) == {a: {"execve", "fork", "close", "wait4"}, "/none/b": {"execve", "read"}}


def test_levels_and_exit_status(tmp_path):
    source = tmp_path / "p.c"
    source.write_text("#include <unistd.h>\n#include <sys/syscall.h>\nint main(void) { return syscall(SYS_bpf, 0, 0, 0) > 0; }\n")
    program = tmp_path / "p"
    subprocess.run(["gcc", "-O1", str(source), "-o", str(program)], check=True)
    (row,) = json.loads(scan("--format", "json", str(program)).stdout)
    assert row["verdict"] == "perhaps"
    assert {"call": "bpf", "level": "refused", "in": "p"} in row["calls"]
    assert "bpf" in scan("--fail-on", "refused", str(program), status=3).stdout


def test_static_programs(tmp_path):
    source = tmp_path / "p.c"
    source.write_text("int main(void) { return 0; }\n")
    program = tmp_path / "p"
    subprocess.run(["gcc", "-static", str(source), "-o", str(program)], check=True)
    (row,) = json.loads(scan("--format", "json", str(program)).stdout)
    assert {"exit_group", "write", "brk"} <= {call["call"] for call in row["calls"]}


def test_what_cannot_run_here(tmp_path):
    text = tmp_path / "text"
    text.write_text("#!/bin/sh\n")
    foreign = tmp_path / "arm"
    foreign.write_bytes(b"\x7fELF\x02\x01\x01" + bytes(9) + b"\x02\x00\xb7\x00" + bytes(44))
    old = tmp_path / "i386"
    old.write_bytes(b"\x7fELF\x01\x01\x01" + bytes(9) + b"\x02\x00\x03\x00" + bytes(36))
    short = tmp_path / "short"
    short.write_bytes(b"\x7fELF\x02")
    lines = scan(str(text), str(foreign), str(short), str(old)).stdout.splitlines()
    assert lines[0] == f"{text}: no, no ELF file"
    assert lines[1].startswith(f"{foreign}: no, for another processor (AARCH64, 64 bits)")
    assert lines[2].startswith(f"{short}: no, a damaged ELF file")
    assert lines[3].startswith(f"{old}: no, for another processor (386, 32 bits)")
    assert "none: No such file or directory" in scan(str(tmp_path / "none"), status=125).stderr


def test_a_missing_library_is_told(tmp_path):
    (row,) = json.loads(scan("--format", "json", "--root", str(tmp_path), "/bin/true").stdout)
    assert row["verdict"] == "perhaps"
    assert row["problems"] == ["libc.so.6: not found"]
