"""``--cap-add`` and ``--cap-drop``: what the guest's root may do inside. None of it is a right on the host."""

from collections.abc import Iterable

from sandboxctl.config import CAPABILITIES_DEFAULT
from sandboxctl.errors import OptionError


def capabilities(added: Iterable[str], dropped: Iterable[str]) -> int:
    """Return the bit mask; names with or without CAP_, in any case, or ALL. Raises OptionError."""
    mask = CAPABILITIES_DEFAULT
    for name in added:
        mask |= _bits(name, "--cap-add")
    for name in dropped:
        mask &= ~_bits(name, "--cap-drop")
    for name in added:  # as docker: --cap-drop ALL --cap-add X leaves X
        mask |= _bits(name, "--cap-add")
    return mask


def _bits(text: str, option: str) -> int:
    from syscalls.abi import capability

    name = text.upper().removeprefix("CAP_")
    if name == "ALL":
        return capability.ALL_CAPABILITIES
    number = getattr(capability, f"CAP_{name}", None)
    if not isinstance(number, int) or not name.replace("_", "").isalpha() or name == "LAST_CAP":
        raise OptionError(f"{option}: {text!r} is no capability; see capabilities(7), for example SYS_ADMIN, or ALL")
    return 1 << number
