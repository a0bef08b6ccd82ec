"""Trials that stripelab read from files: what is known of them, and the order they are judged in.

Nobody planned their order.  When they are read they are put in that of their starts, and the k-th run of the
same workloads at the same point is taken for its k-th replicate: a tree of nightly runs then has its nights as
blocks.  Where replicates were run one after the other the usual check refuses, as it does of any sweep
(:mod:`results.estimates.diagnostics`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from results.store.schema import IMPORTED, ObservationRow, TrialRow
from stripelab.metrics import figure

NOTICE = (
    "IMPORTED: read from files of earlier runs, which stripelab did not make. The hardware, the state of the array and "
    "how the runs were ordered are known from the names of files only, if at all; it cannot become a guarantee."
)


WIDE = 1.5
"""Largest run by smallest from which on runs of one point are hardly repetitions of the same on one machine."""


@dataclass(frozen=True)
class Spread:
    """How far runs lie apart that count as replicates: bandwidth in bytes a second, and the files of both ends."""

    point_id: str
    workload: str
    direction: str
    runs: int
    least: float
    most: float
    least_from: str
    most_from: str

    @property
    def wide(self) -> bool:
        """Whether they lie apart by more than repetitions of the same do."""
        return self.most > WIDE * self.least

    @property
    def words(self) -> str:
        """What is to be said of them."""
        return (
            f"{self.runs} runs of {self.workload} ({self.direction}) count as replicates of one point, but range from "
            f"{figure('bw_bytes_s', self.least)} ({self.least_from}) to {figure('bw_bytes_s', self.most)} "
            f"({self.most_from}), a factor of {self.most / self.least:.3g}. If they are of different devices or "
            "settings, import again into a new store with --factors that tell them apart"
        )

    def plus(self, other: Spread) -> Spread:
        """With further runs of the same."""
        low, high = min(self, other, key=lambda each: each.least), max(self, other, key=lambda each: each.most)
        return replace(
            self,
            runs=self.runs + other.runs,
            least=low.least,
            most=high.most,
            least_from=low.least_from,
            most_from=high.most_from,
        )


def joined(every: Iterable[Spread]) -> Iterator[Spread]:
    """Those of the same point, workload and direction as one."""
    found: dict[tuple[str, str, str], Spread] = {}
    for each in every:
        key = (each.point_id, each.workload, each.direction)
        found[key] = found[key].plus(each) if key in found else each
    return iter(found.values())


def spreads(trials: Iterable[TrialRow], observations: Iterable[ObservationRow]) -> Iterator[Spread]:
    """How far imported runs of the same workload at the same point lie apart."""
    by_id = {trial.trial_id: trial for trial in trials if trial.substrate == IMPORTED and trial.status == "ok"}
    rows = (row for row in observations if row.bw_bytes_s > 0 and row.trial_id in by_id)
    return joined(_single(by_id[row.trial_id], row) for row in rows)


def _single(trial: TrialRow, row: ObservationRow) -> Spread:
    source, rate = trial.imported_from or trial.trial_id, row.bw_bytes_s
    return Spread(trial.point_id, row.workload, row.direction, 1, rate, rate, source, source)


def is_imported(trials: Iterable[TrialRow]) -> bool:
    """Whether any of the trials was read from a file."""
    return any(trial.substrate == IMPORTED for trial in trials)


def in_order(rows: Iterable[TrialRow]) -> list[TrialRow]:
    """Trials in run order, those of nights in that of time; imported ones first, in the order that their starts say."""
    measured = [row for row in rows if row.substrate != IMPORTED]
    found, seen = [], Counter[tuple[str, str]]()
    read = (row for row in rows if row.substrate == IMPORTED)
    for place, row in enumerate(sorted(read, key=lambda row: (row.started_at_ns, row.trial_id))):
        key = (row.point_id, row.protocol_id)
        found.append(replace(row, run_order=place, block=seen[key]))
        seen[key] += 1
    ordered = sorted(measured, key=_when)
    if any(row.night for row in ordered):
        ordered = [replace(row, run_order=place) for place, row in enumerate(ordered)]
    return found + ordered


def _when(row: TrialRow) -> tuple[str, int, int, str]:
    """What a measured trial is sorted by: a night has several plans, and each of them counts from its own beginning."""
    return (row.night or "", row.started_at_ns if row.night else row.run_order, row.started_at_ns, row.trial_id)


def comparable(every: Sequence[TrialRow]) -> tuple[TrialRow, ...]:
    """Trials of the newest protocol; all of an import, where each workload is a protocol of its own."""
    newest = max(every, key=lambda trial: (trial.started_at_ns, trial.trial_id))
    if newest.substrate == IMPORTED:
        return tuple(trial for trial in every if trial.substrate == IMPORTED)
    return tuple(trial for trial in every if trial.protocol_id == newest.protocol_id)
