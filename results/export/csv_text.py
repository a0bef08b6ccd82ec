"""Text as cells of CSV that no spreadsheet takes for a formula, and the way back."""

from __future__ import annotations

import re
from typing import Any

from results.text import plain_lines

_FORMULA = re.compile("'*[=+@\t\n\uff1d\uff0b\uff0d\uff20-]")  # the wide forms of = + - @ count as well
"""What a spreadsheet may run when a cell begins with it (OWASP, "CSV Injection"), after any apostrophes."""

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|-")
"""Text that is a number and no more, or the dash of what is not known: a spreadsheet runs nothing."""


def csv_cell(value: Any) -> Any:
    """A value as a cell: text is cleaned, and has an apostrophe before it where it could be taken for a formula.

    Numbers, and text that is a number, stay as they are.  :func:`cell_text` takes the apostrophe away.
    """
    if not isinstance(value, str):
        return value
    shown = plain_lines(value)
    return f"'{shown}" if _FORMULA.match(shown) and not _NUMBER.fullmatch(shown) else shown


def cell_text(cell: str) -> str:
    """The text of a cell that :func:`csv_cell` made."""
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell
