"""The host's clocks, which are the sandbox's clocks."""

from time import monotonic_ns, time_ns

__all__ = ["monotonic_ns", "time_ns"]
