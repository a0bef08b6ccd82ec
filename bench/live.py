"""The face of a running campaign: a live view on a terminal, plain lines everywhere else."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from bench.events import Emit, Event
from bench.words import duration
from results.text import plain_lines

if TYPE_CHECKING:
    from rich.console import RenderableType

SPARKS = "▁▂▃▄▅▆▇█"
SPARKLINE_SAMPLES = 40
MOST_DISKS = 12
"""Disks with a line of their own; a box with more shows its slowest and its fastest."""


class Tally:
    """What the events add up to."""

    def __init__(self) -> None:
        self.total = 0
        self.done = 0
        self.failed = 0
        self.label = "preparing"
        self.workload = "programs, environment, disks"
        self.expected_s = 0.0
        self.ran = 0
        self.ran_s = 0.0
        self.trial_started_s = time.monotonic()
        self.throughput: list[float] = []
        self.by_disk: dict[str, list[float]] = {}

    def take(self, event: Event) -> None:
        """Account for one event."""
        match event.kind:
            case "started":
                self.total, self.done = event.total, event.done
                self.expected_s = event.expected_s
            case "trial":
                self.trial_started_s = time.monotonic()
                self.label, self.workload = f"{event.label} · block {event.block + 1}", "building the stack"
            case "workload":
                self.workload = event.workload
                self.throughput.clear()
                self.by_disk.clear()
            case "throughput":
                self.throughput = [*self.throughput, event.bw_bytes_s][-SPARKLINE_SAMPLES:]
                rates = zip(event.disks, event.disks_bw_bytes_s, strict=False)
                self.by_disk = {  # a disk that is not in the sample goes: names do not pile up
                    disk: [*self.by_disk.get(disk, []), rate][-SPARKLINE_SAMPLES:] for disk, rate in rates
                }
            case "ended":
                self.done += 1
                self.ran += 1
                self.ran_s += event.duration_s
                self.trial_started_s = time.monotonic()
                self.failed += event.status != "ok"

    @property
    def remaining_s(self) -> float:
        """Time left: by the mean of the trials that ran, by the plan before there is one."""
        each_s = self.ran_s / self.ran if self.ran else self.expected_s / max(1, self.total - self.done)
        spent_s = min(each_s, time.monotonic() - self.trial_started_s)
        return max(0.0, each_s * (self.total - self.done) - spent_s)


@contextmanager
def view() -> Iterator[Emit]:
    """Somewhere to send events: the live view where stderr is a terminal, plain lines elsewhere."""
    tally = Tally()
    if not sys.stderr.isatty():
        yield lambda event: _plain(tally, event)
        return
    from rich.live import Live

    from bench.console import Screen

    console = Screen(stderr=True)
    with Live(console=console, refresh_per_second=4, get_renderable=lambda: render(tally), transient=True) as live:

        def emit(event: Event) -> None:
            tally.take(event)
            line = _line(tally, event)
            if line:
                live.console.print(line)

        yield emit


def _plain(tally: Tally, event: Event) -> None:
    tally.take(event)
    line = _line(tally, event)
    if line:
        sys.stderr.write(f"{line}\n")
        sys.stderr.flush()


def _line(tally: Tally, event: Event) -> str:
    """The line that an event leaves behind, cleaned; empty where it leaves none."""
    return plain_lines(_words(tally, event))


def _words(tally: Tally, event: Event) -> str:
    match event.kind:
        case "started":
            again = f", {event.done} already in the store" if event.done else ""
            return f"{event.total} trials{again}; about {duration(tally.remaining_s)}"
        case "ended":
            count = f"[{tally.done}/{tally.total}]"
            why = f": {event.message}" if event.message else ""
            left = f", {duration(tally.remaining_s)} left" if tally.done < tally.total else ""
            what = f"{event.label} · block {event.block + 1}"
            return f"{count} {event.status:<7} {what} ({event.duration_s:.1f} s{left}){why}"
        case "note":
            return event.message
    return ""


def render(tally: Tally) -> RenderableType:
    """What the live view shows now."""
    from rich.progress_bar import ProgressBar
    from rich.table import Table

    from bench.console import text

    grid = Table.grid(padding=(0, 1))
    if not tally.total:
        grid.add_row(text(f"{tally.label}: {tally.workload}", "bold"))
        return grid
    counts = f"{tally.done}/{tally.total} trials"
    if tally.failed:
        counts += f", {tally.failed} not ok"
    bar = Table.grid(padding=(0, 1))
    bar.add_row(
        ProgressBar(total=max(1, tally.total), completed=tally.done, width=30),
        text(f"{counts} · {duration(tally.remaining_s)} left"),
    )
    grid.add_row(bar)
    grid.add_row(text(f"{tally.label} · {tally.workload}", "bold"))
    if tally.throughput:
        grid.add_row(text(f"{sparkline(tally.throughput)} {tally.throughput[-1] / 1e6:,.1f} MB/s on the disks"))
    if tally.by_disk:
        grid.add_row(_disks(tally.by_disk))
    return grid


def _disks(by_disk: Mapping[str, list[float]]) -> RenderableType:
    """A line for each disk; all to one scale, so that a disk that lags behind is seen."""
    from rich.table import Table

    from bench.console import text

    shown = sorted(by_disk)
    left_out = 0
    if len(shown) > MOST_DISKS:
        by_rate = sorted(shown, key=lambda disk: by_disk[disk][-1])
        left_out = len(shown) - MOST_DISKS
        shown = [*by_rate[: MOST_DISKS // 2], *by_rate[-(MOST_DISKS // 2) :]]
    top = max(max(rates) for rates in by_disk.values())
    table = Table.grid(padding=(0, 1))
    table.add_column(no_wrap=True)
    table.add_column(justify="right", no_wrap=True)
    table.add_column(no_wrap=True)
    for disk in shown:
        rates = by_disk[disk]
        table.add_row(text(f"  {disk}"), text(f"{rates[-1] / 1e6:,.1f} MB/s"), text(sparkline(rates, top)))
    if left_out:
        table.add_row(text(f"  … {left_out} more, in between"), text(""), text(""))
    return table


def sparkline(values: Sequence[float], top: float | None = None) -> str:
    """Values as a row of blocks, the largest (or ``top``) at full height."""
    top = max(values) if top is None else top
    if top <= 0:
        return SPARKS[0] * len(values)
    return "".join(SPARKS[min(len(SPARKS) - 1, int(value / top * len(SPARKS)))] for value in values)
