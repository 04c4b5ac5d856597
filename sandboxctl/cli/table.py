"""Plain columns for a terminal or a pipe: every column as wide as it needs, the last one wrapped to what is left."""

import shutil
import textwrap
from collections.abc import Iterator, Sequence

_GAP = "  "
_LAST_LEAST = 30
_PIPE_WIDTH = 160


def columns(header: Sequence[str], rows: Sequence[Sequence[str]], *, is_terminal: bool) -> Iterator[str]:
    """Yield the lines of a table."""
    total = shutil.get_terminal_size((_PIPE_WIDTH, 24)).columns if is_terminal else _PIPE_WIDTH
    widths = [max(len(row[i]) for row in (header, *rows)) for i in range(len(header) - 1)]
    widths = [min(width, 44) for width in widths]
    left = max(_LAST_LEAST, total - sum(widths) - len(_GAP) * len(widths))
    for row in (header, *rows):
        cells = [textwrap.wrap(cell, width) or [""] for cell, width in zip(row, [*widths, left], strict=True)]
        for i in range(max(len(cell) for cell in cells)):
            parts = [(cell[i] if i < len(cell) else "").ljust(width) for cell, width in zip(cells, [*widths, left], strict=True)]
            yield _GAP.join(parts).rstrip()
