"""The chapter on nights: each metric with its verdicts, its change points, what changed and what it was compared with.

What wants attention comes first and is drawn in full; the other metrics are small drawings beside each other.  It stays
light over years: quiet nights are summed up in one row, and the oldest rows are left out, which is said.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from results.errors import ResultsError
from results.nightly import answer, kept, words
from results.nightly.answer import Nightly, Verdict
from results.nightly.baseline import Pinned, read_baselines
from results.nightly.history import read_history
from results.nightly.trend import Entry, Happening, Trend, happenings, trends
from results.report import tables, trend_drawing
from results.report.model import Block, Drawing, Page
from results.report.tables import Cell, Column, Grid
from results.runs.changes import changed_text
from results.store.query import StoreFrames
from results.text import plain
from stripelab.metrics import scale_of
from stripelab.units import number, signed_pct

ANCHOR, TITLE = "nights", "Nights"
MOST_LARGE = 12
"""Metrics that are drawn in full."""
RECENT = 30
"""Last nights that have a row each, whatever their verdict."""
MOST_ROWS = 3000
"""Rows of nights in the whole chapter: some 1.5 MB."""
MOST_NAMED = 3
"""Metrics that the first screen names for being worse."""

_WORSE = frozenset({answer.REGRESSION, answer.KNOWN, answer.TONIGHT, answer.DRIFT})
_KINDS = {
    answer.REGRESSION: "bad",
    answer.TONIGHT: "near",
    answer.DRIFT: "near",
    answer.UNCONFIRMED: "near",
    answer.KNOWN: "near",
    answer.RECOVERED: "tied",
    answer.IMPROVEMENT: "tied",
}
_SAID = (
    "A row or a point is a night: the mean of its trials on a logarithmic scale. A regression or an improvement was "
    "confirmed the same night on fresh figures; a change point says since when, with its 95 % interval, and is drawn "
    "where a verdict rests on it. What changed is a list and no accusation."
)
_HEADS = {answer.DRIFT: "drifts"}
_READ = (
    "Crosses are regressions, pentagons known ones, triangles disks that are slow tonight only (downwards) and "
    "recoveries (upwards), diamonds drifts, rings unconfirmed, plus signs improvements, thin crosses nights without a "
    "verdict, squares nights that broke a guarantee. Grey areas are the nights of a baseline, the dashed line is its "
    "mean, the band around it the practical margin. Dotted lines are changes, solid ones another baseline (B); their "
    "numbers are those of the table of changes."
)


@dataclass(frozen=True)
class Nights:
    """Everything that the chapter shows; ``problems`` are files that cannot be read, in words."""

    trends: tuple[Trend, ...]
    happenings: tuple[Happening, ...]
    outcomes: tuple[Nightly, ...]
    pinned: tuple[Pinned, ...]
    substrates: frozenset[str]
    problems: tuple[str, ...]


def read_nights(frames: StoreFrames) -> Nights:
    """The nights of a store; a damaged outcome or list of baselines is a problem in words and hides nothing else.

    Raises:
        ResultsError: the trials themselves cannot be read.
    """
    store = frames.store.path
    outcomes, problems = _outcomes(store)
    pinned: tuple[Pinned, ...] = ()
    try:
        pinned = read_baselines(store)
    except ResultsError as error:
        problems.append(error.message)
    history = read_history(frames)
    return Nights(
        trends=trends(history, outcomes, pinned),
        happenings=happenings(history, outcomes, pinned, frames.environment_rows()),
        outcomes=tuple(outcomes),
        pinned=pinned,
        substrates=frozenset(history.trials["substrate"].unique().to_pylist()),
        problems=tuple(problems),
    )


def _outcomes(store: Path) -> tuple[list[Nightly], list[str]]:
    found, problems = [], []
    for night in kept.nights(store):
        try:
            outcome = kept.outcome_of(store, night)
        except ResultsError as error:
            problems.append(error.message)
        else:
            found += [] if outcome is None else [outcome]
    return found, problems


def page(frames: StoreFrames, mark: str, *, virtual: bool) -> Page | None:
    """The chapter; None where the store has no night.  ``mark`` ends every caption of what no real disk measured."""
    found = read_nights(frames)
    return chapter(found, mark, virtual=virtual) if found.trends else None


def chapter(found: Nights, mark: str, *, virtual: bool) -> Page:
    """The chapter of nights that were read, of which there is at least one."""
    numbered = list(enumerate(found.happenings, start=1))
    blocks = [
        *([Block(lines=found.problems, loud=True)] if found.problems else []),
        Block(lines=(_headline(found), _SAID), grid=_summary(found, mark)),
    ]
    if numbered:
        grid = _changes(numbered, f"What changed, and where the baseline was moved{mark}")
        blocks.append(Block(heading="What changed", grid=grid))
    blocks += _drawings(found, numbered, mark, virtual=virtual)
    blocks += _tables(found, mark)
    return Page(ANCHOR, TITLE, tuple(blocks), first=True, headline=_first_screen(found))


def _first_screen(found: Nights) -> str:
    """How the last night ended, and what is worse since when."""
    worst = [trend for trend in found.trends if trend.newest is not None and trend.newest.word in _WORSE]
    listed = [_worse(trend) for trend in worst[:MOST_NAMED]]
    more = [f"{len(worst) - len(listed)} more metrics are worse"] if len(worst) > len(listed) else []
    return " ".join([_headline(found), *(f"{line}." for line in [*listed, *more])])


def _worse(trend: Trend) -> str:
    newest = trend.newest
    since = f" {words.since_text(trend.datings[-1])}" if trend.datings else ""
    told = "" if newest is None else f"{newest.word}, {words.change_text(newest)}"
    return f"{plain(trend.metric.name)}: {told}{since}"


def _headline(found: Nights) -> str:
    """How many metrics and nights there are, and how the last one ended."""
    nights = sorted({entry.night for trend in found.trends for entry in trend.entries})
    metrics = f"{len(found.trends)} metric{'' if len(found.trends) == 1 else 's'}"
    said = f"{metrics} over {len(nights)} nights, {nights[0]} to {nights[-1]}."
    if not found.outcomes:
        return f"{said} No night has an outcome yet."
    last = found.outcomes[-1]
    return f"{said} The last outcome, of {plain(last.night)}: {words.outcome(last)} (exit status {last.status})."


def _summary(found: Nights, mark: str) -> Grid:
    """A row a metric, what wants attention first."""
    every = found.trends
    newest = [trend.newest for trend in every]
    columns = {
        Column("metric"): [_text(trend.metric.name) for trend in every],
        Column("newest verdict"): [_newest(each) for each in newest],
        Column("newest figure", right=True): [_figure(trend, trend.entries[-1].value) for trend in every],
        Column("baseline", right=True): [
            _figure(trend, trend.eras[-1].level if trend.eras else None) for trend in every
        ],
        Column("change", right=True): [
            Cell("", 0.0)
            if each is None or not words.known(each.change_pct)
            else Cell(words.change_text(each), each.change_pct)
            for each in newest
        ],
        Column("last change point"): [
            _text(words.since_text(trend.datings[-1]) if trend.datings else "") for trend in every
        ],
        Column("nights", right=True): [Cell(str(len(trend.entries)), len(trend.entries)) for trend in every],
    }
    for word in (answer.REGRESSION, answer.KNOWN, answer.DRIFT, answer.UNCONFIRMED, answer.IMPROVEMENT):
        counts = [trend.count(word) for trend in every]
        columns[Column(_HEADS.get(word, words.PLURALS[word]), right=True)] = [Cell(str(each), each) for each in counts]
    kinds = [_KINDS.get(each.word, "") if each else "" for each in newest]
    return tables.grid(f"Every metric, what wants attention first{mark}", columns, kinds)


def _newest(verdict: Verdict | None) -> Cell:
    """The newest verdict, and who knows of it."""
    if verdict is None or verdict.acknowledged is None:
        return _word(verdict.word if verdict else None)
    cell = _word(verdict.word)
    return Cell(f"{cell.text}, {words.acknowledged_text(verdict.acknowledged)}", cell.key)


def _changes(numbered: Sequence[tuple[int, Happening]], caption: str) -> Grid:
    """A row for each thing that changed, with the number that the drawings give to its night."""
    rows: list[tuple[str, str, str, str, str]] = []
    for number_, each in numbered:
        if each.baseline is not None:
            told = f"{each.baseline.name}, {len(each.baseline.nights)} nights: {each.baseline.reason}"
            rows.append((f"{number_}B", each.night, "baseline", "", told))
        rows += [
            (str(number_), each.night, change.what, change.before or "", change.after or "") for change in each.changes
        ]
    heads = ("no.", "night", "what", "before", "after, or the reason")
    columns = {Column(head): [_text(row[place]) for row in rows] for place, head in enumerate(heads)}
    return tables.grid(caption, columns, ["near" if row[2] == "baseline" else "" for row in rows])


def _drawings(found: Nights, numbered: Sequence[tuple[int, Happening]], mark: str, *, virtual: bool) -> Iterator[Block]:
    """Those that moved in full, or all where they are few; the rest as small drawings."""
    every = list(enumerate(found.trends))
    moved = [each for each in every if each[1].moved][:MOST_LARGE]
    full = every if len(every) <= MOST_LARGE else moved or every[:1]
    yield Block(heading="Each metric over the nights", lines=(_READ,))
    for place, trend in full:
        own = [each for each in numbered if _within(each[1], trend)]
        svg = trend_drawing.large(f"night{place}", trend, own, virtual=virtual)
        name = plain(trend.metric.name)
        yield Block(heading=name, drawing=Drawing(svg, f"{name}: {_last(trend)}{mark}"))
    large = {place for place, _ in full}
    rest = [trend for place, trend in every if place not in large]
    for begin in range(0, len(rest), trend_drawing.PANELS):
        panels = rest[begin : begin + trend_drawing.PANELS]
        seen = [each for _, each in numbered if any(_within(each, trend) for trend in panels)]
        svg = trend_drawing.small(f"nights{begin}", panels, seen, virtual=virtual)
        caption = f"Metrics {len(full) + begin + 1} to {len(full) + begin + len(panels)} of {len(found.trends)}{mark}"
        yield Block(drawing=Drawing(svg, caption))


def _within(each: Happening, trend: Trend) -> bool:
    return trend.entries[0].night <= each.night <= trend.entries[-1].night


def _last(trend: Trend) -> str:
    newest = trend.newest
    return "no verdict yet" if newest is None else f"last verdict {newest.word}"


def _tables(found: Nights, mark: str) -> Iterator[Block]:
    """A table of nights for each metric, folded away."""
    most = max(RECENT, MOST_ROWS // len(found.trends))
    told = {each.night: _told(each) for each in found.happenings}
    for place, trend in enumerate(found.trends):
        rows = _rows(trend, set(told))
        shown = rows[:most]
        left = sum(len(row) for row in rows[most:])
        caption = f"{plain(trend.metric.name)}, newest first{mark}"
        if left:
            caption = f"{caption}; {left} older nights are left out, `stripelab nightly show` has each"
        lines = ("Nights of one verdict on which nothing changed share a row.",) if place == 0 else ()
        heading = "Nights of each metric" if place == 0 else ""
        yield Block(heading, lines, grid=_nights(trend, shown, told, caption), folded=plain(trend.metric.name))


def _rows(trend: Trend, changed: set[str]) -> list[tuple[Entry, ...]]:
    """Nights, newest first; the older ones of one verdict stand together where nothing changed between them."""
    ordered = trend.entries[::-1]
    older = groupby(ordered[RECENT:], key=lambda each: (each.night if _alone(each, changed) else "", each.word))
    return [*((each,) for each in ordered[:RECENT]), *(tuple(group) for _, group in older)]


def _alone(entry: Entry, changed: set[str]) -> bool:
    return entry.night in changed or entry.broken


def _nights(trend: Trend, rows: Sequence[tuple[Entry, ...]], told: dict[str, str], caption: str) -> Grid:
    """The rows as cells."""
    newest = [row[0] for row in rows]
    columns = {
        Column("night"): [
            Cell(row[0].night if len(row) == 1 else f"{row[-1].night} to {row[0].night}", row[0].night) for row in rows
        ],
        Column("nights", right=True): [Cell(str(len(row)), len(row)) for row in rows],
        Column(_head(trend), right=True): [_span(trend, row) for row in rows],
        Column("change", right=True): [_change(row) for row in rows],
        Column("verdict"): [_word(each.word) for each in newest],
        Column("reason"): [_text(_reason(row)) for row in rows],
        Column("what changed"): [_text(told.get(each.night, "")) for each in newest],
        Column("exit status", right=True): [
            Cell("", -1) if each.status is None else Cell(str(max(one.status or 0 for one in row)), each.status)
            for each, row in zip(newest, rows, strict=True)
        ],
    }
    return tables.grid(caption, columns, [_KINDS.get(each.word or "", "") for each in newest])


def _head(trend: Trend) -> str:
    """The figure's name and unit."""
    from results.plotting.inline import axis_text

    return axis_text(trend.metric.figure, _scale(trend)[1])


def _scale(trend: Trend) -> tuple[float, str]:
    return scale_of(trend.metric.figure, max((each.value or 0.0 for each in trend.entries), default=1.0))


def _span(trend: Trend, row: Sequence[Entry]) -> Cell:
    """The figure of a night, or from which to which those of several are."""
    values = [each.value for each in row if each.value is not None]
    if not values:
        return Cell("", -1.0)
    low, high = (number(each / _scale(trend)[0]) for each in (min(values), max(values)))
    return Cell(low if low == high else f"{low} to {high}", values[0])


def _change(row: Sequence[Entry]) -> Cell:
    """The change against the baseline with its interval, or from which to which those of several nights are."""
    verdicts = [each.verdict for each in row if each.verdict is not None and words.known(each.verdict.change_pct)]
    if not verdicts:
        return Cell("", 0.0)
    changes = [each.change_pct or 0.0 for each in verdicts]
    if len(row) == 1:
        return Cell(words.change_text(verdicts[0]), changes[0])
    return Cell(f"{signed_pct(min(changes))} to {signed_pct(max(changes))}", changes[0])


def _reason(row: Sequence[Entry]) -> str:
    """Why the verdict is what it is; of nights that share a row that of the newest, if it has one of note."""
    verdict = row[0].verdict
    if verdict is None:
        return ""
    if len(row) > 1 and verdict.word == answer.OK:
        return "within what the baseline's nights did"
    broken = [words.watched_text(verdict.metric.figure, each) for each in verdict.watched if each.held is False]
    named = [f"slower than their peers: {', '.join(verdict.disks)}"] if verdict.disks else []
    return "; ".join([verdict.reason, *named, *broken]) if verdict.reason else "; ".join([*named, *broken])


def _told(each: Happening) -> str:
    """What happened on a night, in a line."""
    moved = [] if each.baseline is None else [f"baseline {each.baseline.name}: {each.baseline.reason}"]
    return "; ".join([*map(changed_text, each.changes), *moved])


def _figure(trend: Trend, value: float | None) -> Cell:
    return Cell("", -1.0) if value is None else Cell(words.value_text(trend.metric.figure, value), value)


def _word(word: str | None) -> Cell:
    if word is None:
        return Cell("", len(answer.WORDS))
    return Cell(words.SHORT.get(word, word), answer.WORDS.index(word))


def _text(text: str) -> Cell:
    shown = plain(text)
    return Cell(shown, shown)
