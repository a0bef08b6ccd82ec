"""The report: one HTML file that needs nothing but a browser, or one PDF that can be attached to a contract.

Either is a pure function of the store and of the name it is called by: the same store gives the same
bytes.  The date is the end of the newest trial, not the time of writing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from results import outfile
from results.errors import ResultsError
from results.paths import is_folder

if TYPE_CHECKING:
    from results.evidence import Entry
    from results.guarantee import Guarantee, Question
    from results.recommendation.answer import Recommendation
    from results.recommendation.recommend import Wishes
    from results.report import attachment
    from results.report.detail import Detail, Nights
    from results.report.model import Page, ReportModel
    from results.store.query import StoreFrames

HTML = frozenset({".html", ".htm"})
PDF = frozenset({".pdf"})


@dataclass(frozen=True)
class Document:
    """A report before it is written; ``guarantee`` is None where the store has no answer to that question."""

    model: ReportModel
    recommendation: Recommendation
    guarantee: Guarantee | None


@dataclass(frozen=True)
class Written:
    """What was written; ``refused`` has the words of each answer that the evidence does not reach for.

    ``left_out`` says what of very many trials is not shown one by one, and which commands give it.
    """

    size_bytes: int
    substrates: tuple[str, ...]
    virtual: bool
    notice: str | None
    refused: tuple[str, ...]
    left_out: tuple[str, ...]


def write(
    store_path: Path | str,
    out_path: Path | str,
    margin_pct: float | None = None,
    wishes: Wishes | None = None,
    pages: Sequence[Page] = (),
    question: Question | None = None,
    nights: str | None = None,
) -> Written:
    """Write the report of a store to ``out_path``, ``.html`` or ``.pdf``, atomically.

    ``wishes`` are as of :func:`results.recommend.recommend`; ``pages`` are further chapters; ``question`` asks for
    the guarantee; ``nights`` are those whose trials are shown one by one (:func:`results.report.detail.nights`).

    Raises:
        ResultsError: the store cannot be judged or has none of the nights, the file cannot be written, or WeasyPrint
            is not there.
    """
    from results.store.query import load

    target = Path(out_path)
    check_target(target)
    asked = parse_nights(nights) if nights is not None else None
    made = document(load(store_path), margin_pct, question, wishes=wishes, pages=pages, nights=asked)
    size_bytes = save(made, target)
    found = made.recommendation
    return Written(
        size_bytes=size_bytes,
        substrates=found.substrates,
        virtual=found.virtual,
        notice=found.notice,
        refused=tuple(answer.refusal for answer in found.answers if answer.refusal),
        left_out=made.model.left_out,
    )


def document(
    frames: StoreFrames,
    margin_pct: float | None = None,
    question: Question | None = None,
    *,
    wishes: Wishes | None = None,
    pages: Sequence[Page] = (),
    name: str | None = None,
    evidence: Sequence[Entry] | None = None,
    nights: Nights | None = None,
) -> Document:
    """The report of a store that is open; ``name`` is what the store is called in it (its path if None).

    ``evidence`` are its files with their digests, where those are known already; ``nights`` those whose trials are
    shown one by one, the newest that fit if None.

    Raises:
        ResultsError: the store cannot be judged or has none of the ``nights``, or a ``question`` of its own has no
            answer.
    """
    from results.evidence.files import store_entries
    from results.guarantee import Question
    from results.recommendation.recommend import DEFAULT_MARGIN_PCT, from_frames
    from results.report import attachment
    from results.report.build import build
    from results.report.detail import choose
    from results.store.imported import comparable
    from results.store.query import RememberedFrames

    frames = RememberedFrames(frames.store)
    margin = DEFAULT_MARGIN_PCT if margin_pct is None else margin_pct
    found = from_frames(frames, margin_pct=margin, wishes=wishes)
    found = found if name is None else replace(found, store=name)
    shown = choose(comparable(frames.trial_rows()), found, nights)
    guarantee, chapter = _guarantee(frames, found, question, shown)
    entries = store_entries(frames.store) if evidence is None else evidence
    appendix = attachment.evidence(entries, virtual=found.virtual)
    model = replace(build(frames, found, shown, pages), guarantee=chapter, evidence=appendix)
    if question is not None and question != Question():
        model = replace(model, command=attachment.command(found.store, question))
    return Document(model, found, guarantee)


def save(made: Document, target: Path) -> int:
    """Write a document to ``target`` by its suffix, atomically; returns its size in bytes.

    A PDF gets a list of the files it was made of beside it (:func:`listing_beside`).

    Raises:
        ResultsError: it cannot be written, or WeasyPrint is not there.
    """
    from results.report.render import render

    check_target(target)
    if target.suffix.lower() in PDF:
        from results.report.pdf import pdf

        content = pdf(made.model, made.recommendation.last_trial_ns)
        if made.model.evidence is not None:
            outfile.write(listing_beside(target), made.model.evidence.listing.encode())
    else:
        content = render(made.model).encode()
    outfile.write(target, content)
    return len(content)


def listing_beside(target: Path) -> Path:
    """Where the list of the files that a PDF was made of is written."""
    return target.with_name(f"{target.name}.sha256")


def parse_nights(text: str) -> Nights:
    """Nights as they are asked for on a command line; raises ResultsError where ``text`` names none."""
    from results.report.detail import nights

    return nights(text)


def check_target(target: Path) -> None:
    """Refuse a file that cannot be written before anything is computed; raises ResultsError."""
    if target.suffix.lower() not in HTML | PDF:
        raise ResultsError(f"{target}: HTML and PDF are written", remedy="Name a file that ends in .html or .pdf.")
    if not is_folder(target.parent):
        raise ResultsError(f"{target.parent} is no folder", remedy="Make it, or name another file.")
    outfile.check(target)
    if target.suffix.lower() in PDF:
        outfile.check(listing_beside(target))


def _guarantee(
    frames: StoreFrames, found: Recommendation, question: Question | None, shown: Detail
) -> tuple[Guarantee | None, attachment.Statement]:
    """The guarantee for the recommended point, and its chapter; a question of one's own must have an answer."""
    from results.guarantee import Question, from_frames
    from results.report import attachment

    asked = question or Question()
    of_its_own = asked != Question(demonstration=asked.demonstration)
    answers = [answer for answer in found.answers if asked.workload in {None, answer.workload}]
    if asked.point is None and found.points > 1 and answers and answers[0].rankings:
        asked = replace(asked, point=answers[0].rankings[0].recommended)  # as it would be found, at half the price
    try:
        guarantee = replace(from_frames(frames, asked, answers[0] if answers else None), store=found.store)
    except ResultsError as error:
        if of_its_own:
            raise
        return None, attachment.none_possible(error)
    return guarantee, attachment.statement(guarantee, shown, virtual=found.virtual)
