"""How soon a run of the native engine is back after a cancel, beside how soon a bare thread sees the same event."""

from __future__ import annotations

import statistics
import time
from pathlib import Path
from threading import Event, Thread, Timer

from bench.native import api, options
from bench.native.options import Job, Part
from tests.bench.native.ways import Way, every_way

ROUNDS = 11
SIZE = 1 << 20


def _after_the_event(wait_for: Event, sent_ns: list[int], took_ns: list[int]) -> None:
    wait_for.wait()
    took_ns.append(time.monotonic_ns() - sent_ns[-1])


@every_way
def test_a_cancel_is_obeyed(way: Way, tmp_path: Path) -> None:
    path = tmp_path / "data"
    path.write_bytes(b"\xa5" * SIZE)
    words = {"rw": "randread", "iodepth": 1 if way.name == "psync" else 4, "runtime_s": 60}
    loaded = options.load({**words, "ioengine": options.IOENGINES[way.ioengine]})
    engine_ns: list[int] = []
    thread_ns: list[int] = []
    for _ in range(ROUNDS):
        cancel, sent_ns = Event(), list[int]()
        beside = Thread(target=_after_the_event, args=(cancel, sent_ns, thread_ns))
        beside.start()
        timer = Timer(0.1, lambda sent_ns=sent_ns, cancel=cancel: (sent_ns.append(time.monotonic_ns()), cancel.set()))
        timer.start()
        result = api.run_jobs(loaded, [Job((Part(path, 0, SIZE),))], cancel=cancel, library=way.library)
        engine_ns.append(time.monotonic_ns() - sent_ns[0])
        beside.join()
        timer.join()
        assert result.stopped
    medians = (statistics.median(each) / 1e6 for each in (engine_ns, thread_ns))
    print("{}: back {:.1f} ms after a cancel; a thread sees it after {:.2f} ms".format(way.name, *medians))
