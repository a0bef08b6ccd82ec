"""The fio parser: text in, typed values out, nothing but :class:`EngineError` raised.

It takes what fio really prints: messages before, between and after the JSON; several documents of
one run, each cumulative; a document cut short; ``nan`` and ``inf``; every version from 2.x on; jobs
run here or on fio servers.  Units become nanoseconds, bytes and bytes per second.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import msgspec

from bench.errors import EngineError
from bench.fio.model import Direction, DiskUtil, Document, FioOutput, Job, Latency, Options, SteadyState
from bench.fio.wire import (
    DECODER,
    DIRECTION,
    GLOBAL_OPTIONS,
    OPTIONS,
    SYNC,
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
_HEAD = 512
_WITHOUT_IO = b'"total_ios" : 0,'
_LARGEST = 2**52
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
    document = only_document(text)
    return parse_carefully(text) if document is None else FioOutput((document,), "", truncated=False)


def only_document(content: str | bytes) -> Document | None:
    """The one document that ``content`` (where bytes: ASCII) is; None where it is anything else or more.

    That is the usual case, and takes a third of the time.
    """
    try:
        return _read(content)
    except (*_UNDECODABLE, EngineError):
        return None


def parse_carefully(text: str) -> FioOutput:
    """As :func:`parse`, which asks this where the text is not one document alone."""
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
                document, replaced = _decode(piece.text)
                documents.append(document)
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


def _read(content: str | bytes) -> Document:
    """Decode one object that has what fio writes."""
    return _document(DECODER.decode(content))


def _decode(text: str) -> tuple[Document, bool]:
    """Decode one object; ``nan`` and ``inf``, which fio prints and JSON lacks, become null, and then that is said."""
    try:
        try:
            return _read(text), False
        except msgspec.ValidationError:
            raise
        except msgspec.DecodeError:
            return _read(_NOT_A_NUMBER.sub(_null, text)), True
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
    if client_mode:  # of one client, or cut out of a longer file, there may be nothing but the sum
        entries = [entry for entry in entries if entry.jobname != ALL_CLIENTS] or entries
    timestamp_ms = wire.timestamp_ms
    if timestamp_ms is None and wire.timestamp is not None:
        timestamp_ms = wire.timestamp * 1000
    return Document(
        fio_version=wire.version.removeprefix("fio-"),
        timestamp_ms=timestamp_ms,
        global_options=global_options(bytes(wire.global_options)),
        jobs=tuple([_job(entry) for entry in entries]),
        disk_util=tuple(_disk_util(entry) for entry in wire.disk_util),
        client_mode=client_mode,
    )


# A tree of ten thousand files has a few dozen different options, and one text for directions without I/O.


@lru_cache(maxsize=256)
def global_options(raw: bytes) -> tuple[Options, ...]:
    """``global options``: absent, an object, or (several servers, from 3.39) a list of objects."""
    found = GLOBAL_OPTIONS.decode(raw)
    entries = found if isinstance(found, list) else [found]
    return tuple(_strings(entry) for entry in entries if isinstance(entry, dict))


@lru_cache(maxsize=1024)
def job_options(raw: bytes) -> Options:
    """``job options``."""
    return _strings(OPTIONS.decode(raw))


def _strings(options: Mapping[str, Any]) -> Options:
    return Options({str(key): "" if value is None else str(value) for key, value in options.items()})


def _job(wire: WireJob) -> Job:
    parts = (_part("read", wire.read), _part("write", wire.write), _part("trim", wire.trim))
    found = tuple([part for part in parts if part is not None])
    mixed = DIRECTION.decode(wire.mixed)
    if not found and mixed is not None:  # with unified_rw_reporting=both it is but the sum of the others
        found = (_direction("mixed", mixed),)
    sync, sync_ios = sync_of(bytes(wire.sync))
    return Job(
        name=wire.jobname,
        group=wire.groupid,
        error=wire.error,
        directions=found,
        sync=sync,
        sync_ios=sync_ios,
        options=job_options(bytes(wire.options)),
        hostname=wire.hostname,
        io_errors=wire.total_err,
        job_runtime_ms=wire.job_runtime,
        user_cpu_pct=wire.usr_cpu,
        system_cpu_pct=wire.sys_cpu,
        steady_state=None if wire.steadystate is None else _steady_state(wire.steadystate),
    )


def _part(name: str, raw: msgspec.Raw) -> Direction | None:
    """One direction out of its text; None where it is not there."""
    text = bytes(raw)
    if without_io(text):
        return idle(name, text)
    wire = DIRECTION.decode(text)
    return None if wire is None else _direction(name, wire)


def without_io(text: bytes) -> bool:
    """Whether fio says so at the head of a direction (where a histogram follows, the rest is long)."""
    return text.find(_WITHOUT_IO, 0, _HEAD) >= 0


@lru_cache(maxsize=256)
def idle(name: str, raw: bytes) -> Direction | None:
    """The same, of texts that come again and again."""
    wire = DIRECTION.decode(raw)
    return None if wire is None else _direction(name, wire)


@lru_cache(maxsize=256)
def sync_of(raw: bytes) -> tuple[Latency | None, int]:
    """``sync``: its latency, and how many there were.

    ``total_ios`` leaves out fdatasync (fio 3.33), whose latencies are counted.
    """
    wire = SYNC.decode(raw)
    if wire is None:
        return None, 0
    ios = max(wire.total_ios, (wire.lat_ns.samples or 0) if wire.lat_ns is not None else 0)
    return _latency(wire.lat_ns, 1, ios), ios


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
        name,
        ios,
        total_bytes,
        wire.runtime,
        wire.iops,
        bw_bytes_s,
        wire.short_ios,
        wire.drop_ios,
        _moments(wire.slat_ns, 1, ios) or _moments(wire.slat, 1000, ios),
        _latency(wire.clat_ns, 1, ios) or _latency(wire.clat, 1000, ios),
        _latency(wire.lat_ns, 1, ios) or _latency(wire.lat, 1000, ios),
    )


def _latency(wire: WireLatency | None, unit_ns: int, ios: int) -> Latency | None:
    """A latency in nanoseconds with its percentiles and histogram; None where fio measured nothing."""
    found = _moments(wire, unit_ns, ios)
    if found is None or wire is None or not (wire.percentile or wire.bins):
        return found
    return Latency(
        found.samples,
        found.min_ns,
        found.max_ns,
        found.mean_ns,
        found.stddev_ns,
        _percentiles(wire.percentile, unit_ns) if wire.percentile else (),
        histogram(wire.bins, unit_ns) if wire.bins else None,
    )


def _moments(wire: WireMoments | None, unit_ns: int, ios: int) -> Latency | None:
    """A latency in nanoseconds; None where fio measured nothing (zeros stand there then)."""
    if wire is None:
        return None
    least, most, mean, stddev = wire.min, wire.max, wire.mean, wire.stddev
    samples = ios if wire.samples is None else wire.samples
    if mean is None or samples == 0 or (most <= 0 and mean <= 0.0):
        return None
    if not 0 <= least <= most <= _LARGEST:
        raise EngineError(f"its JSON has a latency from {least} to {most}")
    if unit_ns == 1:
        return Latency(samples, least, most, mean, stddev)
    return Latency(
        samples, least * unit_ns, most * unit_ns, mean * unit_ns, None if stddev is None else stddev * unit_ns
    )


def _percentiles(found: Mapping[str, int | None], unit_ns: int) -> tuple[tuple[float, int], ...]:
    """(percent, ns) in rising order, without the ``"0.00"`` with which old versions fill their list."""
    order, as_printed = percents(tuple(found))
    if as_printed and unit_ns == 1 and None not in found.values():
        return tuple(zip(order, found.values(), strict=True))  # type: ignore[arg-type] # mypy: None is excluded
    pairs = [(percent, value) for percent, value in zip(order, found.values(), strict=True) if value is not None]
    return tuple(sorted((percent, value * unit_ns) for percent, value in pairs if 0.0 < percent <= 100.0))


@lru_cache(maxsize=256)
def percents(keys: tuple[str, ...]) -> tuple[tuple[float, ...], bool]:
    """Keys of ``percentile`` as numbers; and whether they rise, with nothing among them to be left out."""
    found = tuple(map(_number, keys))
    inside = all(0.0 < percent <= 100.0 for percent in found)
    return found, inside and list(found) == sorted(set(found))


def histogram(found: Mapping[int, int], unit_ns: int) -> Histogram | None:
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


def _number(key: str) -> float:
    """A key of ``percentile`` as a number."""
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
