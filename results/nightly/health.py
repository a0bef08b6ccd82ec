"""Temperature and wear of a night's disks, and what of them is different from the baseline's nights.

They stand beside a verdict and make none.  Of each night a few figures a disk are kept with its outcome, so that later
nights find them whatever becomes of the telemetry.
"""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING

from results.nightly.answer import DiskHealth, Nightly
from results.runs.changes import Change
from results.store.pieces import by_trial
from results.store.schema import DISK_HEALTH

if TYPE_CHECKING:
    from results.store.query import StoreFrames

TEMPERATURE_K = 5.0
"""Difference that is listed.  Sensors are good to about two kelvin, and a room changes by a few between nights."""
USED_POINTS = 1
"""Difference of the endurance that is listed, percentage points: what the indicators resolve."""

TEMPERATURE = "temperature"
"""What a change of temperature is called, after the disk."""

_COUNTERS = {"media_errors": "media errors", "reallocated_sectors": "reallocated sectors"}
_COLUMNS = ("second", "disk_id", "temperature_c", "used_pct", "power_on_hours", *_COUNTERS, "not_read")


def health_of(frames: StoreFrames, trial_ids: Collection[str]) -> tuple[DiskHealth, ...]:
    """Each disk in these trials: the median of its temperatures (degrees Celsius), and the wear, which only grows.

    Raises:
        ResultsError: a file that is damaged or cannot be read.
    """
    readings: dict[str, list[Mapping[str, float | str | None]]] = defaultdict(list)
    for _, table in by_trial(frames.store, "telemetry", ("workload", *_COLUMNS), sorted(trial_ids)):
        for row in table.to_pylist():
            if row["workload"] == DISK_HEALTH and row["disk_id"] is not None:
                readings[row["disk_id"]].append(row)
    return tuple(_of_disk(disk_id, readings[disk_id]) for disk_id in sorted(readings))


def _of_disk(disk_id: str, rows: Sequence[Mapping[str, float | str | None]]) -> DiskHealth:
    def most(name: str) -> int | None:
        return max((int(row[name]) for row in rows if row[name] is not None), default=None)  # type: ignore[arg-type]

    warm = [float(row["temperature_c"]) for row in rows if row["temperature_c"] is not None]
    return DiskHealth(
        disk_id=disk_id,
        temperature_c=statistics.median(warm) if warm else None,
        used_pct=most("used_pct"),
        power_on_hours=most("power_on_hours"),
        media_errors=most("media_errors"),
        reallocated_sectors=most("reallocated_sectors"),
        not_read=next((str(row["not_read"]) for row in rows if row["not_read"] is not None), None),
    )


def health_changes(before: Sequence[Nightly], tonight: Sequence[DiskHealth]) -> tuple[Change, ...]:
    """What is different from the nights of the baseline, ``before``, of disks that were there in them.

    Temperature: tonight's less the median of those nights, where it is :data:`TEMPERATURE_K` or more.  Wear: since the
    last of those nights in which it was known, from :data:`USED_POINTS` on; errors and reallocated sectors, any change.
    """
    earlier: dict[str, list[DiskHealth]] = defaultdict(list)
    for night in sorted(before, key=lambda night: night.night):
        for each in night.health:
            earlier[each.disk_id].append(each)
    return tuple(change for each in tonight for change in _changes(each, earlier[each.disk_id]))


def _changes(now: DiskHealth, earlier: Sequence[DiskHealth]) -> list[Change]:
    found = []
    warm = [each.temperature_c for each in earlier if each.temperature_c is not None]
    if warm and now.temperature_c is not None:
        usual_c = statistics.median(warm)
        apart_k = now.temperature_c - usual_c
        if abs(apart_k) >= TEMPERATURE_K:
            after = f"{now.temperature_c:.0f} °C ({apart_k:+.0f} K)"
            found.append(_change(now, TEMPERATURE, f"{usual_c:.0f} °C", after))
    used = _last([each.used_pct for each in earlier])
    if used is not None and now.used_pct is not None and abs(now.used_pct - used) >= USED_POINTS:
        after = f"{now.used_pct} % ({now.used_pct - used:+d} points)"
        found.append(_change(now, "endurance used", f"{used} %", after))
    for name, words in _COUNTERS.items():
        count, had = getattr(now, name), _last([getattr(each, name) for each in earlier])
        if count is not None and had is not None and count != had:
            found.append(_change(now, words, str(had), f"{count} ({count - had:+d})"))
    return found


def _last(values: Sequence[int | None]) -> int | None:
    return next((value for value in reversed(values) if value is not None), None)


def _change(disk: DiskHealth, what: str, before: str, after: str) -> Change:
    return Change(what=f"disk {disk.disk_id}, {what}", before=before, after=after)


def not_read(health: Sequence[DiskHealth]) -> tuple[str, ...]:
    """What of the disks' temperature and wear is not known, and why; disks with one reason share a line."""
    disks: dict[str, list[str]] = defaultdict(list)
    for each in health:
        if each.not_read is not None:
            disks[each.not_read].append(each.disk_id)
    return tuple(f"{_named(names)}: {why}" for why, names in disks.items())


def _named(names: Sequence[str]) -> str:
    return f"disk {names[0]}" if len(names) == 1 else f"{len(names)} disks ({', '.join(names)})"
