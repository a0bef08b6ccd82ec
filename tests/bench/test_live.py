"""The face of a running campaign."""

from __future__ import annotations

import io
import os
import pty
import subprocess
import sys
import time

from rich.console import Console

from bench.events import Event, EventFile, EventReader, throughput
from bench.live import MOST_DISKS, Tally, render, sparkline, view
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


def shown(tally: Tally) -> str:
    console = Console(width=80, file=io.StringIO())
    console.print(render(tally))
    return console.file.getvalue()


def running(*samples: dict[str, float]) -> Tally:
    tally = Tally()
    for event in (
        Event("started", total=4, expected_s=40),
        Event("trial", label="raid5 x3"),
        Event("workload", workload="random-write"),
        *map(throughput, samples),
    ):
        tally.take(event)
    return tally


def test_the_live_view_has_a_line_for_each_disk_to_one_scale():
    lines = shown(running({"sda": 10e6, "sdb": 5e6}, {"sda": 100e6, "sdb": 25e6})).splitlines()
    assert [line.rstrip() for line in lines[-3:]] == [
        "▁█ 125.0 MB/s on the disks",
        "  sda 100.0 MB/s ▁█",
        "  sdb  25.0 MB/s ▁▃",
    ]
    assert all(len(line) <= 80 for line in lines)


def test_a_box_of_many_disks_shows_the_slowest_and_the_fastest():
    text = shown(running({f"sd{number:02}": 1e6 * (number + 1) for number in range(60)}))
    assert "sd00" in text
    assert "sd59" in text
    assert f"… {60 - MOST_DISKS} more, in between" in text
    assert len(text.splitlines()) < 24, "a terminal has 24 lines"


def test_a_new_workload_begins_its_lines_anew():
    tally = running({"sda": 1e6})
    tally.take(Event("workload", workload="scan"))
    assert "sda" not in shown(tally)


def test_what_each_disk_did_crosses_a_file(tmp_path):
    EventFile(tmp_path / "events")(throughput({"sda": 1.5, "sdb": 2.0}))
    assert EventReader(tmp_path / "events")() == (throughput({"sda": 1.5, "sdb": 2.0}),)


IMPOSSIBLE = (
    '{"kind": "started", "total": 100, "expected_s": 1e308}',
    '{"kind": "ended", "duration_s": 1e308}',
    '{"kind": "started", "total": 1%s}' % ("0" * 400),
    '{"kind": "started", "total": 10000000000}',
    '{"kind": "started", "total": -1}',
    '{"kind": "started", "done": -5, "total": 3}',
    '{"kind": "trial", "block": -2}',
    '{"kind": "throughput", "bw_bytes_s": -1}',
    '{"kind": "throughput", "disks": ["a"], "disks_bw_bytes_s": [-5.0]}',
    '{"kind": "throughput", "disks": ["a"], "disks_bw_bytes_s": [1e300]}',
)


def test_events_with_impossible_figures_are_passed_over(tmp_path):
    (tmp_path / "events").write_text("".join(f"{line}\n" for line in IMPOSSIBLE))
    assert EventReader(tmp_path / "events")() == ()


def test_the_largest_and_the_least_figures_that_are_taken_can_be_shown(tmp_path, capsys):
    for figure in (1e15, 5e-324, 0.0):
        sent = [
            Event("started", total=10**9, expected_s=figure),
            Event("trial", label="raid5", block=10**9),
            Event("throughput", bw_bytes_s=figure, disks=("a", "b"), disks_bw_bytes_s=(figure, 0.0)),
            Event("ended", status="ok", duration_s=figure),
            Event("ended", status="ok", duration_s=1e15),
        ]
        write = EventFile(tmp_path / f"events{figure}")
        tally = Tally()
        with view() as emit:
            for event in sent:
                write(event)
                emit(event)
                tally.take(event)
                assert shown(tally)
        assert EventReader(tmp_path / f"events{figure}")() == tuple(sent)


def test_names_of_disks_do_not_pile_up():
    tally = running(*({f"{sample}-{number}": 1e6 for number in range(9)} for sample in range(9)))
    assert len(tally.by_disk) == 9


LIVE = """
import time
from bench.streams import clean_standard_streams
clean_standard_streams()
from bench.events import Event
from bench.live import view
with view() as emit:
    emit(Event("started", done=0, total=3, expected_s=30))
    for number in range(2):
        emit(Event("trial", label="raid5 x4", block=0))
        time.sleep(0.6)  # the display is drawn four times a second
        emit(Event("ended", status="ok", label="raid5 \\x1b[31mx4", block=0, duration_s=1))
"""


def test_the_live_view_drives_the_terminal_and_no_label_does():
    """What a terminal receives: our own control sequences as such, those of a label as text."""
    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "100"}
    process = subprocess.Popen([sys.executable, "-c", LIVE], stderr=theirs, env=environment)
    os.close(theirs)
    received = b""
    while True:
        try:
            part = os.read(ours, 65536)
        except OSError:  # the terminal's other end is closed
            break
        if not part:
            break
        received += part
    os.close(ours)
    assert process.wait() == 0
    assert b"\x1b[2K" in received  # a line of the display is erased and drawn again
    assert b"\\x1b[2K" not in received
    assert b"\\x1b[31m" in received
    assert b"\x1b[31m" not in received
