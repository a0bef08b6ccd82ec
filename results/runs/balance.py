"""How evenly the member disks worked: what each reached alone, how busy it was, and its share of the load.

In a striped array every member has the same share, so a member that is busier than its peers for the same
bytes is the slow one, and one with more bytes than its peers has a load that the layout does not spread (utilisation
as in iostat(1); Gregg, Systems Performance, 2nd ed., ch. 9, on the USE method).
"""

from __future__ import annotations

import math
import statistics
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from results.runs.members import SlowDisk, slow_disks
from results.store.pieces import by_trial
from results.store.query import StoreFrames
from results.store.sampling import evenly
from results.store.schema import DISK_CHECK, DISK_HEALTH, EnvironmentRow, TrialRow
from stripelab.raid import LEVELS

if TYPE_CHECKING:
    import pyarrow as pa

STRIPED = frozenset(level.name for level in LEVELS.values() if level.striped)
"""Levels that give every member the same share of the work; a mirror reads from any, JBOD depends on the files."""

_COLUMNS = ("workload", "disk_id", "read_iops", "read_bytes_s", "write_bytes_s", "util_pct")


@dataclass(frozen=True)
class MemberLoad:
    """A disk over all trials that were looked at.

    ``check_iops`` and ``check_bytes_s`` are medians of what it read on its own.  ``util_pct`` is the mean share of time
    with I/O in flight, ``bytes_s`` the mean of bytes moved per second.  ``share`` is its part of the bytes over
    an even part (1 is even), as the geometric mean over trials on striped levels; ``worst_share`` is the one
    farthest from even, in ``worst_trial``.  What was not measured is None; ``slow`` is set where it is slower than
    its peers.
    """

    disk_id: str
    trials: int
    check_iops: float | None
    check_bytes_s: float | None
    util_pct: float | None
    bytes_s: float | None
    share: float | None
    worst_share: float | None
    worst_trial: str | None
    slow: SlowDisk | None


@dataclass
class _Seen:
    """What telemetry said of one disk, a value per trial."""

    check_iops: list[float] = field(default_factory=list)
    check_bytes_s: list[float] = field(default_factory=list)
    util_pct: list[float] = field(default_factory=list)
    bytes_s: list[float] = field(default_factory=list)
    shares: list[tuple[float, str]] = field(default_factory=list)


def member_loads(
    frames: StoreFrames, trials: Sequence[TrialRow], environments: Iterable[EnvironmentRow]
) -> tuple[MemberLoad, ...]:
    """Every disk of which there is telemetry, in the order of the leased disks, then by name.

    Raises:
        ResultsError: telemetry is damaged or cannot be read.
    """
    described = list(environments)
    seen: dict[str, _Seen] = defaultdict(_Seen)
    striped = {trial.trial_id: trial.level in STRIPED for trial in evenly(frames, "telemetry", trials)}
    for trial_id, table in by_trial(frames.store, "telemetry", _COLUMNS, striped):
        _of_trial(trial_id, table, seen, shared_evenly=striped[trial_id])
    slow = {each.disk_id: each for each in slow_disks(frames, trials, described)} if seen else {}
    order = {name: place for row in described for place, name in enumerate(row.disk_ids)}
    return tuple(
        _load(name, seen[name], slow.get(name))
        for name in sorted(seen, key=lambda name: (order.get(name, len(order)), name))
    )


def _of_trial(trial_id: str, table: pa.Table, seen: Mapping[str, _Seen], *, shared_evenly: bool) -> None:
    """Add one trial: means over its samples, since samples are evenly spaced."""
    import pyarrow.compute as pc

    disks = table.filter(pc.and_(pc.is_valid(table["disk_id"]), pc.not_equal(table["workload"], DISK_HEALTH)))
    alone = pc.equal(disks["workload"], DISK_CHECK)
    for name, row in _means(disks.filter(alone)).items():
        _add(seen[name].check_iops, row["read_iops"])
        _add(seen[name].check_bytes_s, row["read_bytes_s"])
    at_work = _means(disks.filter(pc.invert(alone)))
    moved = {
        name: (row["read_bytes_s"] or 0.0) + (row["write_bytes_s"] or 0.0)
        for name, row in at_work.items()
        if row["read_bytes_s"] is not None or row["write_bytes_s"] is not None
    }
    even = statistics.fmean(moved.values()) if moved else 0.0
    for name, row in at_work.items():
        _add(seen[name].util_pct, row["util_pct"])
        _add(seen[name].bytes_s, moved.get(name))
        if shared_evenly and len(moved) > 1 and even > 0 and name in moved:
            seen[name].shares.append((moved[name] / even, trial_id))


def _means(rows: pa.Table) -> dict[str, dict[str, float | None]]:
    """Mean of each figure by disk; None where a disk has none."""
    figures = ("read_iops", "read_bytes_s", "write_bytes_s", "util_pct")
    grouped = rows.group_by("disk_id", use_threads=False).aggregate([(name, "mean") for name in figures])
    return {row["disk_id"]: {name: row[f"{name}_mean"] for name in figures} for row in grouped.to_pylist()}


def _add(values: list[float], value: float | None) -> None:
    if value is not None:
        values.append(float(value))


def _load(name: str, seen: _Seen, slow: SlowDisk | None) -> MemberLoad:
    """One disk summed up."""
    worst = max(seen.shares, key=lambda each: (abs(math.log(max(each[0], 1e-9))), each[1]), default=None)
    shares = [max(share, 1e-9) for share, _ in seen.shares]
    return MemberLoad(
        disk_id=name,
        trials=max(len(seen.util_pct), len(seen.bytes_s)),
        check_iops=statistics.median(seen.check_iops) if seen.check_iops else None,
        check_bytes_s=statistics.median(seen.check_bytes_s) if seen.check_bytes_s else None,
        util_pct=statistics.fmean(seen.util_pct) if seen.util_pct else None,
        bytes_s=statistics.fmean(seen.bytes_s) if seen.bytes_s else None,
        share=statistics.geometric_mean(shares) if shares else None,
        worst_share=worst[0] if worst else None,
        worst_trial=worst[1] if worst else None,
        slow=slow,
    )
