"""A member disk that is slower than its peers, by name.

In a striped array every member gets the same share of the work, so one slow disk makes all of them
slow and no throughput per disk tells which it is.  Two things in the telemetry do:

* the disk check, in which each disk was read on its own (:data:`results.store.schema.DISK_CHECK`);
* how busy a disk was while a workload ran: the slow one has I/O in flight all the time, its peers wait
  for it (utilisation as in iostat(1); Gregg, Systems Performance, 2nd ed., ch. 9, on the USE method).
"""

from __future__ import annotations

import math
import statistics
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from results.store.pieces import by_trial
from results.store.query import StoreFrames
from results.store.sampling import evenly
from results.store.schema import DISK_CHECK, EnvironmentRow, TrialRow

if TYPE_CHECKING:
    import pyarrow as pa

SLOW_SHARE = 0.75
"""On average no faster than this share of its peers' median is slow."""

_SLOW_ONCE_SHARE = 0.85
"""In no single check may a slow disk be faster than this."""

_LEAST_CHECKS = 2
_BUSY_PCT = 80.0
_IDLE_SHARE = 0.6
_LEAST_TRIALS = 4

_COLUMNS = ("workload", "disk_id", "read_iops", "read_bytes_s", "util_pct")


@dataclass(frozen=True)
class SlowDisk:
    """A disk that is slower than its peers.

    ``checks`` is how often it was read on its own, ``iops_share`` and ``bw_share`` what it reached there of
    its peers' median (geometric means); None where it was not checked.  ``busy_trials`` of ``trials`` are
    those in which it was busy while its peers waited.
    """

    disk_id: str
    checks: int
    iops_share: float | None
    bw_share: float | None
    busy_trials: int
    trials: int

    @property
    def sentence(self) -> str:
        """What was seen, in words."""
        seen = []
        if self.checks:
            shares = []
            if self.iops_share is not None:
                shares.append(f"{100 * self.iops_share:.0f} % of its peers' random reads per second")
            if self.bw_share is not None:
                shares.append(f"{100 * self.bw_share:.0f} % of their sequential bandwidth")
            seen.append(f"read on its own in {self.checks} checks it reached {' and '.join(shares)}")
        if self.busy_trials:
            seen.append(f"in {self.busy_trials} of {self.trials} trials it was busy while its peers waited")
        return (
            f"THE DISK {self.disk_id} IS SLOWER THAN ITS PEERS: {'; '.join(seen)}. Every array with it goes at its "
            "pace, so the figures here are those of a box with a slow disk: look at its SMART values, cable and "
            "firmware, replace it, and run the sweep again before you decide."
        )


def slow_disks(
    frames: StoreFrames, trials: Sequence[TrialRow], environments: Iterable[EnvironmentRow]
) -> tuple[SlowDisk, ...]:
    """Disks that are slower than their peers of the same model, the slowest first."""
    models = {name: model for row in environments for name, model in zip(row.disk_ids, row.disk_models, strict=False)}
    checks: dict[str, dict[str, list[float]]] = {"read_iops": defaultdict(list), "read_bytes_s": defaultdict(list)}
    busy: dict[str, list[bool]] = defaultdict(list)
    sample = {trial.trial_id: trial for trial in (*_first_of_blocks(trials), *evenly(frames, "telemetry", trials))}
    for trial_id, table in by_trial(frames.store, "telemetry", _COLUMNS, sample):
        for column, found in checks.items():
            for name, share in _shares(_alone(table, column), models).items():
                found[name].append(share)
        if len(sample[trial_id].disk_ids) > 2:
            for name, waited_for in _busy_alone(table, models).items():
                busy[name].append(waited_for)
    names = sorted({*checks["read_iops"], *checks["read_bytes_s"], *busy})
    judged = [_judged(name, checks, busy.get(name, [])) for name in names]
    return tuple(sorted((each for each in judged if each is not None), key=lambda each: each.iops_share or 1.0))


def _first_of_blocks(trials: Sequence[TrialRow]) -> list[TrialRow]:
    """Of each block the trial that began it: disks are checked before that one, whatever of the rest is looked at."""
    first: dict[int, TrialRow] = {}
    for trial in sorted(trials, key=lambda each: (each.started_at_ns, each.trial_id)):
        first.setdefault(trial.block, trial)
    return list(first.values())


def _alone(table: pa.Table, column: str) -> dict[str, float]:
    """What each disk reached in the disk check of a trial, where it had one."""
    import pyarrow.compute as pc

    rows = table.filter(pc.equal(table["workload"], DISK_CHECK))
    pairs = zip(rows["disk_id"].to_pylist(), rows[column].to_pylist(), strict=True)
    return {name: value for name, value in pairs if name is not None and value is not None}


def _shares(values: Mapping[str, float], models: Mapping[str, str]) -> dict[str, float]:
    """Each disk's value over the median of its peers; only where a disk has two peers of its model or more."""
    found = {}
    for name, value in values.items():
        peers = [other for each, other in values.items() if each != name and models.get(each) == models.get(name)]
        if len(peers) >= 2 and statistics.median(peers) > 0:
            found[name] = value / statistics.median(peers)
    return found


def _busy_alone(table: pa.Table, models: Mapping[str, str]) -> dict[str, bool]:
    """Whether each member was busy in a trial while its peers waited; by mean utilisation over the samples."""
    import pyarrow.compute as pc

    rows = table.filter(pc.and_(pc.not_equal(table["workload"], DISK_CHECK), pc.is_valid(table["util_pct"])))
    means = rows.group_by("disk_id").aggregate([("util_pct", "mean")])
    found = dict(zip(means["disk_id"].to_pylist(), means["util_pct_mean"].to_pylist(), strict=True))
    used = {name: float(value) for name, value in found.items() if name is not None}
    shares = _shares(used, models)
    return {name: used[name] >= _BUSY_PCT and share > 1 / _IDLE_SHARE for name, share in shares.items()}


def _judged(name: str, checks: Mapping[str, Mapping[str, list[float]]], busy: Sequence[bool]) -> SlowDisk | None:
    """The verdict on one disk; None where it keeps up."""
    shares = {column: found.get(name, []) for column, found in checks.items()}
    slow = any(
        len(each) >= _LEAST_CHECKS and max(each) < _SLOW_ONCE_SHARE and _mean(each) < SLOW_SHARE
        for each in shares.values()
    )
    often = len(busy) >= _LEAST_TRIALS and sum(busy) > len(busy) / 2
    if not (slow or often):
        return None
    iops, bandwidth = shares["read_iops"], shares["read_bytes_s"]
    return SlowDisk(
        disk_id=name,
        checks=max(len(iops), len(bandwidth)),
        iops_share=_mean(iops) if iops else None,
        bw_share=_mean(bandwidth) if bandwidth else None,
        busy_trials=sum(busy),
        trials=len(busy),
    )


def _mean(shares: Sequence[float]) -> float:
    """Geometric mean; 0 where a disk could not be read at all."""
    if min(shares) <= 0:
        return 0.0
    return math.exp(math.fsum(map(math.log, shares)) / len(shares))
