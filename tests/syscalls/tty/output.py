# Output processing of a terminal: ONLCR, OCRNL, ONOCR, tabs, and the same bytes raw. Read back at the master.
import os
import pty
import termios

ICANON_OUT = termios.OPOST | termios.ONLCR


def written(flags, data):
    master, slave = pty.openpty()
    mode = termios.tcgetattr(slave)
    mode[1] = flags
    termios.tcsetattr(slave, termios.TCSANOW, mode)
    os.write(slave, data + b"$")
    got = b""
    while not got.endswith(b"$"):
        got += os.read(master, 1000)
    os.close(slave)
    os.close(master)
    return got


DATA = b"a\nb\r\n\tc\n\rd\te\b\tf\r\rg\n"
for name, flags in (
    ("raw", 0),
    ("onlcr", termios.OPOST | termios.ONLCR),
    ("ocrnl", termios.OPOST | termios.OCRNL),
    ("onocr", termios.OPOST | termios.ONOCR),
    ("onlret", termios.OPOST | termios.ONLRET | termios.ONOCR),
    ("tabs", termios.OPOST | termios.TAB3),
    ("tabs onlcr", termios.OPOST | termios.TAB3 | termios.ONLCR),
    ("upper", termios.OPOST | getattr(termios, "OLCUC", 2)),
    ("no opost", termios.ONLCR | termios.TAB3),
):
    print(name, written(flags, DATA))
print("long", len(written(termios.OPOST | termios.ONLCR, b"x" * 70 + b"\n" + b"12345678\t|\t\t|" * 3)))
