"""The jobs of a run, a thread each: started together, watched, stopped, and left behind where one is stuck.

The library drives a job from its first I/O to its last; what comes before and after, and what several jobs have to do
with each other, is decided here, for the C library and its twin alike.
"""

from __future__ import annotations

import errno
import os
import queue
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from bench.native.library import Library
from bench.native.state import JobState, Poll, empty_state
from bench.native.target import open_target, takes_nowait
from bench.native.text import AUTO, NOP, NULL, Options, parse

POLL_S = 0.02
MOMENT_NS = 50_000_000
"""A job that was stopped and is not held up by the kernel ends much sooner."""


class JobThread:
    """One job, from opening its files to closing them: call :meth:`work` in a thread of its own."""

    def __init__(self, library: Library, text: bytes, options: Options, index: int, grace_ns: int) -> None:
        self.ready = False
        self.ended = False
        self.failed = False
        self.go = threading.Event()
        self.crash: BaseException | None = None
        self._library = library
        self._text = text
        self._options = options
        self._index = index
        self._grace_ns = grace_ns
        self._stopped = False
        self._job: Any = None  # the library's
        self._unopened = empty_state()

    def work(self, ring: Callable[[], None]) -> None:
        """Open, wait for ``go``, drive, and give back what was taken; rings where it got on."""
        descriptors: list[int] = []
        try:
            self._open(descriptors)
            self.ready = True
            ring()
            self.go.wait()
            if self._job is not None and not self._stopped:
                self._library.drive(self._job)
        except BaseException as error:  # noqa: BLE001 - raised again where the run was asked for
            self.crash = error
        finally:
            self._close(descriptors)
            self.ready = self.ended = True
            ring()

    def _close(self, descriptors: list[int]) -> None:
        if self._job is not None:
            self._library.close_job(self._job)
        for descriptor in descriptors:
            with suppress(OSError):  # close(2): it is closed all the same
                os.close(descriptor)

    def _open(self, descriptors: list[int]) -> None:
        """Everything before the first I/O; where it fails, the state says at which step."""
        options, own = self._options, self._options.jobs[self._index]
        try:
            if own.cpu >= 0:
                with _step("pinning to a CPU"):
                    os.sched_setaffinity(0, {own.cpu})
            if options.ioengine not in {NULL, NOP}:
                for file in own.files:
                    with _step(f"opening {os.fsdecode(file.path)}"):
                        descriptors.append(open_target(file, options))
            nowait = options.ioengine != AUTO or takes_nowait(own.files[0].path, options.direct)
            self._job = self._library.open_job(self._text, self._index, descriptors, nowait, self._grace_ns)
        except OSError as error:
            self._fail(error.errno or errno.EIO, error.strerror or "opening")
        except MemoryError:
            self._fail(errno.ENOMEM, "memory for a job")

    def _fail(self, code: int, where: str) -> None:
        self.failed = True
        self._unopened["failed"] = code
        self._unopened["where"] = where

    def stop(self) -> None:
        """End at once; may be said again."""
        self._stopped = True
        if self._job is not None:
            self._library.stop(self._job)

    def progress(self) -> tuple[int, int]:
        """The last acknowledged and the last durable write."""
        return (0, 0) if self._job is None else self._library.progress(self._job)

    def state(self) -> JobState:
        """What the job did so far; one whose thread, or whose I/O, is still in the kernel is marked abandoned."""
        state = self._unopened if self._job is None else self._library.state(self._job)
        state["abandoned"] = state["abandoned"] or not self.ended
        return state


@contextmanager
def _step(where: str) -> Iterator[None]:
    """Name the step in the error that ends it."""
    try:
        yield
    except OSError as error:
        raise OSError(error.errno, where) from None


class Run:
    """All jobs, watched by the thread that asked for them."""

    def __init__(self, jobs: list[JobThread], poll: Poll | None, grace_ns: int) -> None:
        self.jobs = jobs
        self.raised: BaseException | None = None
        self._poll = poll
        self._grace_ns = grace_ns
        self._stop = False
        self._bell: queue.SimpleQueue[None] = queue.SimpleQueue()  # its get() loses no lock to a signal

    def start(self) -> None:
        """A thread for each job, no signal delivered to any: Python's handlers belong to its main thread."""
        before = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        try:
            for job in self.jobs:
                threading.Thread(target=job.work, args=(lambda: self._bell.put(None),), daemon=True).start()
        except RuntimeError:  # can't start new thread
            self.stop()
            self.go()
            raise OSError(errno.EAGAIN, os.strerror(errno.EAGAIN)) from None
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def stop(self) -> None:
        """End all jobs."""
        self._stop = True
        for job in self.jobs:
            job.stop()

    def go(self) -> None:
        """All are ready: begin, or end where one could not open what it needs."""
        if any(job.failed for job in self.jobs):
            self.stop()
        for job in self.jobs:
            job.go.set()

    def guarded(self, step: Callable[[], None]) -> None:
        """Do a step to its end; what Ctrl-C raises anywhere in it is kept, ends the run, and the step is done again.

        A step must bear that.  The exception reaches the caller with the results so far.  A step that raises the same
        again is given up: it would do so for ever, or somebody who pressed Ctrl-C twice will wait no longer.  Jobs
        that are on their way out have a moment more.
        """
        seen: set[type[BaseException]] = set()
        while True:
            try:
                if seen:
                    self.stop()
                step()
            except BaseException as error:  # noqa: BLE001 - handed to the caller
                self.raised = error
                if type(error) in seen:
                    break
                seen.add(type(error))
            else:
                return
        until_ns = time.monotonic_ns() + MOMENT_NS
        while not all(job.ended for job in self.jobs) and time.monotonic_ns() < until_ns:
            time.sleep(POLL_S / 20)

    def wait(self, reached: Callable[[JobThread], bool]) -> None:
        """Until all jobs have come that far, asking every 20 ms whether to stop; then for the grace and no longer."""
        stopped_ns = time.monotonic_ns() if self._stop else 0
        while not all(reached(job) for job in self.jobs):
            if stopped_ns and time.monotonic_ns() - stopped_ns > self._grace_ns:
                return
            self._nap()
            if not self._stop and self._poll and self._poll([job.progress() for job in self.jobs]):
                self.stop()
            if self._stop and not stopped_ns:
                stopped_ns = time.monotonic_ns()

    def _nap(self) -> None:
        try:
            self._bell.get(timeout=POLL_S)
        except queue.Empty:
            return

    def states(self) -> list[JobState]:
        """Of each job; raises what a thread of the engine's own died of."""
        for job in self.jobs:
            if job.crash:
                raise job.crash
        return [job.state() for job in self.jobs]


def run_text(
    library: Library, text: bytes, poll: Poll | None, grace_ns: int
) -> tuple[list[JobState], BaseException | None]:
    """Run the jobs of a text of options: their results, and the exception that ended them, if one did.

    ``poll`` is called about every 20 ms; a run that was stopped waits ``grace_ns`` for its jobs and no longer.
    Raises ValueError for a text that the parser refuses, and OSError where the threads cannot be started.
    """
    options = parse(text)
    jobs = [JobThread(library, text, options, index, grace_ns) for index in range(len(options.jobs))]
    started = Run(jobs, poll, grace_ns)
    try:
        started.start()
        started.guarded(lambda: started.wait(lambda job: job.ready))
        started.guarded(started.go)
        started.guarded(lambda: started.wait(lambda job: job.ended))
    finally:
        started.stop()  # nothing goes on behind the back of who was interrupted between two steps
        for job in jobs:
            job.go.set()
    return started.states(), started.raised
