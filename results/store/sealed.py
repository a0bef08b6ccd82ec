"""Parquet files that no flipped byte gets past.

Parquet's page checksums (parquet-format, "Checksumming") cover the pages and leave out page headers
and the footer, where one flipped bit can turn figures into other figures in silence.  So each file
also carries a *seal*: a magic word and a SHA-256 of all its other bytes, in the gap between the last
page and the footer.  Readers find the footer from the end of the file and the pages by their
offsets, so a sealed file is an ordinary Parquet file to every other program.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from results.errors import ResultsError
from results.store.files import LARGE_BYTES, MEDIUM_BYTES, Folder, OddFileError
from results.store.schema import arrow_schema

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

_MAGIC = b"stripelab sha256"
_SEAL_BYTES = len(_MAGIC) + hashlib.sha256().digest_size
_TRAILER_BYTES = 8  # length of the footer, then PAR1
_CHUNK_BYTES = 1 << 20  # read at a time where a file is only checked
_BULKY = frozenset({"raw_zlib"})
_DESCRIPTORS = Path("/proc/self/fd")

MOST_COLUMNS = 512
"""Of any file, those within lists counted as well."""
_SMALL = (1 << 20, 256 << 20)
"""Most rows and decoded bytes of a row group of trials or environments: a thousand times what a bundle has."""
_LARGE = (1 << 26, 4 << 30)
"""The same of their companions, where it is as long as a trial: a week of seconds of a hundred series."""


class DamagedFileError(Exception):
    """The file is torn, changed or not one of ours; the text says which."""


@dataclass(frozen=True)
class SealedTable:
    """A table as it came out of a whole file, with the file's digest and the names of all its columns."""

    table: pa.Table
    digest: str
    columns: tuple[str, ...]


def encode(table: pa.Table) -> tuple[bytes, str]:
    """Bytes of a sealed Parquet file that holds ``table``, and their digest."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="zstd", write_page_checksum=True)
    return _seal(sink.getvalue())


def encode_groups(
    table: str, groups: Iterable[pa.Table], metadata: Callable[[], Mapping[bytes, bytes]]
) -> tuple[bytes, str]:
    """Bytes and digest of a sealed file of ``table`` with a row group for each of ``groups``.

    ``metadata`` is asked for when all have been written.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    sink = pa.BufferOutputStream()
    schema = arrow_schema(table)
    plain = [name for name in schema.names if name not in _BULKY]  # of the others no two values are equal
    with pq.ParquetWriter(
        sink, schema, compression="zstd", write_page_checksum=True, use_dictionary=plain, write_statistics=plain
    ) as writer:
        for group in groups:
            writer.write_table(group, row_group_size=max(1, group.num_rows))
        writer.add_key_value_metadata(metadata())
    return _seal(sink.getvalue())


def _seal(buffer: pa.Buffer) -> tuple[bytes, str]:
    """A Parquet file with its seal put in, and the digest."""
    plain = buffer.to_pybytes()
    cut = len(plain) - _TRAILER_BYTES - int.from_bytes(plain[-8:-4], "little")
    digest = hashlib.sha256(plain)
    return plain[:cut] + _MAGIC + digest.digest() + plain[cut:], digest.hexdigest()


def check(content: bytes) -> str:
    """Digest of a whole file's ``content``; raises :class:`DamagedFileError` where a byte is not as written."""
    return _check(io.BytesIO(content), len(content))


def digest(folder: Folder, name: str) -> str:
    """Digest of a whole file, read piece by piece and not decoded.

    Raises:
        DamagedFileError: it is torn, changed or foreign.
        ResultsError: it cannot be read at all.
    """
    with _reading(folder, name), folder.open(name) as file:
        return _check(file, os.fstat(file.fileno()).st_size)


def _check(file: BinaryIO, size: int) -> str:
    """Digest of a file of ``size`` bytes; raises DamagedFileError."""
    start = _at(file, 0, 4)
    if size < _SEAL_BYTES + _TRAILER_BYTES + 4 or start != b"PAR1":
        raise DamagedFileError("is no Parquet file, or the beginning of one")
    trailer = _at(file, size - _TRAILER_BYTES, _TRAILER_BYTES)
    if trailer[-4:] != b"PAR1":
        raise DamagedFileError("is torn: the end of the file is missing")
    seal_end = size - _TRAILER_BYTES - int.from_bytes(trailer[:4], "little")
    seal_start = seal_end - _SEAL_BYTES
    seal = _at(file, seal_start, _SEAL_BYTES) if seal_start >= 4 else b""
    if seal[: len(_MAGIC)] != _MAGIC:
        raise DamagedFileError("carries no seal of stripelab: it is damaged, or another program wrote it")
    found = hashlib.sha256()
    for begin, end in ((0, seal_start), (seal_end, size)):
        file.seek(begin)
        left = end - begin
        while left and (piece := file.read(min(left, _CHUNK_BYTES))):
            found.update(piece)
            left -= len(piece)
    if found.digest() != seal[len(_MAGIC) :]:
        raise DamagedFileError("is damaged: its bytes are not those that were written")
    return found.hexdigest()


def _at(file: BinaryIO, place: int, count: int) -> bytes:
    """``count`` bytes from ``place``; fewer where the file ends."""
    file.seek(place)
    return file.read(count) or b""


@contextlib.contextmanager
def _reading(folder: Folder, name: str) -> Iterator[None]:
    """The words for a file that is not there or cannot be read."""
    try:
        yield
    except FileNotFoundError:
        raise DamagedFileError("is missing") from None
    except OddFileError as error:
        raise DamagedFileError(f"is not read: {error.strerror}") from None
    except OSError as error:
        raise ResultsError(
            f"cannot read {folder.path / name}: {error.strerror}", remedy="Correct the permissions or look at `dmesg`."
        ) from error


def read(folder: Folder, name: str, columns: Collection[str] | None = None, *, large: bool = False) -> SealedTable:
    """Read a sealed file whole, and decode those of ``columns`` that it has; all where none are named.

    Files of trials and environments are small; ``large`` reads one that may be a companion of trials.

    Raises:
        DamagedFileError: it is torn, changed, foreign, or larger than such a file can be.
        ResultsError: it cannot be read at all.
    """
    import pyarrow as pa

    with _reading(folder, name):
        content = folder.read(name, LARGE_BYTES if large else MEDIUM_BYTES)
    found = check(content)
    try:
        file = _parquet(pa.BufferReader(content))
        _check_bounds(file, *(_LARGE if large else _SMALL))
        # In this thread alone: a small file gains nothing from a pool, and a pool can abort the process at its end.
        table = file.read(columns=None if columns is None else list(columns), use_threads=False)
    except (pa.ArrowException, OSError) as error:
        raise DamagedFileError(f"cannot be decoded: {error}") from error
    return SealedTable(table, found, tuple(file.schema_arrow.names))


def _check_bounds(file: pq.ParquetFile, most_rows: int, most_bytes: int) -> None:
    """Raise DamagedFileError where a file says that it holds more than one of ours can: before anything is decoded."""
    metadata = file.metadata
    if metadata.num_columns > MOST_COLUMNS:
        raise DamagedFileError(f"has {metadata.num_columns:,} columns; a file of a store has fewer")
    for number in range(metadata.num_row_groups):
        group = metadata.row_group(number)
        if not (0 <= group.num_rows <= most_rows and 0 <= group.total_byte_size <= most_bytes):
            raise DamagedFileError(f"says that {group.num_rows:,} rows lie together: more than are read")


@contextlib.contextmanager
def parquet_file(folder: Folder, name: str, dictionaries: Sequence[str] = ()) -> Iterator[pq.ParquetFile]:
    """A Parquet file opened to read, its page checksums verified; ``dictionaries`` are columns to keep encoded.

    Raises:
        DamagedFileError: it says that it holds more than a file of a store can.
        OSError: it cannot be opened, or is no regular file.
    """
    import pyarrow as pa

    with folder.open(name) as opened:
        # By its descriptor Arrow reads without Python's lock, and still what was opened here.
        again = _DESCRIPTORS / str(opened.fileno())
        source = pa.OSFile(str(again)) if again.exists() else opened
        with _parquet(source, dictionaries) as file:
            _check_bounds(file, *_LARGE)
            yield file


def _parquet(source: pa.NativeFile | BinaryIO, dictionaries: Sequence[str] = ()) -> pq.ParquetFile:
    import pyarrow.parquet as pq

    return pq.ParquetFile(source, page_checksum_verification=True, pre_buffer=False, read_dictionary=list(dictionaries))


def rows_in(content: bytes) -> int:
    """Rows of a Parquet file's ``content``."""
    import pyarrow as pa

    with _parquet(pa.BufferReader(content)) as file:
        return int(file.metadata.num_rows)
