"""The threads of a job: each does one I/O at a time by the plain system calls, in a buffer of its own."""

from __future__ import annotations

import errno
import itertools
import mmap
import os
import resource
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

from bench.native.state import JobState
from bench.native.text import AUTO, IOENGINES, NULL, PSYNC, READ, SYNC, WRITE, Options, parse
from bench.native.twin.contents import fill, touch, write_pattern
from bench.native.twin.job import Job, Taken

PAGE = 4096
APART = 1 << 20
"""Bytes written before contents repeat: more than compression looks back over."""
MOST_BUFFERS = 16 << 20
"""Of all I/Os in flight together, for that."""
END_OF_FILE = errno.ENODATA
"""A read or write that moves nothing."""


class Worker:
    """One job of the library: opened, driven and closed by one thread, which has others help it."""

    def __init__(self, options: Options, index: int, descriptors: Sequence[int]) -> None:
        self.job = Job(options, index)
        self._files = descriptors
        self._buffers: list[mmap.mmap] = []
        self._helpers: list[threading.Thread] = []
        self._helpers_go = threading.Event()
        self._driving = False
        self._crash: BaseException | None = None
        with _step("memory for buffers"):
            self._make_buffers()
        with _step("memory for offsets and what must be found"):
            self.job.prepare()
        with _step(f"opening a queue by {IOENGINES[options.ioengine]}"):
            self._choose_queue()
        with _step("starting threads"):
            self._start_helpers()

    def drive(self) -> None:
        """Until the end of the job, or until it is stopped; raises what one of its threads died of."""
        self._driving = True
        self.job.begin()
        self._helpers_go.set()
        self._drive(0)
        self._join()
        self.job.finish()
        if self._crash:
            raise self._crash

    def close(self) -> None:
        """Give back what was taken."""
        self._helpers_go.set()
        self._join()
        self._buffers.clear()  # unmapped with their last view

    def _join(self) -> None:
        while self._helpers:
            self._helpers.pop().join()

    @property
    def _depth(self) -> int:
        """I/Os in flight: psync asked for by name has one, as in fio."""
        return 1 if self.job.options.ioengine == PSYNC else self.job.options.iodepth

    def _make_buffers(self) -> None:
        """A buffer for each I/O in flight, aligned to a page, its pages there before anything is measured."""
        options = self.job.options
        block = (options.largest + PAGE - 1) // PAGE * PAGE
        self._block = block
        size = block * self._turns(block)
        for at in range(self._depth):
            buffer = mmap.mmap(-1, size)
            with suppress(OSError):  # a kernel without huge pages
                buffer.madvise(mmap.MADV_HUGEPAGE if options.huge_pages or block == PAGE else mmap.MADV_NOHUGEPAGE)
            self._buffers.append(buffer)
            if options.writes:
                fill(memoryview(buffer), options.seed + (self.job.index << 16) + at + 1, options.compress_pct)
            else:
                buffer.write(bytes(size))

    def _turns(self, block: int) -> int:
        """How many buffers of ``block`` bytes an I/O in flight takes in turn, as in the C library."""
        options = self.job.options
        room = MOST_BUFFERS // (block * self._depth)
        if not options.writes or options.verify or options.compress_pct >= 100 or room < 2:
            return 1
        return min(-(-APART // block), room)

    def _choose_queue(self) -> None:
        engine, state = self.job.options.ioengine, self.job.state
        if engine not in {AUTO, PSYNC, NULL}:
            raise OSError(errno.ENOSYS, "Python cannot call it")
        state["ioengine"] = IOENGINES[engine or PSYNC]
        state["iodepth"] = self._depth
        state["batch_submit"] = state["batch_complete"] = 1
        state["detail"] = f"Python, a thread for each I/O in flight ({self._depth})"

    def _start_helpers(self) -> None:
        try:
            for at in range(1, self._depth):
                helper = threading.Thread(target=self._help, args=(at,), daemon=True)
                helper.start()
                self._helpers.append(helper)
        except RuntimeError:  # can't start new thread
            self.close()
            raise OSError(errno.EAGAIN, os.strerror(errno.EAGAIN)) from None

    def _help(self, at: int) -> None:
        """Another thread of the job; it has the first one's CPU from its start (sched_setaffinity(2))."""
        self._helpers_go.wait()
        try:
            self._drive(at)
        except BaseException as error:  # noqa: BLE001 - raised again where the job is driven
            self._crash = error

    # ---- the loop of each thread

    def _drive(self, at: int) -> None:
        """Do I/Os until the job is over."""
        if not self._driving:
            return
        job, memory = self.job, memoryview(self._buffers[at])
        blocks = itertools.cycle([memory[start : start + self._block] for start in range(0, len(memory), self._block)])
        before = None
        while taken := job.take():
            if before is None and job.measuring:
                before = resource.getrusage(resource.RUSAGE_THREAD)
            buffer = next(blocks)
            self._prepare(taken, buffer)
            if taken.looked_at:
                taken.issue_ns = time.monotonic_ns()
            self._do(taken, buffer)
        if before is not None:
            self._count_cpu(before, resource.getrusage(resource.RUSAGE_THREAD))

    def _prepare(self, taken: Taken, buffer: memoryview) -> None:
        options, io = self.job.options, taken.io
        if io.direction != WRITE:
            return
        if options.verify:
            write_pattern(buffer, io.length, io.offset, io.sequence)
        elif options.compress_pct < 100:
            touch(buffer, io.length, io.offset, io.sequence)

    def _do(self, taken: Taken, buffer: memoryview) -> None:
        """One I/O to its end: what moved a part only goes on, as in the C library."""
        length = taken.io.length
        moved = 0
        while True:
            try:
                now_moved = self._call(taken, buffer[moved:length], moved)
            except OSError as error:
                if error.errno not in {errno.EAGAIN, errno.EINTR}:
                    self.job.failed(taken, error.errno or errno.EIO, moved)
                    return
                if not self.job.unfinished(taken, again=True):
                    return
                continue
            if length and not now_moved:
                self.job.failed(taken, END_OF_FILE, moved)
                return
            moved += now_moved
            if moved >= length:
                self.job.done(taken, buffer[:length])
                return
            if not self.job.unfinished(taken, again=False):
                return

    def _call(self, taken: Taken, part: memoryview, moved: int) -> int:
        """The system call: bytes moved; raises OSError."""
        options, io = self.job.options, taken.io
        if options.ioengine == NULL:
            return len(part)
        descriptor = self._files[io.file]
        if io.direction == READ:
            return os.preadv(descriptor, [part], io.offset + moved)
        if io.direction == SYNC:
            (os.fdatasync if options.fdatasync else os.fsync)(descriptor)
            return 0
        return os.pwritev(descriptor, [part], io.offset + moved)

    def _count_cpu(self, before: resource.struct_rusage, after: resource.struct_rusage) -> None:
        state = self.job.state
        with self.job.lock:
            state["cpu_user_ns"] += round((after.ru_utime - before.ru_utime) * 1e9)
            state["cpu_system_ns"] += round((after.ru_stime - before.ru_stime) * 1e9)
            state["switches"] += after.ru_nvcsw - before.ru_nvcsw + after.ru_nivcsw - before.ru_nivcsw


@contextmanager
def _step(where: str) -> Iterator[None]:
    """Name the step in the error that ends it."""
    try:
        yield
    except MemoryError:
        raise OSError(errno.ENOMEM, where) from None
    except OSError as error:
        raise OSError(error.errno or errno.EIO, where) from None


def open_job(text: bytes, index: int, descriptors: list[int], nowait: bool, grace_ns: int, /) -> Worker:  # noqa: ARG001
    """Everything before the first I/O of a job; raises ValueError, or OSError that names the step."""
    return Worker(parse(text), index, descriptors)


def drive(worker: Worker, /) -> None:
    """The job, from its first I/O to its last."""
    worker.drive()


def close_job(worker: Worker, /) -> None:
    """Give back what the job took."""
    worker.close()


def stop(worker: Worker, /) -> None:
    """End the job at once."""
    worker.job.stop()


def progress(worker: Worker, /) -> tuple[int, int]:
    """The last acknowledged and the last durable write."""
    return worker.job.state["acked"], worker.job.state["durable"]


def state(worker: Worker, /) -> JobState:
    """What the job did so far."""
    return worker.job.result()
