"""The fio parser: text in, typed values out, nothing but :class:`EngineError` raised.

It takes what fio really prints: messages before, between and after the JSON; several documents of
one run, each cumulative; a document cut short; ``nan`` and ``inf``; every version from 2.x on; jobs
run here or on fio servers.  Units become nanoseconds, bytes and bytes per second.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Any

import msgspec

from bench.errors import EngineError
from bench.fio.model import Direction, DiskUtil, Document, FioOutput, Job, Latency, SteadyState
from bench.fio.wire import (
    DECODER,
    WireDirection,
    WireDiskUtil,
    WireDocument,
    WireJob,
    WireLatency,
    WireMoments,
    WireSteadyState,
)
from bench.histogram import Histogram

ALL_CLIENTS = "All clients"
"""Name of the entry in which fio adds up all clients: it would count everything twice."""

_UNDECODABLE = (msgspec.DecodeError, RecursionError, UnicodeError, OverflowError)
_STRING = r'"(?:[^"\\]|\\.)*+"'
_STRUCTURE = re.compile(rf"{_STRING}|[{{}}]", re.DOTALL)
_NOT_A_NUMBER = re.compile(rf"{_STRING}|-?\b(?:nan|inf(?:inity)?)\b", re.DOTALL | re.IGNORECASE)
_START_OF_LINE = re.compile(r"^\{", re.MULTILINE)


@dataclass(frozen=True)
class _Piece:
    """A stretch of the text: a JSON object (``kind`` object or torn), or text beside one."""

    kind: str
    text: str


def parse(text: str) -> FioOutput:
    """Parse all that fio printed into one text.

    Returns every complete document and the text beside them.  Raises :class:`EngineError` where
    there is no complete document, with the reason.
    """
    with suppress(*_UNDECODABLE, EngineError):  # the usual case, at a third of the time: a document and no more
        return FioOutput((_document(DECODER.decode(text)),), "", truncated=False)
    documents: list[Document] = []
    beside: list[str] = []
    reason, truncated, not_numbers = "there is no JSON in it", False, False
    for piece in _pieces(text):
        if piece.kind == "torn":
            reason, truncated = "its JSON is cut short", True
        elif piece.kind == "text":
            beside.append(piece.text)
        else:
            try:
                wire, replaced = _decode(piece.text)
                documents.append(_document(wire))
                not_numbers |= replaced
            except EngineError as error:
                reason = error.message
                beside.append(piece.text)
    if not documents:
        head = text.strip()[:200]
        said = f"; it begins: {head!r}" if head else "; it is empty"
        raise EngineError(f"fio's output holds no complete result: {reason}{said}")
    return FioOutput(tuple(documents), "".join(beside).strip(), truncated, not_numbers)


def _pieces(text: str) -> Iterator[_Piece]:
    """Cut ``text`` at its JSON objects.

    fio starts a document at the beginning of a line and indents everything within, so an object is
    looked for from one such brace to the next; the time taken grows with the text, not its square.
    """
    starts = [match.start() for match in _START_OF_LINE.finditer(text)]
    if not starts and "{" in text:
        starts = [text.index("{")]
    yield _Piece("text", text[: starts[0]] if starts else text)
    for start, stop in zip(starts, [*starts, len(text)][1:], strict=True):
        yield from _objects(text[start:stop])


def _objects(text: str) -> Iterator[_Piece]:
    """Objects that follow each other directly at the head of ``text``, then the rest of it."""
    while text.startswith("{"):
        end = _object_end(text)
        if end is None:
            yield _Piece("torn", text)
            return
        yield _Piece("object", text[:end])
        text = text[end:].lstrip()
    yield _Piece("text", text)


def _object_end(text: str) -> int | None:
    """Position after the brace that closes the one ``text`` starts with; None where none does."""
    depth = 0
    for match in _STRUCTURE.finditer(text):
        mark = match.group()
        if mark == "{":
            depth += 1
        elif mark == "}":
            depth -= 1
            if depth == 0:
                return match.end()
    return None


def _decode(text: str) -> tuple[WireDocument, bool]:
    """Decode one object; ``nan`` and ``inf``, which fio prints and JSON lacks, become null, and then that is said."""
    try:
        try:
            return DECODER.decode(text), False
        except msgspec.ValidationError:
            raise
        except msgspec.DecodeError:
            return DECODER.decode(_NOT_A_NUMBER.sub(_null, text)), True
    except _UNDECODABLE as error:
        raise EngineError(f"its JSON is not fio's ({error})") from None


def _null(match: re.Match[str]) -> str:
    found = match.group()
    return found if found.startswith('"') else "null"


def _document(wire: WireDocument) -> Document:
    entries = wire.jobs if wire.jobs is not None else wire.client_stats
    if entries is None:
        raise EngineError("its JSON has neither jobs nor client_stats")
    client_mode = wire.jobs is None
    if client_mode:
        entries = [entry for entry in entries if entry.jobname != ALL_CLIENTS]
    timestamp_ms = wire.timestamp_ms
    if timestamp_ms is None and wire.timestamp is not None:
        timestamp_ms = wire.timestamp * 1000
    return Document(
        fio_version=wire.version.removeprefix("fio-"),
        timestamp_ms=timestamp_ms,
        global_options=_global_options(wire.global_options),
        jobs=tuple(_job(entry) for entry in entries),
        disk_util=tuple(_disk_util(entry) for entry in wire.disk_util),
        client_mode=client_mode,
    )


def _global_options(found: Any) -> tuple[Mapping[str, str], ...]:
    """``global options``: absent, an object, or (several servers, from 3.39) a list of objects."""
    entries = found if isinstance(found, list) else [found]
    return tuple(_strings(entry) for entry in entries if isinstance(entry, dict))


def _strings(options: Mapping[str, Any]) -> Mapping[str, str]:
    return MappingProxyType({str(key): "" if value is None else str(value) for key, value in options.items()})


def _job(wire: WireJob) -> Job:
    parts = {"read": wire.read, "write": wire.write, "trim": wire.trim}
    if not any(parts.values()):  # with unified_rw_reporting=both, mixed is but the sum of the others
        parts = {"mixed": wire.mixed}
    sync = wire.sync
    return Job(
        name=wire.jobname,
        group=wire.groupid,
        error=wire.error,
        directions=tuple(_direction(name, part) for name, part in parts.items() if part is not None),
        sync=None if sync is None else _latency(sync.lat_ns, 1, sync.total_ios),
        sync_ios=0 if sync is None else sync.total_ios,
        options=_strings(wire.options),
        hostname=wire.hostname,
        io_errors=wire.total_err,
        job_runtime_ms=wire.job_runtime,
        user_cpu_pct=wire.usr_cpu,
        system_cpu_pct=wire.sys_cpu,
        steady_state=None if wire.steadystate is None else _steady_state(wire.steadystate),
    )


def _direction(name: str, wire: WireDirection) -> Direction:
    """One direction.  Before 3.0 ``io_bytes`` held KiB, and latencies were microseconds."""
    total_bytes = wire.io_bytes if wire.io_kbytes is not None else wire.io_bytes * 1024
    ios = wire.total_ios
    if ios is None:  # fio before 2.1.5 printed no count
        ios = round((wire.iops or 0.0) * wire.runtime / 1000)
    bw_bytes_s = wire.bw_bytes if wire.bw_bytes is not None else (wire.bw or 0.0) * 1024
    if not ios:  # most jobs do one direction of three; of the others there is nothing to look at
        return Direction(name, 0, total_bytes, wire.runtime, wire.iops, bw_bytes_s, wire.short_ios, wire.drop_ios)
    return Direction(
        name=name,
        ios=ios,
        total_bytes=total_bytes,
        runtime_ms=wire.runtime,
        iops=wire.iops,
        bw_bytes_s=bw_bytes_s,
        short_ios=wire.short_ios,
        dropped_ios=wire.drop_ios,
        slat=_latency(wire.slat_ns, 1, ios) or _latency(wire.slat, 1000, ios),
        clat=_latency(wire.clat_ns, 1, ios) or _latency(wire.clat, 1000, ios),
        lat=_latency(wire.lat_ns, 1, ios) or _latency(wire.lat, 1000, ios),
    )


def _latency(wire: WireMoments | None, unit_ns: int, ios: int) -> Latency | None:
    """A latency in nanoseconds; None where fio measured nothing (zeros stand there then)."""
    if wire is None or wire.mean is None:
        return None
    samples = ios if wire.samples is None else wire.samples
    if samples == 0 or (wire.max <= 0 and wire.mean <= 0.0):
        return None
    if not 0 <= wire.min <= wire.max <= 2**52:
        raise EngineError(f"its JSON has a latency from {wire.min} to {wire.max}")
    return Latency(
        samples=samples,
        min_ns=wire.min * unit_ns,
        max_ns=wire.max * unit_ns,
        mean_ns=wire.mean * unit_ns,
        stddev_ns=None if wire.stddev is None else wire.stddev * unit_ns,
        percentiles=_percentiles(wire.percentile or {}, unit_ns) if isinstance(wire, WireLatency) else (),
        histogram=_histogram(wire.bins or {}, unit_ns) if isinstance(wire, WireLatency) else None,
    )


def _percentiles(found: Mapping[str, int | None], unit_ns: int) -> tuple[tuple[float, int], ...]:
    """(percent, ns) in rising order, without the ``"0.00"`` with which old versions fill their list."""
    pairs = [(_number(key), value) for key, value in found.items() if value is not None]
    return tuple(sorted((percent, value * unit_ns) for percent, value in pairs if 0.0 < percent <= 100.0))


def _histogram(found: Mapping[int, int], unit_ns: int) -> Histogram | None:
    """The buckets that are not empty, in rising order, as fio prints them."""
    if not found:
        return None
    bins, counts = list(found), list(found.values())
    if unit_ns != 1 or 0 in counts or bins != sorted(bins):
        pairs = sorted((value * unit_ns, count) for value, count in found.items() if count)
        bins, counts = [value for value, _ in pairs], [count for _, count in pairs]
    if not bins:
        return None
    if bins[0] < 0 or bins[-1] > 2**62:
        raise EngineError(f"its JSON has a bucket of {bins[0] if bins[0] < 0 else bins[-1]} ns")
    return Histogram(tuple(bins), tuple(counts))


@lru_cache(maxsize=256)
def _number(key: str) -> float:
    """A key of ``percentile`` as a number; there are few different ones."""
    try:
        value = float(key)
    except ValueError:
        raise EngineError(f"its JSON has {key[:40]!r} where a number is due") from None
    if not 0.0 <= value <= 2.0**53:
        raise EngineError(f"its JSON has {key[:40]!r} where a plain number is due")
    return value


def _steady_state(wire: WireSteadyState) -> SteadyState:
    data = wire.data if wire.attained else None
    return SteadyState(
        criterion=wire.ss,
        duration_s=wire.duration,
        attained=bool(wire.attained),
        bw_mean_bytes_s=None if data is None else data.bw_mean,
        iops_mean=None if data is None else data.iops_mean,
    )


def _disk_util(wire: WireDiskUtil) -> DiskUtil:
    aggregate = None
    if wire.aggr_read_ios is not None:
        aggregate = DiskUtil(
            name=wire.name,
            read_ios=wire.aggr_read_ios,
            write_ios=wire.aggr_write_ios,
            read_merges=wire.aggr_read_merges,
            write_merges=wire.aggr_write_merge,
            util_pct=wire.aggr_util,
        )
    return DiskUtil(wire.name, wire.read_ios, wire.write_ios, wire.read_merges, wire.write_merges, wire.util, aggregate)
