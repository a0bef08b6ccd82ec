"""The jobs of a run: started together, watched, stopped, and left behind where one is stuck."""

from __future__ import annotations

import errno
import os
import queue
import signal
import threading
import time
from collections.abc import Callable

from bench.native.state import JobState, Poll
from bench.native.twin.job import Job
from bench.native.twin.options import Options, parse
from bench.native.twin.worker import JobThreads

POLL_S = 0.02


class Run:
    """All jobs, watched by the thread that asked for them."""

    def __init__(self, options: Options, poll: Poll | None) -> None:
        self.raised: BaseException | None = None
        self._poll = poll
        self._stop = threading.Event()
        self._bell: queue.SimpleQueue[None] = queue.SimpleQueue()  # its get() loses no lock to a signal
        self.jobs = [JobThreads(Job(options, index, self._stop)) for index in range(len(options.jobs))]

    def start(self) -> None:
        """A thread for each job, no signal delivered to any: Python's handlers belong to its main thread."""
        before = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        try:
            for job in self.jobs:
                threading.Thread(target=self._work, args=(job,), daemon=True).start()
        except RuntimeError:  # can't start new thread
            self._stop.set()
            self.go()
            raise OSError(errno.EAGAIN, os.strerror(errno.EAGAIN)) from None
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def _work(self, job: JobThreads) -> None:
        try:
            job.work(self._stop, lambda: self._bell.put(None))
        except BaseException as error:  # noqa: BLE001 - raised again where the run was asked for
            job.crash = error

    def go(self) -> None:
        """All are ready: begin, or end where one could not open what it needs."""
        if any(job.job.state["failed"] for job in self.jobs):
            self._stop.set()
        for job in self.jobs:
            job.go.set()

    def guarded(self, step: Callable[[], None]) -> None:
        """Do a step to its end; what Ctrl-C raises anywhere in it is kept, ends the run, and the step is done again.

        A step must bear that.  The exception reaches the caller with the results so far.
        """
        while True:
            try:
                step()
            except BaseException as error:  # noqa: BLE001 - handed to the caller
                self.raised = error
                self._stop.set()
            else:
                return

    def wait(self, reached: Callable[[JobThreads], bool], grace_ns: int) -> None:
        """Until all jobs have come that far, asking every 20 ms whether to stop; then for the grace and no longer."""
        stopped_ns = time.monotonic_ns() if self._stop.is_set() else 0
        while not all(reached(job) for job in self.jobs):
            if stopped_ns and time.monotonic_ns() - stopped_ns > grace_ns:
                return
            self._nap()
            if not stopped_ns and self._poll and self._poll(self._progress()):
                self._stop.set()
            if self._stop.is_set() and not stopped_ns:
                stopped_ns = time.monotonic_ns()

    def _nap(self) -> None:
        try:
            self._bell.get(timeout=POLL_S)
        except queue.Empty:
            return

    def _progress(self) -> list[tuple[int, int]]:
        return [(job.job.state["acked"], job.job.state["durable"]) for job in self.jobs]

    def results(self) -> list[JobState]:
        """Of each job; one whose threads are still in the kernel is marked abandoned."""
        for job in self.jobs:
            if job.crash:
                raise job.crash
        return [job.job.result(abandoned=not job.ended) for job in self.jobs]


def run(text: bytes, poll: Poll | None, grace_ns: int, /) -> tuple[list[JobState], BaseException | None]:
    """Run the jobs of a text of options: their results, and the exception that ended them, if one did.

    Raises ValueError for a text that the parser refuses, and OSError where the threads cannot be started.
    """
    started = Run(parse(text), poll)
    started.start()
    started.guarded(lambda: started.wait(lambda job: job.ready, grace_ns))
    started.guarded(started.go)
    started.guarded(lambda: started.wait(lambda job: job.ended, grace_ns))
    return started.results(), started.raised
