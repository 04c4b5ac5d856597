"""Pseudo-terminals: names, modes, both directions, end of file, packet mode, poll, hang-up."""

import errno
import fcntl
import os
import select
import signal
import struct
import termios
import tty

TIOCPKT, TIOCGPTN, TIOCGPTPEER = 0x5420, 0x80045430, 0x5441


def attempt(name, act):
    try:
        print(name, act(), flush=True)
    except OSError as error:
        print(name, errno.errorcode[error.errno], flush=True)


def events(fd):
    poller = select.poll()
    poller.register(fd, select.POLLIN | select.POLLOUT | select.POLLPRI)
    return [hex(mask) for _, mask in poller.poll(0)]


signal.alarm(30)
raw = os.open("/dev/ptmx", os.O_RDWR | os.O_NOCTTY)
number = struct.unpack("i", fcntl.ioctl(raw, TIOCGPTN, bytes(4)))[0]
attempt("locked", lambda: os.open(f"/dev/pts/{number}", os.O_RDWR | os.O_NOCTTY))
attempt("fresh master", lambda: events(raw))
os.close(raw)

master, slave = os.openpty()
print("names", os.ttyname(slave).startswith("/dev/pts/"), os.isatty(master), os.isatty(slave))
print("owner", os.fstat(slave).st_uid == os.getuid())
print("device", os.major(os.fstat(slave).st_rdev))
modes = termios.tcgetattr(slave)
print("modes", [hex(word) for word in modes[:6]], [value if isinstance(value, int) else value[0] for value in modes[6][:17]])
print("same modes through the master", termios.tcgetattr(master) == modes)

os.write(slave, b"hello\n")
attempt("output", lambda: os.read(master, 100))
os.write(master, b"typed\x7f\x7fE\r")
attempt("input", lambda: os.read(slave, 100))
attempt("echo", lambda: os.read(master, 100))
os.write(master, b"two\nlines\n")
attempt("part of a line", lambda: os.read(slave, 2))
attempt("rest of the line", lambda: os.read(slave, 100))
attempt("available", lambda: struct.unpack("i", fcntl.ioctl(slave, termios.FIONREAD, bytes(4)))[0])
attempt("next line", lambda: os.read(slave, 100))
os.write(master, b"\x04")
attempt("end of file", lambda: os.read(slave, 100))
attempt("echo of all", lambda: os.read(master, 100))

print("window", struct.unpack("4H", fcntl.ioctl(slave, termios.TIOCGWINSZ, bytes(8))))
fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("4H", 24, 80, 1, 2))
print("window", os.get_terminal_size(slave), struct.unpack("4H", fcntl.ioctl(slave, termios.TIOCGWINSZ, bytes(8))))

print("poll idle", events(slave), events(master))
os.write(master, b"x")
print("poll half a line", events(slave))
os.write(master, b"\n")
select.select([slave], [], [], 5)
print("poll a line", events(slave), events(master))
termios.tcflush(slave, termios.TCIFLUSH)
print("flushed", events(slave))
os.read(master, 100)

tty.setraw(slave)
os.write(master, b"\x03\x04raw\r")
select.select([slave], [], [], 5)
attempt("raw input", lambda: os.read(slave, 100))
os.write(slave, b"a\nb")
attempt("raw output", lambda: os.read(master, 100))
os.set_blocking(slave, False)
attempt("nothing", lambda: os.read(slave, 100))
modes = termios.tcgetattr(slave)
modes[6][termios.VMIN], modes[6][termios.VTIME] = 0, 0
termios.tcsetattr(slave, termios.TCSANOW, modes)
attempt("VMIN 0", lambda: os.read(slave, 100))
os.set_blocking(slave, True)
modes[6][termios.VTIME] = 1
termios.tcsetattr(slave, termios.TCSANOW, modes)
attempt("VTIME passes", lambda: os.read(slave, 100))
modes[6][termios.VMIN] = 3
termios.tcsetattr(slave, termios.TCSANOW, modes)
os.write(master, b"ab")
attempt("VMIN 3 VTIME 1", lambda: os.read(slave, 100))
os.write(master, b"abcd")
attempt("VMIN 3", lambda: os.read(slave, 100))
termios.tcsetattr(slave, termios.TCSANOW, termios.tcgetattr(os.openpty()[1]))

fcntl.ioctl(master, TIOCPKT, struct.pack("i", 1))
os.write(slave, b"data")
attempt("packet data", lambda: os.read(master, 100))
termios.tcflow(slave, termios.TCOOFF)
attempt("packet stop", lambda: os.read(master, 100))
termios.tcflow(slave, termios.TCOON)
attempt("packet start", lambda: os.read(master, 100))
termios.tcflush(slave, termios.TCIFLUSH)
attempt("packet flush", lambda: os.read(master, 100))
fcntl.ioctl(master, TIOCPKT, struct.pack("i", 0))

peer = fcntl.ioctl(master, TIOCGPTPEER, os.O_RDWR | os.O_NOCTTY)
print("peer", os.ttyname(peer) == os.ttyname(slave))
os.close(peer)
print("not a terminal", os.isatty(os.open("/dev/null", os.O_RDONLY)))
attempt("no controlling", lambda: os.tcgetpgrp(slave))
attempt("seek", lambda: os.lseek(slave, 0, os.SEEK_CUR))
attempt("pread", lambda: os.pread(slave, 1, 0))

name = os.ttyname(slave)
os.write(slave, b"last words")
os.close(slave)
print("poll closed", events(master))
attempt("last words", lambda: os.read(master, 100))
attempt("then", lambda: os.read(master, 100))
slave = os.open(name, os.O_RDWR | os.O_NOCTTY)
print("poll reopened", events(master))
os.close(master)
print("poll hung up", events(slave))
attempt("read hung up", lambda: os.read(slave, 10))
attempt("write hung up", lambda: os.write(slave, b"x"))
attempt("ioctl hung up", lambda: fcntl.ioctl(slave, termios.TIOCGWINSZ, bytes(8)))
attempt("open gone", lambda: os.open(name, os.O_RDWR))
