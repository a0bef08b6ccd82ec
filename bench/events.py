"""What a campaign tells while it runs, to a live view, a log or a file that another process reads."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any


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


class EventFile:
    """Writes events as JSON lines, for a process on the other side of the virtual lab."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)

    def __call__(self, event: Event) -> None:
        """Append one event."""
        os.write(self._file, json.dumps(asdict(event)).encode() + b"\n")


class EventReader:
    """Reads the events that another process has appended since the last call."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = 0

    def __call__(self) -> tuple[Event, ...]:
        """New events; a line that is not whole yet is left for the next call."""
        try:
            with self._path.open("rb") as file:
                file.seek(self._offset)
                content = file.read()
        except FileNotFoundError:
            return ()
        whole = content.rfind(b"\n") + 1
        self._offset += whole
        return tuple(_event(json.loads(line)) for line in content[:whole].splitlines())


def _event(fields: dict[str, Any]) -> Event:
    """An event from its JSON, whose lists are tuples here."""
    for name in ("disks", "disks_bw_bytes_s"):
        fields[name] = tuple(fields.get(name, ()))
    return Event(**fields)
