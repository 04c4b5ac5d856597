"""Which platform a sandbox uses."""

from collections.abc import Callable

from sentry.platform.interface import Platform, PlatformError

PLATFORMS = ("notify", "ptrace")


def choose_platform(name: str, on_escape: Callable[[str], None]) -> Platform:
    """Return the platform called ``name``, or the best one for an empty name. Raises PlatformError if it is not built in."""
    if name in {"", "notify"}:
        from sentry.platform.notify.platform import NotifyPlatform

        return NotifyPlatform(on_escape)
    if name == "ptrace":
        from sentry.platform.ptrace.platform import PtracePlatform

        return PtracePlatform(on_escape)
    raise PlatformError(f"platform {name} is not available in this version; use --platform notify or ptrace")
