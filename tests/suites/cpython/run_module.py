"""Guest side: runs one module of CPython's own tests and writes one line per method at once.

usage: run_module.py RESULTS TIMEOUT_S MODULE [METHOD_ID...]      RESULTS: "outcome<TAB>id" lines: begin, pass, skip, fail, error
"""

import faulthandler
import os
import pty
import sys
import tempfile
import unittest

NEED_A_TERMINAL = ("test_ioctl",)


class Recorder(unittest.TextTestResult):
    """A test result that writes each outcome at once."""

    path = ""

    def _note(self, outcome, test):
        fd = os.open(Recorder.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)  # tests close and replace any descriptor
        os.write(fd, f"{outcome}\t{test.id()}\n".encode(errors="replace"))
        os.close(fd)

    def startTest(self, test):
        super().startTest(test)
        self._note("begin", test)

    def addSuccess(self, test):
        super().addSuccess(test)
        self._note("pass", test)

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self._note("skip", test)

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self._note("fail", test)

    def addError(self, test, err):
        super().addError(test, err)
        self._note("error", test)

    def addExpectedFailure(self, test, err):
        super().addExpectedFailure(test, err)
        self._note("expected", test)

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        if err is not None:
            self._note("fail", test)


def chosen(suite, wanted):
    """Return the methods of ``suite`` whose ids are in ``wanted`` (all if it is empty), with their fixtures."""
    if not wanted:
        return suite
    kept = unittest.TestSuite()
    for part in suite:
        if isinstance(part, unittest.TestSuite):
            kept.addTest(chosen(part, wanted))
        elif part.id() in wanted:
            kept.addTest(part)
    return kept


def on_a_terminal():
    """Go on in a child that has a controlling terminal; the parent shows what it writes and ends as it does."""
    pid, fd = pty.fork()
    if pid == 0:
        return
    while True:
        try:
            data = os.read(fd, 65536)
        except OSError:
            break
        if not data:
            break
        sys.stdout.buffer.write(data)
    sys.stdout.flush()
    os._exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) & 0xFF)


def main():
    results, timeout_s, module, *wanted = sys.argv[1:]
    if module in NEED_A_TERMINAL:
        on_a_terminal()
    Recorder.path = results
    faulthandler.enable()
    faulthandler.dump_traceback_later(float(timeout_s), exit=True)
    from test import support

    support.verbose = 1
    support.use_resources = ["subprocess", "cpu"]
    with tempfile.TemporaryDirectory(prefix="suite-", ignore_cleanup_errors=True) as folder:
        os.chdir(folder)
        suite = unittest.defaultTestLoader.loadTestsFromName(f"test.{module}")
        done = unittest.TextTestRunner(verbosity=2, resultclass=Recorder).run(chosen(suite, set(wanted)))
        support.reap_children()
        os.chdir("/")
    sys.exit(0 if done.wasSuccessful() else 1)


if __name__ == "__main__":
    main()
