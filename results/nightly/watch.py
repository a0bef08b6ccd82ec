"""Guarantees, watched: whether a night kept a bound that was stated, and how often it may break it.

A guarantee says that on a share P of future days each of k runs delivers at least (at most, of latencies) a bound in a
share of its seconds.  A night of n runs then breaks it with a probability of at most 1 - P where n <= k, and
1 - P^(n/k) beyond (Jensen's inequality), where nothing changed: that is what stands beside a broken bound, because one
broken night in twenty is what a share of 0.95 announces.  For guarantees of versions that counted runs, k is 1.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

from results.errors import ResultsError
from results.guarantee.runs import INTERVAL_METRICS, IncompleteError, columns_of, make_run
from results.nightly.answer import Verdict, Watched
from results.runs.seconds import by_workload, series
from results.store.files import MEDIUM_BYTES, parse_json, read_named
from results.store.schema import ObservationRow, TrialRow
from stripelab.metrics import RATES

if TYPE_CHECKING:
    from results.nightly.history import History
    from results.store.query import StoreFrames

_OBSERVED = ("direction", "engine", "runtime_ns", "steady_verdict", "workload")


@dataclass(frozen=True, kw_only=True)
class Promise:
    """A bound as `stripelab guarantee --json` printed it; a share ``coverage`` of days with ``runs`` keeps it."""

    statement: str
    point_id: str
    workload: str
    metric: str
    direction: str | None
    share: float
    bound: float
    coverage: float
    runs: int = 1

    @property
    def at_least(self) -> bool:
        """Whether more is better."""
        return self.metric in RATES


def read_promise(path: Path) -> Promise:
    """A guarantee from the file that has the JSON of ``stripelab guarantee``.

    Raises:
        ResultsError: the file cannot be read, is something else, or holds a refusal.
    """
    remedy = "Give what `stripelab guarantee STORE --json` printed where a guarantee was given."
    try:
        plain = parse_json(read_named(path, MEDIUM_BYTES))
    except (OSError, ValueError) as error:
        raise ResultsError(f"{path} cannot be read: {error}", remedy=remedy) from None
    try:
        if not plain["granted"]:
            raise ResultsError(f"{path} holds a refusal and no guarantee", remedy=remedy)
        if plain.get("limited_to") is not None:
            raise ResultsError(
                f"{path} is limited to {plain['limited_to']}, so it says nothing of any night",
                remedy="Give a guarantee that was made from several days.",
            )
        promise = Promise(
            statement=str(plain["statement"]),
            point_id=str(plain["conditions"]["point_id"]),
            workload=str(plain["workload"]),
            metric=str(plain["metric"]),
            direction=plain["direction"],
            share=float(plain["share"]),
            bound=float(plain["bound"]["value"]),
            coverage=float(plain["bound"]["coverage"]),
            runs=int(plain["bound"].get("runs_a_day", 1)),
        )
    except (KeyError, TypeError, ValueError, OverflowError):
        raise ResultsError(f"{path} is no guarantee", remedy=remedy) from None
    if (
        promise.runs < 1
        or promise.metric not in INTERVAL_METRICS
        or not 0 < promise.coverage < 1
        or not 0 < promise.share < 1
    ):
        raise ResultsError(f"{path} is no guarantee that can be watched", remedy=remedy)
    return promise


def watched_bounds(
    frames: StoreFrames, history: History, night: str, promises: Sequence[Promise], verdicts: Sequence[Verdict]
) -> tuple[Verdict, ...]:
    """The verdicts, each with the bounds that were stated for its metric."""
    found = list(verdicts)
    for promise in promises:
        runs = history.trial_ids_of(promise.point_id, night)
        watched = _watched(frames, promise, runs)
        for number in _concerned(found, promise)[:1]:
            found[number] = replace(found[number], watched=(*found[number].watched, watched))
    return tuple(found)


def _concerned(verdicts: Sequence[Verdict], promise: Promise) -> list[int]:
    """Verdicts on the workload and point of a promise, the one on its own figure first."""
    fitting = [
        number
        for number, each in enumerate(verdicts)
        if (each.metric.workload, each.metric.point_id) == (promise.workload, promise.point_id)
        and promise.direction in {None, each.metric.direction}
    ]
    return sorted(fitting, key=lambda number: verdicts[number].metric.figure != promise.metric)


def _watched(frames: StoreFrames, promise: Promise, trial_ids: Collection[str]) -> Watched:
    """The worst run of the night beside the bound; None where no run can be judged second by second."""
    bounds = _bounds(frames, promise, trial_ids)
    worst = None if not bounds else min(bounds) if promise.at_least else max(bounds)
    held = None if worst is None else worst >= promise.bound if promise.at_least else worst <= promise.bound
    expected = expected_share(promise.coverage, promise.runs, len(bounds)) if bounds else None
    return Watched(text=promise.statement, bound=promise.bound, value=worst, held=held, expected_share=expected)


def expected_share(coverage: float, runs_a_day: int, runs: int) -> float:
    """The share of nights of ``runs`` runs that may break a bound for ``runs_a_day``."""
    return float(1 - coverage ** max(1.0, runs / runs_a_day))


def _bounds(frames: StoreFrames, promise: Promise, trial_ids: Collection[str]) -> list[float]:
    found = []
    streamed = series(frames, columns_of(promise.metric), trial_ids=trial_ids, workload=promise.workload)
    for trial_id, _, directions in by_workload(streamed):
        rows = frames.of_trial("observations", trial_id, _OBSERVED).to_pylist()
        observed = [_row(row) for row in rows if row["workload"] == promise.workload]
        trial = cast("TrialRow", SimpleNamespace(trial_id=trial_id, dropped_at_ns=None))
        try:
            run = make_run(
                trial, observed, directions, promise.metric, direction=promise.direction, share=promise.share
            )
        except IncompleteError:
            continue
        found.append(run.bound)
    return found


def _row(row: Mapping[str, Any]) -> ObservationRow:
    return cast("ObservationRow", SimpleNamespace(**row))
