"""Guest side: carries out sequences of memory calls in a region of its own and prints results and what the region then is.

usage: maps.py JSON      a list of sequences; a step is [call, first page, pages, value]
"""

import ctypes
import json
import sys

libc = ctypes.CDLL(None, use_errno=True)
for name in ("mmap", "mremap"):
    getattr(libc, name).restype = ctypes.c_void_p
PAGE, PAGES = 4096, 16
MAP_PRIVATE, MAP_SHARED, MAP_FIXED, MAP_ANONYMOUS, MAP_NORESERVE = 2, 1, 16, 32, 0x4000
_P, _L, _I = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int


def call(function, *arguments):
    ctypes.set_errno(0)
    result = getattr(libc, function)(*arguments)
    return ctypes.get_errno() if ctypes.get_errno() else "mapped" if function in ("mmap", "mremap") else result


def step(base, what, first, pages, value):
    start, length = _P(base + first % PAGES * PAGE), _L(min(pages, PAGES - first % PAGES) * PAGE)
    if what == "map":
        kind = MAP_SHARED if value & 8 else MAP_PRIVATE
        return call("mmap", start, length, _I(value & 7), _I(kind | MAP_FIXED | MAP_ANONYMOUS), _I(-1), ctypes.c_long(0))
    if what == "unmap":
        return call("munmap", start, length)
    if what == "protect":
        return call("mprotect", start, length, _I(value & 7))
    if what == "advise":
        return call("madvise", start, length, _I((0, 1, 2, 3, 4, 8)[value % 6]))
    if what == "lock":
        return call("mlock" if value & 1 else "munlock", start, length)
    if what == "sync":
        return call("msync", start, length, _I((1, 4, 2, 5)[value % 4]))
    present = ctypes.create_string_buffer(PAGES)
    return call("mincore", start, length, present)


def region(base):
    """Permissions and sharing of each page."""
    shown = ["-"] * PAGES
    for line in open("/proc/self/maps"):
        span, permissions = line.split()[:2]
        start, end = (int(word, 16) for word in span.split("-"))
        for page in range(PAGES):
            if start <= base + page * PAGE < end:
                shown[page] = permissions
    return " ".join(shown)


def main():
    for number, steps in enumerate(json.loads(sys.argv[1])):
        base = libc.mmap(None, _L(PAGES * PAGE), _I(3), _I(MAP_PRIVATE | MAP_ANONYMOUS), _I(-1), ctypes.c_long(0))
        for one in steps:
            print(number, one, step(base, *one), region(base), flush=True)
        libc.munmap(_P(base), _L(PAGES * PAGE))


main()
