"""How it is said that the raw data of old nights were dropped on purpose, and are not missing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from results.store.schema import TrialRow
from stripelab.units import date

if TYPE_CHECKING:
    from results.retention.compact import Compacted


def gone(trial: TrialRow) -> str:
    """Of one trial whose raw data were dropped."""
    when = "" if trial.dropped_at_ns is None else f" on {date(trial.dropped_at_ns)}"
    return f"the seconds of the night {trial.night} were dropped on purpose{when} (stripelab compact)"


def dropped_note(trials: Sequence[TrialRow]) -> str | None:
    """Of a store; None where nothing was dropped."""
    nights = sorted({trial.night or "" for trial in trials if trial.dropped_at_ns is not None})
    if not nights:
        return None
    span = nights[0] if len(nights) == 1 else f"{len(nights)} nights, {nights[0]} to {nights[-1]}"
    return (
        f"Seconds, telemetry and raw output of {span}, were dropped on purpose (stripelab compact): observations and "
        "summaries of them are there, and nothing is missing."
    )


def words(done: Compacted) -> Iterator[str]:
    """What compacting a store did, or would do, line by line."""
    if done.keep_raw_nights is not None:
        would = "would be dropped" if done.dry_run else "were dropped"
        if done.nights:
            raw = f"seconds, telemetry and raw output of {_nights(done.nights)} ({done.trials} trials)"
            mib = 1 << 20
            yield (
                f"{raw} {would}: {done.bytes_before / mib:.2f} MiB become {done.bytes_after / mib:.2f} MiB; "
                "observations, histograms, readings of single disks and summaries stay"
            )
        else:
            yield f"nothing to drop: no night is older than the newest {done.keep_raw_nights} and still has raw data"
    for kept in done.kept:
        yield f"kept: raw data of {kept.trials} trials of the night {kept.night}, because {kept.why}"
    if done.files_after is not None and done.files_after != done.files_before:
        yield f"{done.files_before} files are {done.files_after} now"


def _nights(nights: Sequence[str]) -> str:
    return f"the night {nights[0]}" if len(nights) == 1 else f"{len(nights)} nights, {nights[0]} to {nights[-1]}"
