"""The report: one file that needs nothing but a browser.

The page is a pure function of the store and of the path it was named by: the same store gives the
same bytes.  Its date is the end of the newest trial, not the time of writing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from results import sealed
from results.errors import ResultsError

if TYPE_CHECKING:
    from results.recommend import Wishes
    from results.report.model import Page


@dataclass(frozen=True)
class Written:
    """What was written; ``refused`` has the words of each answer that the evidence does not reach for."""

    size_bytes: int
    substrates: tuple[str, ...]
    virtual: bool
    notice: str | None
    refused: tuple[str, ...]


def write(
    store_path: Path | str,
    out_path: Path | str,
    margin_pct: float | None = None,
    wishes: Wishes | None = None,
    pages: Sequence[Page] = (),
) -> Written:
    """Write the report of a store to ``out_path``, atomically.

    ``wishes`` are as of :func:`results.recommend.recommend`; ``pages`` are further chapters.

    Raises:
        ResultsError: the store cannot be judged, or the file cannot be written.
    """
    from results.query import load
    from results.recommend import DEFAULT_MARGIN_PCT, from_frames
    from results.report.build import build
    from results.report.render import render

    target = Path(out_path)
    if target.suffix.lower() not in {".html", ".htm"}:
        raise ResultsError(
            f"{target}: only HTML is written", remedy="Name a file that ends in .html; browsers print it."
        )
    if not target.parent.is_dir():
        raise ResultsError(f"{target.parent} is no folder", remedy="Make it, or name another file.")
    frames = load(store_path)
    margin = DEFAULT_MARGIN_PCT if margin_pct is None else margin_pct
    recommendation = from_frames(frames, margin_pct=margin, wishes=wishes)
    page = render(build(frames, recommendation, pages)).encode()
    sealed.replace_durable(target, page)
    return Written(
        size_bytes=len(page),
        substrates=recommendation.substrates,
        virtual=recommendation.virtual,
        notice=recommendation.notice,
        refused=tuple(answer.refusal for answer in recommendation.answers if answer.refusal),
    )
