"""One job's books: phases, what comes next, what has completed. Its threads take turns under one lock.

The rules are those of ``job.c`` and ``completion.c``: an I/O's clock starts before it is prepared (in an open loop:
when it was due) and stops after the call that did it; what completes after the ramp counts, with its whole latency.
"""

from __future__ import annotations

import dataclasses
import math
import threading
import time

from bench.native.state import ErrorState, JobState, empty_state
from bench.native.text import COMMIT, READ, SYNC, WRITE, Options
from bench.native.twin.contents import judge
from bench.native.twin.generator import Generator, Request, Stream
from bench.native.twin.recorder import Recorder

SECOND_NS = 1_000_000_000
LATE_NS = 100_000
MOST_WALKED = 1_000_000
NAP_S = 0.02
"""A thread looks at least this often whether it is to stop."""

ERRORS = 16
FIRST = 4
NEVER = 1 << 200
"""A moment, a number of bytes or of writes that is not reached."""


@dataclasses.dataclass(slots=True)
class Taken:
    """An I/O on its way; times in nanoseconds of the monotonic clock."""

    io: Request
    start_ns: int
    looked_at: bool
    durable: int
    """Of a sync: the writes that it makes durable."""
    commit_ns: int | None = None
    """Of a sync: when the earliest write that it covers was begun; None where it covers none."""
    issue_ns: int = 0


class Job:
    """What the threads of one job share."""

    def __init__(self, options: Options, index: int) -> None:
        self.options = options
        self.index = index
        self.lock = threading.Lock()
        self.state = empty_state()
        self.recorder = Recorder()
        self.measuring = False
        self.expected: list[dict[int, int]] | None = None
        """By file and offset in it: the write that must be there."""
        self._turn = threading.Lock()
        self._stop = threading.Event()
        self._stopping = False
        self._writing: set[int] = set()
        self._waiting_ns: dict[int, int] = {}
        """By file: start of the earliest write that waits for a sync."""
        self._failed_sequence = NEVER
        self._issued_bytes = 0
        self._limit_bytes = NEVER
        self._until_look = 0
        self._origin_ns = self._begin_ns = self._mark_ns = self._due_ns = 0
        self._end_ns = NEVER
        self._arrivals = 0
        self._arrivals_random = Stream(options.seed ^ (index + 1))
        self._generator: Generator

    def prepare(self) -> None:
        """What takes time before the first I/O: offsets, and what must be found."""
        self._generator = Generator(self.options, self.index)
        if self.options.verify and not self.options.writes and self.options.verify_writes:
            self.expected = _expected_writes(self.options, self.index)

    def begin(self) -> None:
        """The run starts now, with its ramp."""
        now = time.monotonic_ns()
        self._origin_ns = self._due_ns = now
        self._begin_ns = self._mark_ns = now + self.options.ramp_ns
        if now >= self._mark_ns:
            self._pass_mark(now)

    # ---- the phases of a run, under the lock

    def _pass_mark(self, now: int) -> None:
        if not self.measuring:
            self._begin_measuring()
        self._stopping |= now >= self._end_ns
        self._next_second(now)

    def _begin_measuring(self) -> None:
        options = self.options
        self.measuring = True
        self.recorder = Recorder()
        self.state["late"] = self.state["late_max_ns"] = self.state["short_ios"] = self.state["retries"] = 0
        if options.runtime_ns:
            self._end_ns = self._begin_ns + options.runtime_ns
        quota = options.io_size
        if not quota and not options.time_based:
            quota = sum(file.size - file.size % options.largest for file in options.jobs[self.index].files)
        if quota:
            self._limit_bytes = self._issued_bytes + quota

    def _next_second(self, now: int) -> None:
        second = (now - self._begin_ns) // SECOND_NS
        self.recorder.roll(second)
        self._mark_ns = self._begin_ns + (second + 1) * SECOND_NS
        if now < self._end_ns:
            self._mark_ns = min(self._mark_ns, self._end_ns)

    def _look_at_the_clock(self) -> int:
        now = time.monotonic_ns()
        if now >= self._mark_ns:
            self._pass_mark(now)
        return now

    def _is_over(self) -> bool:
        self._stopping |= self._stop.is_set()
        return self._stopping or self._issued_bytes >= self._limit_bytes

    # ---- taking I/Os

    def take(self) -> Taken | None:
        """The next I/O, when it may start; None where the job is over."""
        if not self.options.rate_iops:
            with self.lock:
                now = self._look_at_the_clock()
                return None if self._is_over() else self._taken(now)
        with self._turn:  # one thread at a time waits for the next arrival
            while True:
                with self.lock:
                    now = self._look_at_the_clock()
                    if self._is_over():
                        return None
                    if self._due_ns <= now:
                        return self._taken(self._arrive(now))
                    wait_ns = min(self._due_ns, self._end_ns) - now
                time.sleep(min(wait_ns / SECOND_NS, NAP_S))

    def _arrive(self, now: int) -> int:
        """When the I/O that is due should have started; the next one is scheduled."""
        due, behind_ns = self._due_ns, now - self._due_ns
        self.state["late"] += behind_ns > LATE_NS
        self.state["late_max_ns"] = max(self.state["late_max_ns"], behind_ns)
        self._schedule_next()
        return due

    def _schedule_next(self) -> None:
        interval = SECOND_NS / self.options.rate_iops
        if self.options.poisson:
            draw = self._arrivals_random.next()
            self._due_ns += int(-math.log(((draw >> 11) + 0.5) * 2.0**-53) * interval)
        else:  # from the origin, so that rounding does not add up
            self._arrivals += 1
            self._due_ns = self._origin_ns + int(self._arrivals * interval)

    def _count_missed(self, now: int) -> int:
        """Arrivals that were due by the end but not started; beyond ``MOST_WALKED`` counted by their mean."""
        until, missed = min(now, self._end_ns), 0
        if not self.options.rate_iops or not self.measuring or self._issued_bytes >= self._limit_bytes:
            return 0
        while self._due_ns < until and missed < MOST_WALKED:
            self._schedule_next()
            missed += 1
        if self._due_ns < until:
            missed += 1 + int((until - self._due_ns) * self.options.rate_iops / SECOND_NS)
        return missed

    def _taken(self, start_ns: int) -> Taken:
        io = self._generator.next()
        durable = self.acknowledged() if io.direction == SYNC and self.options.verify else 0
        if io.direction == WRITE:
            self._writing.add(io.sequence)
        self._issued_bytes += io.length
        looked_at = self.options.slat_every > 0 and self._until_look == 0
        if looked_at:
            self._until_look = self.options.slat_every
            self.state["looked_at"] += 1
            self.state["completed_inline"] += 1  # the call does the I/O
        self._until_look -= 1
        commit_ns = self._waiting_ns.pop(io.file, None) if io.direction == SYNC else None
        return Taken(io, start_ns, looked_at, durable, commit_ns)

    def acknowledged(self) -> int:
        """The last write before which, itself included, all are acknowledged."""
        return min(min(self._writing, default=NEVER), self._failed_sequence, self._generator.writes + 1) - 1

    # ---- what has completed

    def done(self, taken: Taken, block: memoryview) -> None:
        """An I/O is whole; ``block`` is what it read."""
        io = taken.io
        with self.lock:
            now = self._look_at_the_clock()
            self._writing.discard(io.sequence if io.direction == WRITE else 0)
            if io.direction == SYNC:
                self.state["durable"] = max(self.state["durable"], taken.durable)
            self._record(taken, now)
            self._note_commit(taken, now)
            if self.options.verify:
                self.state["acked"] = self.acknowledged()
        if io.direction == READ and self.options.verify:
            self._judge(io, block)

    def _record(self, taken: Taken, now: int) -> None:
        recorder, direction = self.recorder, taken.io.direction
        if not self.options.record:
            recorder.count(direction, taken.io.length)
            return
        recorder.record(direction, now - taken.start_ns, taken.io.length)
        if taken.looked_at:
            recorder.slat[direction].add(taken.issue_ns - taken.start_ns)
            recorder.clat[direction].add(now - taken.issue_ns)

    def _note_commit(self, taken: Taken, now: int) -> None:
        """A write waits for a sync from now on; a sync ends a commit (as ``record.h`` has it)."""
        io = taken.io
        if io.direction == WRITE:
            self._waiting_ns[io.file] = min(taken.start_ns, self._waiting_ns.get(io.file, NEVER))
        elif taken.commit_ns is not None and self.options.record:
            self.recorder.record(COMMIT, now - taken.commit_ns, 0)
        elif taken.commit_ns is not None:
            self.recorder.count(COMMIT, 0)

    def _judge(self, io: Request, block: memoryview) -> None:
        file = self.options.jobs[self.index].files[io.file]
        expected = self.expected[io.file].get(io.offset - file.offset, 0) if self.expected else 0
        found = judge(block, io.offset, expected)
        with self.lock:
            count, first = self.state["findings"][found]
            self.state["findings"][found] = (count + 1, first if count else io.offset)

    def failed(self, taken: Taken, code: int, moved: int) -> None:
        """An I/O ended with an errno after ``moved`` bytes."""
        io = taken.io
        with self.lock:
            self._look_at_the_clock()
            error = _entry(self.state["errors"], code, io.direction)
            if error["count"] < FIRST:
                error["first_offsets"].append(io.offset + moved)
            error["count"] += 1
            self._given_up(io)
            self._stopping |= not self.options.go_on

    def _given_up(self, io: Request) -> None:
        if io.direction == WRITE:
            self._writing.discard(io.sequence)
            self._failed_sequence = min(self._failed_sequence, io.sequence)

    def unfinished(self, taken: Taken, *, again: bool) -> bool:
        """An I/O moved a part only, or nothing (``again``): whether to go on with it."""
        with self.lock:
            self.state["retries" if again else "short_ios"] += 1
            if self._stop.is_set():
                self._given_up(taken.io)
                return False
            return True

    def finish(self) -> None:
        """All threads have ended."""
        with self.lock:
            now = time.monotonic_ns()
            if self.measuring:
                self.state["runtime_ns"] = now - self._begin_ns
                self._next_second(now)
            self.state["missed"] = self._count_missed(now)
            self.state["sequence"] = self._generator.writes
            if self.options.verify:
                self.state["acked"] = self.acknowledged()

    def stop(self) -> None:
        """End at once."""
        self._stop.set()

    def result(self) -> JobState:
        """What the job did so far."""
        with self.lock:
            self.state["directions"] = self.recorder.states()
            self.state["series"] = bytes(self.recorder.series)
            return self.state


def _entry(errors: list[ErrorState], code: int, direction: int) -> ErrorState:
    """Where an errno is counted; the last entry takes what has no room."""
    for error in errors:
        if (error["errno"], error["direction"]) == (code, direction):
            return error
    if len(errors) < ERRORS:
        errors.append({"errno": code, "direction": direction, "count": 0, "first_offsets": []})
    return errors[-1]


def _expected_writes(options: Options, index: int) -> list[dict[int, int]]:
    """The write that must be found at each offset: the writes are drawn again as they were."""
    writes = dataclasses.replace(options, reads=0, writes=1, random=options.verify_random, fsync=0, fdatasync=0)
    files = options.jobs[index].files
    generator = Generator(writes, index)
    expected: list[dict[int, int]] = [{} for _ in files]
    for _ in range(options.verify_writes):
        io = generator.next()
        expected[io.file][io.offset - files[io.file].offset] = io.sequence
    return expected
