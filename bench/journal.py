"""The journal: what stripelab has done to a host and has not yet undone.

One JSON object a line, each written and fsynced before the next thing happens.  An act is
``begun`` before it is done, ``done`` after it, ``undone`` after it was taken back.  Whatever is
begun and not undone when a run starts is owned by an earlier run that died: :func:`recover` takes
it back, newest first.  Only what the journal owns is ever undone, and it can own nothing but the
acts of :mod:`bench.acts`.

It also remembers the content of disks: which of them this store has begun to write to, and a digest
of what it left on those that it gave back.
"""

from __future__ import annotations

import fcntl
import io
import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, NoReturn, Self, cast

from bench import acts
from bench.acts import Act, ArrayAct, FilesystemAct, TakenAct
from bench.errors import BusyError, StoreError
from bench.safety.description import Known
from results.store.files import OddFileError, file_at

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
COMPACT_BYTES = 4 << 20
"""A journal that has grown by this much is made short again."""
MAX_BYTES = 16 << 20
"""One that is larger is not ours."""
LINE_BYTES = 1 << 18
_LAST_NUMBER = 1 << 53
_DAMAGED = "Look for arrays and mounts named stripelab by hand, clear them, then remove the journal."


@dataclass(frozen=True)
class Entry:
    """One act on the host, as the journal holds it."""

    number: int
    act: Act
    boot_id: str

    @property
    def of_this_boot(self) -> bool:
        """Whether the kernel that saw this act still runs (mounts and settings die with it)."""
        return self.boot_id == boot_id()


def boot_id() -> str:
    """Identity of the running kernel's boot; random(4)."""
    return BOOT_ID.read_text(encoding="ascii").strip()


class History:
    """What the lines of a journal say: acts that are pending, and the content of disks that were given back."""

    def __init__(self) -> None:
        self.pending: dict[int, Entry] = {}
        self.returned: dict[str, str] = {}
        self.last = 0
        self._unparsed: dict[int, tuple[object, object, str]] = {}

    def known(self, disk: str | None) -> Known:
        """What is known of the content of the disk with this identity."""
        made = [entry.act for entry in self.pending.values()]
        uuids = [each.uuid for each in made if isinstance(each, ArrayAct)]
        uuids += [uuid for each in made if isinstance(each, FilesystemAct) for uuid in each.uuids]
        taken = any(isinstance(each, TakenAct) and each.disk == disk for each in made)
        return Known(frozenset(uuids), taken, self.returned.get(disk or ""))

    def apply(self, record: object) -> None:
        """Take in one line; raises ValueError or TypeError where it is not one of ours."""
        if not isinstance(record, dict):
            raise TypeError("a line is not an object")
        number, state = record.get("n"), record.get("state")
        if type(number) is not int or not 0 < number <= _LAST_NUMBER:
            raise ValueError("an act has no number")
        if state == "begun":
            boot = record.get("boot")
            if not isinstance(boot, str):
                raise ValueError("an act has no boot")
            self.last = max(self.last, number)
            kind, facts = record.get("kind"), record.get("facts")
            if kind == TakenAct.kind:
                self.begin(Entry(number, acts.parse(kind, facts), boot))
            else:
                self._unparsed[number] = (kind, facts, boot)
        elif state == "undone":
            sample = record.get("sample")
            if sample is not None and not isinstance(sample, str):
                raise ValueError("a sample is not text")
            self.end(number, sample)
        elif state != "done":
            raise ValueError(f"there is no state {state!r}")

    def finish(self) -> None:
        """Take in the acts that no line ended; raises ValueError where one is none of ours.

        Those that were taken back are not looked at: earlier versions wrote other facts.
        """
        for number, (kind, facts, boot) in self._unparsed.items():
            self.begin(Entry(number, acts.parse(kind, facts), boot))
        self._unparsed.clear()

    def begin(self, entry: Entry) -> None:
        """Take in that an act was begun."""
        self.last = max(self.last, entry.number)
        self.pending[entry.number] = entry
        if isinstance(entry.act, TakenAct):
            self.returned.pop(entry.act.disk, None)

    def end(self, number: int, sample: str | None) -> None:
        """Take in that nothing of an act is left, and of a disk that was taken what it holds now."""
        self._unparsed.pop(number, None)
        ended = self.pending.pop(number, None)
        if ended is not None and isinstance(ended.act, TakenAct) and sample is not None:
            self.returned[ended.act.disk] = sample

    def records(self) -> Iterator[Mapping[str, Any]]:
        """The shortest lines that say the same."""
        for number, (disk, sample) in enumerate(self.returned.items(), start=self.last + 1):
            yield _begun(Entry(number, TakenAct(disk, ""), ""))
            yield {"n": number, "state": "undone", "sample": sample}
        for entry in self.pending.values():
            yield _begun(entry)


class Journal:
    """An append-only file of acts, locked by the one run that writes it.

    Raises:
        BusyError: another run holds it.
        StoreError: it is not a file of ours, cannot be written, or is damaged.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._boot_id = boot_id()
        self._file = _open(path)
        self._grown_bytes = 0
        try:
            _lock(self._file, path)
            self._history = self._replay()
        except BaseException:
            os.close(self._file)
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._file)

    @property
    def pending(self) -> tuple[Entry, ...]:
        """Acts that are begun and not undone, newest first."""
        return tuple(sorted(self._history.pending.values(), key=lambda entry: -entry.number))

    def known(self, disk: str | None) -> Known:
        """What this store knows of the content of the disk with this identity."""
        return self._history.known(disk)

    def begin(self, act: Act) -> Entry:
        """Record the intent; returns only when it is on stable storage."""
        entry = Entry(self._history.last + 1, act, self._boot_id)
        self._write(_begun(entry))
        self._history.begin(entry)
        return entry

    def done(self, entry: Entry) -> None:
        """Record that the act succeeded."""
        self._write({"n": entry.number, "state": "done"})

    def undone(self, entry: Entry, *, sample: str | None = None) -> None:
        """Record that nothing of the act is left; ``sample`` is the digest of what a disk holds that is given back."""
        self._write({"n": entry.number, "state": "undone"} | ({"sample": sample} if sample is not None else {}))
        self._history.end(entry.number, sample)
        self._shorten()

    def _write(self, record: Mapping[str, Any]) -> None:
        line = _line(record)
        if len(line) > LINE_BYTES:
            raise StoreError(f"{self.path}: an act is too long for the journal: name fewer disks")
        try:
            before = os.fstat(self._file).st_size
            if os.write(self._file, line) != len(line):
                os.ftruncate(self._file, before)  # a line that is torn would spoil what is written after it
                raise StoreError(f"{self.path}: the journal could not be written whole; the disk is probably full")
            os.fdatasync(self._file)
        except OSError as failure:
            raise StoreError(f"{self.path}: {failure.strerror}") from failure
        self._grown_bytes += len(line)

    def _shorten(self) -> None:
        """Make a journal short that has grown; called when what was written last is part of the history."""
        if self._grown_bytes > COMPACT_BYTES:
            self._compact(self._history)

    def _replay(self) -> History:
        """Read the file; a torn last line is cut off, since nothing was done before it was whole."""
        size = os.fstat(self._file).st_size
        if size > MAX_BYTES:
            raise StoreError(f"{self.path} has more than {MAX_BYTES >> 20} MiB: it is not a journal of ours")
        with os.fdopen(os.dup(self._file), "rb", buffering=0) as file:
            file.seek(0)
            history, whole = _read(file, self.path)
        if whole != size:
            os.ftruncate(self._file, whole)
            os.fdatasync(self._file)
        if size > COMPACT_BYTES:
            self._compact(history)
        else:
            self._grown_bytes = size
        return history

    def _compact(self, history: History) -> None:
        """Put a short file in the place of a long one; whatever moment this is killed at, one of them is there."""
        folder, name = file_at(self.path)
        temporary = folder.temporary(name)
        folder.create(temporary, b"".join(map(_line, history.records())))
        fresh = _open(folder.path / temporary)
        try:
            _lock(fresh, folder.path / temporary)
            folder.rename(temporary, name)
            folder.sync()
        except OSError as failure:
            os.close(fresh)
            raise StoreError(f"{self.path}: {failure.strerror}") from failure
        os.close(self._file)
        self._file = fresh
        self._grown_bytes = 0


def history_of(path: Path) -> History:
    """What a journal says, read without a lock; empty where there is none.

    Raises:
        StoreError: it is not a file of ours, cannot be read, or is damaged.
    """
    folder, name = file_at(path)
    try:
        with folder.open(name, MAX_BYTES) as file:
            if os.fstat(file.fileno()).st_nlink > 1:
                raise OddFileError(path, "it has another hard link")
            return _read(file, path)[0]
    except FileNotFoundError:
        return History()
    except OSError as failure:
        raise _not_ours(path, failure) from failure


def _open(path: Path) -> int:
    """A descriptor of a regular file of our own, made where there is none, to append to."""
    folder, name = file_at(path)
    try:
        return folder.update(name, os.O_RDWR | os.O_APPEND)
    except OSError as failure:
        raise _not_ours(path, failure) from failure


def _not_ours(path: Path, failure: OSError) -> StoreError:
    return StoreError(f"{path} cannot be used as a journal: {failure.strerror}")


def _lock(descriptor: int, path: Path) -> None:
    """Lock the journal at ``path``; one that was replaced since it was opened is another run's."""
    folder, name = file_at(path)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise BusyError(f"{path}: another run is writing this store") from None
    there = folder.status(name)
    if there is None or there.st_ino != os.fstat(descriptor).st_ino:
        raise BusyError(f"{path}: another run is writing this store")


def _read(file: BinaryIO, path: Path) -> tuple[History, int]:
    """What the lines say, and how many bytes of the file are whole lines."""
    history = History()
    whole = number = 0
    buffered = io.BufferedReader(cast("io.RawIOBase", file))
    for number, line in enumerate(iter(lambda: buffered.readline(LINE_BYTES), b""), start=1):
        if not line.endswith(b"\n"):
            if len(line) == LINE_BYTES:
                _damaged(path, number, "a line is too long")
            break
        try:
            history.apply(json.loads(line, parse_float=_no_number, parse_constant=_no_number))
        except (ValueError, TypeError, RecursionError) as damage:
            _damaged(path, number, str(damage))
        whole += len(line)
    buffered.detach()
    try:
        history.finish()
    except (ValueError, TypeError) as damage:
        _damaged(path, number, f"an act that is not taken back is not one of this version's: {damage}")
    return history, whole


def _damaged(path: Path, number: int, why: str) -> NoReturn:
    raise StoreError(
        f"{path}:{number}: the journal is damaged, so what an earlier run left is not known ({why[:200]})",
        remedy=_DAMAGED,
    ) from None


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text[:40]} stands where no fraction can")


def _begun(entry: Entry) -> Mapping[str, Any]:
    return {
        "n": entry.number,
        "state": "begun",
        "kind": entry.act.kind,
        "facts": entry.act.facts,
        "boot": entry.boot_id,
    }


def _line(record: Mapping[str, Any]) -> bytes:
    return json.dumps(record, separators=(",", ":"), sort_keys=True).encode() + b"\n"


@contextmanager
def effect(journal: Journal, act: Act, do: Callable[[], None], undo: Callable[[Entry], None]) -> Iterator[None]:
    """Do something to the host for as long as the context lasts.

    The intent is journalled before ``do``.  ``undo`` must be idempotent and bear an act that was
    begun and never done: it runs in any case, and the same function serves recovery.
    """
    entry = journal.begin(act)
    try:
        do()
        journal.done(entry)
        yield
    finally:
        undo(entry)
        journal.undone(entry)


def recover(journal: Journal, undo: Mapping[type[Act], Callable[[Entry], None]]) -> tuple[str, ...]:
    """Take back what an earlier run left, newest first; returns a line for each act.

    Disks that it had taken are left pending: :meth:`bench.lease.Lease.settle` says what becomes of them.
    """
    lines = []
    for entry in journal.pending:
        if isinstance(entry.act, TakenAct):
            continue
        undo[type(entry.act)](entry)
        journal.undone(entry)
        facts = json.dumps(entry.act.facts, sort_keys=True)
        lines.append(f"cleared what an earlier run left: {entry.act.kind} {facts}")
    return tuple(lines)
