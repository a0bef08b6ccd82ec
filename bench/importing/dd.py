"""What dd printed, as runs: a file may hold the output of several, and the command lines before them.

Figures of GNU dd in the C locale and with a decimal comma, of BSD's dd and of BusyBox's are read.  dd does not say
whether it read or wrote a disk: that follows from the command line where the file has one (``set -x``, a prompt),
else from the word ``rw`` of a pattern, else from the word read or write in the file's name.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping

from bench.engine import DirectionResult
from bench.errors import EngineError, ImportFailedError
from bench.importing.run import Naming, Part, Run, digest

_BLOCK = re.compile(r"^\d+\+\d+ records in\b", re.MULTILINE)
_RECORDS = re.compile(r"^(\d{1,18})\+(\d{1,18}) records out", re.MULTILINE)
_NUMBER = r"\d{1,18}(?:[.,]\d{1,12})?(?:e[+-]?\d{1,3})?"
_COPIED = (
    re.compile(
        rf"(?:^|[\r\n])(?P<bytes>\d{{1,18}}) bytes?(?: \([^)\n]*\))? copied, (?P<seconds>{_NUMBER}) (?:s|seconds)\b"
    ),
    re.compile(rf"^(?P<bytes>\d{{1,18}}) bytes transferred in (?P<seconds>{_NUMBER}) secs?\b", re.MULTILINE),
)
_COMMAND = re.compile(r"\bdd((?:[ \t]+[a-z]+=(?:\"[^\"\n]*\"|'[^'\n]*'|[^\s;|&]+))+)")
_IN_NAMES = re.compile(r"(?<![a-z])(?:seq|rand)?(read|write)(?![a-z])")
_LONGEST_S = 1e9
_ENDLESS = ("/dev/zero", "/dev/urandom", "/dev/random")
_SIZES = {"c": 1, "w": 2, "b": 512, "K": 1024, "M": 1 << 20, "G": 1 << 30, "k": 1024}


def recognised(text: str) -> bool:
    """Whether this is what a dd printed."""
    return _BLOCK.search(text) is not None or any(form.search(text) for form in _COPIED)


def read(text: str, naming: Naming) -> list[Run]:
    """Runs in the order of the file.

    Raises:
        EngineError: it holds no figures.
        ImportFailedError: nothing says whether it read or wrote, or a name does not fit its factor.
    """
    starts = [match.start() for match in _BLOCK.finditer(text)]
    if not starts:
        raise EngineError(
            "dd printed no figures: the lines of records are missing (status=none?), or not in English (LC_ALL=C)"
        )
    ends = [*starts[1:], len(text)]
    found, before = [], text[: starts[0]]
    for start, end in zip(starts, ends, strict=True):
        block = text[start:end]
        found.append(_run(block, _commands(before), naming))
        before = block
    return found


def _commands(text: str) -> dict[str, str]:
    """Operands of the last dd command in a text; empty where there is none."""
    every = _COMMAND.findall(text)
    if not every:
        return {}
    try:
        words = shlex.split(every[-1])
    except ValueError:
        words = every[-1].split()
    return dict(word.partition("=")[::2] for word in words)


def _run(block: str, operands: Mapping[str, str], naming: Naming) -> Run:
    copied = [match for form in _COPIED for match in form.finditer(block)]
    records = _RECORDS.search(block)
    if not copied or records is None:
        raise EngineError("dd printed no line of bytes and seconds (status=noxfer, or a language that is not English)")
    total_bytes = int(copied[-1]["bytes"])
    seconds = float(copied[-1]["seconds"].replace(",", "."))
    if not 1e-9 <= seconds <= _LONGEST_S or total_bytes == 0:
        raise EngineError("dd copied nothing, or took no measurable time")
    runtime_ns = round(seconds * 1e9)
    options = _options(operands, naming)
    said, workload, load = naming.part(options, "dd")
    direction = "write" if load["rw"] == "write" else "read"
    ios = int(records[1]) + int(records[2])
    result = DirectionResult(
        direction=direction,
        ios=ios,
        total_bytes=total_bytes,
        runtime_ns=runtime_ns,
        iops=None,
        bw_bytes_s=total_bytes / seconds,
        errors=0,
    )
    words = ["dd", *(f"{name}={value}" for name, value in operands.items())] if operands else []
    return Run(
        engine="dd",
        engine_version="unknown",
        command=shlex.join(words),
        parts=(Part(said, workload, load, (result,)),),
        ended_ns=None,
        identity=digest("dd", block.strip(), sorted(operands.items())),
        warnings=tuple(_doubts(operands, direction)),
    )


def _options(operands: Mapping[str, str], naming: Naming) -> dict[str, str]:
    """The operands in fio's words."""
    options = {"engine": "dd", "rw": _mode(operands, naming)}
    if (size := _size(operands.get("bs", ""))) is not None:
        options["bs"] = str(size)
    flags = ",".join(operands.get(name, "") for name in ("iflag", "oflag", "conv")).split(",")
    options |= {name: "1" for name in ("direct", "fsync", "fdatasync", "dsync", "sync") if name in flags}
    return options


def _mode(operands: Mapping[str, str], naming: Naming) -> str:
    """Read or write."""
    source, target = operands.get("if", ""), operands.get("of", "")
    asked = naming.named.words.get("rw", "")
    if source in _ENDLESS or asked == "write":
        return "write"
    if target == "/dev/null" or asked == "read":
        return "read"
    words = set(_IN_NAMES.findall(naming.path.rpartition("/")[2].lower()))
    if len(words) == 1:
        return str(words.pop())
    raise ImportFailedError("nothing says whether this dd read or wrote: name it in the path, with {rw} in --factors")


def _size(text: str) -> int | None:
    """Bytes of dd's own way to write a size; dd(1)."""
    found = re.fullmatch(r"(\d{1,12})([cwbkKMG]?)(?:iB)?", text)
    return None if found is None else int(found[1]) * _SIZES.get(found[2], 1)


def _doubts(operands: Mapping[str, str], direction: str) -> list[str]:
    """What makes the figure doubtful, where the command line is known."""
    flags = ",".join(operands.get(name, "") for name in ("iflag", "oflag", "conv"))
    found = []
    if operands and "direct" not in flags and not (direction == "write" and "sync" in flags):
        found.append("dd went through the page cache: the figure is that of memory as much as of disks")
    if operands.get("if") == "/dev/zero":
        found.append("dd wrote zeros, which flatters storage that compresses")
    return found
