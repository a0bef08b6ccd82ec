"""Whether fewer bytes reached the disks than incompressible data would have caused: then a compressor was measured."""

from __future__ import annotations

from results.store.schema import ObservationRow

LEAST_SHARE = 0.9
"""Below this share of the least that was expected; metadata can only add, so the rest is for what counters miss."""


def share(row: ObservationRow) -> float:
    """Bytes that the disks moved by the least that incompressible data would have moved; infinite where not known."""
    if row.disk_bytes is None or not row.least_disk_bytes:
        return float("inf")
    return row.disk_bytes / row.least_disk_bytes


def found(row: ObservationRow) -> bool:
    """Whether the data of a run were compressed, or held by a cache."""
    return share(row) < LEAST_SHARE


def words(row: ObservationRow) -> str:
    """The figures of a row that :func:`found` holds for."""
    if row.direction == "read":
        return f"{row.total_bytes:,} bytes read, {row.disk_bytes:,} came from the disks"
    return f"{row.total_bytes:,} bytes written, {row.disk_bytes:,} reached the disks"


def warning(row: ObservationRow) -> str | None:
    """The warning of a trial; None where nothing was found."""
    if not found(row):
        return None
    return (
        f"the data are compressible or compressed, or a cache held them: {words(row)} "
        f"(incompressible data: at least {row.least_disk_bytes:,})"
    )
