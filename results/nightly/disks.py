"""A member that became slower than its peers: the concurrent control that needs nothing to be restored.

Every disk is read on its own beside all others, at the same time (the disk check).  What befalls all of them - the
kernel, the host, the temperature of the room - leaves a disk's share of its peers' median as it was; what befalls one
disk does not.  The readings of one night resemble each other, since whatever slows a disk for a night slows all of
them, so the night is the unit: tonight's mean share is held against those of the baseline's nights.  One night in a
hundred a disk is slow for reasons of its own (a retry, a scrub), which no number of readings of that night tells from
a disk that stays slow; so a regression needs :data:`NIGHTS_IN_A_ROW` nights.
"""

from __future__ import annotations

import math
import statistics
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from results.nightly.evidence import SPENT_A_YEAR, Shift, typical
from results.store.pieces import by_trial
from results.store.schema import DISK_CHECK

if TYPE_CHECKING:
    import pyarrow as pa

    from results.store.query import StoreFrames

KINDS = ("read_iops", "read_bytes_s")
_CONFIDENCE = 0.99
_FEWEST_PEERS = 2
_FEWEST_NIGHTS = 5
_LEAST_SPREAD = 0.002
CHECKS = 12
"""Readings of every disk on a night on which something is confirmed."""
NIGHTS_IN_A_ROW = 3
"""Nights on which a disk must be slow for a regression.

A disk that is slow by itself on one night in a hundred is slow on two in a row 0.0365 times a year, which is more than
the false regressions that are allowed (0.016), and on three 0.0004 times.
"""

Shares = Mapping[tuple[str, str], Sequence[float]]
"""By disk and kind: logarithms of its share of its peers' median, one for each check."""


@dataclass(frozen=True)
class SlowMember:
    """A disk whose share of its peers fell: by ``shift`` (a logarithm), in reads of this ``kind``.

    ``p_value`` is already multiplied by the number of disks and kinds that were tested (Bonferroni); ``nights`` are the
    nights in a row, tonight the last, on which its share was beyond the margin.
    """

    disk_id: str
    kind: str
    shift: Shift
    share_before: float
    share_tonight: float
    p_value: float
    nights: int = 1


def shares(frames: StoreFrames, trial_ids: Collection[str]) -> Shares:
    """Shares in every disk check of these trials."""
    found: dict[tuple[str, str], list[float]] = defaultdict(list)
    columns = ("workload", "second", "disk_id", *KINDS)
    for _, table in by_trial(frames.store, "telemetry", columns, trial_ids):
        for kind in KINDS:
            for values in _checks(table, kind):
                for disk_id, share in _of_peers(values).items():
                    found[disk_id, kind].append(share)
    return found


def _checks(table: pa.Table, kind: str) -> list[dict[str, float]]:
    """What each disk reached, check by check."""
    import pyarrow.compute as pc

    rows = table.filter(pc.and_(pc.equal(table["workload"], DISK_CHECK), pc.is_valid(table[kind])))
    checks: dict[float, dict[str, float]] = defaultdict(dict)
    for second, disk_id, value in zip(*(rows[name].to_pylist() for name in ("second", "disk_id", kind)), strict=True):
        if disk_id is not None:
            checks[second][disk_id] = value
    return [checks[second] for second in sorted(checks)]


def _of_peers(values: Mapping[str, float]) -> dict[str, float]:
    found = {}
    for disk_id, value in values.items():
        peers = [other for each, other in values.items() if each != disk_id]
        if len(peers) >= _FEWEST_PEERS and value > 0 and statistics.median(peers) > 0:
            found[disk_id] = math.log(value / statistics.median(peers))
    return found


def slow_members(
    before: Mapping[str, Shares], tonight: Shares, margin: float, recent: Sequence[Shares] = ()
) -> tuple[SlowMember, ...]:
    """Disks whose share fell below what it was by more than ``margin`` (a share), confirmed; the slowest first.

    ``before`` are the baseline's nights, ``recent`` those right before tonight, the newest last.  A disk that was not
    there in five nights of the baseline has no baseline of its own.
    """
    tested = [key for key in tonight if tonight[key] and len(_nights(before, key)) >= _FEWEST_NIGHTS]
    found = []
    for key in tested:
        slow = _judged(key, _nights(before, key), tonight[key], len(tested))
        if slow.p_value <= SPENT_A_YEAR and slow.shift.high < math.log1p(-margin):
            latest = [statistics.fmean(each[key]) if each.get(key) else math.inf for each in recent]
            found.append(replace(slow, nights=1 + _in_a_row(latest, math.log(slow.share_before), margin)))
    return tuple(sorted(found, key=lambda each: each.shift.change))


def _in_a_row(latest: Sequence[float], usual: float, margin: float) -> int:
    """How many of the latest nights, without a gap before tonight, were beyond the margin."""
    count = 0
    for share in reversed(latest):
        if share - usual >= math.log1p(-margin):
            break
        count += 1
    return count


def _nights(before: Mapping[str, Shares], key: tuple[str, str]) -> list[float]:
    """A disk's share in each night, checks of a night averaged."""
    return [statistics.fmean(each[key]) for each in before.values() if each.get(key)]


def _judged(key: tuple[str, str], nights: list[float], checks: Sequence[float], tested: int) -> SlowMember:
    """Tonight's mean share against the nights: a prediction interval for one more night (Hahn and Meeker 1991, 4.7)."""
    import numpy as np
    from scipy import stats

    kept = typical(np.asarray(nights))
    usual, freedom = float(kept.mean()), len(kept) - 1
    spread = max(_LEAST_SPREAD, float(kept.std(ddof=1))) * math.sqrt(1 + 1 / len(kept))
    change = statistics.fmean(checks) - usual
    p_value = min(1.0, tested * float(stats.t.cdf(change / spread, freedom)))
    half = spread * float(stats.t.ppf((1 + _CONFIDENCE) / 2, freedom))
    shift = Shift(change, change - half, change + half, p_value, len(checks))
    return SlowMember(*key, shift, math.exp(usual), math.exp(usual + change), p_value)


def lost_shares(
    before: Mapping[str, Shares], latest: Sequence[Shares], disk_ids: Collection[str]
) -> Mapping[str, tuple[float, ...]]:
    """What each of these disks lost of its share in each of the latest nights: a logarithm, by the kind that lost most.

    A night on which a disk was not read is left out, except the last one: then the disk has no nights at all.
    """
    found = {}
    for disk_id in disk_ids:
        by_night = [_lost(before, night, disk_id) for night in latest]
        known = tuple(each for each in by_night if each is not None)
        found[disk_id] = known if by_night and by_night[-1] is not None else ()
    return found


def _lost(before: Mapping[str, Shares], night: Shares, disk_id: str) -> float | None:
    import numpy as np

    lost = []
    for kind in KINDS:
        key, usual = (disk_id, kind), _nights(before, (disk_id, kind))
        if night.get(key) and len(usual) >= _FEWEST_NIGHTS:
            lost.append(statistics.fmean(night[key]) - float(typical(np.asarray(usual)).mean()))
    return min(lost, default=None)
