"""The one door to files that a user names for output: replaced whole, and nothing but a file is overwritten.

A regular file, or nothing, is replaced by a temporary file beside it (rename(2)): a reader sees the old content or
the new one.  A link is followed to the file that it leads to.  What only passes on or drops what it is given is
written to: an open descriptor (/dev/stdout, /dev/fd/N), a FIFO that is read, a terminal, /dev/null.  Everything else
is refused: a disk holds data, and a file of a result store is a measurement that nobody can repeat.
"""

from __future__ import annotations

import errno
import io
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from results.errors import ResultsError
from results.store.files import TEMPORARY, cannot_write, kind
from results.store.marker import is_store

_PERMISSIONS = 0o777
_READABLE = 0o644
_MOST_LINKS = 40  # as the kernel, path_resolution(7)
_SINKS = frozenset({(1, 3), (1, 7)})
"""Devices that keep nothing: /dev/null and /dev/full (null(4), full(4))."""
_TERMINALS = frozenset({4, 5, *range(136, 144)})
"""Major numbers of consoles, /dev/tty and pseudo-terminals (Linux, admin-guide/devices)."""


@dataclass(frozen=True)
class _Place:
    """Where an output goes: a path without links, what lies there, and its descriptor where it is open already."""

    path: Path
    status: os.stat_result | None
    descriptor: int | None = None

    @property
    def replaced(self) -> bool:
        """Whether a new file takes this place."""
        return self.descriptor is None and (self.status is None or stat.S_ISREG(self.status.st_mode))


@contextmanager
def writing(path: Path, *, public: bool = False) -> Iterator[BinaryIO]:
    """A stream to what ``path`` names; a file appears there at the end, whole, or stays as it was.

    An old file's mode and owner are kept.  A ``public`` new file may be read by every user, whatever the umask:
    collectors, web servers and CI read as other users than root.

    Raises:
        ResultsError: an output must not go there, or cannot.
    """
    try:
        place = _allowed(path)
        with _replacing(place, public=public) if place.replaced else _passing(place) as stream:
            yield stream
    except OSError as error:
        raise cannot_write(path, error) from error


def write(path: Path, content: bytes, *, public: bool = False) -> None:
    """Write a whole output; as :func:`writing`."""
    with writing(path, public=public) as stream:
        stream.write(content)


def check(path: Path, store: Path | None = None) -> None:
    """Raise ResultsError where :func:`writing` would: to be asked before hours or minutes are spent.

    ``store`` is one that will be made by then.
    """
    try:
        place = _allowed(path, store)
    except OSError as error:
        raise cannot_write(path, error) from error
    folder = place.path.parent
    if place.replaced and not os.access(folder, os.W_OK | os.X_OK):
        raise ResultsError(
            f"cannot write {path}: the folder does not exist or cannot be written",
            remedy=f"Make it, or name another: mkdir -p {folder}",
        )


def refuse_store(path: Path, store: Path | None = None) -> None:
    """Raise ResultsError where ``path`` lies within a result store, or within ``store``, which need not be one yet."""
    coming = None if store is None else Path(os.path.realpath(store))
    within = Path(os.path.realpath(path)).parents
    found = next((folder for folder in within if folder == coming or is_store(folder)), None)
    if found is not None:
        raise ResultsError(
            f"{path} lies in the result store {found}, which keeps measurements alone",
            remedy="Name a place outside of the store.",
        )


def _allowed(path: Path, store: Path | None = None) -> _Place:
    """Where an output to ``path`` goes; raises ResultsError where it must not, OSError where it cannot."""
    place = _followed(path)
    if place.descriptor is None:
        refuse_store(place.path, store)
    mode = place.status.st_mode if place.status is not None else stat.S_IFREG
    stream = place.descriptor is not None and stat.S_ISSOCK(mode)  # which a standard stream may be
    if not (stat.S_ISREG(mode) or stat.S_ISFIFO(mode) or stream or _keeps_nothing(place.status)):
        raise ResultsError(
            f"{path} is {kind(mode)}, to which no output is written",
            remedy="Name a regular file, or one that is not there yet.",
        )
    return place


def _keeps_nothing(status: os.stat_result | None) -> bool:
    """Whether this is a device that drops or shows what it is given."""
    if status is None or not stat.S_ISCHR(status.st_mode):
        return False
    major, minor = os.major(status.st_rdev), os.minor(status.st_rdev)
    return (major, minor) in _SINKS or major in _TERMINALS


def _followed(path: Path) -> _Place:
    """What ``path`` names, links followed one by one: some lead to descriptors of this process, not to a path.

    Links of another user are not followed: root would replace a file of that user's choice.
    """
    for _ in range(_MOST_LINKS):
        folder = Path(os.path.realpath(path.parent))
        here = folder / path.name
        if folder == Path(f"/proc/{os.getpid()}/fd") and path.name.isdecimal():
            return _Place(here, os.fstat(int(path.name)), int(path.name))
        try:
            status = here.lstat()
        except FileNotFoundError:
            return _Place(here, None)
        if not stat.S_ISLNK(status.st_mode):
            return _Place(here, status)
        if status.st_uid not in {0, os.geteuid()}:
            raise ResultsError(
                f"{here} is a link of user {status.st_uid}, which is not followed",
                remedy="Name a file in a folder of your own.",
            )
        path = folder / here.readlink()
    raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))


@contextmanager
def _replacing(place: _Place, *, public: bool) -> Iterator[BinaryIO]:
    """A new file that takes the place at the end; raises OSError."""
    old = place.status
    temporary = f".stripelab-{secrets.token_hex(8)}{TEMPORARY}"  # hidden: no collector takes it for a file of its own
    folder = os.open(place.path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(temporary, flags, _READABLE if old is None else 0o600, dir_fd=folder)
        try:
            with os.fdopen(descriptor, "wb") as stream:
                yield stream
                stream.flush()
                if old is not None:
                    with suppress(PermissionError):
                        os.fchown(descriptor, old.st_uid, old.st_gid)
                    os.fchmod(descriptor, old.st_mode & _PERMISSIONS)
                elif public:
                    os.fchmod(descriptor, _READABLE)
                os.fsync(descriptor)
            os.rename(temporary, place.path.name, src_dir_fd=folder, dst_dir_fd=folder)
        except BaseException:
            with suppress(OSError):
                os.unlink(temporary, dir_fd=folder)
            raise
        with suppress(OSError):  # some file systems cannot; the file is whole all the same
            os.fsync(folder)
    finally:
        os.close(folder)


@contextmanager
def _passing(place: _Place) -> Iterator[BinaryIO]:
    """What is there, to write to it; raises OSError."""
    descriptor = os.dup(place.descriptor) if place.descriptor is not None else _opened(place)
    with io.BufferedWriter(cast("io.RawIOBase", _Onward(descriptor))) as stream:
        yield cast("BinaryIO", stream)


class _Onward(io.FileIO):
    """A file that cannot be asked where it is, for writers of formats that have offsets."""

    def __init__(self, descriptor: int) -> None:
        super().__init__(descriptor, "wb")
        self._written = 0

    def write(self, content: object) -> int:
        count = super().write(content)  # type: ignore[arg-type]  # whatever has a buffer
        self._written += count
        return count

    def tell(self) -> int:
        return self._written

    def seekable(self) -> bool:
        return False


def _opened(place: _Place) -> int:
    """Descriptor of a FIFO or device; it waits for nobody, and is what was looked at."""
    try:
        descriptor = os.open(place.path, os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError as error:
        if error.errno == errno.ENXIO:
            raise OSError(errno.ENXIO, "no program reads from it") from None
        raise
    found, before = os.fstat(descriptor), place.status
    if before is None or (found.st_ino, found.st_dev) != (before.st_ino, before.st_dev):
        os.close(descriptor)
        raise OSError(errno.ESTALE, os.strerror(errno.ESTALE))
    os.set_blocking(descriptor, True)
    return descriptor
