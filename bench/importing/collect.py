"""Which files there are to read, and which lie beside others."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from stat import S_ISDIR, S_ISREG

from bench.errors import ImportFailedError
from bench.importing.batch import File, Remark
from bench.importing.fio_logs import is_log


def collect(places: Sequence[Path]) -> tuple[list[File], list[Remark]]:
    """Files in the order of their paths, each once; and what could not be looked into.

    fio's logs are no files of their own: each file has those of its folder.

    Raises:
        ImportFailedError: a place is not there, cannot be read, or is neither a file nor a folder.
    """
    found: dict[str, File] = {}
    skipped: list[Remark] = []
    for place in places:
        try:
            status = place.stat()
            if S_ISDIR(status.st_mode):
                found |= {file.path: file for file in _below(place, skipped)}
                continue
            with os.scandir(place.parent) as entries:
                logs = _logs(entry.name for entry in entries)
        except FileNotFoundError:
            remedy = "Name files, or folders with files in them."
            raise ImportFailedError(f"{place} is not there", remedy=remedy) from None
        except OSError as error:
            raise ImportFailedError(f"{error.filename} cannot be read: {error.strerror}") from error
        if not S_ISREG(status.st_mode):
            remedy = "Save what it gives to a file, and name that."
            raise ImportFailedError(f"{place} is not a regular file", remedy=remedy)
        found[str(place)] = File(str(place), status.st_size, logs)
    return [found[path] for path in sorted(found)], skipped


def _below(top: Path, skipped: list[Remark]) -> Iterator[File]:
    """Files of a tree; links to folders are not followed, so that no file comes twice and no tree is endless."""

    def note(error: OSError) -> None:
        skipped.append(Remark(str(error.filename), f"cannot be read: {error.strerror}"))

    for folder, folders, names in os.walk(top, onerror=note):
        folders.sort()
        logs = _logs(names)
        apart = set(logs)
        for name in sorted(names):
            if name in apart or is_log(name):
                continue
            path = os.path.join(folder, name)  # noqa: PTH118 - a tree of a hundred thousand files
            try:
                status = os.stat(path)  # noqa: PTH116 - as above
            except OSError as error:
                skipped.append(Remark(path, f"it cannot be read: {error.strerror}"))
                continue
            if S_ISREG(status.st_mode):
                yield File(path, status.st_size, logs)
            else:
                skipped.append(Remark(path, "it is no plain file"))


def _logs(names: Iterator[str] | Sequence[str]) -> tuple[str, ...]:
    """Those of fio's logs that are read."""
    return tuple(sorted(name for name in names if is_log(name)))
