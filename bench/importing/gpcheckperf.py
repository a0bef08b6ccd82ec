"""What gpcheckperf printed (Greenplum's check of hosts): its disk tests as runs.

It writes with ``dd if=/dev/zero bs=32768`` on all hosts at once and reads the files back, without dropping caches and
without O_DIRECT unless it is told to (``--direct-io``).  The total is the sum of the hosts' planned bytes over wall
time, in units of 1024² that it calls MB.  Sizes are whole numbers with K, M or G and perhaps a B, powers of 1024.  The
memory (``stream``) and network tests are no storage and are left out.  (gpcheckperf's reference in the Greenplum
Database documentation, ``parseMemorySize`` in its source; output of versions 4 to 7.)
"""

from __future__ import annotations

import re
from datetime import UTC, datetime

from bench.engine import DirectionResult
from bench.errors import EngineError
from bench.importing.run import Naming, Part, Run, digest

_RESULT = re.compile(r"^\s*==\s+RESULT[ \t]*(?P<date>[0-9T:.+-]{19,32})?[ \t]*\r?$", re.MULTILINE)
_LINE = re.compile(
    r"^[ \t]*disk (?P<mode>write|read) (?P<what>avg time \(sec\)|tot bytes|tot bandwidth \(MB/s\)|"
    r"bandwidth \(MB/s\)): (?P<value>\d{1,18}(?:[.,]\d{1,9})?)(?: \[(?P<host>[^\]\s]{1,253})\])?",
    re.MULTILINE,
)
_COMMAND = re.compile(r"^.*\bgpcheckperf\b[ \t]+(-.*?)[ \t]*\r?$", re.MULTILINE)
_BLOCK = re.compile(r"(?:^|\s)-[DvV]*B\s*(\d{1,9})([kKmMgG]?)[bB]?(?:\s|$)")
_DIRECT = re.compile(r"(?:^|\s)--(?:use-)?direct-io(?:\s|$)")
_INSTALLED = re.compile(
    r"(?:greenplum|cloudberry|gpdb|hashdata|greengage)[a-z_-]*-(\d{1,4}(?:\.\d{1,4}){1,3})[^\s/]{0,40}/", re.IGNORECASE
)
"""The folder of an installation, which carries its version: ``/usr/local/greenplum-db-6.17.0/bin``."""
_UNITS = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}
_MIB = 1 << 20
_DEFAULT_BLOCK = 32 << 10
_DOUBT = "gpcheckperf goes through the page cache: with files smaller than twice the memory it measures memory"


def recognised(text: str) -> bool:
    """Whether this is what gpcheckperf printed."""
    return _LINE.search(text) is not None


def read(text: str, naming: Naming) -> list[Run]:
    """A run for each result section.

    Raises:
        EngineError: no section has a disk test with its time, bytes and bandwidth.
        ImportFailedError: a name does not fit its factor.
    """
    starts = list(_RESULT.finditer(text))
    cuts = [match.start() for match in starts] or [0]
    sections = [text[start:end] for start, end in zip(cuts, [*cuts[1:], len(text)], strict=True)]
    dates = [match["date"] for match in starts] or [None]
    command = _COMMAND.search(text)
    words = command[1] if command is not None else ""
    installed = _INSTALLED.search(text)
    version = installed[1] if installed is not None else "unknown"
    found = [_run(section, date, words, version, naming) for section, date in zip(sections, dates, strict=True)]
    runs = [run for run in found if run is not None]
    if not runs:
        raise EngineError("gpcheckperf's output has no complete disk test")
    return runs


def _run(section: str, date: str | None, words: str, version: str, naming: Naming) -> Run | None:
    """One section; None where it has no disk test."""
    figures: dict[tuple[str, str], float] = {}
    hosts: dict[str, None] = {}
    for match in _LINE.finditer(section):
        if match["host"] is not None:
            hosts[match["host"]] = None
        else:
            figures[match["mode"], match["what"]] = float(match["value"].replace(",", "."))
    parts = tuple(
        part
        for group, mode in enumerate(("write", "read"))
        if (part := _part(figures, mode, group, words, naming)) is not None
    )
    if not parts:
        return None
    ended_ns, doubt = _ended(date)
    return Run(
        engine="gpcheckperf",
        engine_version=version,
        command=f"gpcheckperf {words}" if words else "",
        parts=parts,
        ended_ns=ended_ns,
        identity=digest("gpcheckperf", date, sorted(figures.items()), list(hosts)),
        hosts=tuple(hosts),
        warnings=doubt if _DIRECT.search(words) else (_DOUBT, *doubt),
    )


def _part(figures: dict[tuple[str, str], float], mode: str, group: int, words: str, naming: Naming) -> Part | None:
    """One test; None where it was not made, or moved nothing."""
    total = figures.get((mode, "tot bytes"), 0.0)
    seconds = figures.get((mode, "avg time (sec)"), 0.0)
    rate = figures.get((mode, "tot bandwidth (MB/s)"), 0.0)
    if not (total > 0 and 0 < seconds < 1e9 and rate > 0):
        return None
    given = _BLOCK.search(words)
    block = int(given[1]) * _UNITS[given[2].lower()] if given is not None else 0
    block = block or _DEFAULT_BLOCK
    options = {"engine": "gpcheckperf", "rw": mode, "bs": str(block)}
    if _DIRECT.search(words):
        options["direct"] = "1"
    said, workload, load = naming.part(options, "gpcheckperf")
    result = DirectionResult(
        direction=mode,
        ios=int(total) // block,
        total_bytes=int(total),
        runtime_ns=round(seconds * 1e9),
        iops=None,
        bw_bytes_s=rate * _MIB,
        errors=0,
    )
    return Part(said, workload, load, (result,), group)


def _ended(date: str | None) -> tuple[int | None, tuple[str, ...]]:
    """When the section was printed, ns since the epoch; the time zone is not printed."""
    try:
        when = datetime.fromisoformat(date or "")
    except ValueError:
        return None, ()
    doubt = () if when.tzinfo else ("its date names no time zone: it is taken for UTC",)
    known = when if when.tzinfo else when.replace(tzinfo=UTC)
    return round(known.timestamp()) * 1_000_000_000, doubt
