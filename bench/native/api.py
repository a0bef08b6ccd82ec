"""Running the native engine from Python."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from functools import cache
from pathlib import Path
from threading import Event
from typing import Any

from bench.errors import EngineError
from bench.native import options, target
from bench.native.jobs import run_text
from bench.native.library import LIBRARY, Library, by_name
from bench.native.options import Job, Load, Part
from bench.native.result import Clock, Result, decode
from bench.native.target import Target
from bench.safety import writable

GRACE_S = 0.05
"""How long a run that was stopped waits for jobs that are in the kernel."""
OVERHEAD_IOS = {"c": 100_000, "python": 2_000}
NO_TARGET = ("null", "nop")

Progress = Callable[[Sequence[tuple[int, int]]], None]
"""Called about every 20 ms with the last acknowledged and the last durable write of each job."""


class NativeRunError(EngineError):
    """A job could not start, or an I/O failed; ``result`` holds what was measured, None where nothing was."""

    def __init__(self, message: str, *, result: Result | None = None, remedy: str | None = None) -> None:
        super().__init__(message, remedy=remedy)
        self.result = result


class RunInterrupted(KeyboardInterrupt):
    """Ctrl-C; ``result`` holds what was measured until then."""

    def __init__(self, result: Result) -> None:
        super().__init__("the run was interrupted")
        self.result = result


def probe(path: Path | str, *, direct: bool = True) -> Target:
    """What the kernel says of ``path``; raises :class:`NativeRunError` where it cannot be opened that way.

    Raises :class:`bench.errors.DiskRefusedError` for what can be no target, such as a pipe, which to open would wait.
    """
    writable.check_kind(Path(path))
    try:
        return target.probe(str(path), direct=direct)
    except OSError as failure:
        raise NativeRunError(
            f"{path} cannot be opened: {failure.strerror}", remedy=_remedy(failure.errno or 0, direct=direct)
        ) from None


def run(
    path: Path | str | Sequence[Path | str],
    *,
    numjobs: int = 1,
    cpus_allowed: Sequence[int] = (),
    offset: int = 0,
    size: int | str | None = None,
    overwrite: bool = False,
    cancel: Event | None = None,
    on_progress: Progress | None = None,
    **words: Any,
) -> Result:
    """Drive a load over one file or several, and return what was measured.

    Every job works on all files, from ``offset`` for ``size`` bytes (by default to the end).  Files are never
    made or grown.  What the load is, is said in ``words``: the fields of :class:`Load` and fio's other names for
    them (:func:`bench.native.options.load`), for instance ``rw="randread", bs="4k", iodepth=32, runtime_s=5``.

    Args:
        path: a file or block device, or several.
        numjobs: threads that each do the load.
        cpus_allowed: CPUs to which the jobs are bound in turn; none: wherever the kernel likes.
        offset: where in each file the load begins, bytes.
        size: how much of each file from there, bytes or "1G"; None: to its end.
        overwrite: must be true for a load that writes: what the files held is lost.
        cancel: ends the run within 100 ms once it is set; the result says ``stopped``.
        on_progress: see :data:`Progress`.
        words: the load.

    Raises:
        SweepFileError: the load makes no sense.
        NativeRunError: a target cannot be used, or an I/O failed and ``continue_on_error`` was not asked for; its
            ``result`` has what was measured.
        RunInterrupted: Ctrl-C; its ``result`` has what was measured.
    """
    load = options.load(words)
    paths = [path] if isinstance(path, str | Path) else list(path)
    limit = options.size_bytes(size) if size is not None else None
    jobs = jobs_over(load, [Path(each) for each in paths], numjobs, cpus_allowed, offset=offset, limit=limit)
    return run_checked(load, jobs, overwrite=overwrite, cancel=cancel, on_progress=on_progress)


def jobs_over(
    load: Load, paths: Sequence[Path], numjobs: int, cpus: Sequence[int], *, offset: int, limit: int | None
) -> list[Job]:
    """Jobs that each work on all of these files, from ``offset`` for ``limit`` bytes (None: to the end)."""
    parts = tuple(_part(each, load, offset, limit) for each in paths)
    turn = cpus or (None,)
    return [Job(parts, turn[index % len(turn)]) for index in range(numjobs)]


def run_checked(
    load: Load,
    jobs: Sequence[Job],
    *,
    overwrite: bool,
    cancel: Event | None = None,
    on_progress: Progress | None = None,
) -> Result:
    """As :func:`run_jobs`, for files that a user named: writing must be asked for, and devices are only read."""
    if load.writes and not overwrite:
        options.refuse(f"rw {load.rw!r} destroys what the files hold: say overwrite=True (--overwrite)")
    if load.writes and load.ioengine not in NO_TARGET:
        for path in {part.path for job in jobs for part in job.parts}:
            writable.check(path)
    return run_jobs(load, jobs, cancel=cancel, on_progress=on_progress)


def _part(path: Path, load: Load, offset: int, limit: int | None) -> Part:
    """The part of a file to work on."""
    if load.ioengine in NO_TARGET:
        return Part(path, offset, limit if limit is not None else max(1 << 30, load.largest_bs))
    found = probe(path, direct=load.direct)
    if path.is_char_device():  # /dev/zero, /dev/null: they have no size
        return Part(path, offset, limit if limit is not None else max(1 << 30, load.largest_bs))
    left = found.size_bytes - offset
    if left <= 0:
        raise NativeRunError(
            f"{path} has {found.size_bytes} bytes, and nothing from {offset} on",
            remedy="The engine never makes or grows a file: write it first, with the size that is to be measured.",
        )
    return Part(path, offset, min(left, limit) if limit is not None else left)


def run_jobs(
    load: Load,
    jobs: Sequence[Job],
    *,
    cancel: Event | None = None,
    on_progress: Progress | None = None,
    grace_s: float = GRACE_S,
    library: Library = LIBRARY,
    claimed: bool = False,
) -> Result:
    """Drive ``load`` by ``jobs`` that each have their own parts of files; otherwise as :func:`run`.

    A job that is still waiting in the kernel ``grace_s`` after the run was stopped, or has I/O there that was
    not done after half of that, is left behind (``abandoned``): its memory stays until the kernel gives it back.
    Devices that are written to are claimed for as long as the run lasts (:func:`_claimed`), unless the caller has.
    """
    _check_alignment(load, jobs)

    def poll(progress: list[tuple[int, int]]) -> bool:
        if on_progress is not None:
            on_progress(progress)
        return cancel is not None and cancel.is_set()

    wanted = poll if cancel is not None or on_progress is not None else None
    try:
        with nullcontext() if claimed else _claimed(load, jobs):
            text = options.render(load, jobs, exclusive=False)
            raw, raised = run_text(library, text, wanted, round(grace_s * 1e9))
    except ValueError as failure:
        options.refuse(str(failure))
    except OSError as failure:
        raise NativeRunError(f"the native engine cannot start: {failure.strerror}") from None
    result = decode(
        raw,
        implementation=library.IMPLEMENTATION,
        clock=Clock(**library.clock_state()),
        harness_ns=overhead_ns(load.iodepth, library.IMPLEMENTATION),
        stopped=raised is not None or (cancel is not None and cancel.is_set()),
    )
    if isinstance(raised, KeyboardInterrupt):
        raise RunInterrupted(result) from None
    if raised is not None:
        raise raised
    _judge(load, result)
    return result


@contextmanager
def _claimed(load: Load, jobs: Sequence[Job]) -> Iterator[None]:
    """Every block device that is written to, held for this run alone: open(2), O_EXCL.

    Once for all jobs, since the kernel refuses a second claim to the same process too.  Raises
    :class:`NativeRunError` where the device is mounted or claimed by somebody else.
    """
    writes = load.writes and load.ioengine not in NO_TARGET
    paths = dict.fromkeys(part.path for job in jobs for part in job.parts) if writes else {}
    with ExitStack() as stack:
        for path in (path for path in paths if path.is_block_device()):
            try:
                descriptor = os.open(path, os.O_RDONLY | os.O_EXCL | os.O_CLOEXEC)
            except OSError as failure:
                raise NativeRunError(
                    f"{path} cannot be claimed: {failure.strerror}", remedy=_remedy(failure.errno or 0, direct=True)
                ) from None
            stack.callback(os.close, descriptor)
        yield


@cache
def overhead_ns(iodepth: int, implementation: str) -> float:
    """What a job itself costs for each I/O at this depth, ns: a run that hands its I/O to nothing at all."""
    library = by_name(implementation)
    count = OVERHEAD_IOS[implementation]
    load = Load(rw="randread", ioengine="null", iodepth=iodepth, io_size_bytes=4096 * count, random_map=False)
    text = options.render(load, [Job((Part(Path("null"), 0, 1 << 30),))])
    raw, _ = run_text(library, text, None, 0)
    return float(raw[0]["runtime_ns"]) / count


def _check_alignment(load: Load, jobs: Sequence[Job]) -> None:
    """Refuse direct I/O that the kernel would: blocks and offsets must be multiples of what it asks for."""
    if not load.direct or load.ioengine in NO_TARGET:
        return
    sizes = {split.bs_bytes for split in (*load.bs, *(load.bs_write or ()))}
    for part in {part for job in jobs for part in job.parts}:
        unit = probe(part.path, direct=True).offset_align
        odd = next((number for number in (*sizes, part.offset) if unit and number % unit), None)
        if odd is not None:
            raise NativeRunError(
                f"{part.path} takes direct I/O in multiples of {unit} bytes, and {odd} is none",
                remedy=f"Use block sizes and an offset that are multiples of {unit}, or direct=False (buffered I/O).",
            )


def _judge(load: Load, result: Result) -> None:
    """Raise :class:`NativeRunError` where a job did not start, or ended on an error."""
    for job in result.jobs:
        if job.failed:
            raise NativeRunError(
                f"{job.where}: {os.strerror(job.failed)}",
                result=result if result.directions else None,
                remedy=_remedy(job.failed, direct=load.direct),
            )
    if result.errors and not load.continue_on_error:
        raise NativeRunError(
            "; ".join(error.message for error in result.errors),
            result=result,
            remedy=_io_remedy({error.errno for error in result.errors}),
        )


def _io_remedy(codes: set[int]) -> str:
    """What to do about I/O that failed with these; Linux gives a disk that was pulled out the size 0."""
    ended = "The file was cut short meanwhile, or the device is gone. " if errno.ENODATA in codes else ""
    return f"{ended}`dmesg` says what the kernel knows of it; continue_on_error=True counts errors and goes on."


def _remedy(code: int, *, direct: bool) -> str | None:
    """What to do about an errno."""
    remedies = {
        errno.ENOENT: "The engine never makes a file: write it first, with the size that is to be measured.",
        errno.EACCES: "Run as a user who may open it, or name another file.",
        errno.EPERM: "Run as a user who may open it, or name another file.",
        errno.EBUSY: "The device is mounted or claimed by another driver: unmount it, or name another one.",
        errno.ENOMEM: "Lower iodepth, bs or numjobs: their product is the memory for buffers, of "
        "which io_uring by name locks what it can (`ulimit -l`); ioengine='auto' takes what works.",
        errno.ENOSYS: "This kernel does not have it: ioengine='auto' takes the best that there is.",
    }
    if code == errno.EINVAL and direct:
        return "The filesystem probably has no direct I/O (tmpfs, say): use direct=False, or another filesystem."
    return remedies.get(code)
