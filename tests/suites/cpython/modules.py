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

#: files, pipes, UNIX sockets, event loops. Not here: test_sqlite3 and test_dbm_gnu (not packaged); of test_socket what is not
#: UNIX sockets (UDP-Lite is missing inside); test_largefile's copies of 5 GB, which are more than a sandbox may write
FILES = (
    "test_shutil",
    "test_pathlib",
    "test_glob",
    "test_stat",
    "test_tempfile",
    "test_fcntl",
    "test_select",
    "test_selectors",
    "test_epoll",
    "test_poll",
    "test_socket.SendmsgUnixStreamTest",
    "test_socket.RecvmsgUnixStreamTest",
    "test_socket.RecvmsgIntoUnixStreamTest",
    "test_socket.RecvmsgSCMRightsStreamTest",
    "test_socket.RecvmsgIntoSCMRightsStreamTest",
    "test_socket.InterruptedSendTimeoutTest",
    "test_socket.BasicSocketPairTest",
    "test_socket.TestLinuxAbstractNamespace",
    "test_socket.TestUnixDomain",
    "test_socket.SendRecvFdsTests",
    "test_asyncio.test_unix_events",
    "test_asyncio.test_subprocess",
    "test_asyncio.test_selector_events",
    "test_asyncio.test_events",
    "test_asyncio.test_streams",
    "test_asyncio.test_sock_lowlevel",
    "test_asyncio.test_sendfile",
    "test_dbm",
    "test_dbm_dumb",
    "test_dbm_ndbm",
    "test_mailbox",
    "test_zipfile",
    "test_tarfile",
    "test_fileinput",
    "test_file",
    "test_fileio",
    "test_io",
    "test_bufio",
    "test_largefile.CLargeFileTest",
    "test_largefile.PyLargeFileTest",
    "test_genericpath",
    "test_posixpath",
)

#: short ones, which `make test` runs as well
SAMPLE = ("test_openpty", "test_resource", "test_epoll", "test_socket.SendRecvFdsTests")

MODULES = PROCESSES + FILES
