"""The folders of bench-fio, recognised without a pattern.

bench-fio (of the project fio-plot) writes ``TARGET/BLOCKSIZE[/run-N]/MODE-IODEPTH-NUMJOBS.json``, mixed modes
``TARGET/MODE+RWMIXREAD/BLOCKSIZE/…``.  What it varied stands in the job options as well, and these count; the target
is in the path alone.
"""

from __future__ import annotations

import re

from bench.importing.pattern import Named

_TARGET = r"(?:.*/)?(?P<target>[^/]+)"
_MIX = r"/(?:rw|readwrite|randrw)(?P<rwmixread>\d{1,3})"
_REST = (
    r"/(?P<bs>\d{1,9}[kKmM]?[iI]?[bB]?)"
    r"(?:/run-\d+)?"
    r"/(?P<rw>read|write|randread|randwrite|rw|readwrite|randrw)-(?P<iodepth>\d{1,6})-(?P<numjobs>\d{1,6})\.json"
)
_PATHS = (re.compile(_TARGET + _MIX + _REST, re.DOTALL), re.compile(_TARGET + _REST, re.DOTALL))


def _match(path: str) -> re.Match[str] | None:
    return _PATHS[0].fullmatch(path) or _PATHS[1].fullmatch(path)


def folders(path: str) -> int:
    """How many folders of a path are bench-fio's, the target included; 0 where it is none of its paths."""
    found = _match(path)
    return 0 if found is None else path.count("/", found.span("target")[0])


def named(path: str) -> Named | None:
    """What a path of bench-fio says; None where it is none."""
    found = _match(path)
    if found is None:
        return None
    words = {name: value for name, value in found.groupdict().items() if value is not None and name != "target"}
    return Named({}, words, {"target": found["target"]})
