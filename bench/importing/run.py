"""One run as a file tells of it, whatever wrote the file; None is what the file does not say."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from bench.engine import DirectionResult, IntervalResult
from bench.fio.model import Options
from bench.importing import bench_fio
from bench.importing.pattern import NOTHING, Named, Pattern, named_by, named_by_options
from bench.importing.workload import workload_name


@dataclass(frozen=True)
class Part:
    """Jobs that ran at once and did the same: one workload of a run.

    ``options`` are in fio's words, whatever the engine was; ``group`` tells parts apart that ran one after
    the other.  ``error`` is why the part failed.
    """

    named: Named
    workload: str
    options: Options
    results: tuple[DirectionResult, ...]
    group: int = 0
    intervals: tuple[IntervalResult, ...] = ()
    error: str | None = None


@dataclass(frozen=True)
class Run:
    """What one start of an engine left in a file.

    ``ended_ns`` is the wall clock at the end, in nanoseconds since the epoch.  ``identity`` is a digest of what
    was measured: the same run has it wherever it is found again.  ``notes`` are on the file, and how it was
    read; ``warnings`` on the figures.
    """

    engine: str
    engine_version: str
    command: str
    parts: tuple[Part, ...]
    ended_ns: int | None
    identity: str
    hosts: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Folder:
    """A folder that became a factor; ``above`` counts the folders from it down to the file, itself included."""

    factor: str
    name: str
    above: int


@dataclass(frozen=True)
class Naming:
    """How jobs of one file are named: by its path, by the patterns, by what the jobs say of themselves."""

    path: str
    named: Named
    patterns: Sequence[Pattern]

    @classmethod
    def of(cls, path: str, patterns: Sequence[Pattern], folders: Sequence[Folder] = ()) -> Naming:
        """The naming of a file; raises ImportFailedError where its path fits no pattern.

        ``folders`` count where no pattern reads paths.
        """
        if any(each.option is None for each in patterns):
            return cls(path, named_by(patterns, path), patterns)
        guessed = bench_fio.named(path)
        known = 0 if guessed is None else bench_fio.folders(path)
        named = Named({}, {}, {each.factor: each.name for each in folders if each.above > known})
        return cls(path, named if guessed is None else named.under(guessed), patterns)

    def part(self, options: Mapping[str, str], job: str) -> tuple[Named, str, Options]:
        """Factors, workload and options of a job; its own options have the last word over the path's.

        Raises:
            ImportFailedError: a value does not fit its factor.
        """
        own = options if isinstance(options, Options) else Options(options)
        by_options = named_by_options(self.patterns, own, job)
        said = self.named if by_options is NOTHING else self.named.under(by_options)
        load = _load(tuple(said.words.items()), own)
        return said, said.workload or workload_name(load, job), load


@lru_cache(maxsize=1024)
def _load(words: tuple[tuple[str, str], ...], options: Options) -> Options:
    """Options, and under them what a path says."""
    return Options({**dict(words), **options})


def digest(*content: object) -> str:
    """24 hex digits of the SHA-256 of values as Python writes them: numbers and words, no floats that were computed."""
    return hashlib.sha256(repr(content).encode("utf-8", "surrogatepass")).hexdigest()[:24]
