"""exit(2), exit_group(2): the sentry learns of deaths from the platform."""

from syscalls.registry import native

native("exit", "_exit(2)", "ends the calling thread only; the platform reports the death")
native("exit_group", "_exit(2)", "ends the calling process only; the platform reports the death")
