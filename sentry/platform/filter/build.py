"""Writes the cached BPF programs with libseccomp: ``python -m sentry.platform.filter.build``."""

import tempfile
from itertools import product
from pathlib import Path

import pyseccomp

from sentry.platform.filter.compose import PROFILES, VARIANT_LAYERS, variant
from sentry.platform.filter.table import ALLOW, Compare, Rule, rules_in_force
from syscalls.abi.nr_x86_64 import NUMBERS

DATA = Path(__file__).resolve().parent


def _argument(compare: Compare) -> "pyseccomp.Arg":
    if compare.is_negated:
        return pyseccomp.Arg(compare.argument, pyseccomp.NE, 0)
    return pyseccomp.Arg(compare.argument, pyseccomp.MASKED_EQ, compare.mask, compare.value)


def _add(program: "pyseccomp.SyscallFilter", rule: Rule) -> None:
    action = pyseccomp.ALLOW if rule.action == ALLOW else pyseccomp.TRACE(rule.traced_data)
    for one in rule.alternatives or ((),):
        program.add_rule(action, NUMBERS[rule.call], *(_argument(compare) for compare in one))


def compose(profile: str, layers: tuple[str, ...]) -> bytes:
    """Return libseccomp's program: what the table allows or traces, everything else notified."""
    program = pyseccomp.SyscallFilter(pyseccomp.NOTIFY)
    for rule in rules_in_force(profile, layers):
        _add(program, rule)
    with tempfile.TemporaryFile() as output:
        program.export_bpf(output)
        output.seek(0)
        return output.read()


def variants() -> list[tuple[str, tuple[str, ...]]]:
    """Every profile with every set of layers that matters to it."""
    subsets = [
        tuple(layer for layer, is_in in zip(VARIANT_LAYERS, choice, strict=True) if is_in)
        for choice in product((False, True), repeat=len(VARIANT_LAYERS))
    ]
    return list(product(PROFILES, subsets))


def main() -> None:
    """Write every variant."""
    for profile, layers in variants():
        (DATA / f"{variant(profile, layers)}.bpf").write_bytes(compose(profile, layers))


if __name__ == "__main__":
    main()
