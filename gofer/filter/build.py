"""Compiles the rules with libseccomp into the BPF programs that the gofer loads: ``python -m gofer.filter.build``.

The programs are package data, so that no start pays for compiling and no libseccomp is needed at run time; a test checks that
they are fresh.
"""

import sys
from pathlib import Path
from tempfile import TemporaryFile

import pyseccomp as seccomp

from gofer.filter.rules import NETWORK, READING, WRITING, Rule

HERE = Path(__file__).resolve().parent
ARCHITECTURES = {"x86_64": seccomp.Arch.X86_64, "aarch64": seccomp.Arch.AARCH64}


def compile_rules(rules: tuple[Rule, ...], arch: str) -> bytes:
    """The BPF program of an allow-list: KILL_PROCESS for everything else, x32 and foreign architectures included."""
    compiled = seccomp.SyscallFilter(defaction=seccomp.KILL_PROCESS)
    compiled.set_attr(seccomp.Attr.ACT_BADARCH, seccomp.KILL_PROCESS)
    wanted = ARCHITECTURES[arch]
    native = seccomp.system_arch()
    if wanted != native:
        compiled.add_arch(wanted)
        compiled.remove_arch(native)
    for rule in rules:
        compiled.add_rule(seccomp.ALLOW, rule.call, *(_argument(test) for test in rule.tests))
    with TemporaryFile() as file:
        compiled.export_bpf(file)
        file.seek(0)
        return file.read()


def _argument(test: tuple[int, str, int] | tuple[int, str, int, int]) -> seccomp.Arg:
    if test[1] == "masked":
        return seccomp.Arg(test[0], seccomp.MASKED_EQ, test[2], test[3])  # type: ignore[misc]
    return seccomp.Arg(test[0], seccomp.EQ, test[2])


def programs() -> dict[str, bytes]:
    """File name to program, for every architecture and both kinds of gofer."""
    made = {}
    for arch in ARCHITECTURES:
        made[f"ro.{arch}.bpf"] = compile_rules(READING, arch)
        written = {rule.call for rule in WRITING}
        both = (*(rule for rule in READING if rule.call not in written), *WRITING)
        made[f"rw.{arch}.bpf"] = compile_rules(both, arch)
        made[f"net.{arch}.bpf"] = compile_rules(NETWORK, arch)
    return made


def main() -> None:
    """Write the programs beside this file."""
    for name, program in programs().items():
        (HERE / name).write_bytes(program)
        sys.stdout.write(f"{name}: {len(program) // 8} instructions\n")


if __name__ == "__main__":
    main()
