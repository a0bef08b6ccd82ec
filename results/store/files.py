"""The one door to the files of a store: regular files beneath one folder, and no link is ever followed.

The folder itself is what the user named, and may be reached through links.  Beneath it every step is taken from
an open folder (openat(2) with O_NOFOLLOW), which is what openat2(2) promises with RESOLVE_BENEATH and
RESOLVE_NO_SYMLINKS, on every system that has folder descriptors.  A name is looked at before it is opened, since to
open a FIFO waits and to open a device can act; it is looked at again once it is open.
"""

from __future__ import annotations

import errno
import json
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from results.errors import ResultsError

SMALL_BYTES = 1 << 20
"""Largest marker, protocol, sweep or task file that is read."""
MEDIUM_BYTES = 64 << 20
"""Largest outcome of a night, list of baselines, guarantee and file of trials or environments that is read."""
LARGE_BYTES = 2 << 30
"""Largest companion of trials that is read, a piece at a time."""

TEMPORARY = ".tmp"
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class OddFileError(OSError):
    """What lies at a name is no regular file of a size that is read; ``strerror`` says what it is."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(errno.EINVAL, why, str(path))


@dataclass(frozen=True)
class Folder:
    """The files beneath ``path``; a name is ``file`` or ``folder/file``, and anything else is a ValueError."""

    path: Path

    @contextmanager
    def opened(self, inside: str = "") -> Iterator[int]:
        """Descriptor of the folder, or of the folder ``inside`` it; raises OSError."""
        parts = inside.split("/") if inside else []
        if any(part in {"", ".", ".."} for part in parts):
            raise ValueError(f"{inside!r} is no name of a folder beneath {self.path}")
        descriptor = os.open(self.path, _FOLDER & ~os.O_NOFOLLOW)
        try:
            for part in parts:
                inner = self._step(descriptor, part)
                os.close(descriptor)
                descriptor = inner
            yield descriptor
        finally:
            os.close(descriptor)

    def _step(self, folder: int, name: str) -> int:
        """Descriptor of a folder in an open one."""
        try:
            return os.open(name, _FOLDER, dir_fd=folder)
        except OSError as error:
            if error.errno in {errno.ENOTDIR, errno.ELOOP}:
                raise OddFileError(self.path / name, "it is not a folder, or a symbolic link to one") from None
            raise

    @contextmanager
    def _at(self, name: str) -> Iterator[tuple[int, str]]:
        """Descriptor of the folder that a name lies in, and the last part of the name."""
        inside, _, last = name.rpartition("/")
        if last in {"", ".", ".."}:
            raise ValueError(f"{name!r} is no name of a file beneath {self.path}")
        with self.opened(inside) as folder:
            yield folder, last

    def status(self, name: str) -> os.stat_result | None:
        """What lies at a name, a link not followed; None where nothing does."""
        try:
            with self._at(name) as (folder, last):
                return _status(last, folder)
        except FileNotFoundError:
            return None

    def exists(self, name: str) -> bool:
        """Whether anything lies at a name, be it a link that leads nowhere."""
        return self.status(name) is not None

    def size(self, name: str) -> int:
        """Bytes of a regular file; raises OSError where there is none."""
        with self._at(name) as (folder, last):
            return self._regular(os.stat(last, dir_fd=folder, follow_symlinks=False), name).st_size

    def open(self, name: str, most_bytes: int = LARGE_BYTES) -> BinaryIO:
        """A regular file of at most ``most_bytes``, opened to read without a buffer; raises OSError."""
        with self._at(name) as (folder, last):
            self._regular(os.stat(last, dir_fd=folder, follow_symlinks=False), name, most_bytes)
            file = os.fdopen(os.open(last, _READ, dir_fd=folder), "rb", buffering=0)
        try:
            self._regular(os.fstat(file.fileno()), name, most_bytes)
        except OSError:
            file.close()
            raise
        return file

    def read(self, name: str, most_bytes: int = SMALL_BYTES) -> bytes:
        """Content of a regular file of at most ``most_bytes``; raises OSError."""
        with self.open(name, most_bytes) as file:
            content = read_at_most(file, most_bytes)
        if content is None:
            raise OddFileError(self.path / name, f"it has more than {most_bytes:,} bytes")
        return content

    def read_there(self, name: str, most_bytes: int = SMALL_BYTES) -> bytes | None:
        """As :meth:`read`; None where nothing lies at the name."""
        try:
            return self.read(name, most_bytes)
        except FileNotFoundError:
            return None

    def _regular(self, found: os.stat_result, name: str, most_bytes: int = LARGE_BYTES) -> os.stat_result:
        """The status of a regular file of at most so many bytes; raises OddFileError on everything else."""
        if not stat.S_ISREG(found.st_mode):
            raise OddFileError(self.path / name, f"it is {kind(found.st_mode)} and not a regular file")
        if found.st_size > most_bytes:
            raise OddFileError(self.path / name, f"it has more than {most_bytes:,} bytes")
        return found

    def names(self, inside: str = "") -> list[str]:
        """Every name in the folder, or in the folder ``inside`` it, sorted; none where that is not there."""
        try:
            with self.opened(inside) as folder, os.scandir(folder) as entries:
                return sorted(entry.name for entry in entries)
        except FileNotFoundError:
            return []

    def regular_names(self, inside: str = "", suffix: str = "") -> list[str]:
        """Names with this suffix of regular files that are not hidden, sorted; what else lies there is passed over."""
        try:
            with self.opened(inside) as folder, os.scandir(folder) as entries:
                found = [entry.name for entry in entries if entry.is_file(follow_symlinks=False)]
        except FileNotFoundError:
            return []
        return sorted(name for name in found if name.endswith(suffix) and not name.startswith("."))

    def make_folder(self, name: str) -> None:
        """Make a folder where there is none; what others may do in it does not hang on the umask.  Raises OSError."""
        with self._at(name) as (folder, last), suppress(FileExistsError):
            os.mkdir(last, 0o755, dir_fd=folder)
        with self.opened(name):
            pass

    def unlink(self, name: str) -> None:
        """Remove a file, or a link and not what it leads to; nothing where there is none.  Raises OSError."""
        with suppress(FileNotFoundError), self._at(name) as (folder, last):
            os.unlink(last, dir_fd=folder)

    def rename(self, name: str, to: str) -> None:
        """Rename what lies at ``name``, whatever it is; a file or link at ``to`` is replaced.  Raises OSError."""
        with self._at(name) as (source, old), self._at(to) as (target, new):
            os.rename(old, new, src_dir_fd=source, dst_dir_fd=target)

    def sync(self, inside: str = "") -> None:
        """Fsync a folder: without it a rename can be lost in a power cut (rename(2), fsync(2)).  Raises OSError."""
        with self.opened(inside) as folder:
            os.fsync(folder)

    def create(self, name: str, content: bytes) -> None:
        """Write a new file and fsync it; where that fails nothing is left there.

        Raises:
            ResultsError: there is something at the name, or the file system is full, read-only, or does not let us.
        """
        try:
            with self._at(name) as (folder, last):
                _write_new(folder, last, content)
        except OSError as error:
            raise cannot_write(self.path / name, error) from error

    def temporary(self, name: str) -> str:
        """A hidden name beside ``name`` that nobody can foresee, to write to before a rename."""
        inside, slash, last = name.rpartition("/")
        return f"{inside}{slash}.{last[:200]}.{secrets.token_hex(8)}{TEMPORARY}"

    def replace(self, name: str, content: bytes) -> None:
        """Put ``content`` at ``name``, atomically and durably: a reader sees the old file or the new one, never a part.

        Raises:
            ResultsError: as :meth:`create`.
        """
        temporary = self.temporary(name)
        self.create(temporary, content)
        try:
            self.rename(temporary, name)
            self.sync(name.rpartition("/")[0])
        except OSError as error:
            with suppress(OSError):
                self.unlink(temporary)
            raise cannot_write(self.path / name, error) from error

    def clear_temporaries(self, inside: str = "", name: str = "") -> None:
        """Remove what writers that were killed left half-written, of ``name`` or of all; nobody else writes now."""
        for each in self.names(inside):
            if each.startswith(f".{name}") and each.endswith(TEMPORARY):
                with suppress(OSError):
                    self.unlink(f"{inside}/{each}" if inside else each)

    def update(self, name: str, flags: int, mode: int = 0o644) -> int:
        """Descriptor of a regular file that is changed where it lies, made where there is none; raises OSError.

        One with a second hard link is refused: whoever else has it would see the change.
        """
        with self._at(name) as (folder, last):
            if (before := _status(last, folder)) is not None:
                self._regular(before, name)
            flags |= os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
            descriptor = os.open(last, flags & ~os.O_TRUNC, mode, dir_fd=folder)
        try:
            if self._regular(os.fstat(descriptor), name).st_nlink > 1:
                raise OddFileError(self.path / name, "it has another hard link, which would be changed too")
            if flags & os.O_TRUNC:
                os.ftruncate(descriptor, 0)
        except OSError:
            os.close(descriptor)
            raise
        return descriptor


def file_at(path: Path) -> tuple[Folder, str]:
    """The folder that a path names a file in, and the name: for files that users name one by one."""
    return Folder(path.parent), path.name


def read_named(path: Path, most_bytes: int) -> bytes:
    """Content of a file that a user named, be it a pipe or a link, of at most ``most_bytes``; raises OSError."""
    with path.open("rb") as file:
        content = read_at_most(file, most_bytes)
    if content is None:
        raise OddFileError(path, f"it has more than {most_bytes:,} bytes")
    return content


def read_at_most(file: BinaryIO, most_bytes: int) -> bytes | None:
    """What is left of a file; None where that is more than ``most_bytes``, of which no more is held."""
    pieces, left = [], most_bytes + 1
    while left and (piece := file.read(min(left, 1 << 20))):
        pieces.append(piece)
        left -= len(piece)
    return b"".join(pieces) if left else None


def parse_json(content: bytes | str) -> Any:
    """The value of a JSON text, however deep or long; raises ValueError and nothing else."""
    try:
        return json.loads(content)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def object_of(text: str | None) -> dict[str, Any]:
    """An object that a store keeps as JSON text; empty where it keeps none, or something else."""
    try:
        found = parse_json(text or "{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def cannot_read(path: Path, error: OSError) -> ResultsError:
    """The words for a store of which a part cannot be read."""
    return ResultsError(f"cannot read the store {path}: {error.filename}: {error.strerror}")


def cannot_write(path: Path, error: OSError) -> ResultsError:
    """The words for a write that failed."""
    if error.errno in _FULL:
        return ResultsError(
            f"no space left for {path}: {error.strerror}",
            remedy="Free space, then run the same command again: what was measured before is kept, and it resumes.",
        )
    return ResultsError(
        f"cannot write {path}: {error.strerror}",
        remedy="Correct the permissions or name a folder that can be written.",
    )


def _write_new(folder: int, name: str, content: bytes) -> None:
    """Write and fsync a file that was not there; a short write is continued."""
    descriptor = os.open(name, _NEW, 0o644, dir_fd=folder)
    try:
        view = memoryview(content)
        while view:
            view = view[os.write(descriptor, view) :]
        os.fsync(descriptor)
    except OSError:
        with suppress(OSError):
            os.unlink(name, dir_fd=folder)
        raise
    finally:
        os.close(descriptor)


def _status(name: str, folder: int) -> os.stat_result | None:
    try:
        return os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return None


def kind(mode: int) -> str:
    """What a file is that is not regular, in words."""
    kinds = {
        stat.S_IFLNK: "a symbolic link",
        stat.S_IFDIR: "a folder",
        stat.S_IFIFO: "a FIFO",
        stat.S_IFSOCK: "a socket",
        stat.S_IFCHR: "a device",
        stat.S_IFBLK: "a device",
    }
    return kinds.get(stat.S_IFMT(mode), "something else")
