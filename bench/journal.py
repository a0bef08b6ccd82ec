"""The journal: what stripelab has done to a host and has not yet undone.

One JSON object a line, each written and fsynced before the next thing happens.  An act is
``begun`` before it is done, ``done`` after it, ``undone`` after it was taken back.  Whatever is
begun and not undone when a run starts is owned by an earlier run that died: :func:`recover` takes
it back, newest first.  Only what the journal owns is ever undone.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from bench.errors import BusyError, StoreError

Facts = Mapping[str, Any]
"""What one kind of act needs in order to be undone: JSON values."""

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True)
class Act:
    """One act on the host, as the journal holds it."""

    number: int
    kind: str
    facts: Facts
    boot_id: str

    @property
    def of_this_boot(self) -> bool:
        """Whether the kernel that saw this act still runs (mounts and settings die with it)."""
        return self.boot_id == boot_id()


def boot_id() -> str:
    """Identity of the running kernel's boot; random(4)."""
    return BOOT_ID.read_text(encoding="ascii").strip()


class Journal:
    """An append-only file of acts, locked by the one run that writes it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._pending: dict[int, Act] = {}
        self._last = 0
        self._boot_id = boot_id()
        try:
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
        except OSError as failure:
            raise StoreError(f"{path}: {failure.strerror}") from failure
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._file)
            raise BusyError(f"{path}: another run is writing this store") from None
        self._replay()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._file)

    @property
    def pending(self) -> tuple[Act, ...]:
        """Acts that are begun and not undone, newest first."""
        return tuple(sorted(self._pending.values(), key=lambda act: -act.number))

    def begin(self, kind: str, facts: Facts) -> Act:
        """Record the intent; returns only when it is on stable storage."""
        act = Act(self._last + 1, kind, dict(facts), self._boot_id)
        self._write({"n": act.number, "state": "begun", "kind": kind, "facts": act.facts, "boot": act.boot_id})
        self._last = act.number
        self._pending[act.number] = act
        return act

    def done(self, act: Act) -> None:
        """Record that the act succeeded."""
        self._write({"n": act.number, "state": "done"})

    def undone(self, act: Act) -> None:
        """Record that nothing of the act is left."""
        self._write({"n": act.number, "state": "undone"})
        self._pending.pop(act.number, None)

    def _write(self, record: Mapping[str, Any]) -> None:
        line = json.dumps(record, separators=(",", ":"), sort_keys=True).encode() + b"\n"
        try:
            if os.write(self._file, line) != len(line):
                raise StoreError(f"{self.path}: the journal could not be written whole; the disk is probably full")
            os.fdatasync(self._file)
        except OSError as failure:
            raise StoreError(f"{self.path}: {failure.strerror}") from failure

    def _replay(self) -> None:
        """Read the file; a torn last line is cut off, since nothing was done before it was whole."""
        content = self.path.read_bytes()
        whole = content.rfind(b"\n") + 1
        if whole != len(content):
            os.ftruncate(self._file, whole)
            os.fdatasync(self._file)
        for number, line in enumerate(content[:whole].splitlines(), start=1):
            try:
                self._apply(json.loads(line))
            except (ValueError, KeyError, TypeError) as damage:
                raise StoreError(
                    f"{self.path}:{number}: the journal is damaged, so what an earlier run left is not known",
                    remedy="Look for arrays and mounts named stripelab by hand, clear them, then remove the journal.",
                ) from damage

    def _apply(self, record: Mapping[str, Any]) -> None:
        number = int(record["n"])
        match record["state"]:
            case "begun":
                self._last = number
                self._pending[number] = Act(number, record["kind"], record["facts"], record["boot"])
            case "undone":
                self._pending.pop(number, None)
            case "done":
                pass
            case other:
                raise ValueError(other)


@contextmanager
def effect(
    journal: Journal, kind: str, facts: Facts, do: Callable[[], None], undo: Callable[[Act], None]
) -> Iterator[None]:
    """Do something to the host for as long as the context lasts.

    The intent is journalled before ``do``.  ``undo`` must be idempotent and bear an act that was
    begun and never done: it runs in any case, and the same function serves recovery.
    """
    act = journal.begin(kind, facts)
    try:
        do()
        journal.done(act)
        yield
    finally:
        undo(act)
        journal.undone(act)


def recover(journal: Journal, undo: Mapping[str, Callable[[Act], None]]) -> tuple[str, ...]:
    """Take back what an earlier run left, newest first; returns a line for each act."""
    lines = []
    for act in journal.pending:
        if act.kind not in undo:
            raise StoreError(f"{journal.path}: act {act.number} is of a kind this version does not know: {act.kind}")
        undo[act.kind](act)
        journal.undone(act)
        lines.append(f"cleared what an earlier run left: {act.kind} {json.dumps(act.facts, sort_keys=True)}")
    return tuple(lines)
