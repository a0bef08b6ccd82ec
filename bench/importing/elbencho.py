"""elbencho's result file (``--csvfile``): a run for each phase that reads or writes data.

Columns come in pairs, ``[first]`` until the fastest thread was done and ``[last]`` until the slowest was: the
second is the whole phase, and is taken.  Rates are cut to whole MiB/s and I/Os per second.  Phases that move no
data (directories, stat, delete, sync) are no runs of a workload and are left out.  (elbencho, README and
``--help-large``; the columns are found by their names, since versions add some.)
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from io import StringIO

from bench.engine import DirectionResult
from bench.errors import EngineError
from bench.importing.pattern import Named
from bench.importing.run import Naming, Part, Run, digest

_NEEDED = ("operation", "time ms [last]", "MiB/s [last]")
_MIB = 1 << 20
_DATE_ZONE = re.compile(r"([+-]\d\d)(\d\d)$")
_WHOLE = re.compile(r"\d{1,15}")


def recognised(text: str) -> bool:
    """Whether the first line is elbencho's."""
    head = text.partition("\n")[0]
    return all(name in head for name in _NEEDED)


def read(text: str, naming: Naming) -> list[Run]:
    """Runs in the order of the file.

    Raises:
        EngineError: a line is cut short or is no number where one is due, or no phase moves data.
        ImportFailedError: a name does not fit its factor.
    """
    found = []
    for row in _rows(text):
        run = _run(row, naming)
        if run is not None:
            found.append(run)
    if not found:
        raise EngineError("elbencho's file has no phase that reads or writes")
    return found


def _rows(text: str) -> Iterator[Mapping[str, str]]:
    """Lines by the names of their columns; a header that stands there again starts anew."""
    names: list[str] = []
    try:
        for cells in csv.reader(StringIO(text)):
            if "operation" in cells:
                names = [cell.strip() for cell in cells]
            elif cells:
                if len(cells) != len(names):
                    raise EngineError(f"a line of elbencho's file has {len(cells)} of {len(names)} columns")
                yield dict(zip(names, cells, strict=True))
    except csv.Error as error:
        raise EngineError(f"elbencho's file is no CSV: {error}") from None


def _run(row: Mapping[str, str], naming: Naming) -> Run | None:
    """One phase; None where it moves no data."""
    operation = row.get("operation", "").strip().upper()
    mixed = operation.startswith("RWMIX")
    if not (mixed or operation in {"READ", "WRITE"}):
        return None
    mode = "read" if operation == "READ" else "write"
    results = [_result(row, "", mode)]
    if mixed or row.get("rwmix read MiB [last]", "").strip():
        results.append(_result(row, "rwmix read ", "read"))
    done = tuple(result for result in results if result is not None)
    if not done:
        return None
    said, workload, load = naming.part(_options(row, mode, len(done) > 1), "elbencho")
    label = row.get("label", "").strip()
    ended_ns = _started(row.get("ISO date", ""))
    return Run(
        engine="elbencho",
        engine_version=row.get("version", "").strip() or "unknown",
        command=row.get("command", "").strip(),
        parts=(Part(Named({}, {}, {"label": label} if label else {}).under(said), workload, load, done),),
        ended_ns=None if ended_ns is None else ended_ns + max(each.runtime_ns for each in done),
        identity=digest("elbencho", sorted(row.items())),
    )


def _options(row: Mapping[str, str], mode: str, mixed: bool) -> dict[str, str]:
    """The columns that shape the load in fio's words."""
    random = row.get("random", "").strip() == "1"
    options = {"engine": "elbencho", "rw": ("rand" if random else "") + ("rw" if mixed else mode)}
    words = {
        "block size": "bs",
        "IO depth": "iodepth",
        "threads": "numjobs",
        "direct IO": "direct",
        "file size": "size",
    }
    for name, word in words.items():
        if row.get(name, "").strip():
            options[word] = row[name].strip()
    for name in ("hosts", "files", "dirs"):
        if row.get(name, "").strip():
            options[name] = row[name].strip()
    return options


def _result(row: Mapping[str, str], prefix: str, direction: str) -> DirectionResult | None:
    """Figures of one direction; None where it did nothing."""
    time_ms = _count(row, "time ms [last]")
    rate = _count(row, f"{prefix}MiB/s [last]")
    moved = _count(row, f"{prefix}MiB [last]")
    if not time_ms or (not rate and not moved):
        return None
    iops = _count(row, f"{prefix}IOPS [last]")
    ios = _count(row, f"{prefix}I/Os [last]")
    # Where both are whole MiB the quotient is the finer one of many MiB, the printed rate of few.
    exact = moved * _MIB * 1000 / time_ms if moved and moved > 100 else None
    bw_bytes_s = exact if exact is not None else float((rate or 0) * _MIB)
    lat = [_count(row, f"{prefix}IO lat us [{which}]") for which in ("min", "avg", "max")]
    return DirectionResult(
        direction=direction,
        ios=ios if ios is not None else round((iops or 0) * time_ms / 1000),
        total_bytes=(moved or 0) * _MIB or round(bw_bytes_s * time_ms / 1000),
        runtime_ns=time_ms * 1_000_000,
        iops=None if iops is None else float(iops),
        bw_bytes_s=bw_bytes_s,
        errors=0,
        lat_min_ns=None if lat[0] is None else lat[0] * 1000,
        lat_mean_ns=None if lat[1] is None else float(lat[1] * 1000),
        lat_max_ns=None if lat[2] is None else lat[2] * 1000,
    )


def _count(row: Mapping[str, str], name: str) -> int | None:
    """A whole number; None where the column is empty or not there."""
    text = row.get(name, "").strip()
    if not text:
        return None
    if not _WHOLE.fullmatch(text):
        raise EngineError(f"elbencho's file has {text[:40]!r} as {name}")
    return int(text)


def _started(text: str) -> int | None:
    """Start of a phase, ns since the epoch; without a zone it is taken for UTC."""
    try:
        when = datetime.fromisoformat(_DATE_ZONE.sub(r"\1:\2", text.strip()))
    except ValueError:
        return None
    known = when if when.tzinfo else when.replace(tzinfo=UTC)
    return round(known.timestamp()) * 1_000_000_000
