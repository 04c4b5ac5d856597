"""``--security-opt``: docker's texts. What would loosen a protection that no sandbox has is accepted, the rest is refused."""

from collections.abc import Sequence

from sandboxctl.errors import OptionError

_NEEDLESS = {"seccomp=unconfined", "apparmor=unconfined", "label=disable", "unmask=ALL"}
_REASONS = {
    "seccomp": "a filter from a file is not supported yet; the guest's calls never reach the host's kernel in any case",
    "apparmor": "a profile of the host is for host processes; leave it out",
    "label": "the guest has no SELinux; leave it out",
}


def no_new_privileges(texts: Sequence[str]) -> bool:
    """Whether set-user-ID programs shall gain nothing. Raises OptionError for what cannot be given."""
    found = False
    for text in texts:
        if text in {"no-new-privileges", "no-new-privileges:true", "no-new-privileges=true"}:
            found = True
        elif text in {"no-new-privileges:false", "no-new-privileges=false"}:
            found = False
        elif text not in _NEEDLESS:
            name = text.replace(":", "=").partition("=")[0]
            known = f"there are: no-new-privileges, {', '.join(sorted(_NEEDLESS))}"
            raise OptionError(f"--security-opt: {text!r}: {_REASONS.get(name, known)}")
    return found
