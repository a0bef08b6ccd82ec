"""Trials that stripelab read from files: what is known of them, and the order they are judged in.

Nobody planned their order.  When they are read they are put in that of their starts, and the k-th run of the
same workloads at the same point is taken for its k-th replicate: a tree of nightly runs then has its nights as
blocks.  Where replicates were run one after the other the usual check refuses, as it does of any sweep
(:mod:`results.estimates.diagnostics`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace

from results.store.schema import IMPORTED, TrialRow

NOTICE = (
    "IMPORTED: read from files of earlier runs, which stripelab did not make. The hardware, the state of the array and "
    "how the runs were ordered are known from the names of files only, if at all; it cannot become a guarantee."
)


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
