"""getrandom(2): the host's generator."""

from syscalls.registry import native

native("getrandom", "getrandom(2)", "fills the caller's own memory with random bytes")
