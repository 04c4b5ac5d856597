"""The network gofer's process: ``python -I -S gofer/net/__main__.py CONTROL_FD LINK_FD`` (see gofer/net/launch.py)."""

import sys

sys.path.append(__file__.rpartition("/gofer/")[0] or ".")  # behind the standard library
for _path in sys.argv[3:]:
    sys.path.append(_path)  # where cffi's backend lives when this package is not installed beside it

from gofer.net.main import main  # noqa: E402 - the path comes first

main(int(sys.argv[1]), int(sys.argv[2]))
