"""A terminal's content as an SVG file that needs nothing from elsewhere."""

from __future__ import annotations

import re
from pathlib import Path

from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console, RenderableType

COLUMNS = 104

# rich's own form fetches a font from a server; a picture in a README must not. Any monospace font will do.
_FORM = re.sub(r" *@font-face \{\{.*?\}\}\n", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL).replace(
    "font-family: Fira Code, monospace",
    "font-family: 'Fira Code', 'DejaVu Sans Mono', Menlo, Consolas, monospace",
)


def save(path: Path, title: str, *parts: RenderableType) -> None:
    """Write what a terminal would show of the parts. Raises OSError."""
    with Path("/dev/null").open("w") as nowhere:
        console = Console(
            record=True, width=COLUMNS, file=nowhere, force_terminal=True, color_system="truecolor"
        )
        for part in parts:
            console.print(part)
        svg = console.export_svg(title=title, code_format=_FORM, unique_id="liftgate")
    path.write_text(svg, encoding="utf-8")
