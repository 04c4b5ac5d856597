"""The modules of CPython's regression tests (Debian: libpython3.11-testsuite) that must pass inside as they do natively."""

#: processes, signals, memory, terminals, time (3.11 has no test_tty: openpty, pty and ioctl test terminals)
PROCESSES = (
    "test_os",
    "test_posix",
    "test_subprocess",
    "test_signal",
    "test_threading",
    "test_threadsignals",
    "test_thread",
    "test_mmap",
    "test_resource",
    "test_time",
    "test_openpty",
    "test_pty",
    "test_ioctl",
    "test_multiprocessing_fork",
    "test_multiprocessing_spawn",
    "test_multiprocessing_forkserver",
    "test_multiprocessing_main_handling",
    "test_concurrent_futures",
    "test_faulthandler",
    "test_fork1",
    "test_wait3",
    "test_wait4",
)

#: short ones, which `make test` runs as well
SAMPLE = ("test_openpty", "test_resource")

MODULES = PROCESSES
