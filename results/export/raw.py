"""The engine's own output, byte for byte as it was when it was stored."""

from __future__ import annotations

import re
import zlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from results.errors import ResultsError
from results.outfile import refuse_store
from results.store.files import cannot_write
from results.store.pieces import pieces
from results.store.query import StoreFrames

_SAFE = re.compile(r"[^A-Za-z0-9._-]+")
MOST_BYTES = 256 << 20
"""Largest output of an engine that is unpacked."""


@dataclass(frozen=True)
class RawOutput:
    """What an engine printed in one trial and workload; ``imported_from`` is the file that it came from."""

    trial_id: str
    workload: str
    engine: str
    imported_from: str | None
    content: bytes


def raw_outputs(frames: StoreFrames, engines: Collection[str] = ("fio",)) -> Iterator[RawOutput]:
    """Raw outputs of these engines, in the order of the store's files, one at a time.

    Raises:
        ResultsError: one cannot be decompressed.
    """
    sources = {trial.trial_id: trial.imported_from for trial in frames.trial_rows()}
    columns = ("trial_id", "workload", "engine", "raw_zlib")
    for piece in pieces(frames.store, "observations", columns, sources):
        for row in piece.wanted().to_pylist():
            if row["raw_zlib"] is None or row["engine"] not in engines:
                continue
            try:
                content = _decompressed(row["raw_zlib"])
            except zlib.error as error:
                raise ResultsError(
                    f"the output of trial {row['trial_id']} cannot be decompressed: {error}",
                    remedy="Run the same command again; if it fails again, look at `dmesg` for errors of the disk.",
                ) from error
            yield RawOutput(row["trial_id"], row["workload"], row["engine"], sources[row["trial_id"]], content)


def _decompressed(packed: bytes) -> bytes:
    """An output as it was; raises zlib.error where that is more than any output has."""
    unpacking = zlib.decompressobj()
    content = unpacking.decompress(packed, MOST_BYTES)
    if unpacking.unconsumed_tail:
        raise zlib.error(f"it has more than {MOST_BYTES >> 20} MiB")
    return content + unpacking.flush()


def write_raw(frames: StoreFrames, folder: Path) -> int:
    """Write each of fio's outputs as ``TRIAL-WORKLOAD.json`` into ``folder``, which is made.  Returns the files.

    Raises:
        ResultsError: a file is there already, the folder is one of a store, or it cannot be written.
    """
    refuse_store(folder / "any")
    count = 0
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for each in raw_outputs(frames):
            target = folder / f"{each.trial_id}-{_SAFE.sub('-', each.workload)[:80].strip('-') or 'workload'}.json"
            with target.open("xb") as out:
                out.write(each.content)
            count += 1
    except FileExistsError as error:
        raise ResultsError(
            f"{error.filename} is there already", remedy="Name a new folder: nothing is written over."
        ) from error
    except OSError as error:
        raise cannot_write(folder, error) from error
    return count
