"""Runs as rows of the store: one trial for each point of a run, marked as imported in every row."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import zlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from bench.engine import DirectionResult
from bench.errors import EngineError
from bench.importing.run import Part, Run, digest
from bench.importing.workload import canonical_text
from bench.version import stripelab_version
from permutations.identity import canonical_json
from results.store.schema import IMPORTED, EnvironmentRow, IntervalRow, ObservationRow, TrialRow
from results.text import encodable
from stripelab.metrics import LAST_BUCKET_NS, figure, is_least
from stripelab.raid import LEVELS

SWEEP = "(imported)"
_LARGEST = (1 << 63) - 1
_EARLIEST_NS = 0
_LATEST_NS = 7_258_118_400_000_000_000  # the year 2200: beyond it, a date is no date
_BLOCK_BYTES = (1 << 16) - 1
_PERCENTILES = tuple(f"{kind}_p{percent}_ns" for kind in ("clat", "lat") for percent in (50, 95, 99, 999))


@dataclass(frozen=True)
class TrialRows:
    """The rows of one imported trial."""

    trial: TrialRow
    observations: tuple[ObservationRow, ...]
    intervals: tuple[IntervalRow, ...]


@dataclass(frozen=True)
class Source:
    """The file that runs were read from; ``changed_ns`` is when it was last written, ``raw`` its whole content."""

    path: str
    changed_ns: int
    raw: bytes


def environment(run: Run) -> EnvironmentRow:
    """The machine of a run, of which next to nothing is known."""
    return environment_of(run.engine, run.engine_version, run.hosts)


@lru_cache(maxsize=64)
def environment_of(engine: str, engine_version: str, hosts: tuple[str, ...]) -> EnvironmentRow:
    """The same, by what is known."""
    unknown = "unknown"
    unnamed = EnvironmentRow(
        environment_id="",
        hostname="",
        substrate=IMPORTED,
        kernel=unknown,
        architecture=unknown,
        os_release=unknown,
        cpu_model=unknown,
        cpus=0,
        memory_bytes=0,
        tools=(f"{engine}: {storable(engine_version)}",),
        stripelab_version=stripelab_version(),
    )
    identity = json.dumps(dataclasses.asdict(unnamed), sort_keys=True, separators=(",", ":"))
    return dataclasses.replace(
        unnamed,
        environment_id=hashlib.sha256(identity.encode()).hexdigest()[:16],
        hostname=storable(", ".join(hosts)) or unknown,
    )


def rows(runs: Sequence[Run], source: Source) -> list[TrialRows]:
    """Trials of a file, in its order; the first one keeps the file's content.

    Raises:
        EngineError: a figure does not fit the store.
    """
    found: list[TrialRows] = []
    for run in runs:
        for parts in _trials(run.parts):
            found.append(_trial(run, parts, source, with_raw=not found))
    return found


def _trials(parts: Sequence[Part]) -> list[list[Part]]:
    """Parts by trial: those at one point, and of a workload that comes again under another group, one each."""
    if len(parts) == 1:
        return [list(parts)]
    found: dict[tuple[str, int], list[Part]] = defaultdict(list)
    seen: dict[tuple[str, str], int] = defaultdict(int)
    for part in parts:
        point = _place(part).text
        again = seen[point, part.workload]
        seen[point, part.workload] += 1
        found[point, again].append(part)
    return list(found.values())


@dataclass(frozen=True)
class Place:
    """What the rows of all trials at a point have in common; ``text`` is the point's content."""

    text: str
    point_id: str
    settings: Mapping[str, Any]
    labels: tuple[str, ...]
    disk_failures_survived: int | None


def _place(part: Part) -> Place:
    """The point of a part: its factors and labels."""
    return place_of(tuple(part.named.factors.items()), tuple(part.named.labels.items()))


# A tree of ten thousand files has a few hundred points and a few dozen workloads.


@lru_cache(maxsize=4096)
def place_of(factors: tuple[tuple[str, str | int], ...], labels: tuple[tuple[str, str], ...]) -> Place:
    """The point of these factors and labels."""
    text = canonical_json({"settings": dict(factors), "labels": dict(labels)})
    settings = {name: _plain(value) for name, value in factors}
    return Place(
        text=text,
        point_id=hashlib.sha256(text.encode()).hexdigest()[:16],
        settings=MappingProxyType(settings),
        labels=tuple([storable(f"{name}={value}") for name, value in labels]),
        disk_failures_survived=_survived(settings),
    )


@lru_cache(maxsize=4096)
def _protocol_id(workloads: tuple[str, ...]) -> str:
    return digest(sorted(set(workloads)))


def _trial(run: Run, parts: Sequence[Part], source: Source, *, with_raw: bool) -> TrialRows:
    place = _place(parts[0])
    if len(run.parts) > len(parts):
        trial_id = digest(run.identity, place.text, [(part.workload, part.group) for part in parts])
    else:
        trial_id = digest(run.identity)
    errors = [part.error for part in parts if part.error is not None]
    observations = _observations(trial_id, run, parts, source.raw if with_raw else None)
    if not errors and not observations:
        errors = ["nothing was measured"]
    trial = trial_row(
        trial_id,
        place,
        tuple([part.workload for part in parts]),
        environment(run),
        run.ended_ns,
        max([each.runtime_ns for part in parts for each in part.results], default=0),
        source,
        error=storable("; ".join(errors)) if errors else None,
        error_command=storable(run.command) or None if errors else None,
        warnings=(*run.notes, *run.warnings, *saturated([each for part in parts for each in part.results])),
    )
    seconds = tuple(
        [
            IntervalRow(trial_id=trial_id, workload=storable(part.workload), **vars(each))
            for part in parts
            for each in part.intervals
        ]
    )
    return TrialRows(trial, observations, seconds)


def trial_row(
    trial_id: str,
    place: Place,
    workloads: tuple[str, ...],
    machine: EnvironmentRow,
    ended_ns: int | None,
    longest_ns: int,
    source: Source,
    *,
    error: str | None = None,
    error_command: str | None = None,
    warnings: tuple[str, ...] = (),
) -> TrialRow:
    """The row of a trial; ``ended_ns`` is the wall clock that a file tells, ``longest_ns`` the longest direction."""
    known_ns, doubt = _ended(ended_ns, source)
    return TrialRow(
        trial_id=trial_id,
        point_id=place.point_id,
        protocol_id=_protocol_id(workloads),
        environment_id=machine.environment_id,
        sweep=SWEEP,
        block=0,
        run_order=0,
        status="ok" if error is None else "failed",
        substrate=IMPORTED,
        started_at_ns=max(known_ns - longest_ns, 0),
        duration_s=longest_ns / 1e9,
        error_class=None if error is None else "EngineError",
        error=error,
        error_command=error_command,
        disk_failures_survived=place.disk_failures_survived,
        warnings=tuple([storable(each) for each in (*warnings, *doubt)]),
        stripelab_version=stripelab_version(),
        imported_from=storable(source.path),
        labels=place.labels,
        **place.settings,
    )


def _observations(trial_id: str, run: Run, parts: Sequence[Part], raw: bytes | None) -> tuple[ObservationRow, ...]:
    """Figures of every workload and direction."""
    found = []
    kept = None if raw is None else stored(raw)
    version, command = storable(run.engine_version), storable(run.command)
    for part in parts:
        words = storable(canonical_text(part.options))
        for result in part.results:
            _check(result)
            row = ObservationRow(
                trial_id=trial_id,
                workload=storable(part.workload),
                engine=run.engine,
                engine_version=version,
                command=command,
                workload_json=words,
                raw_zlib=kept,
                **vars(result),
            )
            kept = None
            found.append(row)
    return tuple(found)


def stored(raw: bytes) -> bytes:
    """``raw`` as a zlib stream of stored blocks: Parquet compresses it, across files and better (zstd).

    What ``zlib.compress(raw, 0)`` makes, without the quarter of a mebibyte of state that it sets up for each
    (RFC 1950, section 2.2; RFC 1951, section 3.2.4).
    """
    pieces = [b"\x78\x01"]
    for start in range(0, len(raw) or 1, _BLOCK_BYTES):
        block = raw[start : start + _BLOCK_BYTES]
        last = start + _BLOCK_BYTES >= len(raw)
        size = len(block)
        pieces += [b"\1" if last else b"\0", size.to_bytes(2, "little"), (size ^ 0xFFFF).to_bytes(2, "little"), block]
    pieces.append(zlib.adler32(raw).to_bytes(4, "big"))
    return b"".join(pieces)


def saturated(results: Iterable[DirectionResult | ObservationRow]) -> list[str]:
    """Warnings of percentiles in the last bucket of a histogram."""
    found = []
    for each in results:
        beyond = [name for name in _PERCENTILES if is_least(name, getattr(each, name) or 0)]
        if beyond:
            found.append(
                f"{each.direction}: {', '.join(beyond)} are {figure(beyond[0], LAST_BUCKET_NS)}: the last bucket of "
                "the histogram holds all that is longer"
            )
    return found


def _check(result: DirectionResult) -> None:
    """Raise EngineError where a figure is larger than any column."""
    largest = max(result.ios, result.total_bytes, result.runtime_ns, result.errors, result.lat_max_ns or 0)
    if largest > _LARGEST:
        raise EngineError(f"{str(largest)[:40]} is no figure of a run")
    if result.lat_counts and max(result.lat_counts) > _LARGEST:
        raise EngineError("a bucket of its histogram holds more I/Os than any run does")


def _ended(ended_ns: int | None, source: Source) -> tuple[int, tuple[str, ...]]:
    """When a run ended: as the file says, else when the file was last written."""
    if ended_ns is not None and _EARLIEST_NS < ended_ns < _LATEST_NS:
        return ended_ns, ()
    return source.changed_ns, ("the file does not say when it was measured: the time of its last change is taken",)


def _survived(settings: dict[str, Any]) -> int | None:
    """Disk failures that the array survives, where level and disks are known."""
    level, disks = settings.get("level"), settings.get("disks")
    if not isinstance(level, str) or level not in LEVELS or not isinstance(disks, int) or disks < 1:
        return None
    return LEVELS[level].disk_failures_survived(disks)


def _plain(value: str | int) -> str | int:
    return storable(value) if isinstance(value, str) else value


def storable(value: str) -> str:
    """Text that UTF-8 can hold: names of files and of jobs need not be that."""
    return encodable(value)
