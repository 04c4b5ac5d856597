"""pidfd_open(2) flags."""

PIDFD_NONBLOCK = 0o4000
