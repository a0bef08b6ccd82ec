"""fio's JSON as runs: which documents are runs of their own, which jobs ran at once, and their logs.

``--status-interval`` writes documents of one run, each with all that came before; a file put together by hand
holds documents of different runs.  They are told apart by their clocks: a run that started after the one
before ended cannot have lasted longer than the time between the two documents.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence

from bench.errors import EngineError
from bench.fio import commits
from bench.fio.merge import results
from bench.fio.model import Document, Job
from bench.fio.parser import parse
from bench.importing.fio_logs import Logs
from bench.importing.pattern import Named
from bench.importing.run import Naming, Part, Run, digest


def read(text: str, naming: Naming, logs: Logs) -> list[Run]:
    """Runs in what fio printed.

    Raises:
        EngineError: there is no complete document, or no job in any.
        ImportFailedError: a name does not fit its factor.
    """
    output = parse(text)
    said = _remarkable(output.prefix)
    notes = [f"beside the JSON: {said[:400]}"] if said else []
    if output.truncated:
        notes.append("the last document is cut short: what is complete before it is taken")
    if output.not_numbers:
        notes.append("some figures are no numbers (nan or inf): they are left empty")
    return [_run(document, naming, logs, notes) for document in _last_of_each(_with_jobs(output.documents))]


def of_document(document: Document, naming: Naming, logs: Logs) -> list[Run]:
    """The run of a document that stands alone, as :func:`read`."""
    return [_run(each, naming, logs, ()) for each in _with_jobs([document])]


def _with_jobs(documents: Sequence[Document]) -> list[Document]:
    """Documents that have something to tell: a fio that ends before its first job writes an empty list."""
    found = [document for document in documents if document.jobs]
    if not found:
        raise EngineError("fio ran no job")
    return found


_USUAL = re.compile(
    r"(?:<[^>]*>\s*)?"
    r"(?:\S.*: \(g=\d+\): rw=|fio-\d\S*$|\.\.\.$|Starting \d+ |hostname=|\S.*: Laying out IO file|Jobs: \d+ \(f=|$)"
)
"""What every run says before it begins, and while it goes on; a server says it with its name before."""
_REPORT = re.compile(r"(?:<[^>]*>\s*)?\S.*: \(groupid=\d+, jobs=\d+\): err=")
"""The first line of the report for people, which ``--output-format=json,normal`` writes after the JSON."""
_OF_FIO = re.compile(r"(?:<[^>]*>\s*)?(?:fio|note|warning): ", re.IGNORECASE)


def _remarkable(text: str) -> str:
    """What is not in every run, of the text beside the JSON (fio(1), "Interpreting the output"), as one line."""
    found, report = [], False
    for line in map(str.strip, text.splitlines()):
        report = report or _REPORT.match(line) is not None
        if _OF_FIO.match(line) or not (report or _USUAL.match(line)):
            found.append(" ".join(line.split()))
    return " | ".join(found)


def _last_of_each(documents: Sequence[Document]) -> list[Document]:
    """The last document of each run."""
    found: list[Document] = []
    for document in documents:
        if found and _goes_on(found[-1], document):
            found[-1] = document
        else:
            found.append(document)
    return found


def _goes_on(before: Document, after: Document) -> bool:
    """Whether ``after`` is the same run as ``before``, later."""
    names = [(job.name, job.group, job.hostname) for job in before.jobs]
    if names != [(job.name, job.group, job.hostname) for job in after.jobs]:
        return False
    if before.fio_version != after.fio_version:
        return False
    if any(mine.ios > later.ios for mine, later in zip(before.jobs, after.jobs, strict=True)):
        return False
    if before.timestamp_ms is None or after.timestamp_ms is None:
        return True
    if not any(job.ios or job.error for job in before.jobs):  # still in its ramp: nothing is lost
        return True
    earlier_ms, lasted_ms = _lasted_ms(before), _lasted_ms(after)
    return after.timestamp_ms - before.timestamp_ms < lasted_ms - earlier_ms / 2  # halfway between the two cases


def _lasted_ms(document: Document) -> int:
    """Longest time that a job has been measured, ms."""
    return max((part.runtime_ms for job in document.jobs for part in job.directions), default=0)


def _run(document: Document, naming: Naming, logs: Logs, notes: Sequence[str]) -> Run:
    parts, warnings = _parts(document, naming, logs)
    hosts = dict.fromkeys(job.hostname for job in document.jobs if job.hostname is not None)
    return Run(
        engine="fio",
        engine_version=document.fio_version or "unknown",
        command="",
        parts=parts,
        ended_ns=None if document.timestamp_ms is None else document.timestamp_ms * 1_000_000,
        identity=_identity(document),
        hosts=tuple(hosts),
        notes=(*notes, *warnings),
    )


def _parts(document: Document, naming: Naming, logs: Logs) -> tuple[tuple[Part, ...], tuple[str, ...]]:
    """Jobs of one group that do the same at the same point are one part."""
    together: dict[tuple[object, ...], list[int]] = defaultdict(list)
    named = []
    of_path = _point(naming.named)
    for place, job in enumerate(document.jobs):
        said, workload, options = naming.part(document.options_of(job), job.name)
        point = of_path if said is naming.named else _point(said)
        together[point, workload, job.group].append(place)
        named.append((said, workload, options))
    parts, warnings = [], []
    for places in together.values():
        said, workload, options = named[places[0]]
        jobs = [document.jobs[place] for place in places]
        seconds, warning = logs.intervals(document, places)
        if warning is not None:
            warnings.append(f"{workload}: {warning}")
        same = clones(options, len(jobs))
        if same is not None:
            warnings.append(f"{workload}: {same}")
        found = results(jobs, [document.options_of(job) for job in jobs])
        seconds = commits.seconds(found, seconds)
        parts.append(Part(said, workload, options, found, jobs[0].group, seconds, _error(jobs, options)))
    return tuple(parts), tuple(warnings)


def clones(options: Mapping[str, str], jobs: int) -> str | None:
    """What is to be said of sequential jobs that all went over the same bytes; None where they did not.

    ``numjobs`` makes clones of a job.  Without ``filename`` each has a file of its own; with it all begin at the same
    offset, unless ``offset_increment`` moves them apart (fio(1)).
    """
    mode = (options.get("rw") or options.get("readwrite") or "read").partition(":")[0]
    count = options.get("numjobs", "1")
    many = max(jobs, int(count) if count.isascii() and count.isdigit() and len(count) < 7 else 1)
    apart = options.get("offset_increment", "0").strip("0%kKmMgGbBiI") or "$jobnum" in options.get("filename", "")
    if mode not in {"read", "write", "rw", "readwrite"} or count == "1" or "filename" not in options or apart:
        return None
    return (
        f"{many} clones (numjobs) of a sequential {mode} go over the same range of {options['filename'][:100]}: "
        "caches and merging may serve all but one of them; set offset_increment, or leave filename out"
    )


def _point(said: Named) -> tuple[object, ...]:
    return (*sorted(said.factors.items()), *sorted(said.labels.items()))


def _error(jobs: Sequence[Job], options: Mapping[str, str]) -> str | None:
    """Why a part failed; None where it did not."""
    failed = [job for job in jobs if job.error]
    if failed:
        place = options.get("filename") or options.get("directory")
        where = f" on {place}" if place else ""
        return f"{len(failed)} of {len(jobs)} jobs of {failed[0].name}{where} ended with error {failed[0].error}"
    if any(job.ios or job.sync_ios for job in jobs):
        return None
    if any(part.total_bytes for job in jobs for part in job.directions):  # fio before 2.1.5, of a run below 1 ms
        return f"{jobs[0].name} moved bytes, and its output says neither in how many I/Os nor in what time"
    return f"{jobs[0].name} did no I/O"


def _identity(document: Document) -> str:
    """A digest of what a document says was done, whatever its spaces are."""
    done = [
        (
            job.name,
            job.group,
            job.hostname,
            job.error,
            [
                (part.name, part.ios, part.total_bytes, part.runtime_ms, part.bw_bytes_s, part.lat and part.lat.mean_ns)
                for part in job.directions
            ],
        )
        for job in document.jobs
    ]
    return digest("fio", document.fio_version, document.timestamp_ms, done)
