"""The tables of the report: text for people, a key to sort each cell by, and which rows are the answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from results.estimates.effects import Effect
from results.recommendation.answer import Answer, RankedPoint, TrialProblem
from results.report.detail import Detail
from results.report.gather import PERCENTILES, LatencyRow
from results.store.schema import IMPORTED, EnvironmentRow, TrialRow
from stripelab.metrics import figure, metric_name, scale_of
from stripelab.settings import value_text
from stripelab.units import capacity, date, duration, number, pct, signed_pct

Links = tuple[tuple[str, str], ...]
"""Text and trial of each link."""

_PAPER_CHARACTERS = 130
"""What a line of a table holds on a page of A4, in the size that tables have there (paged.css)."""

_GAP_CHARACTERS = 2
"""What the space between two columns takes of that."""


@dataclass(frozen=True)
class Cell:
    """A cell; ``key`` is what the column sorts by, ``code`` asks for a fixed-width font.

    ``trials`` are (text, trial) of links to the trials that the figure rests on, in place of the text; ``before`` is
    what stands before them.
    """

    text: str
    key: float | str
    code: bool = False
    trials: Links = ()
    before: str = ""


@dataclass(frozen=True)
class Column:
    """A column's header; ``right`` says that it holds numbers, ``whole`` that its words stay together as those do."""

    name: str
    right: bool = False
    whole: bool = False


@dataclass(frozen=True)
class Row:
    """A row; ``kind`` is "tied", "near", "bad" or empty.  The first cell names the row; ``trials`` are all it rests on.

    ``anchor`` is its id in the document, where links lead to it.
    """

    cells: tuple[Cell, ...]
    kind: str = ""
    trials: tuple[str, ...] = ()
    anchor: str = ""


@dataclass(frozen=True)
class Grid:
    """A table with a caption that says what it shows and on what it was measured."""

    caption: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]

    @property
    def one_line(self) -> bool:
        """Whether the names of the rows fit in one line on paper without squeezing what stands beside them."""
        names = max((len(row.cells[0].text) for row in self.rows), default=0)
        return names + sum(self._least(place) for place in range(1, len(self.columns))) <= _PAPER_CHARACTERS

    def _least(self, place: int) -> int:
        """The characters below which a column cannot become narrower: numbers do not wrap, words may."""
        column = self.columns[place]
        said = [row.cells[place].text for row in self.rows]
        words = [word for text in said for word in ([text] if column.right or column.whole else text.split())]
        return max(map(len, (*words, *column.name.split())), default=0) + _GAP_CHARACTERS


@dataclass(frozen=True)
class Traces:
    """The trials that each point's figure rests on, and which of them are shown."""

    links: Mapping[str, Links]
    detail: Detail

    def shown(self, point: str) -> Links:
        """Links to those of a point that are shown."""
        return self.detail.linked(self.links.get(point, ()))

    def cell(self, point: str, count: int | None = None) -> Cell:
        """Links to them, and of how many; ``count`` is how many they are if that is known better."""
        return traced(self.shown(point), len(self.links.get(point, ())) if count is None else count)


def ranking(points: Sequence[RankedPoint], metric: str, caption: str, traces: Traces) -> Grid:
    """A ranking; columns that nobody filled are left out."""
    scale, unit = scale_of(metric, max((point.value for point in points), default=1.0))
    head = f"{metric_name(metric)}, {unit}" if unit else metric_name(metric)
    columns = {
        Column("point"): [Cell(point.label, point.label) for point in points],
        Column("rank", right=True): [Cell(str(point.rank), point.rank) for point in points],
        Column(head, right=True): [Cell(number(point.value / scale), point.value) for point in points],
        Column("95 % interval", right=True): [_interval(point, scale) for point in points],
        Column("of best", right=True): [Cell(pct(point.of_best_pct), point.of_best_pct) for point in points],
        Column("tied for best"): [Cell(point.tied or "", point.tied or "~") for point in points],
        Column("trials, by block"): [traces.cell(point.point_id, point.trials) for point in points],
        Column("disk failures survived", right=True): [_whole(point.disk_failures_survived) for point in points],
        Column("usable", right=True): [_capacity(point.usable_bytes) for point in points],
        Column("predicted", right=True): [_scaled(point.predicted, scale) for point in points],
        Column("off by", right=True): [_deviation(point.deviation_pct) for point in points],
        Column("measured on", whole=True): substrates([point.substrate for point in points]),
    }
    kinds = {"statistically": "tied", "within margin": "near"}
    own = [tuple(trial for _, trial in traces.shown(point.point_id)) for point in points]
    return grid(caption, columns, [kinds.get(point.tied or "", "") for point in points], own)


def effects(found: Sequence[Effect], caption: str) -> Grid:
    """Each pair of values of each factor."""
    rows = [(effect, each) for effect in found for each in effect.comparisons]
    columns = {
        Column("factor"): [Cell(effect.factor, effect.factor) for effect, _ in rows],
        Column("value"): [_value(effect.factor, each.level) for effect, each in rows],
        Column("instead of"): [_value(effect.factor, each.reference) for effect, each in rows],
        Column("change", right=True): [Cell(signed_pct(each.change_pct), each.change_pct) for _, each in rows],
        Column("95 % interval, all at once", right=True): [
            Cell(f"{signed_pct(each.low_pct)} to {signed_pct(each.high_pct)}", each.low_pct) for _, each in rows
        ],
        Column("significant"): [Cell("yes" if each.certain else "no", each.certain) for _, each in rows],
        Column("points", right=True): [Cell(str(each.points), each.points) for _, each in rows],
        Column("depends on"): [Cell(", ".join(effect.depends_on), ", ".join(effect.depends_on)) for effect, _ in rows],
    }
    return grid(caption, columns, ["tied" if each.certain else "" for _, each in rows])


def latency(rows: Sequence[LatencyRow], caption: str) -> Grid:
    """Percentiles by point and direction."""
    columns: dict[Column, list[Cell]] = {
        Column("point"): [Cell(row.label, row.label) for row in rows],
        Column("direction"): [Cell(row.direction, row.direction) for row in rows],
        Column("I/Os", right=True): [Cell(f"{row.ios:,}", row.ios) for row in rows],
    }
    for place, name in enumerate([*(f"{100 * share:g} %" for share in PERCENTILES), "slowest"]):
        columns[Column(name, right=True)] = [
            Cell(figure("lat_ns", row.values_ns[place]), row.values_ns[place]) for row in rows
        ]
    columns[Column("trials, by block")] = [traced(row.trials, row.of_trials) for row in rows]
    return grid(caption, columns, [""] * len(rows), [tuple(trial for _, trial in row.trials) for row in rows])


def trials(
    rows: Sequence[TrialRow],
    labels: Mapping[str, str],
    answers: Sequence[Answer],
    values: Mapping[tuple[str, int], float],
    caption: str,
) -> Grid:
    """Every trial with its figure for each answer; ``values`` is keyed by trial and the answer's place."""
    columns = {
        Column("trial"): [_trial(row.trial_id) for row in rows],
        Column("point"): [Cell(labels[row.point_id], labels[row.point_id]) for row in rows],
        Column("block", right=True): [_whole(row.block + 1) for row in rows],
        Column("run order", right=True): [_whole(row.run_order + 1) for row in rows],
        Column("status"): [Cell(row.status, row.status) for row in rows],
        Column("started"): [Cell(date(row.started_at_ns), row.started_at_ns) for row in rows],
        Column("took", right=True): [Cell(duration(row.duration_s), row.duration_s) for row in rows],
        Column("measured on", whole=True): substrates([row.substrate for row in rows]),
    }
    for place, answer in enumerate(answers):
        mine = [values[row.trial_id, place] for row in rows if (row.trial_id, place) in values]
        scale, unit = scale_of(answer.metric, max(mine, default=1.0))
        head = f"{answer.workload}: {metric_name(answer.metric)}{', ' + unit if unit else ''}"
        columns[Column(head, right=True)] = [_scaled(values.get((row.trial_id, place)), scale) for row in rows]
    own = [(row.trial_id,) for row in rows]
    made = grid(caption, columns, ["" if row.status == "ok" else "bad" for row in rows], own)
    return replace(made, rows=tuple(replace(each, anchor=f"trial-{each.trials[0]}") for each in made.rows))


def problems(found: Sequence[TrialProblem], caption: str) -> Grid:
    """Trials that failed or do not count."""
    columns = {
        Column("trial"): [_trial(each.trial_id) for each in found],
        Column("point"): [Cell(each.label, each.label) for each in found],
        Column("block", right=True): [_whole(each.block + 1) for each in found],
        Column("status"): [Cell(each.status, each.status) for each in found],
        Column("why"): [Cell(each.reason, each.reason) for each in found],
        Column("command"): [Cell(each.command or "", each.command or "", code=True) for each in found],
    }
    return grid(caption, columns, ["bad"] * len(found), [(each.trial_id,) for each in found])


def disks(environment: EnvironmentRow, caption: str) -> Grid:
    """The leased disks of a machine."""
    rotating = {True: "yes", False: "no"}
    columns = {
        Column("disk"): [Cell(each, each, code=True) for each in environment.disk_ids],
        Column("model"): [Cell(each, each) for each in environment.disk_models],
        Column("firmware"): [Cell(each, each) for each in environment.disk_firmwares],
        Column("size", right=True): [_capacity(each) for each in environment.disk_sizes_bytes],
        Column("logical block", right=True): [Cell(f"{each} B", each) for each in environment.disk_logical_block_bytes],
        Column("rotational"): [Cell(rotating[each], each) for each in environment.disk_rotational],
    }
    return grid(caption, columns, [""] * len(environment.disk_ids))


def substrate_text(substrate: str) -> str:
    """A substrate for people; the loud ones are loud."""
    return {"uml": "VIRTUAL LAB", "loop": "LOOP DEVICES", IMPORTED: "IMPORTED"}.get(substrate, substrate)


def grid(
    caption: str,
    columns: Mapping[Column, Sequence[Cell]],
    kinds: Sequence[str],
    trials: Sequence[tuple[str, ...]] | None = None,
) -> Grid:
    """A table from columns; a column without any text is left out.  ``trials`` are those that each row rests on."""
    kept = {head: cells for head, cells in columns.items() if any(cell.text for cell in cells)}
    rows = zip(*kept.values(), strict=True)
    rests_on = trials if trials is not None else [()] * len(kinds)
    return Grid(
        caption,
        tuple(kept),
        tuple(Row(cells, kind, own) for cells, kind, own in zip(rows, kinds, rests_on, strict=True)),
    )


def _trial(trial_id: str) -> Cell:
    """A trial by its id."""
    return Cell(trial_id, trial_id, code=True, trials=((trial_id, trial_id),))


def traced(links: Links, count: int | None = None) -> Cell:
    """Links to trials, and how many there are where there are more; sorts by how many there are."""
    many = len(links) if count is None else count
    before = f"{len(links)} of {many:,}:" if links and many > len(links) else ""
    return Cell(", ".join(text for text, _ in links) or f"{many:,}", many, trials=links, before=before)


def shortened(made: Grid, most: int | None, rest: str) -> Grid:
    """The first ``most`` rows of a table, all if None; the caption counts the others and says where they are."""
    if most is None or len(made.rows) <= most:
        return made
    caption = f"{made.caption}; {len(made.rows) - most:,} more rows are left out, {rest}"
    return replace(made, caption=caption, rows=made.rows[:most])


def _interval(point: RankedPoint, scale: float) -> Cell:
    if point.low is None or point.high is None:
        return Cell("", 0.0)
    return Cell(f"{number(point.low / scale)} to {number(point.high / scale)}", point.low)


def substrates(substrates: Sequence[str]) -> list[Cell]:
    """On what each row was measured; empty where that is real disks in all of them, as nothing says otherwise then."""
    plain = all(each == "disk" for each in substrates)
    return [Cell("" if plain else substrate_text(each), each) for each in substrates]


def _whole(value: int | None) -> Cell:
    return Cell("", -1) if value is None else Cell(str(value), value)


def _scaled(value: float | None, scale: float) -> Cell:
    return Cell("", -1.0) if value is None else Cell(number(value / scale), value)


def _capacity(value: int | None) -> Cell:
    return Cell("", -1) if value is None else Cell(capacity(value), value)


def _deviation(value: float | None) -> Cell:
    return Cell("", 0.0) if value is None else Cell(signed_pct(value), value)


def _value(factor: str, value: str | int | None) -> Cell:
    return Cell(value_text(factor, value), value if isinstance(value, (int, str)) else "")
