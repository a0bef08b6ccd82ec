"""Arrow arrays from Python values, without ``pyarrow.array``: that imports pandas, to recognise its objects.

A store is written inside a slow virtual machine, where to import pandas takes longer than many a trial.
The layout of the buffers is that of the Arrow columnar format (validity bitmap, offsets, values).
"""

from __future__ import annotations

import math
import numbers
from array import array
from collections.abc import Iterable, Sequence
from itertools import accumulate, chain
from typing import TYPE_CHECKING, Any

from results.text import encodable

if TYPE_CHECKING:
    import pyarrow as pa


def arrow_array(values: Sequence[Any], kind: pa.DataType) -> pa.Array:
    """Values as an array of ``kind``, None as null.

    ``kind`` is one of the types of the store: string, binary, int64, float64, bool, or a list of one of them.

    Raises:
        TypeError: a value is of another kind, or ``kind`` is none of these.
        OverflowError: a whole number of more than 64 bits, or more than 2 GiB of words.
    """
    import pyarrow as pa

    nulls = values.count(None)
    if nulls and nulls == len(values) and not pa.types.is_list(kind):
        return pa.nulls(nulls, kind)
    validity = pa.py_buffer(_bits([value is not None for value in values])) if nulls else None
    if pa.types.is_list(kind):
        if not nulls and not any(values):  # most lists of most rows
            inner = arrow_array([], kind.value_type)
            return pa.Array.from_buffers(
                kind, len(values), [None, pa.py_buffer(bytes(4 * len(values) + 4))], 0, children=[inner]
            )
        given = [value or () for value in values]
        inner = arrow_array(list(chain.from_iterable(given)), kind.value_type)
        offsets = pa.py_buffer(_offsets(map(len, given)))
        return pa.Array.from_buffers(kind, len(values), [validity, offsets], nulls, children=[inner])
    if kind in {pa.string(), pa.binary()}:
        words = _words(values, text=kind == pa.string())
        buffers = [validity, pa.py_buffer(_offsets(map(len, words))), pa.py_buffer(b"".join(words))]
        return pa.Array.from_buffers(kind, len(values), buffers, nulls)
    encode = {pa.int64(): _whole_numbers, pa.float64(): _real_numbers, pa.bool_(): _truths}.get(kind)
    if encode is None:
        raise TypeError(f"no column of the store is of the type {kind}")
    return pa.Array.from_buffers(kind, len(values), [validity, pa.py_buffer(encode(values))], nulls)


def plain(column: pa.ChunkedArray | pa.Array) -> list[Any]:
    """A column's values as plain Python ones: null as None, lists as tuples, of which one that is null is empty.

    As ``to_pylist``, which makes an object of Arrow's of every value first and so takes several times as long.
    """
    import pyarrow as pa

    if len(column) == 0:  # combining no chunks makes an array of Python values, for which pandas is imported
        return []
    values = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    kind = values.type
    if values.null_count == len(values):
        return [() if pa.types.is_list(kind) else None] * len(values)
    if pa.types.is_list(kind):
        ends = list(accumulate(length or 0 for length in plain(values.value_lengths())))
        inner = plain(values.flatten())
        return [tuple(inner[start:end]) for start, end in zip([0, *ends], ends, strict=False)]
    if pa.types.is_string(kind):
        coded = values.dictionary_encode()
        words: list[Any] = coded.dictionary.to_pylist()
        return [None if place is None else words[place] for place in plain(coded.indices)]
    code = {pa.int64(): "q", pa.int32(): "i", pa.float64(): "d"}.get(kind)
    if values.null_count == 0 and code is not None:
        numbered: array[Any] = array(code)
        start, stop = (place * numbered.itemsize for place in (values.offset, values.offset + len(values)))
        numbered.frombytes(memoryview(values.buffers()[1])[start:stop])
        return numbered.tolist()
    found: list[Any] = values.to_pylist()
    return found


def empty_lists(length: int, kind: pa.DataType) -> pa.Array:
    """An array of ``length`` empty lists."""
    return arrow_array([()] * length, kind)


def _bits(flags: Iterable[bool]) -> bytes:
    """Flags as a bitmap, the least significant bit first."""
    text = "".join(["1" if flag else "0" for flag in flags])[::-1]
    return int(text or "0", 2).to_bytes(-(-len(text) // 8), "little")


def _offsets(lengths: Iterable[int]) -> bytes:
    """Where each value begins, and where the last one ends."""
    return array("i", accumulate(lengths, initial=0)).tobytes()


def _words(values: Sequence[Any], *, text: bool) -> list[bytes]:
    """Each value as bytes, an empty one for None."""
    if text and set(map(type, values)) <= {str}:
        try:
            return list(map(str.encode, values))
        except UnicodeEncodeError:  # a name of bytes that are not UTF-8
            return [encodable(value).encode() for value in values]
    return [_word(value, text=text) for value in values]


def _word(value: Any, *, text: bool) -> bytes:
    if value is None:
        return b""
    if not isinstance(value, str if text else bytes):
        raise _misfit(value, "text" if text else "bytes")
    return encodable(value).encode() if isinstance(value, str) else bytes(value)


def _whole_numbers(values: Sequence[Any]) -> bytes:
    if set(map(type, values)) <= {int}:  # nearly always, and much quicker than to look at each
        return array("q", values).tobytes()
    if set(map(type, values)) <= {int, type(None)}:
        return array("q", [0 if value is None else value for value in values]).tobytes()
    return array("q", (int(_checked(value, numbers.Integral, "a whole number")) for value in values)).tobytes()


def _real_numbers(values: Sequence[Any]) -> bytes:
    if set(map(type, values)) <= {float}:
        return array("d", values).tobytes()
    if set(map(type, values)) <= {float, type(None)}:
        return array("d", [math.nan if value is None else value for value in values]).tobytes()
    return array(
        "d", (float(_checked(value, numbers.Real, "a number")) if value is not None else math.nan for value in values)
    ).tobytes()


def _truths(values: Sequence[Any]) -> bytes:
    for value in values:
        if value is not None and not isinstance(value, bool):
            raise _misfit(value, "true or false")
    return _bits(map(bool, values))


def _checked(value: Any, kind: type, words: str) -> Any:
    """The value, 0 for None; raises TypeError unless it is of ``kind``."""
    if value is None:
        return 0
    if not isinstance(value, kind) or isinstance(value, bool):
        raise _misfit(value, words)
    return value


def _misfit(value: Any, wanted: str) -> TypeError:
    return TypeError(f"{value!r} is not {wanted}")
