"""Retention of a store of nights: who may compact it, and which nights are over."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bench.store_lock import locked
from results.nightly import kept
from results.retention.compact import Asked, Compacted, compact
from results.retention.referred import referred
from results.store.folder import Store


def retain(store: Path, keep_raw: int | None, guarantees: Sequence[Path], *, dry_run: bool = False) -> Compacted:
    """Compact a store; the caller holds the lock of its nights, this one that of its runs.

    Raises:
        BusyError: a run is writing the store.
        ResultsError: as :func:`results.retention.compact.compact`, and for a file that is no guarantee.
    """
    over = frozenset(kept.nights(store))
    asked = Asked(keep_raw_nights=keep_raw, over=over, referred=referred(store, guarantees))
    if dry_run:
        return compact(Store.open(store, read_only=True), asked, dry_run=True)
    with locked(store):
        return compact(Store.open(store), asked)
