"""GNU dd's figures, read from what it prints on standard error in the C locale.

Forms (coreutils ``dd.c``, ``print_xfer_stats``): ``1 byte copied,`` · ``999 bytes copied,`` ·
``1001 bytes (1.0 kB) copied,`` · ``10485760 bytes (10 MB, 10 MiB) copied,``, then seconds as ``%g``
(``8.2835e-05``) and a rounded rate, or ``Infinity B/s``.  With ``status=progress`` such lines come
before, each after a carriage return; the last one counts.  The printed rate is never used.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from bench.errors import EngineError

_RECORDS = re.compile(r"^(\d+)\+(\d+) records (in|out)$", re.MULTILINE)
_COPIED = re.compile(
    r"(?:^|\r|\n)(?P<bytes>\d+) bytes?(?: \([^)\n]*\))? copied, "
    r"(?P<seconds>\d+(?:\.\d+)?(?:e[+-]?\d+)?) s, [^\r\n]*"
)
_FOREIGN = (
    (re.compile(r"copied, \d+,\d+"), "it has a decimal comma: run dd with LC_ALL=C"),
    (re.compile(r"bytes transferred in"), "it is BSD's dd: GNU dd is needed"),
    (re.compile(r"copied, [\d.]+ seconds"), "it is BusyBox's dd: GNU dd is needed"),
    (re.compile(r"\brecords out\b(?!.*copied)", re.DOTALL), "it has no line of bytes: run dd without status=noxfer"),
)
_VERSION = re.compile(r"^dd \(coreutils\) (\S+)", re.MULTILINE)


@dataclass(frozen=True)
class DdFigures:
    """What one dd did: bytes copied, elapsed seconds, and records written in full and in part."""

    total_bytes: int
    seconds: float
    full_records: int
    partial_records: int

    @property
    def bw_bytes_s(self) -> float | None:
        """Bytes per second; None where dd took no measurable time."""
        return self.total_bytes / self.seconds if self.seconds > 0 else None


def parse(text: str) -> DdFigures:
    """Figures of one dd; raises :class:`EngineError` saying why there are none."""
    copied = list(_COPIED.finditer(text))
    records = [match for match in _RECORDS.finditer(text) if match.group(3) == "out"]
    if not copied or not records:
        raise EngineError(f"dd printed no figures: {_reason(text)}")
    full, partial, _ = records[-1].groups()
    try:
        return DdFigures(int(copied[-1]["bytes"]), float(copied[-1]["seconds"]), int(full), int(partial))
    except ValueError:  # a number of more digits than Python converts
        raise EngineError("dd printed no figures: its numbers are out of range") from None


def parse_version(text: str) -> str:
    """Version of GNU dd from ``dd --version``; raises :class:`EngineError` naming what it is instead."""
    found = _VERSION.search(text)
    if found is not None:
        return found.group(1)
    lowered = text.lower()
    kinds = ("uutils", "BusyBox", "Toybox")
    kind = next((name for name in kinds if name.lower() in lowered), "some other system's")
    raise EngineError(f"this dd is not GNU's but {kind}: {text.strip()[:80]!r}")


def _reason(text: str) -> str:
    for pattern, reason in _FOREIGN:
        if pattern.search(text):
            return reason
    said = text.strip()
    return repr(said[-200:]) if said else "it printed nothing (status=none?)"
