"""The nights that a store holds, as one series of figures per metric.

Of every night and metric that is the mean of the natural logarithm over the night's trials that are ok: noise of
storage figures is proportional to them, and differences of logarithms are relative changes (Kalibera and Jones 2013,
"Rigorous benchmarking in reasonable time", ISMM, on why the mean of a night's runs is the unit).

Columns are read as arrays, never as rows, and settings once a point: three years of 40 metrics with 20 trials a night
are half a million figures.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import cached_property
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

from results.estimates.settings import SETTING_COLUMNS, settings_of, varied
from results.nightly.answer import Metric
from results.store.arrays import plain
from results.store.schema import NIGHT, TrialRow
from stripelab.metrics import APART, COMMIT, SYNC
from stripelab.settings import label

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pyarrow as pa

    from results.store.query import StoreFrames

    Floats = npt.NDArray[np.float64]
    Codes = npt.NDArray[np.int64]
    Flags = npt.NDArray[np.bool_]

THROUGHPUT, BANDWIDTH, TAIL = "iops", "bw_bytes_s", "lat_p99_ns"
"""What is watched of a workload and direction: IOPS (bandwidth where the engine counts no I/Os), and the 99th
percentile of latency.  Bandwidth at a fixed block size is IOPS over again, as are syncs and commits a second, and every
further metric costs false alarms.  Where commits are measured, their latency stands for those of write and sync."""

_TRIAL_COLUMNS = (
    "trial_id",
    "night",
    "night_role",
    "point_id",
    "block",
    "status",
    "environment_id",
    "started_at_ns",
    "substrate",
)


@dataclass(frozen=True)
class Detail:
    """What is read of the trials of one night only: of all nights together it takes most of the time of reading."""

    point_id: str
    status: str
    error: str | None
    disk_ids: tuple[str, ...]
    invalid_reasons: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Series:
    """One metric over the nights: ``values`` are natural logarithms, of as many trials as ``trials`` says.

    All three run over the nights on which there was a figure, in the order of time.
    """

    metric: Metric
    nights: tuple[str, ...]
    values: Floats
    trials: Codes

    @property
    def key(self) -> Key:
        """What identifies the metric."""
        return Key(self.metric.point_id, self.metric.workload, self.metric.direction or "", self.metric.figure)

    def at(self, nights: Collection[str]) -> Floats:
        """Values on these nights, in the order of time; nights without a figure are left out."""
        import numpy as np

        wanted = np.fromiter((night in nights for night in self.nights), dtype=bool, count=len(self.nights))
        chosen: Floats = self.values[wanted]
        return chosen


@dataclass(frozen=True, order=True)
class Key:
    """What identifies a metric in the store."""

    point_id: str
    workload: str
    direction: str
    figure: str


@dataclass(frozen=True, eq=False)
class Coded:
    """A column of few different words: for every row the number of its word, -1 where there is none."""

    words: tuple[str, ...]
    codes: Codes

    @classmethod
    def of(cls, column: pa.ChunkedArray | pa.Array) -> Coded:
        """A column of text, its words in alphabetical order."""
        import numpy as np
        import pyarrow as pa

        whole = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
        coded = whole.dictionary_encode()
        found = coded.dictionary.to_pylist()
        order = sorted(range(len(found)), key=found.__getitem__)
        rank = np.empty(len(found) + 1, dtype=np.int64)
        rank[order], rank[-1] = np.arange(len(found)), -1
        codes: Codes = rank[coded.indices.fill_null(len(found)).to_numpy().astype(np.int64)]
        return cls(tuple(found[each] for each in order), codes)

    def among(self, wanted: Collection[str]) -> Flags:
        """Which rows have one of these words."""
        import numpy as np

        known = np.asarray([*(word in wanted for word in self.words), False])
        flags: Flags = known[self.codes]
        return flags


@dataclass(frozen=True, eq=False)
class History:
    """Every trial of every night: ``trials`` as Arrow table, figures as flat arrays beside each other.

    ``row`` says to which row of ``trials`` a figure belongs, ``series`` to which of ``names``
    (workload and direction); ``logs`` has a column for each of :data:`THROUGHPUT`, :data:`BANDWIDTH` and :data:`TAIL`,
    NaN where there is none.  ``settings`` are those of every point, from its first trial.
    """

    frames: StoreFrames
    trials: pa.Table
    settings: Mapping[str, Mapping[str, str | int | None]]
    names: tuple[tuple[str, str], ...]
    row: Codes
    series: Codes
    logs: Floats
    _columns: dict[str, Coded] = field(default_factory=dict, init=False, repr=False)
    _details: dict[str, tuple[Detail, ...]] = field(default_factory=dict, init=False, repr=False)

    @cached_property
    def nights(self) -> tuple[str, ...]:
        """Nights with a trial of the night itself that is ok, in the order of time."""
        import numpy as np

        night = self._coded("night")
        found = np.unique(night.codes[self._where(night_role=(NIGHT,), status=("ok",))])
        return tuple(night.words[each] for each in found)

    @cached_property
    def labels(self) -> Mapping[str, str]:
        """A short text for every point."""
        factors = varied(self.settings.values())
        return {point_id: label(settings, factors) for point_id, settings in self.settings.items()}

    def all_series(self) -> tuple[Series, ...]:
        """A series for every metric that was ever measured in a night, ordered by point, workload and figure.

        Latency is none in the virtual lab: there the throttle makes it (METHODOLOGY.md), and the host's load.
        """
        import numpy as np

        point, night = self._coded("point_id"), self._coded("night")
        codes, points, nights = point.codes * len(night.words) + night.codes, point.words, night.words
        chosen = self._where(night_role=(NIGHT,))[self.row]
        group = (codes[self.row] * len(self.names) + self.series)[chosen]
        # codes already join point and night, so one number stands for point, night, workload and direction
        found = []
        virtual = "uml" in self._coded("substrate").words
        for number, figure in enumerate((THROUGHPUT, BANDWIDTH) if virtual else (THROUGHPUT, BANDWIDTH, TAIL)):
            logs = self.logs[chosen, number]
            known = np.isfinite(logs)
            cells, inverse, counts = np.unique(group[known], return_inverse=True, return_counts=True)
            means = np.bincount(inverse, weights=logs[known]) / np.maximum(1, counts)
            found += self._split(figure, cells, means, counts, points, nights)
        return tuple(sorted(_without_doubles(found), key=lambda each: each.key))

    def _split(
        self, figure: str, cells: Codes, means: Floats, counts: Codes, points: Sequence[str], nights: Sequence[str]
    ) -> list[Series]:
        """Means per point, night, workload and direction as a series for each metric."""
        import numpy as np

        width = len(self.names)
        metric = (cells // width // max(1, len(nights))) * width + cells % width
        night = cells // width % max(1, len(nights))
        found = []
        for number in np.unique(metric):
            rows = np.flatnonzero(metric == number)
            rows = rows[np.argsort(night[rows], kind="stable")]
            point_id, (workload, direction) = points[number // width], self.names[number % width]
            metric_of = Metric(
                workload=workload,
                figure=figure,
                point_id=point_id,
                label=self.labels[point_id],
                settings=self.settings[point_id],
                direction=direction,
                higher_is_better=figure != TAIL,
            )
            found.append(Series(metric_of, tuple(nights[each] for each in night[rows]), means[rows], counts[rows]))
        return found

    def by_block(self, key: Key, night: str, role: str) -> Mapping[int, float]:
        """Logarithm of a metric in the trials of one role in one night, by block."""
        if (key.workload, key.direction) not in self.names:
            return {}
        import numpy as np

        series = self.names.index((key.workload, key.direction))
        column = (THROUGHPUT, BANDWIDTH, TAIL).index(key.figure)
        own = self._where(night=(night,), night_role=(role,), point_id=(key.point_id,))[self.row]
        own &= (self.series == series) & np.isfinite(self.logs[:, column])
        blocks = self.trials["block"].take(self.row[own]).to_pylist()
        return dict(zip(map(int, blocks), self.logs[own, column].tolist(), strict=True))

    def _coded(self, name: str) -> Coded:
        if name not in self._columns:
            self._columns[name] = Coded.of(self.trials[name])
        return self._columns[name]

    def _where(self, **wanted: Collection[str]) -> Flags:
        """Which trials have, in every column that is named, one of its words."""
        import numpy as np

        flags: Flags = np.ones(self.trials.num_rows, dtype=bool)
        for name, words in wanted.items():
            flags &= self._coded(name).among(words)
        return flags

    def _ids(self, flags: Flags) -> set[str]:
        import numpy as np

        return set(self.trials["trial_id"].take(np.flatnonzero(flags)).to_pylist())

    def details(self, night: str) -> tuple[Detail, ...]:
        """Details of the trials of a night, in the order of ``trials``."""
        if night not in self._details:
            ids = self._ids(self._where(night=(night,)))
            names = [each.name for each in fields(Detail)]
            found = self.frames.arrow("trials", names, trial_ids=ids)
            columns = [plain(found[name]) for name in names]
            self._details[night] = tuple(Detail(*row) for row in zip(*columns, strict=True))
        return self._details[night]

    def trial_ids(self, night: str, roles: Collection[str] = (NIGHT,), statuses: Collection[str] = ("ok",)) -> set[str]:
        """Trials of a night."""
        return self._ids(self._where(night=(night,), night_role=roles, status=statuses))

    def trial_ids_of(self, point_id: str, night: str) -> set[str]:
        """Trials of a point in the night itself that are ok."""
        return self._ids(self._where(point_id=(point_id,), night=(night,), night_role=(NIGHT,), status=("ok",)))

    def members(self, point_id: str, night: str) -> tuple[str, ...]:
        """Member disks of a point in a night."""
        return next((row.disk_ids for row in self.details(night) if row.point_id == point_id), ())

    def all_members(self, night: str) -> tuple[tuple[str, ...], ...]:
        """Member disks of every trial of a night."""
        return tuple(row.disk_ids for row in self.details(night))

    def substrates(self, night: str) -> tuple[str, ...]:
        """What a night was measured on."""
        import numpy as np

        found = self._coded("substrate")
        return tuple(found.words[each] for each in np.unique(found.codes[self._where(night=(night,))]))

    def failures(self, night: str) -> tuple[tuple[str, str], ...]:
        """Point and reason of every trial of a night that is not ok."""
        return tuple(
            (self.labels[row.point_id], row.error or "; ".join(row.invalid_reasons))
            for row in self.details(night)
            if row.status != "ok"
        )

    @cached_property
    def environments(self) -> Mapping[str, str]:
        """The environment of each night's last trial."""
        import numpy as np

        rows = self.trials.take(np.flatnonzero(self._where(night_role=(NIGHT,))))
        names = ("started_at_ns", "environment_id", "night")
        found = sorted(zip(*(rows[name].to_pylist() for name in names), strict=True))
        return {night: environment for _, environment, night in found}

    def environment_of(self, night: str) -> str | None:
        """The environment of a night's last trial; None where it has none."""
        return self.environments.get(night)


def _without_doubles(found: Sequence[Series]) -> list[Series]:
    """Bandwidth only where there are no IOPS, rates of the data alone, and of writes that are committed the commits."""
    counted = {_of(each) for each in found if each.metric.figure == THROUGHPUT}
    committed = {_of(each)[:2] for each in found if each.metric.figure == TAIL and each.metric.direction == COMMIT}
    parts = {"write", SYNC}
    return [
        each
        for each in found
        if (
            each.metric.direction not in parts or _of(each)[:2] not in committed
            if each.metric.figure == TAIL
            else each.metric.direction not in APART and (each.metric.figure == THROUGHPUT or _of(each) not in counted)
        )
    ]


def _of(series: Series) -> tuple[str, str, str | None]:
    return (series.metric.point_id, series.metric.workload, series.metric.direction)


def read_history(frames: StoreFrames) -> History:
    """Every trial of a nightly run in the store, with the figures of those that are ok.

    Raises:
        ResultsError: a file that is damaged or cannot be read.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    trials = frames.arrow("trials", _TRIAL_COLUMNS)
    trials = trials.filter(pc.is_valid(trials["night"])).combine_chunks()
    figures = frames.arrow("observations", ("trial_id", "workload", "direction", THROUGHPUT, BANDWIDTH, TAIL), ("ok",))
    row = pc.index_in(figures["trial_id"], value_set=trials["trial_id"].combine_chunks())
    figures = figures.filter(pc.is_valid(row))
    names, series = _named(figures)
    columns = [pc.cast(figures[name], pa.float64()) for name in (THROUGHPUT, BANDWIDTH, TAIL)]
    at = pc.drop_null(row).to_numpy()
    history = History(frames, trials, _settings(frames, trials), names, at, series, _logs(columns))
    if history.nights:
        # Now, while the files are where they were found: what is measured next may be bundled with them.
        history.details(history.nights[-1])
    return history


def _named(figures: pa.Table) -> tuple[tuple[tuple[str, str], ...], Codes]:
    """Workload and direction of figures: every pair that occurs, and for each figure the number of its pair."""
    import numpy as np

    workload, direction = Coded.of(figures["workload"]), Coded.of(figures["direction"])
    width = max(1, len(direction.words))
    found, series = np.unique(workload.codes * width + direction.codes, return_inverse=True)
    return tuple((workload.words[each // width], direction.words[each % width]) for each in found), series


def _logs(columns: Sequence[pa.ChunkedArray]) -> Floats:
    """Natural logarithms, a column each; NaN where there is no figure above zero."""
    import numpy as np

    values = np.column_stack([column.to_numpy() for column in columns])
    with np.errstate(divide="ignore", invalid="ignore"):
        logs: Floats = np.where(values > 0, np.log(values), math.nan)
    return logs


def _settings(frames: StoreFrames, trials: pa.Table) -> Mapping[str, Mapping[str, str | int | None]]:
    """Settings of every point from its first trial: of the others nothing is read."""
    import numpy as np

    _, first = np.unique(Coded.of(trials["point_id"]).codes, return_index=True)
    ids = set(trials["trial_id"].take(first).to_pylist())
    rows = frames.arrow("trials", ("point_id", *SETTING_COLUMNS), trial_ids=ids).to_pylist() if ids else []
    found = {row["point_id"]: settings_of(cast("TrialRow", SimpleNamespace(**row))) for row in rows}
    return {point_id: found[point_id] for point_id in sorted(found)}
