"""The latency histogram of fio.

``stat.h`` of fio: 6 bits, 29 groups. Log-linear, exact below 128 ns, a bucket's relative width at most 1/64 above.
The C library counts by the same rule (``sl_bucket_index``); what a bucket stands for is asked here.
"""

from __future__ import annotations

BITS = 6
GROUPS = 29
PER_GROUP = 1 << BITS
BUCKETS = GROUPS << BITS
"""Buckets of the histogram."""

UINT64_MAX = (1 << 64) - 1


def bucket_index(value_ns: int, /) -> int:
    """Bucket that counts ``value_ns``; the last one takes everything above its lower bound.

    Raises ValueError for a value that is negative or needs more than 64 bits.
    """
    _require(value_ns, "value_ns", UINT64_MAX)
    if value_ns < 2 * PER_GROUP:
        return value_ns
    dropped_bits = value_ns.bit_length() - 1 - BITS
    offset = (value_ns >> dropped_bits) & (PER_GROUP - 1)
    return min(((dropped_bits + 1) << BITS) + offset, BUCKETS - 1)


def bucket_midpoint_ns(index: int, /) -> int:
    """Value that stands for bucket ``index`` in fio's output: its midpoint.

    Raises ValueError for an index outside 0 … BUCKETS - 1.
    """
    _require(index, "index", BUCKETS - 1)
    if index < 2 * PER_GROUP:
        return index
    dropped_bits = (index >> BITS) - 1
    lower = (PER_GROUP + (index & (PER_GROUP - 1))) << dropped_bits
    return lower + (1 << (dropped_bits - 1))


def _require(value: object, name: str, largest: int) -> None:
    """Refuse what the C library cannot hold, with the exceptions of the binding."""
    if not isinstance(value, int):
        raise TypeError(f"{name} is no integer")
    if not 0 <= value <= largest:
        raise ValueError(f"{name} is out of range")
