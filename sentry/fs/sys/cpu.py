"""/sys/devices/system/cpu (Linux: Documentation/ABI/testing/sysfs-devices-system-cpu); frequencies are not shown."""

from typing import TYPE_CHECKING

from sentry.fs.synthetic.tree import File, Plan, Symlink
from sentry.host import procfs

if TYPE_CHECKING:
    from sentry.kernel.task import Task


def ranges(numbers: list[int]) -> bytes:
    """The list format of cpuset(7): ``0-3,7``."""
    parts: list[bytes] = []
    start = previous = None
    for number in [*numbers, None]:
        if previous is not None and number == previous + 1:
            previous = number
            continue
        if start is not None and previous is not None:
            parts.append(b"%d" % start if start == previous else b"%d-%d" % (start, previous))
        start = previous = number
    return b",".join(parts)


def mask(numbers: list[int]) -> bytes:
    """The mask format of cpuset(7), without leading groups of zeros."""
    value = sum(1 << number for number in numbers)
    groups: list[bytes] = []
    while value or not groups:
        groups.append(b"%x" % (value & 0xFFFFFFFF) if value >> 32 == 0 else b"%08x" % (value & 0xFFFFFFFF))
        value >>= 32
    return b",".join(reversed(groups))


def cpu_plan() -> Plan:
    """The processors that the sandbox may use, as if there were no others."""
    numbers = procfs.processors()
    listed = ranges(numbers) + b"\n"

    def lists(viewer: "Task") -> bytes:
        return listed

    tree: dict[bytes, File | Plan] = {
        b"enabled": File(lists),
        b"isolated": File(b"\n"),
        b"kernel_max": File(b"8191\n"),
        b"modalias": File(b"cpu:type:x86\n"),
        b"offline": File(b"\n"),
        b"online": File(lists),
        b"possible": File(lists),
        b"present": File(lists),
        b"smt": {b"active": File(b"0\n"), b"control": File(b"notsupported\n")},
        b"vulnerabilities": {},
    }
    for index, number in enumerate(numbers):
        tree[b"cpu%d" % number] = {
            b"node0": Symlink(b"../../node/node0"),
            b"online": File(b"1\n"),
            b"topology": {
                b"core_id": File(b"%d\n" % index),
                b"cluster_cpus": File(mask([number]) + b"\n"),
                b"cluster_cpus_list": File(b"%d\n" % number),
                b"cluster_id": File(b"%d\n" % index),
                b"core_cpus": File(mask([number]) + b"\n"),
                b"core_cpus_list": File(b"%d\n" % number),
                b"core_siblings": File(mask(numbers) + b"\n"),
                b"core_siblings_list": File(listed),
                b"die_cpus": File(mask(numbers) + b"\n"),
                b"die_cpus_list": File(listed),
                b"die_id": File(b"0\n"),
                b"package_cpus": File(mask(numbers) + b"\n"),
                b"package_cpus_list": File(listed),
                b"physical_package_id": File(b"0\n"),
                b"thread_siblings": File(mask([number]) + b"\n"),
                b"thread_siblings_list": File(b"%d\n" % number),
            },
        }
    return tree
