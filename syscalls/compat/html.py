"""index.html: the matrix as one self-contained page to search, filter and sort; no script, style or font from elsewhere."""

import json
from html import escape
from pathlib import Path
from typing import Any

from syscalls.compat.levels import LEVEL_TEXTS, LEVELS

_TEMPLATE = Path(__file__).with_name("page.html")


def page(data: dict[str, Any]) -> str:
    """The whole page."""
    proof = data["evidence"]
    about = (
        f"{data['totals']['full']} calls full and {data['totals']['partial']} partial, each with evidence of {proof['date']}, "
        f"Linux {proof['kernel']}: {proof['hold']} of {proof['programs']} differential programs give equal results natively "
        "and on every platform."
    )
    legend = "".join(
        f'<li><button type="button" class="level {level}" data-level="{level}" aria-pressed="false" '
        f'title="{escape(LEVEL_TEXTS[level])}">'
        f"{level} <b>{data['totals'][level]}</b></button></li>"
        for level in LEVELS
    )
    names = sorted({row["family"] for row in data["calls"] if row.get("family")})
    families = "".join(f"<option>{escape(name)}</option>" for name in names)
    content = {"calls": data["calls"], "tables": data["tables"], "applications": data.get("applications", [])}
    text = json.dumps(content, separators=(",", ":")).replace("<", "\\u003c")
    return (
        _TEMPLATE.read_text()
        .replace("{{about}}", escape(about))
        .replace("{{legend}}", legend)
        .replace("{{families}}", families)
        .replace("{{data}}", text)
    )
