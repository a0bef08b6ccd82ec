"""The nights that a store holds, as one series of figures per metric.

Of every night and metric that is the mean of the natural logarithm over the night's trials that are ok: noise of
storage figures is proportional to them, and differences of logarithms are relative changes (Kalibera and Jones 2013,
"Rigorous benchmarking in reasonable time", ISMM, on why the mean of a night's runs is the unit).

Columns are read as arrays, never as rows: three years of 40 metrics with 20 trials a night are half a million figures.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

from results.nightly.answer import Metric
from results.schema import NIGHT, TrialRow
from results.settings import SETTING_COLUMNS, label, settings_of, varied

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pyarrow as pa

    from results.query import StoreFrames

    Floats = npt.NDArray[np.float64]
    Codes = npt.NDArray[np.int64]

THROUGHPUT, BANDWIDTH, TAIL = "iops", "bw_bytes_s", "lat_p99_ns"
"""What is watched of a workload and direction: IOPS (bandwidth where the engine counts no I/Os), and the 99th
percentile of latency.  Bandwidth at a fixed block size is IOPS over again, and every further metric costs
false alarms."""

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
    "error",
    "disk_ids",
    "invalid_reasons",
)


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
class History:
    """Every trial of every night: ``trials`` as Arrow table, figures as flat arrays beside each other.

    ``row`` says to which row of ``trials`` a figure belongs, ``series`` to which of ``names``
    (workload and direction); ``logs`` has a column for each of :data:`THROUGHPUT`, :data:`BANDWIDTH` and :data:`TAIL`,
    NaN where there is none.
    """

    trials: pa.Table
    names: tuple[tuple[str, str], ...]
    row: Codes
    series: Codes
    logs: Floats

    @cached_property
    def nights(self) -> tuple[str, ...]:
        """Nights with a trial of the night itself that is ok, in the order of time."""
        roles, states = self._column("night_role"), self._column("status")
        found = zip(self._column("night"), roles, states, strict=True)
        return tuple(sorted({night for night, role, status in found if role == NIGHT and status == "ok"}))

    @cached_property
    def settings(self) -> Mapping[str, Mapping[str, str | int | None]]:
        """Settings of every point, from a trial of it."""
        import numpy as np

        _, first = np.unique(np.asarray(self._column("point_id"), dtype=str), return_index=True)
        rows = self.trials.take(first).to_pylist()
        return {row["point_id"]: settings_of(cast("TrialRow", SimpleNamespace(**row))) for row in rows}

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

        codes, points, nights = self._codes()
        own = np.asarray([role == NIGHT for role in self._column("night_role")], dtype=bool)
        chosen = own[self.row]
        group = (codes[self.row] * len(self.names) + self.series)[chosen]
        # codes already join point and night, so one number stands for point, night, workload and direction
        found = []
        virtual = "uml" in self._column("substrate")
        for number, figure in enumerate((THROUGHPUT, BANDWIDTH) if virtual else (THROUGHPUT, BANDWIDTH, TAIL)):
            logs = self.logs[chosen, number]
            known = np.isfinite(logs)
            cells, inverse, counts = np.unique(group[known], return_inverse=True, return_counts=True)
            means = np.bincount(inverse, weights=logs[known]) / np.maximum(1, counts)
            found += self._split(figure, cells, means, counts, points, nights)
        return tuple(sorted(_without_doubles(found), key=lambda each: each.key))

    def _codes(self) -> tuple[Codes, tuple[str, ...], tuple[str, ...]]:
        """A number for every trial's point and night together; points and nights in the order of those numbers."""
        import numpy as np

        points, point = np.unique(np.asarray(self._column("point_id"), dtype=str), return_inverse=True)
        nights, night = np.unique(np.asarray(self._column("night"), dtype=str), return_inverse=True)
        codes: Codes = point.astype(np.int64) * len(nights) + night
        return codes, tuple(points.tolist()), tuple(nights.tolist())

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
        own = np.isin(self.row, self._rows(night, role, key.point_id)) & (self.series == series)
        own &= np.isfinite(self.logs[:, column])
        blocks = self._column("block")
        found = zip(self.row[own].tolist(), self.logs[own, column].tolist(), strict=True)
        return {int(blocks[row]): value for row, value in found}

    def _rows(self, night: str, role: str, point_id: str) -> list[int]:
        columns = zip(self._column("night"), self._column("night_role"), self._column("point_id"), strict=True)
        return [number for number, each in enumerate(columns) if each == (night, role, point_id)]

    def _column(self, name: str) -> list[Any]:
        kept: dict[str, list[Any]] = self.__dict__.setdefault("_lists", {})
        if name not in kept:
            kept[name] = self.trials[name].to_pylist()
        return kept[name]

    def trial_ids(self, night: str, roles: Collection[str] = (NIGHT,), statuses: Collection[str] = ("ok",)) -> set[str]:
        """Trials of a night."""
        names = ("trial_id", "night", "night_role", "status")
        rows = zip(*(self._column(name) for name in names), strict=True)
        return {trial for trial, each, role, status in rows if each == night and role in roles and status in statuses}

    def trial_ids_of(self, point_id: str, night: str) -> set[str]:
        """Trials of a point in the night itself that are ok."""
        names = ("trial_id", "point_id", "night", "night_role", "status")
        rows = zip(*(self._column(name) for name in names), strict=True)
        return {trial for trial, *rest in rows if rest == [point_id, night, NIGHT, "ok"]}

    def members(self, point_id: str, night: str) -> tuple[str, ...]:
        """Member disks of a point in a night."""
        rows = zip(*(self._column(name) for name in ("point_id", "night", "disk_ids")), strict=True)
        return next((tuple(ids) for point, each, ids in rows if (point, each) == (point_id, night)), ())

    def all_members(self, night: str) -> tuple[tuple[str, ...], ...]:
        """Member disks of every trial of a night."""
        rows = zip(self._column("night"), self._column("disk_ids"), strict=True)
        return tuple(tuple(ids) for each, ids in rows if each == night)

    def substrates(self, night: str) -> tuple[str, ...]:
        """What a night was measured on."""
        rows = zip(self._column("night"), self._column("substrate"), strict=True)
        return tuple(sorted({substrate for each, substrate in rows if each == night}))

    def failures(self, night: str) -> tuple[tuple[str, str], ...]:
        """Point and reason of every trial of a night that is not ok."""
        names = ("point_id", "night", "status", "error", "invalid_reasons")
        rows = zip(*(self._column(name) for name in names), strict=True)
        return tuple(
            (self.labels[point], error or "; ".join(reasons))
            for point, each, status, error, reasons in rows
            if each == night and status != "ok"
        )

    @cached_property
    def environments(self) -> Mapping[str, str]:
        """The environment of each night's last trial."""
        names = ("started_at_ns", "environment_id", "night", "night_role")
        rows = sorted(zip(*(self._column(name) for name in names), strict=True))
        return {night: environment for _, environment, night, role in rows if role == NIGHT}

    def environment_of(self, night: str) -> str | None:
        """The environment of a night's last trial; None where it has none."""
        return self.environments.get(night)


def _without_doubles(found: Sequence[Series]) -> list[Series]:
    """Bandwidth only where there are no IOPS."""
    counted = {_of(each) for each in found if each.metric.figure == THROUGHPUT}
    return [each for each in found if each.metric.figure != BANDWIDTH or _of(each) not in counted]


def _of(series: Series) -> tuple[str, str, str | None]:
    return (series.metric.point_id, series.metric.workload, series.metric.direction)


def read_history(frames: StoreFrames) -> History:
    """Every trial of a nightly run in the store, with the figures of those that are ok.

    Raises:
        ResultsError: a file that is damaged or cannot be read.
    """
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    trials = frames.arrow("trials", (*_TRIAL_COLUMNS, *SETTING_COLUMNS))
    trials = trials.filter(pc.is_valid(trials["night"])).combine_chunks()
    figures = frames.arrow("observations", ("trial_id", "workload", "direction", THROUGHPUT, BANDWIDTH, TAIL), ("ok",))
    row = pc.index_in(figures["trial_id"], value_set=trials["trial_id"].combine_chunks())
    figures = figures.filter(pc.is_valid(row))
    pairs_of = zip(figures["workload"].to_pylist(), figures["direction"].to_pylist(), strict=True)
    names = [f"{workload}\0{direction}" for workload, direction in pairs_of]
    words, series = np.unique(np.asarray(names, dtype=str), return_inverse=True) if names else (np.empty(0, str), [])
    columns = [pc.cast(figures[name], pa.float64()).to_numpy() for name in (THROUGHPUT, BANDWIDTH, TAIL)]
    values = np.column_stack(columns) if names else np.empty((0, 3))
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.where(values > 0, np.log(values), math.nan)
    pairs = tuple((str(word).split("\0")[0], str(word).split("\0")[1]) for word in words)
    at = pc.drop_null(row).to_numpy().astype(np.int64)
    return History(trials, pairs, at, np.asarray(series, dtype=np.int64), logs)
