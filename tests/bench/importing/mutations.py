"""Files that went wrong: recordings with bytes changed, cut, doubled, swapped for those of others.

``python -m tests.bench.importing.mutations --inputs 100000`` reads that many; ``make fuzz`` runs it.
"""

from __future__ import annotations

import argparse
import random
import re
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from bench.errors import EngineError, ImportFailedError
from bench.fio.logs import parse_log
from bench.importing import alike, formats
from bench.importing.fio_logs import NO_LOGS
from bench.importing.pattern import compile_pattern
from bench.importing.rows import Source, rows
from bench.importing.run import Naming
from results.store.bulk import seal

DATA = Path(__file__).parents[2] / "data"
PATTERNS = tuple(map(compile_pattern, ("{level}/{chunk_kib}/{rw}.txt", "{box}.txt", "jobname={}{controller}")))
TOKENS = (
    *(
        b"nan",
        b"inf",
        b"-1",
        b"0",
        b"1e999",
        b"99999999999999999999",
        b"9223372036854775807",
        b"-0.0",
        b"null",
        b"true",
    ),
    *(b"{", b"}", b"[", b"]", b'"', b",", b":", b"\n", b"\r", b"\0", b"\xff\xfe", b"\\ud800", b'"jobs" : [', b"{}"),
    *(b"records in", b" copied, ", b"RESULT", b"operation,", b"disk write tot bytes: ", b"\xe2\x82\xac", b"9999-12-31"),
)
_DIGITS = re.compile(rb"\d+")
SEALED_EVERY = 16
"""Of what can be read, how much is turned into bytes of a store as well: that takes most of the time."""


def recordings() -> list[bytes]:
    """Every file that a format is tested with, small ones oftener than large ones."""
    found = [path for tool in ("fio", "dd", "gpcheckperf", "elbencho") for path in sorted((DATA / tool).rglob("*"))]
    texts = [path.read_bytes() for path in found if path.is_file() and path.suffix in {".json", ".txt", ".csv"}]
    return [text for text in texts if text for _ in range(max(1, 12 - len(text) // 2000))]


def _cut(text: bytes, rng: random.Random) -> bytes:
    return text[: rng.randrange(len(text) + 1)]


def _flip(text: bytes, rng: random.Random) -> bytes:
    changed = bytearray(text)
    for _ in range(rng.choice((1, 1, 2, 8))):
        if changed:
            changed[rng.randrange(len(changed))] = rng.randrange(256)
    return bytes(changed)


def _token(text: bytes, rng: random.Random) -> bytes:
    at = rng.randrange(len(text) + 1)
    return text[:at] + rng.choice(TOKENS) + text[at + rng.choice((0, 0, 1, 8)) :]


def _number(text: bytes, rng: random.Random) -> bytes:
    """A number in the file becomes another."""
    found = _DIGITS.search(text, rng.randrange(len(text) + 1)) or _DIGITS.search(text)
    if found is None:
        return text
    start, end = found.span()
    return text[:start] + rng.choice(TOKENS[:10]) + text[end:]


def _drop_lines(text: bytes, rng: random.Random) -> bytes:
    lines = text.splitlines(keepends=True)
    at = rng.randrange(len(lines) + 1)
    return b"".join(lines[:at] + lines[at + rng.choice((1, 1, 5, 40)) :])


def _double(text: bytes, rng: random.Random) -> bytes:
    at, end = sorted((rng.randrange(len(text) + 1), rng.randrange(len(text) + 1)))
    return text[:end] + text[at:end] + text[end:]


WAYS: tuple[Callable[[bytes, random.Random], bytes], ...] = (_number, _flip, _token, _drop_lines, _double, _cut)
WEIGHTS = (10, 3, 3, 1, 1, 1)
"""Most often a number becomes another: then the file can still be read, and figures have to be looked at."""


def mutated(sources: Sequence[bytes], rng: random.Random) -> bytes:
    """A recording after one to four things went wrong, at times with another one behind it or within."""
    text = rng.choice(sources)
    if rng.random() < 0.1:
        other, at = rng.choice(sources), rng.randrange(len(text) + 1)
        text = rng.choice((text + other, text[:at] + other, text[:at] + other + text[at:]))
    for _ in range(rng.choice((1, 1, 2, 4))):
        (way,) = rng.choices(WAYS, WEIGHTS)
        text = way(text, rng) if text else text
    return text


def outcome(content: bytes, number: int) -> str:
    """What an import makes of a file: ``read``, or the first words of the reason; anything else is raised."""
    path = ("raid5/64/read.txt", "h730.txt", "x/write.txt")[number % 3]
    quick = None
    try:
        naming, source = Naming.of(path, PATTERNS), Source(path, 10**18, content)
        quick = alike.trial(content, naming, source) if formats.may_be_one_document(content) else None
        found = rows(formats.read(content, naming, NO_LOGS), source)
    except (EngineError, ImportFailedError) as error:
        assert quick is None, "the quick way took what the careful one refuses"
        return " ".join(error.message.split()[:3])
    assert quick is None or [quick[0]] == found, "the quick way and the careful one differ"
    unique = {each.trial.trial_id: each for each in found}
    _logs(content)
    if number % SEALED_EVERY == 0:
        for bundle in seal([(each.trial, each.observations, each.intervals) for each in unique.values()]):
            assert bundle.content["trials"]
    return "read"


def _logs(content: bytes) -> None:
    """A few lines of numbers out of the file, read as one of fio's logs."""
    try:
        parse_log(re.sub(rb"[^0-9,\n-]+", b"", content[-400:]).decode())
    except EngineError as error:
        assert error.message  # noqa: PT017 - nearly every one is refused, and in words


def run(inputs: int, seed: int) -> Counter[str]:
    """Read so many mutated files; returns how often what came of them."""
    sources, rng = recordings(), random.Random(seed)
    counts: Counter[str] = Counter()
    for number in range(inputs):
        content = mutated(sources, rng)
        try:
            counts[outcome(content, number)] += 1
        except BaseException:
            path = Path(tempfile.gettempdir()) / f"stripelab-mutation-{seed}-{number}.bin"
            path.write_bytes(content)
            sys.stderr.write(f"this file did it: {path}\n")
            raise
    return counts


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--inputs", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=20261124)
    asked = parser.parse_args()
    began = time.perf_counter()
    counts = run(asked.inputs, asked.seed)
    sys.stdout.write(f"{asked.inputs:,} mutated files in {time.perf_counter() - began:.0f} s, seed {asked.seed}\n")
    for words, count in counts.most_common(12):
        sys.stdout.write(f"{count:>8,}  {words}\n")


if __name__ == "__main__":
    main()
