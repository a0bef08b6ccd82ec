"""Bundles: the files of many trials merged into one per table, so that a store of any size opens quickly.

To open a Parquet file costs more than to read the figures of a short trial from it, so of many trials with
four files each most of the time would go into opening files.  A bundle is a sealed Parquet file like any other;
its metadata list the trials in it, in the order of their rows and with the number of these.  A row group
ends where a trial does, so the rows of a trial are read without reading those of its neighbours in other
row groups.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from results.store import sealed
from results.store.files import Folder, parse_json
from results.store.rows import conform

if TYPE_CHECKING:
    import pyarrow as pa

ROW_GROUP_ROWS = 1 << 16
ROW_GROUP_BYTES = 8 << 20
"""A row group is closed when either is reached; its rows are all that a reader holds at a time."""

_INDEX = b"stripelab_bundle"
_PREFIX = "bundle+"  # no id of a trial has a plus sign


def is_bundle(name: str) -> bool:
    """Whether a file of this name (without its suffix) is a bundle."""
    return name.startswith(_PREFIX)


def bundle_name(trial_ids: Iterable[str]) -> str:
    """The name of the bundle of these trials, made from their ids."""
    return _PREFIX + hashlib.sha256("\n".join(trial_ids).encode()).hexdigest()[:24]


def rows_of_trials(metadata: Mapping[bytes, bytes] | None) -> list[tuple[str, int]]:
    """Trials of a bundle with their numbers of rows, in the order in which they lie there.

    Raises:
        DamagedFileError: the file's metadata have no such list.
    """
    try:
        found = [(str(trial_id), int(rows)) for trial_id, rows in parse_json((metadata or {})[_INDEX])]
    except (KeyError, ValueError, TypeError, OverflowError) as error:
        raise sealed.DamagedFileError("is called a bundle, but has no list of trials") from error
    if any(rows < 0 for _, rows in found):
        raise sealed.DamagedFileError("lists trials with fewer than no rows")
    return found


def index_metadata(rows: Sequence[tuple[str, int]]) -> dict[bytes, bytes]:
    """The list of trials with their numbers of rows, as a bundle carries it."""
    return {_INDEX: json.dumps(rows).encode()}


def trials_in(metadata: Mapping[bytes, bytes] | None) -> list[str]:
    """Trials of a bundle, in the order of their rows; raises DamagedFileError as :func:`rows_of_trials`."""
    return [trial_id for trial_id, _ in rows_of_trials(metadata)]


def merge(
    folder: Folder, table: str, files: Sequence[tuple[str, str]], metadata: Mapping[bytes, bytes]
) -> tuple[bytes, str]:
    """Bytes and digest of a bundle of ``files`` (trial and name in the folder), with further ``metadata``.

    A row group is all that is held decoded at a time.

    Raises:
        DamagedFileError: a file is not whole any more.
    """
    return encode(
        table, ((key, conform(table, sealed.read(folder, name, large=True).table)) for key, name in files), metadata
    )


def encode(table: str, trials: Iterable[tuple[str, pa.Table]], metadata: Mapping[bytes, bytes]) -> tuple[bytes, str]:
    """Bytes and digest of a bundle of ``trials`` (id and rows), with further ``metadata``."""
    index: list[tuple[str, int]] = []

    def groups() -> Iterable[pa.Table]:
        import pyarrow as pa

        waiting: list[pa.Table] = []
        rows = size = 0
        for trial_id, found in trials:
            index.append((trial_id, found.num_rows))
            waiting.append(found)
            rows, size = rows + found.num_rows, size + found.nbytes
            if rows >= ROW_GROUP_ROWS or size >= ROW_GROUP_BYTES:
                yield pa.concat_tables(waiting)
                waiting, rows, size = [], 0, 0
        if waiting:
            yield pa.concat_tables(waiting)

    return sealed.encode_groups(table, groups(), lambda: {**metadata, **index_metadata(index)})
