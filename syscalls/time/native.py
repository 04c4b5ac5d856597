"""Reading clocks and sleeping: the host's clocks are the sandbox's (in a time namespace where the host has them)."""

from syscalls.registry import native

native("gettimeofday", "gettimeofday(2)", "reads the wall clock; the vDSO does so without a call")
native("time", "time(2)", "reads the wall clock; the vDSO does so without a call")
native("nanosleep", "nanosleep(2)", "sleeps; host signals end it exactly")
