"""What a campaign tells while it runs, to a live view, a log or a file that another process reads."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from bench.errors import StoreError
from results.store.files import file_at

_MOST_BYTES = 1 << 20
"""Read at a time; a longer line is no event."""
_MOST_COUNT = 10**9
_MOST_FIGURE = 1e15
"""Bytes in a second, or seconds: sums and products of such figures stay finite."""


@dataclass(frozen=True)
class Event:
    """One thing that happened; ``kind`` says which of the fields mean something.

    started (total, done) · trial (label, block, done, total) · workload (workload) ·
    throughput (bw_bytes_s, disks, disks_bw_bytes_s) · ended (label, status, duration_s, message) · note (message)
    """

    kind: str
    done: int = 0
    total: int = 0
    label: str = ""
    block: int = 0
    workload: str = ""
    status: str = ""
    message: str = ""
    bw_bytes_s: float = 0.0
    disks: tuple[str, ...] = ()
    disks_bw_bytes_s: tuple[float, ...] = ()
    duration_s: float = 0.0
    expected_s: float = 0.0


def throughput(rates_bytes_s: Mapping[str, float]) -> Event:
    """What each disk moved in one sample, read and written together."""
    return Event(
        "throughput",
        bw_bytes_s=sum(rates_bytes_s.values()),
        disks=tuple(rates_bytes_s),
        disks_bw_bytes_s=tuple(rates_bytes_s.values()),
    )


Emit = Callable[[Event], None]


def both(first: Emit, second: Emit) -> Emit:
    """Whoever gets an event of this gets it in two places."""

    def emit(event: Event) -> None:
        first(event)
        second(event)

    return emit


class EventFile:
    """Writes events as JSON lines, for a process on the other side of the virtual lab."""

    def __init__(self, path: Path) -> None:
        folder, name = file_at(path)
        try:
            self._file = folder.update(name, os.O_WRONLY | os.O_APPEND)
        except OSError as failure:
            raise StoreError(f"{path}: {failure.strerror}") from failure

    def __call__(self, event: Event) -> None:
        """Append one event."""
        os.write(self._file, json.dumps(asdict(event)).encode() + b"\n")


class EventReader:
    """Reads the events that another process has appended since the last call.

    That process may be the guest, of which nothing is trusted: what is no event is passed over, and so is one
    with figures that none can have.
    """

    def __init__(self, path: Path) -> None:
        self._place = file_at(path)
        self._offset = 0

    def __call__(self) -> tuple[Event, ...]:
        """New events; a line that is not whole yet is left for the next call."""
        folder, name = self._place
        try:
            with folder.open(name) as file:
                file.seek(self._offset)
                content = file.read(_MOST_BYTES)
        except OSError:
            return ()
        whole = content.rfind(b"\n") + 1 or (len(content) if len(content) == _MOST_BYTES else 0)
        self._offset += whole
        found = map(_event, content[:whole].splitlines())
        return tuple(event for event in found if event is not None)


def _event(line: bytes) -> Event | None:
    """An event from its line; None where that is none, or where it has figures that none can have."""
    import msgspec

    try:
        event = msgspec.json.decode(line, type=Event)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None
    return event if _is_possible(event) else None


def _is_possible(event: Event) -> bool:
    counts = (event.done, event.total, event.block)
    figures = (event.bw_bytes_s, *event.disks_bw_bytes_s, event.duration_s, event.expected_s)
    return all(0 <= count <= _MOST_COUNT for count in counts) and all(0 <= each <= _MOST_FIGURE for each in figures)
