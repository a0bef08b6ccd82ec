"""fio's logs that lie beside its JSON: which belong to which jobs, and the seconds they make.

fio names a log ``PREFIX_bw.N.log`` (with ``per_job_logs=1``, N is the number of the job) or ``PREFIX_bw.log``; the
prefix is the value of ``write_bw_log``, or the job's name where it has none.  Units: KiB/s, IOPS, nanoseconds
(before fio 3.0 microseconds).  With ``log_avg_msec`` a line stands for a window, without it for one I/O.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.engine import IntervalResult
from bench.errors import EngineError
from bench.fio.logs import WINDOW_MS, JobLogs, Sample, intervals, parse_log
from bench.fio.merge import merge_jobs
from bench.fio.model import Document
from bench.importing.reading import content_of

LOG_NAME = re.compile(r"(?P<prefix>.+)_(?P<kind>bw|iops|lat|clat|slat)(?:\.(?P<number>\d{1,6}))?\.log")
HISTOGRAM_NAME = re.compile(r".+_(?:clat_)?hist(?:\.\d+)?\.log")
LARGEST_BYTES = 64 << 20
"""Logs of one run, together, that are read; without log_avg_msec a line is written for every I/O."""

_KINDS = ("bw", "iops", "lat")
_SECOND_MS = 1000


def is_log(name: str) -> bool:
    """Whether a file of this name is read with the JSON beside it, or not at all, and never on its own."""
    return LOG_NAME.fullmatch(name) is not None or HISTOGRAM_NAME.fullmatch(name) is not None


@dataclass(frozen=True)
class Logs:
    """The logs in the folder of a file, by their names; ``stem`` is the file's name without its suffix."""

    folder: Path
    names: tuple[str, ...]
    stem: str

    def intervals(self, document: Document, places: Sequence[int]) -> tuple[tuple[IntervalResult, ...], str | None]:
        """Seconds of the jobs at ``places`` of a document; and why there are none though there are logs."""
        if not self.names:
            return (), None
        try:
            return self._intervals(document, places), None
        except (EngineError, OSError) as error:
            said = error.message if isinstance(error, EngineError) else f"{error.filename}: {error.strerror}"
            return (), f"its logs are left out: {said}"

    def _intervals(self, document: Document, places: Sequence[int]) -> tuple[IntervalResult, ...]:
        jobs = [document.jobs[place] for place in places]
        options = document.options_of(jobs[0])
        files = self._files(document, places)
        if not any(files.values()):
            return ()
        if options.get("log_window_value") == "both":
            raise EngineError("log_window_value=both puts maxima among the means")
        window_ms = _whole(options.get("log_avg_msec", "0"))
        if window_ms > _SECOND_MS:
            raise EngineError(f"their windows of {window_ms} ms are longer than a second")
        size = sum((self.folder / name).stat().st_size for names in files.values() for name in names)
        if size > LARGEST_BYTES:
            raise EngineError(f"they have {size >> 20} MiB, and {LARGEST_BYTES >> 20} MiB are read")
        old = document.fio_version.startswith(("0.", "1.", "2."))
        logs = _paired({kind: [self._read(name) for name in files[kind]] for kind in _KINDS}, 1000 if old else 1)
        merged = merge_jobs(jobs)
        runtime_ms = max((part.runtime_ms for part in merged), default=0)
        directions = [part.name for part in merged if part.name != "mixed"]
        if window_ms == 0:
            return _of_single_ios(logs, runtime_ms, directions)
        if window_ms > WINDOW_MS:
            runtime_ms = _sampled_ms(logs, runtime_ms, window_ms)
        sizes = {part.name: _only_size(options.get("bs", "4k"), part.total_bytes, part.ios) for part in merged}
        return intervals(logs, runtime_ms, directions, sizes, window_ms)

    def _read(self, name: str) -> tuple[Sample, ...]:
        content, _ = content_of(self.folder / name, LARGEST_BYTES)
        return parse_log(content.decode("ascii", "replace"))

    def _files(self, document: Document, places: Sequence[int]) -> dict[str, list[str]]:
        """Names of the logs of these jobs by kind, in the order of the jobs."""
        found: dict[str, list[str]] = {}
        for kind in _KINDS:
            prefixes = [self._prefix(document, place, kind) for place in range(len(document.jobs))]
            numbered: dict[int, str] = {}
            for name in self.names:
                parts = LOG_NAME.fullmatch(name)
                if parts is not None and parts["kind"] == kind and parts["prefix"] == prefixes[places[0]]:
                    numbered[int(parts["number"] or 0)] = name
            sharing = [place for place, prefix in enumerate(prefixes) if prefix == prefixes[places[0]]]
            if len(sharing) == len(places):
                found[kind] = [numbered[number] for number in sorted(numbered)]
            elif len(numbered) == len(document.jobs):
                found[kind] = [numbered[place + 1] for place in places if place + 1 in numbered]
            elif numbered:
                raise EngineError("several workloads share them, and their numbers do not tell which is whose")
            else:
                found[kind] = []
        return found

    def _prefix(self, document: Document, place: int, kind: str) -> str:
        """What the names of a job's logs begin with."""
        job = document.jobs[place]
        options = document.options_of(job)
        if not options:  # fio before 2.2 says nothing of its options
            return self.stem
        return Path(options.get(f"write_{kind}_log") or job.name).name


NO_LOGS = Logs(Path(), (), "")


def _whole(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise EngineError(f"log_avg_msec={text[:40]} is no number") from None


def _only_size(bs: str, total_bytes: int, ios: int) -> float | None:
    """Bytes of every I/O, where all have the same size."""
    mixed = any(mark in bs for mark in ",-:/")
    return None if mixed or not ios or total_bytes % ios else total_bytes / ios


def _sampled_ms(logs: Iterable[JobLogs], runtime_ms: int, window_ms: int) -> int:
    """How much of the run the logs cover: with long windows the last second or two are often not written."""
    last = max((sample.time_ms for job in logs for sample in (*job.bw[-1:], *job.iops[-1:])), default=0)
    return last if 0 < runtime_ms - last <= 2 * window_ms else runtime_ms


def _paired(found: dict[str, list[tuple[Sample, ...]]], lat_unit_ns: int) -> list[JobLogs]:
    """The logs of each job; a kind that is missing is empty for all.

    Raises:
        EngineError: the kinds are not of the same jobs.
    """
    counts = {len(logs) for logs in found.values() if logs}
    if len(counts) > 1:
        raise EngineError("there are not as many of one kind as of another")
    (jobs,) = counts
    empty: list[tuple[Sample, ...]] = [()] * jobs
    bw, iops, lat = (found[kind] or empty for kind in _KINDS)
    in_ns = [
        tuple(Sample(each.time_ms, each.value * lat_unit_ns, each.direction, each.io_bytes) for each in log)
        if lat_unit_ns != 1
        else log
        for log in lat
    ]
    return [JobLogs(*each) for each in zip(bw, iops, in_ns, strict=True)]


def _of_single_ios(logs: Iterable[JobLogs], runtime_ms: int, directions: Sequence[str]) -> tuple[IntervalResult, ...]:
    """Seconds from logs with a line per I/O: lines are counted, and their block sizes added up."""
    seconds = runtime_ms // _SECOND_MS
    ios: dict[tuple[str, int], int] = defaultdict(int)
    moved: dict[tuple[str, int], int] = defaultdict(int)
    waited: dict[tuple[str, int], int] = defaultdict(int)
    measured: dict[tuple[str, int], int] = defaultdict(int)
    for job in logs:
        for sample in job.lat or job.bw or job.iops:
            key = (sample.direction, sample.time_ms // _SECOND_MS)
            ios[key] += 1
            moved[key] += sample.io_bytes
        for sample in job.lat:
            key = (sample.direction, sample.time_ms // _SECOND_MS)
            waited[key] += sample.value
            measured[key] += 1
    return tuple(
        IntervalResult(
            direction,
            second,
            float(ios[direction, second]),
            float(moved[direction, second]),
            waited[direction, second] / count if (count := measured[direction, second]) else None,
        )
        for direction in directions
        for second in range(seconds)
    )
