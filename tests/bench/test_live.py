"""The face of a running campaign."""

from __future__ import annotations

import time

from bench.events import Event, EventFile, EventReader
from bench.live import Tally, sparkline, view
from bench.words import duration


def test_durations_as_people_say_them():
    assert [duration(seconds) for seconds in (0.4, 59.4, 60, 3599, 3600, 86399, 90000)] == [
        "0 s", "59 s", "1 min 00 s", "59 min 59 s", "1 h 00 min", "23 h 59 min", "1 d 1 h",
    ]  # fmt: skip


def test_a_sparkline_reaches_the_top_at_its_largest_value():
    assert sparkline([0, 50, 100]) == "▁▅█"
    assert sparkline([0, 0]) == "▁▁"


def test_time_left_comes_from_the_plan_then_from_the_trials_that_ran(monkeypatch):
    now = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    tally = Tally()
    tally.take(Event("started", done=2, total=6, expected_s=40))
    tally.take(Event("trial", label="raid5"))
    assert tally.remaining_s == 40
    now[0] += 4
    assert tally.remaining_s == 36
    tally.take(Event("ended", status="ok", duration_s=20))
    assert tally.remaining_s == 60  # three trials of 20 s, of which the next has not begun
    now[0] += 500
    assert tally.remaining_s == 40  # one that takes longer than the mean is taken to be all but done


def test_without_a_terminal_there_are_plain_lines(capsys):
    with view() as emit:
        emit(Event("started", total=1, expected_s=3))
        emit(Event("trial", label="raid5 x3"))
        emit(Event("throughput", bw_bytes_s=1e6))
        emit(Event("ended", label="raid5 x3", status="failed", duration_s=1.5, message="mkfs.xfs exited with status 1"))
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.splitlines() == [
        "1 trials; about 3 s",
        "[1/1] failed  raid5 x3 · block 1 (1.5 s): mkfs.xfs exited with status 1",
    ]


def test_events_cross_a_file_whole(tmp_path):
    path = tmp_path / "events"
    read, write = EventReader(path), EventFile(path)
    assert read() == ()
    sent = [Event("note", message=f"größe {number}\n") for number in range(3)]
    for event in sent[:2]:
        write(event)
    with path.open("ab") as file:
        file.write(b'{"kind": "no')  # the writer is in the middle of a line
    assert read() == tuple(sent[:2])
    with path.open("ab") as file:
        file.write(b'te"}\n')
    write(sent[2])
    assert read() == (Event("note"), sent[2])
