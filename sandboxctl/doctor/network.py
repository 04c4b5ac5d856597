"""Which way to the outside ``--network user`` takes here."""

import shutil

from sandboxctl.doctor.check import Check, Verdict


def check_network() -> Check:
    """The network gofer is always there; passt only where a good one is installed."""
    from sandboxctl.network.start import is_good_passt

    if is_good_passt():
        return Check("--network user", Verdict.OK, "by passt where user namespaces are allowed, else by the network gofer")
    why = "passt is older than 2024" if shutil.which("passt") else "passt is not installed"
    return Check("--network user", Verdict.OK, f"by the network gofer ({why})")
