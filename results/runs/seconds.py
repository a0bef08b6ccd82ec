"""Figures per second, streamed and summed up in bounded memory.

A store may hold a hundred million intervals.  They are read a row group at a time, and each series (one
trial, workload and direction) is whole when it is handed out, so anything that is computed from one
series needs no more memory than that: quantiles are exact, and autocorrelation or a rule for steady
state can be computed from :func:`series`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from results.errors import ResultsError
from results.store.pieces import Piece, pieces
from stripelab.metrics import APART

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pyarrow as pa

    from results.store.query import StoreFrames

    Floats = npt.NDArray[np.float64]
    Integers = npt.NDArray[np.int64]

FIGURES = ("iops", "bw_bytes_s", "lat_mean_ns", "lat_p50_ns", "lat_p99_ns", "lat_p999_ns", "lat_max_ns")
"""Columns of ``intervals`` that hold a figure."""

_KEYS = ("workload", "direction", "second")


@dataclass(frozen=True, eq=False)
class Series:
    """One trial's seconds of one workload in one direction, in the order of time.

    ``second`` and each array of ``figures`` (by column) have a value per second; NaN is what was not measured.
    """

    trial_id: str
    workload: str
    direction: str
    second: Integers
    figures: Mapping[str, Floats]


@dataclass(frozen=True)
class Summary:
    """One figure of one series; units are those of its column.

    ``seconds`` were measured, ``missing`` were not.  ``quantiles`` are in the order in which they were asked for,
    each the smallest value at or below which that share of the seconds lies.  ``first_third`` and
    ``last_third`` are means: far apart, they tell of a warm-up that was left in, or of a decline.
    """

    trial_id: str
    workload: str
    direction: str
    seconds: int
    missing: int
    mean: float
    sd: float
    quantiles: tuple[float, ...]
    first_third: float
    last_third: float


def series(
    frames: StoreFrames,
    columns: Sequence[str] = ("iops", "bw_bytes_s"),
    *,
    trial_ids: Collection[str] | None = None,
    workload: str | None = None,
) -> Iterator[Series]:
    """Series of these trials (of all that are ok if None), trial by trial in the order of the files.

    Raises:
        ResultsError: a column that holds no figure, or a file that is damaged or cannot be read.
    """
    unknown = [name for name in columns if name not in FIGURES]
    if unknown:
        raise ResultsError(f"intervals have no figure {', '.join(unknown)}", remedy=f"There are: {', '.join(FIGURES)}.")
    wanted = frames.store.trial_ids({"ok"}) if trial_ids is None else trial_ids
    for piece in pieces(frames.store, "intervals", (*_KEYS, *columns), wanted, dictionaries=_KEYS[:2]):
        yield from _of_piece(piece, columns, workload)


def by_workload(streamed: Iterable[Series]) -> Iterator[tuple[str, str, list[Series]]]:
    """Trial, workload and the series of its directions, of what :func:`series` hands out."""
    for trial_id, own in groupby(streamed, key=lambda each: each.trial_id):
        together: dict[str, list[Series]] = {}
        for each in own:
            together.setdefault(each.workload, []).append(each)
        for workload, directions in together.items():
            yield trial_id, workload, directions


def added(directions: Sequence[Series], column: str) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """A rate of each second from 0, reads and writes added up, and of which seconds it is known in any of them."""
    import numpy as np

    known = [(each.second, each.figures[column]) for each in directions if each.direction not in APART]
    known = [(second[~np.isnan(values)], values[~np.isnan(values)]) for second, values in known]
    size = max((int(second[-1]) + 1 for second, _ in known if len(second)), default=0)
    sums, there = np.zeros(size), np.zeros(size, dtype=bool)
    for second, values in known:
        np.add.at(sums, second, values)
        there[second] = True
    return sums, there


def summaries(
    frames: StoreFrames,
    column: str,
    *,
    quantiles: Sequence[float] = (0.01, 0.5, 0.99),
    trial_ids: Collection[str] | None = None,
    workload: str | None = None,
) -> Iterator[Summary]:
    """One figure of each series summed up; a series in which nothing was measured is left out.

    Raises:
        ResultsError: as :func:`series`, and for a quantile that is not between 0 and 1.
    """
    if not all(0 <= share <= 1 for share in quantiles):
        raise ResultsError(f"quantiles lie between 0 and 1, not at {', '.join(map(str, quantiles))}")
    for each in series(frames, (column,), trial_ids=trial_ids, workload=workload):
        found = _summary(each, each.figures[column], quantiles)
        if found is not None:
            yield found


def _summary(each: Series, figures: Floats, quantiles: Sequence[float]) -> Summary | None:
    """A series summed up; None where nothing was measured."""
    import math

    import numpy as np

    known = figures[~np.isnan(figures)]
    count = len(known)
    if not count:
        return None
    third = max(1, count // 3)
    ordered = np.sort(known)
    mean = float(known.mean())
    return Summary(
        trial_id=each.trial_id,
        workload=each.workload,
        direction=each.direction,
        seconds=count,
        missing=len(figures) - count,
        mean=mean,
        sd=float(np.sqrt(((known - mean) ** 2).sum() / (count - 1))) if count > 1 else 0.0,
        quantiles=tuple(float(ordered[max(0, math.ceil(share * count - 1e-9) - 1)]) for share in quantiles),
        first_third=float(known[:third].mean()),
        last_third=float(known[-third:].mean()),
    )


def _of_piece(piece: Piece, columns: Sequence[str], workload: str | None) -> Iterator[Series]:
    """Series of the trials of a piece; its columns are turned into arrays once for all of them."""
    import numpy as np

    workloads, names = _coded(piece.table, "workload")
    directions, ways = _coded(piece.table, "direction")
    seconds = _numbers(piece.table, "second").astype(np.int64)
    figures = {name: _numbers(piece.table, name) for name in columns}
    codes = workloads * len(ways) + directions
    for place in piece.places:
        own = codes[place.start : place.stop]
        starts = np.concatenate(([0], np.flatnonzero(np.diff(own)) + 1))
        runs = _runs(own, starts, place.start)
        for code, rows in runs.items():
            name, way = names[code // len(ways)], ways[code % len(ways)]
            if workload is not None and name != workload:
                continue
            when, kept = seconds[rows], {key: values[rows] for key, values in figures.items()}
            if (np.diff(when) < 0).any():
                order = np.argsort(when, kind="stable")
                when, kept = when[order], {key: values[order] for key, values in kept.items()}
            yield Series(place.trial_id, name, way, when, kept)


def _runs(codes: Integers, starts: Integers, offset: int) -> dict[int, slice | Integers]:
    """Rows of each series of a trial: a slice where they lie together, as they do in files of ours."""
    import numpy as np

    found: dict[int, slice | Integers] = {}
    for start, stop in zip(starts, [*starts[1:], len(codes)], strict=True):
        code = int(codes[start])
        if code in found:
            found[code] = offset + np.flatnonzero(codes == code)
        else:
            found[code] = slice(offset + int(start), offset + int(stop))
    return found


def _coded(table: pa.Table, column: str) -> tuple[Integers, list[str]]:
    """A column of words as numbers, and the words."""
    import numpy as np

    encoded = table[column].unify_dictionaries()
    words = encoded.chunk(0).dictionary.to_pylist() if encoded.num_chunks else []
    parts = [chunk.indices.to_numpy(zero_copy_only=False) for chunk in encoded.chunks]
    return np.concatenate(parts).astype(np.int64) if parts else np.zeros(0, np.int64), words


def _numbers(table: pa.Table, column: str) -> Floats:
    """A column of numbers; NaN where there is none."""
    import numpy as np

    found: Floats = table[column].to_numpy().astype(np.float64, copy=False)
    return found
