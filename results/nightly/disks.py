"""A member that became slower than its peers: the concurrent control that needs nothing to be restored.

Every disk is read on its own beside all others, at the same time (the disk check).  What befalls all of them - the
kernel, the host, the temperature of the room - leaves a disk's share of its peers' median as it was; what befalls one
disk does not.  Twelve such checks in a row tonight, each against the disk's own share in the nights of the baseline,
are twelve pairs, and get the same sign-flip test as pairs of trials.
"""

from __future__ import annotations

import math
import statistics
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from results.nightly.evidence import FEWEST_PAIRS, SIGNIFICANCE, Shift, sign_flip, typical
from results.store.pieces import by_trial
from results.store.schema import DISK_CHECK

if TYPE_CHECKING:
    import pyarrow as pa

    from results.store.query import StoreFrames

KINDS = ("read_iops", "read_bytes_s")
_CONFIDENCE = 0.99
_FEWEST_PEERS = 2
_FEWEST_NIGHTS = 5

Shares = Mapping[tuple[str, str], Sequence[float]]
"""By disk and kind: logarithms of its share of its peers' median, one for each check."""


@dataclass(frozen=True)
class SlowMember:
    """A disk whose share of its peers fell: by ``shift`` (a logarithm), in reads of this ``kind``.

    ``p_value`` is already multiplied by the number of disks and kinds that were tested (Bonferroni).
    """

    disk_id: str
    kind: str
    shift: Shift
    share_before: float
    share_tonight: float
    p_value: float


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


def slow_members(before: Mapping[str, Shares], tonight: Shares, margin: float) -> tuple[SlowMember, ...]:
    """Disks whose share fell below what it was by more than ``margin`` (a share), confirmed; the slowest first.

    ``before`` are the baseline's nights.  A disk that was not there in five of them has no baseline of its own.
    """
    tested = [key for key in tonight if len(_nights(before, key)) >= _FEWEST_NIGHTS]
    found = []
    for key in tested:
        slow = _judged(key, _nights(before, key), list(tonight[key]), len(tested))
        if slow is not None and slow.p_value <= SIGNIFICANCE and slow.shift.high < math.log1p(-margin):
            found.append(slow)
    return tuple(sorted(found, key=lambda each: each.shift.change))


def _nights(before: Mapping[str, Shares], key: tuple[str, str]) -> list[float]:
    """A disk's share in each night, checks of a night averaged."""
    return [statistics.fmean(each[key]) for each in before.values() if each.get(key)]


def _judged(key: tuple[str, str], nights: list[float], checks: list[float], tested: int) -> SlowMember | None:
    import numpy as np
    from scipy import stats

    if len(checks) < FEWEST_PAIRS:
        return None
    nights = typical(np.asarray(nights)).tolist()
    usual = statistics.fmean(nights)
    differences = np.asarray(checks) - usual
    p_value = min(1.0, tested * sign_flip(differences, worse=True, sign=1))
    # Both the checks of tonight and the nights of the baseline scatter; the fewer degrees of freedom are taken.
    spread = math.sqrt(differences.var(ddof=1) / len(checks) + statistics.variance(nights) * (1 + 1 / len(nights)))
    half = spread * float(stats.t.ppf((1 + _CONFIDENCE) / 2, min(len(nights), len(checks)) - 1))
    change = float(differences.mean())
    shift = Shift(change, change - half, change + half, p_value, len(checks))
    return SlowMember(*key, shift, math.exp(usual), math.exp(usual + change), p_value)


def checks_needed(disks: int, pairs: int, level: float) -> int:
    """Checks that suffice for a disk among so many to reach the level after the division by their number."""
    return max(pairs, math.ceil(math.log2(len(KINDS) * disks / level)))
