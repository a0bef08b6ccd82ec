"""elbencho's result files as runs: one for each phase that reads or writes data.

``--csvfile`` has columns in pairs, ``[first]`` until the fastest thread was done and ``[last]`` until the slowest was:
the second is the whole phase, and is taken; rates are cut to whole MiB/s and I/Os per second.  ``--jsonfile`` has a
document for each phase with the same in bytes, every value as text.  Latencies of 0 mean that none were measured, and
phases that move no data (directories, stat, delete, sync) are left out.  For ``--livecsv`` see
:mod:`bench.importing.elbencho_live`.  (elbencho, README and ``--help-large``; ``Statistics.cpp`` of 3.0; columns are
found by their names, since versions add some.)
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bench.engine import DirectionResult
from bench.errors import EngineError
from bench.importing import elbencho_live
from bench.importing.elbencho_live import count, moment_ns, named_columns
from bench.importing.pattern import Named
from bench.importing.run import Naming, Part, Run, digest

_NEEDED = ("operation", "time ms [last]", "MiB/s [last]")
_MIB = 1 << 20
_DOCUMENT = re.compile(r'[\s\[]*\{\s*"phase_type"\s*:')
_CSV_OPTIONS = {
    "block size": "bs",
    "IO depth": "iodepth",
    "threads": "numjobs",
    "direct IO": "direct",
    "file size": "size",
    "hosts": "hosts",
    "files": "files",
    "dirs": "dirs",
}
_JSON_OPTIONS = {
    "block_size": "bs",
    "io_depth": "iodepth",
    "threads": "numjobs",
    "direct_io": "direct",
    "file_size": "size",
    "hosts": "hosts",
    "files": "files",
    "dirs": "dirs",
}
_FLAGS = {"true": "1", "false": "0"}


@dataclass(frozen=True)
class _Phase:
    """A phase in whichever file: what it did, the figures of each direction, and who says so."""

    operation: str
    random: bool
    options: Mapping[str, str]
    results: Sequence[DirectionResult]
    label: str
    started: str
    version: str
    command: str
    identity: object


def recognised(text: str) -> bool:
    """Whether a file begins as elbencho's do."""
    head = text.partition("\n")[0]
    return all(name in head for name in _NEEDED) or is_document(text) or elbencho_live.recognised(head)


def is_document(text: str) -> bool:
    """Whether a file begins as those of ``--jsonfile`` do."""
    return _DOCUMENT.match(text[:4096]) is not None


def read(text: str, naming: Naming) -> list[Run]:
    """Runs in the order of the file.

    Raises:
        EngineError: a line is cut short or is no number where one is due, or no phase moves data.
        ImportFailedError: a name does not fit its factor.
    """
    if elbencho_live.recognised(text.partition("\n")[0]):
        found = elbencho_live.read(text, naming)
    else:
        phases = map(_of_document, _documents(text)) if is_document(text) else map(_of_row, named_columns(text))
        found = [_run(phase, naming) for phase in phases if phase is not None and phase.results]
    if not found:
        raise EngineError("elbencho's file has no phase that reads or writes")
    return found


def _run(phase: _Phase, naming: Naming) -> Run:
    """The run of a phase."""
    mode = "read" if phase.operation == "READ" else "write"
    rw = ("rand" if phase.random else "") + ("rw" if len(phase.results) > 1 else mode)
    said, workload, load = naming.part({"engine": "elbencho", "rw": rw, **phase.options}, "elbencho")
    started_ns = moment_ns(phase.started)
    label = {"label": phase.label} if phase.label else {}
    return Run(
        engine="elbencho",
        engine_version=phase.version or "unknown",
        command=phase.command,
        parts=(Part(Named({}, {}, label).under(said), workload, load, tuple(phase.results)),),
        ended_ns=None if started_ns is None else started_ns + max(each.runtime_ns for each in phase.results),
        identity=digest("elbencho", phase.identity),
    )


def _moves_data(operation: str) -> bool:
    return operation.startswith("RWMIX") or operation in {"READ", "WRITE"}


def _of_row(row: Mapping[str, str]) -> _Phase | None:
    """A line of ``--csvfile``; None where its phase moves no data."""
    operation = row.get("operation", "").strip().upper()
    if not _moves_data(operation):
        return None
    mode = "read" if operation == "READ" else "write"
    results = [_csv_result(row, "", mode)]
    if operation.startswith("RWMIX") or row.get("rwmix read MiB [last]", "").strip():
        results.append(_csv_result(row, "rwmix read ", "read"))
    return _Phase(
        operation,
        row.get("random", "").strip() == "1",
        {word: row[name].strip() for name, word in _CSV_OPTIONS.items() if row.get(name, "").strip()},
        [result for result in results if result is not None],
        row.get("label", "").strip(),
        row.get("ISO date", ""),
        row.get("version", "").strip(),
        row.get("command", "").strip(),
        sorted(row.items()),
    )


def _csv_result(row: Mapping[str, str], prefix: str, direction: str) -> DirectionResult | None:
    """Figures of one direction; None where it did nothing."""
    time_ms = count(row, "time ms [last]")
    rate = count(row, f"{prefix}MiB/s [last]")
    moved = count(row, f"{prefix}MiB [last]")
    if not time_ms or (not rate and not moved):
        return None
    iops = count(row, f"{prefix}IOPS [last]")
    # Where both are whole MiB the quotient is the finer one of many MiB, the printed rate of few.
    exact = moved * _MIB * 1000 / time_ms if moved and moved > 100 else None
    bw_bytes_s = exact if exact is not None else float((rate or 0) * _MIB)
    lat = [count(row, f"{prefix}IO lat us [{which}]") for which in ("min", "avg", "max")]
    ios = count(row, f"{prefix}I/Os [last]")
    moved_bytes = (moved or 0) * _MIB or round(bw_bytes_s * time_ms / 1000)
    return _result(direction, time_ms, moved_bytes, bw_bytes_s, iops, ios, lat)


def _result(
    direction: str,
    time_ms: int,
    total_bytes: int,
    bw_bytes_s: float,
    iops: int | None,
    ios: int | None,
    lat_us: Sequence[int | None],
) -> DirectionResult:
    """Figures of one direction; latencies of 0 were not measured."""
    least, mean, most = (value * 1000 if value else None for value in lat_us)
    return DirectionResult(
        direction=direction,
        ios=ios if ios is not None else round((iops or 0) * time_ms / 1000),
        total_bytes=total_bytes,
        runtime_ns=time_ms * 1_000_000,
        iops=None if iops is None else float(iops),
        bw_bytes_s=bw_bytes_s,
        errors=0,
        lat_min_ns=least,
        lat_mean_ns=None if mean is None else float(mean),
        lat_max_ns=most,
    )


def _documents(text: str) -> Iterator[Mapping[str, Any]]:
    """Documents one after the other, or in a list."""
    decoder = json.JSONDecoder()
    at = 0
    try:
        while (at := len(text) - len(text[at:].lstrip())) < len(text):
            found, at = decoder.raw_decode(text, at)
            yield from (found if isinstance(found, list) else [found])
    except (ValueError, RecursionError) as error:
        raise EngineError("a document of elbencho's file is cut short, or is no JSON") from error


def _of_document(document: Any) -> _Phase | None:
    """A document of ``--jsonfile``; None where its phase moves no data."""
    operation = str(_at(document, "phase_type") or "").strip().upper()
    if not _moves_data(operation):
        return None
    last = _at(document, "last_done")
    time_ms = count(_texts(last), "elapsed_time_ms")
    mode = "read" if operation == "READ" else "write"
    latency = _at(_at(last, "latency"), "IO")
    results = [
        _json_result(part, times, direction, time_ms)
        for part, times, direction in (
            (last, latency, mode),
            (_at(last, "rwmix_read"), _at(latency, "rwmix_read"), "read"),
        )
    ]
    config = _texts(_at(document, "config"))
    return _Phase(
        operation,
        config.get("random_offsets", "") == "true",
        {word: _FLAGS.get(config[name], config[name]) for name, word in _JSON_OPTIONS.items() if config.get(name)},
        [result for result in results if result is not None],
        _texts(document).get("label", ""),
        _texts(document).get("iso_start_date", ""),
        config.get("version", ""),
        config.get("command", ""),
        json.dumps(document, sort_keys=True),
    )


def _json_result(part: Any, latency: Any, direction: str, time_ms: int | None) -> DirectionResult | None:
    """Figures of one direction; None where it did nothing."""
    figures, times = _texts(part), _texts(latency)
    moved, rate = count(figures, "bytes"), count(figures, "bytes/s")
    if not time_ms or not (moved or rate):
        return None
    bw_bytes_s = float(rate) if rate else (moved or 0) * 1000 / time_ms
    lat = [count(times, name) for name in ("min_us", "avg_us", "max_us")]
    moved_bytes = moved or round(bw_bytes_s * time_ms / 1000)
    return _result(direction, time_ms, moved_bytes, bw_bytes_s, count(figures, "iops"), None, lat)


def _at(value: Any, name: str) -> Any:
    """An entry of a document; None where there is none."""
    return value.get(name) if isinstance(value, dict) else None


def _texts(value: Any) -> dict[str, str]:
    """The plain entries of a part of a document; elbencho writes numbers and flags as text."""
    if not isinstance(value, dict):
        return {}
    return {
        name: str(each).strip().lower() if isinstance(each, bool) else str(each).strip()
        for name, each in value.items()
        if isinstance(each, str | int | float)
    }
