"""Ctrl-C and a cancel end a run at once, with what was measured until then; other threads of Python go on meanwhile."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from threading import Event, Thread, Timer
from typing import Any

import pytest

from bench.native import api, options
from bench.native.api import RunInterrupted
from bench.native.jobs import JobThread, Run, run_text
from bench.native.options import Job, Part
from tests.bench.native import child
from tests.bench.native.ways import GRACE_NS, Way, every_way

SIZE = 1 << 20
AT_ONCE_NS = 20_000_000_000
"""Far below the 60 s of the run, and enough for a machine that is busy; how soon it is: tests/perf/test_stopping.py."""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "data"
    path.write_bytes(b"\xa5" * SIZE)
    return path


def words(way: Way, runtime_s: float = 60) -> dict[str, Any]:
    depth = 1 if way.name == "psync" else 4
    return {"rw": "randread", "iodepth": depth, "runtime_s": runtime_s, "ioengine": options.IOENGINES[way.ioengine]}


@every_way
def test_ctrl_c_ends_a_run_at_once_with_the_results_so_far(way: Way, file: Path) -> None:
    process = child.start(file, way.implementation, words=words(way))
    assert process.stdout is not None
    assert process.stdout.readline() == "running\n"
    sent_ns = time.monotonic_ns()
    process.send_signal(signal.SIGINT)
    found = child.ended(process)
    sys.stdout.write(f"{way.name}: back {(found['ended_ns'] - sent_ns) / 1e6:.1f} ms after SIGINT\n")
    assert (found["outcome"], found["stopped"], found["abandoned"]) == ("interrupted", True, False)
    assert found["implementation"] == way.implementation
    assert found["ios"] > 0
    assert found["ended_ns"] - sent_ns < AT_ONCE_NS


@every_way
def test_an_event_ends_a_run_at_once_with_the_results_so_far(way: Way, file: Path) -> None:
    cancel, sent_ns = Event(), []

    def send() -> None:
        sent_ns.append(time.monotonic_ns())
        cancel.set()

    timer = Timer(0.3, send)
    timer.start()
    result = api.run_jobs(options.load(words(way)), [Job((Part(file, 0, SIZE),))], cancel=cancel, library=way.library)
    took_ns = time.monotonic_ns() - sent_ns[0]
    timer.join()
    sys.stdout.write(f"{way.name}: back {took_ns / 1e6:.1f} ms after the cancel\n")
    assert result.stopped
    assert result.directions[0].ios > 0
    assert not result.jobs[0].abandoned
    assert took_ns < AT_ONCE_NS


@every_way
def test_other_threads_of_python_go_on_during_a_run(way: Way, file: Path) -> None:
    began, over, counted = Event(), Event(), [0]

    def count() -> None:
        began.set()
        while not over.is_set():
            counted[0] += 1

    thread = Thread(target=count, daemon=True)
    thread.start()
    began.wait()
    before = counted[0]
    (job,) = way.run(options.render(options.load(words(way, 0.5)), [Job((Part(file, 0, SIZE),))]))
    during = counted[0] - before
    over.set()
    thread.join()
    assert job["directions"][0]["ios"] > 0
    assert during > 1000


@every_way
def test_ctrl_c_at_any_line_of_the_waiting_keeps_the_results(
    way: Way, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A signal strikes between any two lines: here while it asks the jobs whether they have ended."""
    asked = []

    def ended(threads: JobThread) -> bool:
        asked.append(threads)
        if len(asked) == 1:
            raise KeyboardInterrupt
        return bool(threads.__dict__["ended"])

    as_property = property(ended, lambda self, value: self.__dict__.update(ended=value))
    monkeypatch.setattr(JobThread, "ended", as_property, raising=False)
    with pytest.raises(RunInterrupted) as caught:
        api.run_jobs(options.load(words(way)), [Job((Part(file, 0, SIZE),))], library=way.library)
    assert caught.value.result.stopped
    assert not caught.value.result.jobs[0].abandoned


@every_way
@pytest.mark.parametrize("raised", [KeyboardInterrupt, RuntimeError])
def test_a_waiting_that_raises_every_time_is_given_up_with_the_results_so_far(
    way: Way, file: Path, monkeypatch: pytest.MonkeyPatch, raised: type[BaseException]
) -> None:
    calls = []
    wait = Run.wait

    def broken(run: Run, reached: Callable[[JobThread], bool]) -> None:
        calls.append(run)
        if run.jobs[0].go.is_set():
            time.sleep(0.1)
            raise raised
        wait(run, reached)

    monkeypatch.setattr(Run, "wait", broken)
    text = options.render(options.load(words(way, 0.9)), [Job((Part(file, 0, SIZE),))])
    (job,), kept = run_text(way.library, text, None, GRACE_NS)
    assert isinstance(kept, raised)
    assert len(calls) == 3  # until it is ready, to its end, and once more
    assert sum(each["ios"] for each in job["directions"]) > 0
    assert not job["abandoned"]
