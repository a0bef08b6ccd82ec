"""``compact``: the files of a store merged, and the raw data of old nights dropped where that was asked for.

Of a night's trials older than those to keep go the seconds, the telemetry and the engine's own output.  What stays for
ever is all that a verdict, a baseline, a date or a trend is made of: trials, observations with their histograms, what
each disk read on its own, environments; and of what goes, a summary of each figure
(:mod:`results.retention.summarise`).
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from results.errors import ResultsError
from results.retention.referred import Referred
from results.retention.rewrite import Rewritten, groups_of, put, rewritten
from results.store.contents import COMPANIONS, Group
from results.store.folder import BUNDLE_BYTES, BUNDLE_TRIALS, Store
from results.store.query import StoreFrames


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What is asked: without ``keep_raw_nights`` files are merged alone.  ``over`` are nights that have an outcome."""

    keep_raw_nights: int | None = None
    over: frozenset[str] = frozenset()
    referred: tuple[Referred, ...] = ()


@dataclass(frozen=True)
class Kept:
    """An old night of which raw data stay, and why."""

    night: str
    trials: int
    why: str


@dataclass(frozen=True, kw_only=True)
class Compacted:
    """What was done, or would be.

    ``bytes_before`` and ``bytes_after`` are of the files from which something is dropped; ``files_before`` and
    ``files_after`` of all tables (None after a dry run, which merges nothing).
    """

    store: str
    dry_run: bool
    keep_raw_nights: int | None
    nights: tuple[str, ...]
    trials: int
    kept: tuple[Kept, ...]
    bytes_before: int
    bytes_after: int
    files_before: int
    files_after: int | None

    @property
    def freed_bytes(self) -> int:
        """What is gained."""
        return self.bytes_before - self.bytes_after


def compact(store: Store, asked: Asked, *, dry_run: bool = False) -> Compacted:
    """Carry out what is asked, or say what would be; the caller holds the locks unless it is a dry run.

    Whatever moment it is interrupted at, the store is whole, and the next call goes on.

    Raises:
        ResultsError: something in the store is damaged or not understood (nothing is dropped then), or it is full.
    """
    _no_doubt(store)
    due, kept = _due(store, asked)
    told = Compacted(
        store=str(store.path),
        dry_run=dry_run,
        keep_raw_nights=asked.keep_raw_nights,
        nights=tuple(sorted(set(due.values()))),
        trials=len(due),
        kept=kept,
        bytes_before=0,
        bytes_after=0,
        files_before=_files(store),
        files_after=None,
    )
    if not dry_run:
        store.clear_leftovers()
    now_ns = time.time_ns()
    for groups in list(_batches(store, _with_any(store, due))):
        drop = {each for each in due if store.contents.trials[each].group in set(groups)}
        new = rewritten(store, groups, drop, now_ns)
        told = replace(
            told, bytes_before=told.bytes_before + new.bytes_before, bytes_after=told.bytes_after + new.bytes_after
        )
        if not dry_run:
            put(store.contents, new)
    if dry_run:
        return told
    store.bundle()
    for new in _merged(store, now_ns):
        put(store.contents, new)
    return replace(told, files_after=_files(store))


def _no_doubt(store: Store) -> None:
    """Nothing is dropped from a store of which a part is damaged, foreign, or lies twice."""
    if store.set_aside:
        first = store.set_aside[0]
        raise ResultsError(
            f"{len(store.set_aside)} file(s) of {store.path} do not count ({first.path}: {first.reason}): "
            "nothing was dropped",
            remedy="Put the file back from a copy, or leave it where it was set aside; then run the command again.",
        )
    if store.contents.shadowed and not store.read_only:
        raise ResultsError(
            f"{len(store.contents.shadowed)} trials of {store.path} lie in two files: nothing was dropped",
            remedy="Run `stripelab status STORE`, then the same command again.",
        )


def _due(store: Store, asked: Asked) -> tuple[Mapping[str, str], tuple[Kept, ...]]:
    """Trials to drop from with their night, and what is kept of old nights with the reason."""
    if asked.keep_raw_nights is None:
        return {}, ()
    table = StoreFrames(store).arrow("trials", ("trial_id", "night", "dropped_at_ns"))
    rows = list(zip(*(table[name].to_pylist() for name in table.column_names), strict=True))
    nights = sorted({night for _, night, _ in rows if night is not None})
    old = set(nights[: max(0, len(nights) - asked.keep_raw_nights)])
    due: dict[str, str] = {}
    reasons: dict[tuple[str, str], int] = {}
    for trial_id, night, dropped in rows:
        if night not in old or dropped is not None:
            continue
        why = _why_kept(trial_id, night, asked)
        if why is None:
            due[trial_id] = night
        else:
            reasons[night, why] = reasons.get((night, why), 0) + 1
    return due, tuple(Kept(night, count, why) for (night, why), count in sorted(reasons.items()))


def _why_kept(trial_id: str, night: str, asked: Asked) -> str | None:
    """Why nothing of an old trial is dropped; None where it is."""
    if night not in asked.over:
        return "the night has no outcome"
    return next((f"{each.path} rests on them" for each in asked.referred if trial_id in each.trial_ids), None)


def _with_any(store: Store, trial_ids: Collection[str]) -> list[Group]:
    """Groups with one of these trials."""
    wanted = {store.contents.trials[trial_id].group for trial_id in trial_ids}
    return [group for group in groups_of(store.contents) if group in wanted]


def _batches(store: Store, groups: Sequence[Group]) -> Iterator[list[Group]]:
    """Groups that fit into a bundle together, in their order."""
    counts = _counts(store)
    batch: list[Group] = []
    trials = held = 0
    for group in groups:
        own = store.contents.size(group)
        if batch and (trials + counts[group] > BUNDLE_TRIALS or held + own > BUNDLE_BYTES):
            yield batch
            batch, trials, held = [], 0, 0
        batch.append(group)
        trials, held = trials + counts[group], held + own
    if batch:
        yield batch


def _merged(store: Store, now_ns: int) -> Iterator[Rewritten]:
    """Small bundles as larger ones: those of which nothing will be dropped any more, with their like."""
    table = StoreFrames(store).arrow("trials", ("trial_id", "night", "dropped_at_ns"))
    rows = zip(*(table[name].to_pylist() for name in table.column_names), strict=True)
    open_to_drop = {
        store.contents.trials[trial_id].group
        for trial_id, night, dropped in rows
        if night is not None and dropped is None
    }
    settled = [group for group in groups_of(store.contents) if group.bundled and group not in open_to_drop]
    for groups in list(_batches(store, settled)):
        if len(groups) > 1:
            yield rewritten(store, groups, (), now_ns)


def _counts(store: Store) -> dict[Group, int]:
    found: dict[Group, int] = {}
    for entry in store.contents.trials.values():
        found[entry.group] = found.get(entry.group, 0) + 1
    return found


def _files(store: Store) -> int:
    return sum(len(store.folder.regular_names(table, ".parquet")) for table in ("trials", *COMPANIONS))
