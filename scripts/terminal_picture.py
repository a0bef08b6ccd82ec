"""A picture of a terminal for the documents: ``tmux capture-pane -e -p | python scripts/terminal_picture.py FILE.svg``.

Reads text with ANSI colours on stdin; the SVG names no font of elsewhere, and the same text gives the same bytes.
"""

from __future__ import annotations

import io
import re
import sys
from pathlib import Path


def picture(text: str, title: str) -> str:
    """An SVG of a terminal with this text."""
    from rich.console import Console
    from rich.text import Text

    # All of it at once: a colour may begin on one line and end on another.
    lines = list(Text.from_ansi(text.rstrip()).split("\n"))
    for line in lines:
        line.rstrip()
    width = max([60, *(line.cell_len for line in lines)])
    console = Console(width=width, record=True, file=io.StringIO(), force_terminal=True, color_system="truecolor")
    for line in lines:
        console.print(line, soft_wrap=True)
    svg = console.export_svg(title=title, unique_id="terminal")
    svg = re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL)
    svg = re.sub(r"<!-- .*? -->\s*", "", svg, flags=re.DOTALL)
    return re.sub(r"[ \t]+$", "", svg, flags=re.MULTILINE)


if __name__ == "__main__":
    target = Path(sys.argv[1])
    target.write_text(picture(sys.stdin.read(), sys.argv[2] if len(sys.argv) > 2 else "stripelab"))
