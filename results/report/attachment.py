"""What makes a report an attachment to a contract: the guarantee's statement, and the evidence it rests on."""

from __future__ import annotations

import dataclasses
import hashlib
import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from results.errors import ResultsError
from results.evidence.manifest import Entry
from results.guarantee import Guarantee, Question
from results.guarantee.answer import RunFigure
from results.guarantee.text import sections
from results.guarantee.wording import Section, figure_name
from results.nightly.kept import FOLDER as NIGHTS
from results.plotting.inline import VIRTUAL_MARK
from results.report.detail import MOST_TRIALS, Detail
from results.report.tables import Cell, Column, Grid, Row
from results.store.schema import TABLES
from stripelab.metrics import scale_of
from stripelab.units import counted, date, number

MAX_FILES = 1500
"""Most files that the appendix of an HTML report lists one by one; the list and a manifest have every one."""

_WORST_RUNS = 50
"""Runs that are listed for their figures where not all are."""


@dataclass(frozen=True)
class Statement:
    """The chapter of the guarantee: ``lead`` are the paragraphs of page 1, ``terms`` everything that qualifies them.

    ``granted`` is false where there is none; the lead then says why.  ``summary`` is the line for the first screen.
    """

    title: str
    granted: bool
    watermark: str | None
    lead: tuple[str, ...]
    terms: tuple[Section, ...]
    runs: Grid | None
    summary: str


@dataclass(frozen=True)
class Evidence:
    """The appendix: what was hashed, and how to hash it again.

    ``listing`` is the list of files in the format of sha256sum(1), which stands in a file beside a PDF; ``digest``
    is the SHA-256 of that list, and so of every file.
    """

    files: Grid
    note: str
    listing: str
    digest: str


def statement(found: Guarantee, shown: Detail, *, virtual: bool) -> Statement:
    """The chapter of a guarantee, or of its refusal.

    ``shown`` are the trials that it can link to; ``virtual`` is as of :func:`evidence`.
    """
    first, *others = sections(found)
    title = "Performance statement" if found.granted else "No performance statement"
    runs = _runs(found, shown, virtual=virtual)
    return Statement(title, found.granted, found.watermark, first.paragraphs, tuple(others), runs, _summary(found))


def _summary(found: Guarantee) -> str:
    """The sentence and how many days were sampled, or the first reason why there is none."""
    if found.statement is None:
        others = f" (and {len(found.refusals) - 1} more)" if len(found.refusals) > 1 else ""
        return f"No guarantee: {found.refusals[0].reason}{others}."
    return f"{found.statement} Sampled: {counted(len(found.days), 'day')}."


def none_possible(error: ResultsError) -> Statement:
    """The chapter where the question of a guarantee has no answer at all."""
    lead = (f"There is no guarantee: {error.message.rstrip('.')}.", error.remedy)
    return Statement("No performance statement", False, None, lead, (), None, f"No guarantee: {error.message}.")


def command(store: str, question: Question) -> str:
    """The command that asks ``question`` of a store again, and writes a document of it."""
    plain = Question()
    verb = "report" if question == Question(demonstration=question.demonstration) else "guarantee"
    words = []
    for field in dataclasses.fields(question):
        value = getattr(question, field.name)
        if value != getattr(plain, field.name):
            words.append(f"--{field.name.replace('_', '-')}")
            words += [] if value is True else [f"{value:g}" if isinstance(value, float) else str(value)]
    return shlex.join(["stripelab", verb, store, *words, "-o", "report.pdf"])


def evidence(entries: Sequence[Entry], *, virtual: bool) -> Evidence:
    """The appendix of hashes; ``virtual`` marks that nothing was measured on real disks."""
    mark = f" — {VIRTUAL_MARK}" if virtual else ""
    many = {*TABLES, NIGHTS}
    shown = entries if len(entries) <= MAX_FILES else [entry for entry in entries if entry.role not in many]
    rows = tuple(
        Row(
            (Cell(each.path, each.path, code=True), Cell(f"{each.bytes}", each.bytes), Cell(each.sha256, "", code=True))
        )
        for each in shown
    )
    columns = (Column("file"), Column("bytes", right=True), Column("SHA-256"))
    total = sum(each.bytes for each in entries)
    listing = "".join(f"{each.sha256}  {each.path}\n" for each in sorted(entries, key=lambda each: each.path))
    note = (
        f"This document was made of {len(entries)} files ({total} bytes) and of nothing else. Their list, in the "
        "format of sha256sum, has the SHA-256 below; sha256sum -c checks each file against it. With a signed manifest "
        "stripelab verify, or ssh-keygen and sha256sum alone, checks every byte and says who signed."
    )
    if len(shown) < len(entries):
        note += f" {len(entries) - len(shown)} files of tables and nights are left out of the table; the list has each."
    grid = Grid(f"Files that this document was made of{mark}", columns, rows)
    return Evidence(grid, note, listing, hashlib.sha256(listing.encode()).hexdigest())


def _runs(found: Guarantee, shown: Detail, *, virtual: bool) -> Grid | None:
    """The trials that the statement rests on; of thousands those that are shown one by one, the worst among them."""
    if not found.runs:
        return None
    runs = found.runs if len(found.runs) <= MOST_TRIALS else _few(found, shown)
    scale, unit = scale_of(found.metric, max(run.mean for run in found.runs))
    name = f"{figure_name(found.metric, found.direction)}{', ' + unit if unit else ''}"
    columns = (
        Column("trial"),
        Column("block", right=True),
        Column("run order", right=True),
        Column("started"),
        Column("seconds", right=True),
        Column(f"{name}, in {100 * found.share:.10g} % of them", right=True),
        Column(f"{name}, mean", right=True),
        Column("steady"),
    )
    rows = tuple(
        Row(
            (
                Cell(run.trial_id, run.trial_id, code=True, trials=shown.linked(((run.trial_id, run.trial_id),))),
                Cell(str(run.block + 1), run.block),
                Cell(str(run.run_order + 1), run.run_order),
                Cell(date(run.started_at_ns), run.started_at_ns),
                Cell(str(run.intervals), run.intervals),
                Cell(number(run.bound / scale), run.bound),
                Cell(number(run.mean / scale), run.mean),
                Cell(run.steady_verdict or "", run.steady_verdict or ""),
            )
        )
        for run in runs
    )
    mark = f" — {VIRTUAL_MARK}" if virtual else ""
    caption = f"The {len(rows)} runs that the statement counts{mark}"
    if len(rows) < len(found.runs):
        caption = (
            f"{len(rows):,} of the {len(found.runs):,} runs that the statement counts: the worst, and those that this "
            f"document shows one by one{mark}; stripelab guarantee {shlex.quote(found.store)} --json has every one"
        )
    return Grid(caption, columns, rows)


def _few(found: Guarantee, shown: Detail) -> tuple[RunFigure, ...]:
    """The runs that are shown and the worst ones, which the bound rests on, in their order."""
    by_bound = sorted(found.runs, key=lambda run: run.bound if found.at_least else -run.bound)
    kept = {run.trial_id for run in by_bound[:_WORST_RUNS]} | shown.trials
    return tuple(run for run in found.runs if run.trial_id in kept)
