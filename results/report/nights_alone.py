"""The chapter on nights as a file of its own: light where the whole report would carry years of trials."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from results import outfile
from results.errors import ResultsError
from results.paths import is_folder
from results.plotting.inline import VIRTUAL_MARK
from results.recommendation.notes import notice_of
from results.report import trend
from results.report.render import read, script, template_of
from results.store.query import load
from results.store.schema import VIRTUAL_SUBSTRATES
from results.text import plain


@dataclass(frozen=True)
class WrittenNights:
    """What was written; ``notice`` is what stands above figures that were not measured on real disks."""

    size_bytes: int
    metrics: int
    nights: int
    notice: str | None


def write_nights(store: Path, target: Path) -> WrittenNights:
    """Write the nights of a store to ``target``, ``.html``, atomically; the same store gives the same bytes.

    Raises:
        ResultsError: no store, a store without nights, or a file that cannot be written.
    """
    if target.suffix.lower() not in {".html", ".htm"} or not is_folder(target.parent):
        raise ResultsError(
            f"{target} is no file to write HTML to",
            remedy="Name a file that ends in .html, in a folder that is there; `stripelab report` writes PDF too.",
        )
    outfile.check(target)
    found = trend.read_nights(load(store, verify=False))
    if not found.trends:
        raise ResultsError(
            f"{store} holds no night", remedy="`stripelab nightly SWEEP --store STORE` measures one; run it first."
        )
    notice = notice_of(found.substrates)
    content = _rendered(found, notice).encode()
    outfile.write(target, content)
    nights = {entry.night for each in found.trends for entry in each.entries}
    return WrittenNights(len(content), len(found.trends), len(nights), notice)


def _rendered(found: trend.Nights, notice: str | None) -> str:
    """The page around the chapter."""
    newest = max(entry.night for each in found.trends for entry in each.entries)
    virtual = bool(VIRTUAL_SUBSTRATES & found.substrates)
    return template_of("nights.html.jinja").render(
        page=trend.chapter(found, f" — {VIRTUAL_MARK}" if virtual else "", virtual=virtual),
        title=plain(found.outcomes[-1].sweep) if found.outcomes else trend.TITLE,
        date=newest,
        notice=notice,
        css=read("report.css"),
        script=script(("common.js", "tables.js")),
    )
