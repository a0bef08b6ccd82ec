"""The library that the guest's kernel is started with, which works around two of its faults (see preload.c)."""

from __future__ import annotations

from pathlib import Path

NAME = "preload.so"
"""Its name among the guest's private files."""


def library() -> Path | None:
    """The library; None where it was not built."""
    return next(Path(__file__).parent.glob("_preload*.so"), None)
