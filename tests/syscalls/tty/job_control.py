"""Sessions on a terminal: controlling terminal, foreground, background reads and writes, keys that signal, hang-up."""

import errno
import fcntl
import os
import signal
import struct
import sys
import termios

TIOCGSID = 0x5429


def attempt(name, act):
    try:
        print(name, act(), flush=True)
    except OSError as error:
        print(name, errno.errorcode[error.errno], flush=True)


def status_text(status):
    if os.WIFSTOPPED(status):
        return "stopped by " + signal.Signals(os.WSTOPSIG(status)).name
    if os.WIFSIGNALED(status):
        return "killed by " + signal.Signals(os.WTERMSIG(status)).name
    return f"exited {os.waitstatus_to_exitcode(status)}"


def background(body):
    """Run ``body`` in a background process group and tell what became of it."""
    ready, go = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(go)
        os.setpgid(0, 0)
        os.read(ready, 1)
        try:
            body()
        except OSError as error:
            os._exit(error.errno)
        os._exit(0)
    os.setpgid(child, child)
    os.close(go)
    _, status = os.waitpid(child, os.WUNTRACED)
    return child, status


def pending(keys):
    """Take the pending signals and name them."""
    names = []
    while (info := signal.sigtimedwait(keys, 0)) is not None:
        names.append(signal.Signals(info.si_signo).name)
    return sorted(names)


def leader(master, name):
    os.close(master)
    os.setsid()
    attempt("dev tty without", lambda: os.open("/dev/tty", os.O_RDWR))
    slave = os.open(name, os.O_RDWR | os.O_NOCTTY)
    attempt("not controlling", lambda: os.tcgetpgrp(slave))
    fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
    print("foreground", os.tcgetpgrp(slave) == os.getpgrp())
    print("session", struct.unpack("i", fcntl.ioctl(slave, TIOCGSID, bytes(4)))[0] == os.getsid(0))
    tty = os.open("/dev/tty", os.O_RDWR)
    print("dev tty", os.isatty(tty), os.tcgetpgrp(tty) == os.getpgrp())
    words = os.read(os.open("/proc/self/stat", os.O_RDONLY), 4096).decode().rsplit(")", 1)[1].split()
    print("stat", int(words[4]) == os.stat(name).st_rdev, int(words[5]) == os.getpgrp())

    child, status = background(lambda: os.read(slave, 1))
    print("background read:", status_text(status))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    _, status = background(lambda: (signal.signal(signal.SIGTTIN, signal.SIG_IGN), os.read(slave, 1)))
    print("background read, SIGTTIN ignored:", status_text(status))
    _, status = background(lambda: os.write(slave, b"x"))
    print("background write:", status_text(status))
    modes = termios.tcgetattr(slave)
    modes[3] |= termios.TOSTOP
    termios.tcsetattr(slave, termios.TCSANOW, modes)
    child, status = background(lambda: os.write(slave, b"x"))
    print("background write, TOSTOP:", status_text(status))
    os.tcsetpgrp(slave, child)
    os.kill(-child, signal.SIGCONT)
    _, status = os.waitpid(child, os.WUNTRACED)
    print("continued in the foreground:", status_text(status))
    signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    os.tcsetpgrp(slave, os.getpgrp())
    signal.signal(signal.SIGTTOU, signal.SIG_DFL)
    child, status = background(lambda: os.tcsetpgrp(slave, os.getpgrp()))
    print("background tcsetpgrp:", status_text(status))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    attempt("no such group", lambda: os.tcsetpgrp(slave, 4194303))

    keys = {signal.SIGINT, signal.SIGQUIT, signal.SIGWINCH, signal.SIGHUP, signal.SIGCONT}
    signal.pthread_sigmask(signal.SIG_BLOCK, keys)
    print("ready", flush=True)
    for _ in range(3):
        line = os.read(slave, 100)
        print("line", line, pending(keys), flush=True)
    try:  # EIO if the hang-up meets the read waiting, end of file if it comes first
        is_over = os.read(slave, 100) == b""
    except OSError as error:
        is_over = error.errno == errno.EIO
    print("hung up", is_over)
    print("pending", pending(keys))
    attempt("dev tty after", lambda: os.open("/dev/tty", os.O_RDWR))
    sys.stdout.flush()
    os._exit(7)


signal.alarm(30)
master, slave = os.openpty()
name = os.ttyname(slave)
os.close(slave)
sys.stdout.flush()
mine, theirs = os.pipe()
child = os.fork()
if child == 0:
    os.close(mine)
    os.dup2(theirs, 1)
    os.close(theirs)
    leader(master, name)
os.close(theirs)
report = os.fdopen(mine, "rb", buffering=0)


def until(prefix):
    line = b""
    while not line.startswith(prefix):
        line = b""
        while not line.endswith(b"\n"):
            part = report.read(1)
            if not part:
                return
            line += part
        print(line.decode(), end="", flush=True)


until(b"ready")
os.write(master, b"one\n")
until(b"line")
os.write(master, b"gone\x03two\n")
until(b"line")
fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("4H", 10, 20, 0, 0))
os.write(master, b"\x1cthree\n")
until(b"line")
os.close(master)
until(b"never")
print("leader:", status_text(os.waitpid(child, 0)[1]))
