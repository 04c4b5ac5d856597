"""Reading clocks and sleeping: the host's clocks are the sandbox's (in a time namespace where the host has them)."""

from syscalls.registry import native

native("clock_gettime", "clock_gettime(2)", "reads a clock; the vDSO does so without a call")
native("clock_getres", "clock_getres(2)", "reads a clock's resolution")
native("gettimeofday", "gettimeofday(2)", "reads the wall clock; the vDSO does so without a call")
native("time", "time(2)", "reads the wall clock; the vDSO does so without a call")
native("nanosleep", "nanosleep(2)", "sleeps; host signals end it exactly")
native("clock_nanosleep", "clock_nanosleep(2)", "sleeps; host signals end it exactly")
