"""The dd engine: what administrators run by hand, done so that it measures the disks.

- Direct I/O by default; writes end with ``fdatasync`` always, so that no figure is the page cache's.
  For buffered reads the caller drops the cache first.  ``nocreat`` and ``notrunc`` keep dd to the files
  that were laid out.
- ``numjobs`` dd run at once, each over a portion of its own (:mod:`bench.spread`).  Each goes over its
  portion once, or over ``io_size_bytes``.  dd knows no time: ``runtime_s`` and ``ramp_time_s`` are not
  used, and only the timeout ends a dd that takes too long.
- Bandwidth is all bytes by the time from the first dd that began to copy to the last that ended, the
  gaps between the files of one dd included.  dd's own seconds, which leave out the start of the
  program, say when it began.  The rate that dd prints is rounded and is not used.
- What is written cannot be compressed (:mod:`bench.dd.source`), unless the workload asks for zeros.
- dd says nothing about single blocks: there are no latencies and no IOPS.
"""

from __future__ import annotations

import shlex
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from queue import Empty, SimpleQueue

from bench import proc
from bench.dd import source
from bench.dd.parser import DdFigures, parse, parse_version
from bench.engine import DirectionResult, Measurement, Targets
from bench.errors import EngineError, MissingToolError, StripelabError, SweepFileError
from bench.spread import Portion, check_targets, portions
from permutations.workload import Workload

COMPRESS = "buffer_compress_percentage"


@dataclass(frozen=True)
class Copied:
    """A dd that ended well: its words, what it printed, its figures, and when (monotonic seconds) it ended."""

    words: tuple[str, ...]
    printed: str
    figures: DdFigures
    ended_s: float

    @property
    def began_s(self) -> float:
        """When it began to copy."""
        return self.ended_s - self.figures.seconds


class DdEngine:
    """Drives sequential workloads with GNU dd."""

    name = "dd"

    def version(self) -> str:
        """Version of GNU coreutils; raises :class:`MissingToolError` where dd is another one.  Asked for once."""
        return _version(proc.require("dd"))

    def check_workload(self, workload: Workload) -> None:
        """Raise :class:`SweepFileError` where dd cannot run ``workload``."""
        where = f"workload {workload.name!r}"
        if workload.rw not in {"read", "write"}:
            raise SweepFileError(f"{where}: dd reads or writes sequentially; rw = {workload.rw!r} needs engine = 'fio'")
        if workload.iodepth != 1:
            raise SweepFileError(f"{where}: dd has one I/O in flight; iodepth {workload.iodepth} needs engine = 'fio'")
        given = {"job_file": workload.job_file, "rwmixread": workload.rwmixread, "fsync": workload.fsync}
        named = [key for key, value in given.items() if value is not None]
        named += [f"option {key}" for key, _ in workload.options if key != COMPRESS]
        if named:
            raise SweepFileError(f"{where}: dd has no {' and no '.join(named)}; these need engine = 'fio'")
        if dict(workload.options).get(COMPRESS, "0") not in {"0", "100"}:
            raise SweepFileError(f"{where}: {COMPRESS} must be 0 (random data) or 100 (zeros) for dd")
        if workload.direct and workload.bs_bytes % 512:
            raise SweepFileError(f"{where}: direct I/O needs a bs that is a multiple of 512, not {workload.bs_bytes}")
        if workload.io_size_bytes is not None and workload.io_size_bytes < workload.bs_bytes:
            raise SweepFileError(f"{where}: io_size {workload.io_size_bytes} is less than a bs of {workload.bs_bytes}")

    def run(self, workload: Workload, targets: Targets, *, scratch: Path, timeout_s: float) -> Measurement:  # noqa: ARG002
        """Run ``workload`` over ``targets``; nothing is written to ``scratch``.

        Raises :class:`EngineError` where a dd fails, copies less than it was told to, or does not end.
        """
        version = self.version()
        check_targets(targets)
        try:
            self.check_workload(workload)
            jobs = [tuple(_commands(workload, portion, targets)) for portion in portions(workload, targets)]
        except SweepFileError as error:
            raise EngineError(error.message, remedy=error.next_step) from None
        command = targets.named(_command(jobs))
        copied = _run_side_by_side(jobs, timeout_s, command, targets.descriptors)
        return Measurement(
            engine=self.name,
            engine_version=version,
            command=command,
            directions=(_direction(workload, copied, command),),
            intervals=(),
            warnings=(),
            raw=targets.named("".join(f"$ {shlex.join(one.words)}\n{one.printed}" for one in copied)).encode(
                "utf-8", "surrogateescape"
            ),
        )


@cache
def _version(executable: str) -> str:
    finished = proc.run([executable, "--version"], timeout_s=30.0, check=False, error=EngineError)
    try:
        return parse_version(finished.stdout + finished.stderr)
    except EngineError as error:
        remedy = "Install GNU dd (Debian, Ubuntu: apt-get install coreutils), then run the same command again."
        raise MissingToolError(error.message, remedy=remedy) from None


def _commands(workload: Workload, portion: Portion, targets: Targets) -> Iterator[tuple[str, ...]]:
    """The dd of one job, one after another; each copies whole blocks within its slice.

    A last block that is short would turn O_DIRECT off, and one that is odd would fail: what is left
    of a file beyond its last whole block stays untouched.
    """
    start = portion.offset // workload.bs_bytes
    blocks = (portion.size if portion.size is not None else targets.size_bytes) // workload.bs_bytes
    if blocks == 0:
        raise SweepFileError(
            f"workload {workload.name!r}: a target of {targets.size_bytes} bytes has no block of {workload.bs_bytes}"
        )
    left = blocks * len(portion.files)
    if workload.io_size_bytes is not None:
        left = workload.io_size_bytes // workload.bs_bytes
    while left > 0:
        for path in portion.files[: -(-left // blocks)]:
            yield _words(workload, path, start, min(left, blocks))
            left -= blocks


def _words(workload: Workload, path: Path, start: int, count: int) -> tuple[str, ...]:
    sizes = (f"bs={workload.bs_bytes}", f"count={count}")
    direct = "direct" if workload.direct else ""
    if workload.reads:
        flags = [f"iflag={direct}"] if direct else []
        return ("dd", f"if={path}", "of=/dev/null", *sizes, f"skip={start}", *flags)
    flags = [f"oflag={direct}"] if direct else []
    input_ = ("if=/dev/zero",) if dict(workload.options).get(COMPRESS) == "100" else ("iflag=fullblock",)
    return ("dd", *input_, f"of={path}", *sizes, f"seek={start}", "conv=notrunc,nocreat,fdatasync", *flags)


def _command(jobs: Sequence[Sequence[Sequence[str]]]) -> str:
    """One line for a shell that runs what was run."""
    begin, before = source.SHELL
    lines = [" && ".join(before * _needs_noise(words) + shlex.join(words) for words in job) for job in jobs]
    start = "export LC_ALL=C; " + f"{begin}; " * any(_needs_noise(words) for job in jobs for words in job)
    if len(lines) == 1:
        return start + lines[0]
    return start + " ".join(f"( {line} ) &" for line in lines) + " wait"


def _needs_noise(words: Sequence[str]) -> bool:
    """Whether a dd reads what it writes from its standard input."""
    return not any(word.startswith("if=") for word in words)


def _input(words: Sequence[str]) -> AbstractContextManager[int | None]:
    """What a dd has as its standard input while it is started."""
    return source.noise() if _needs_noise(words) else nullcontext()


class _Crew:
    """The dd that run now; they end together.  ``descriptors`` are open devices that they inherit."""

    def __init__(self, descriptors: Sequence[int]) -> None:
        self._descriptors = descriptors
        self._lock = threading.Lock()
        self._killers: list[Callable[[], None]] = []
        self._ended = False

    def copy(self, words: tuple[str, ...]) -> Copied:
        """Run one dd to its end."""
        with self._lock:
            if self._ended:
                raise EngineError("dd was stopped")
            with _input(words) as stdin:
                process = proc.start(
                    words, stdin=stdin, opening=_files(words), descriptors=self._descriptors, ends_with_us=True
                )
            killer = partial(proc.end_family, process, words)
            self._killers.append(killer)
        with proc.closing_pipes(process):
            stdout, stderr = process.communicate()
        ended_s = time.monotonic()
        with self._lock:
            if not self._ended:
                self._killers.remove(killer)
        finished = proc.Finished(words, process.returncode, proc.decode(stdout), proc.decode(stderr), 0.0)
        if finished.status != 0:
            raise EngineError(f"dd {proc.describe(finished)}", command=finished.command)
        return _judged(Copied(words, finished.stderr, parse(finished.stderr), ended_s))

    def end(self) -> None:
        """Kill every dd that runs, and start no other."""
        with self._lock:
            self._ended = True
        for killer in self._killers:
            killer()


def _files(words: Sequence[str]) -> list[Path]:
    """What a dd reads from and writes to."""
    return [Path(word[3:]) for word in words if word.startswith(("if=", "of="))]


def _judged(copied: Copied) -> Copied:
    """The same, if dd copied all that it was told to."""
    given = dict(word.split("=", 1) for word in copied.words[1:])
    planned = int(given["bs"]) * int(given["count"])
    if copied.figures.total_bytes != planned:
        raise EngineError(
            f"dd copied {copied.figures.total_bytes} bytes of {planned}", command=shlex.join(copied.words)
        )
    return copied


def _run_side_by_side(
    jobs: Sequence[Sequence[tuple[str, ...]]], timeout_s: float, command: str, descriptors: Sequence[int] = ()
) -> list[Copied]:
    """Run the jobs at once, a thread for each; the first failure ends all of them."""
    crew, results = _Crew(descriptors), SimpleQueue[list[Copied] | StripelabError]()
    deadline = time.monotonic() + timeout_s
    for job in jobs:
        threading.Thread(target=_run_job, args=(job, crew, results), daemon=True).start()
    copied: list[Copied] = []
    try:
        for _ in jobs:
            copied += _unwrapped(results.get(timeout=max(0.0, deadline - time.monotonic())))
    except Empty:
        crew.end()
        raise EngineError(f"dd did not end within {timeout_s:g} s and was killed", command=command) from None
    except BaseException:
        crew.end()
        raise
    return copied


def _unwrapped(result: list[Copied] | StripelabError) -> list[Copied]:
    """What a job copied; raises its failure."""
    if isinstance(result, StripelabError):
        raise result
    return result


def _run_job(job: Sequence[tuple[str, ...]], crew: _Crew, results: SimpleQueue[list[Copied] | StripelabError]) -> None:
    try:
        results.put([crew.copy(words) for words in job])
    except StripelabError as error:
        results.put(error)
    except OSError as error:
        results.put(EngineError(f"dd could not be started: {error}", command=shlex.join(job[0])))


def _direction(workload: Workload, copied: Sequence[Copied], command: str) -> DirectionResult:
    total_bytes = sum(one.figures.total_bytes for one in copied)
    duration_s = max(one.ended_s for one in copied) - min(one.began_s for one in copied)
    if duration_s <= 0.0:
        raise EngineError("dd took no measurable time: give it more to copy", command=command)
    return DirectionResult(
        direction="read" if workload.reads else "write",
        ios=sum(one.figures.full_records for one in copied),
        total_bytes=total_bytes,
        runtime_ns=round(duration_s * 1e9),
        iops=None,
        bw_bytes_s=total_bytes / duration_s,
        errors=0,
    )
