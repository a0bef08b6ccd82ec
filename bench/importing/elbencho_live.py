"""elbencho's live statistics (``--livecsv``): a line about every second, of which the phases are put together.

Bytes are counted from the start of a phase, rates since the line before.  The lines of all workers together have
``Total`` in the column ``Rank``; those of single workers are left out.  Nothing says block size, depth or whether
offsets were random, what came after the last line is missing, and latencies are sums of averages that nobody can
undo.  (elbencho 3.0, ``Statistics.cpp``, ``printLiveStatsCSV``.)
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from io import StringIO

from bench.engine import DirectionResult, IntervalResult
from bench.errors import EngineError
from bench.importing.pattern import Named
from bench.importing.run import Naming, Part, Run, digest

_NEEDED = ("Phase", "RuntimeMS", "Rank", "DoneBytes", "MiB/s")
_DATE_ZONE = re.compile(r"([+-]\d\d)(\d\d)$")
_WHOLE = re.compile(r"\d{1,15}")
_MIB = 1 << 20
_SECOND_MS = range(900, 1101)
_DOUBT = "elbencho's live file does not say block size, depth or random offsets, and ends before its phases do"

Row = Mapping[str, str]


def recognised(head: str) -> bool:
    """Whether a line is the head of such a file."""
    return set(_NEEDED) <= {cell.strip() for cell in head.split(",")}


def read(text: str, naming: Naming) -> list[Run]:
    """Runs in the order of the file; raises EngineError where a line is cut short or is no number where one is due."""
    return [run for rows in _phases(text) if (run := _run(rows, naming)) is not None]


def named_columns(text: str) -> Iterator[Row]:
    """Lines by the names of their columns; a header that stands there again starts anew."""
    names: list[str] = []
    try:
        for cells in csv.reader(StringIO(text)):
            if "operation" in cells or "RuntimeMS" in cells:
                names = [cell.strip() for cell in cells]
            elif cells:
                if len(cells) != len(names):
                    raise EngineError(f"a line of elbencho's file has {len(cells)} of {len(names)} columns")
                yield dict(zip(names, cells, strict=True))
    except csv.Error as error:
        raise EngineError(f"elbencho's file is no CSV: {error}") from None


def count(row: Row, name: str) -> int | None:
    """A whole number; None where the column is empty or not there."""
    text = row.get(name, "").strip()
    if not text:
        return None
    if not _WHOLE.fullmatch(text):
        raise EngineError(f"elbencho's file has {text[:40]!r} as {name}")
    return int(text)


def moment_ns(text: str) -> int | None:
    """A point of time, ns since the epoch; without a zone it is taken for UTC."""
    try:
        when = datetime.fromisoformat(_DATE_ZONE.sub(r"\1:\2", text.strip()))
    except ValueError:
        return None
    known = when if when.tzinfo else when.replace(tzinfo=UTC)
    return round(known.timestamp()) * 1_000_000_000


def _phases(text: str) -> Iterator[list[Row]]:
    """The lines of each phase: of one name and label, in rising time."""
    rows: list[Row] = []
    for row in named_columns(text):
        if row.get("Rank", "").strip() != "Total":
            continue
        if rows and (_name(row) != _name(rows[-1]) or _runtime_ms(row) < _runtime_ms(rows[-1])):
            yield rows
            rows = []
        rows.append(row)
    if rows:
        yield rows


def _runtime_ms(row: Row) -> int:
    return count(row, "RuntimeMS") or 0


def _name(row: Row) -> tuple[str, str]:
    return row.get("Phase", "").strip().upper(), row.get("Label", "").strip()


def _run(rows: Sequence[Row], naming: Naming) -> Run | None:
    """The run of a phase; None where it moves no data."""
    phase, label = _name(rows[-1])
    if not (phase.startswith("RWMIX") or phase in {"READ", "WRITE"}):
        return None
    by_direction: dict[str, list[Row]] = {}
    for row in rows:
        mix = row.get("MixType", "").strip().lower()
        by_direction.setdefault(mix or ("read" if phase == "READ" else "write"), []).append(row)
    found = {
        direction: result
        for direction, own in by_direction.items()
        if direction in {"read", "write"} and (result := _result(direction, own)) is not None
    }
    if not found:
        return None
    dated = bool(rows[0].get("ISO Date", "").strip())  # then the first line is enough, and the file may grow
    said, workload, load = naming.part({"engine": "elbencho", "phase": phase.lower()}, "elbencho")
    return Run(
        engine="elbencho",
        engine_version="unknown",
        command="",
        parts=(
            Part(
                Named({}, {}, {"label": label} if label else {}).under(said),
                workload,
                load,
                tuple(found.values()),
                intervals=tuple(each for direction in found for each in _seconds(direction, by_direction[direction])),
            ),
        ),
        ended_ns=moment_ns(rows[-1].get("ISO Date", "")),
        identity=digest("elbencho live", [sorted(row.items()) for row in (rows[:1] if dated else rows)]),
        warnings=(_DOUBT,),
    )


def _result(direction: str, rows: Sequence[Row]) -> DirectionResult | None:
    """Figures until the last line; None where nothing was moved."""
    time_ms, moved = count(rows[-1], "RuntimeMS"), count(rows[-1], "DoneBytes")
    if not time_ms or not moved:
        return None
    ios, before_ms = 0.0, 0
    for row in rows:
        at_ms = _runtime_ms(row)
        ios += (count(row, "IOPS") or 0) * (at_ms - before_ms) / 1000
        before_ms = at_ms
    return DirectionResult(
        direction=direction,
        ios=round(ios),
        total_bytes=moved,
        runtime_ns=time_ms * 1_000_000,
        iops=ios * 1000 / time_ms if ios else None,
        bw_bytes_s=moved * 1000 / time_ms,
        errors=0,
    )


def _seconds(direction: str, rows: Sequence[Row]) -> Iterator[IntervalResult]:
    """The lines as seconds; none at all where they are further apart, or nearer."""
    ends_ms = [_runtime_ms(row) for row in rows]
    if any(after - before not in _SECOND_MS for before, after in zip([0, *ends_ms], ends_ms, strict=False)):
        return
    for second, row in enumerate(rows):
        rate, iops = count(row, "MiB/s"), count(row, "IOPS")
        yield IntervalResult(
            direction, second, None if iops is None else float(iops), None if rate is None else float(rate * _MIB), None
        )
