"""What the long tier leaves in its evidence file beside pytest's summary."""

import json
import os


def is_whole_tier() -> bool:
    """Tell whether `make test-suites` runs, not the sample of `make test`."""
    return os.environ.get("SANDBOXCTL_TIER") == "suites"


def record(suite: str, **values: object) -> None:
    """Add one line to the evidence of the tier that runs; nothing outside a tier."""
    path = os.environ.get("SANDBOXCTL_TIER_RECORD")
    if path:
        with open(path, "a") as file:
            file.write(json.dumps({"suite": suite, **values}) + "\n")
