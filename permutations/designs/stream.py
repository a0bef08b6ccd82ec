"""Random numbers that are the same on every machine and with every version of numpy.

numpy guarantees that the raw stream of a bit generator never changes; its distributions may change
between versions, so the few that are needed are implemented here.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_HIGH = np.uint64(32)


class Stream:
    """One seeded stream; ``label`` separates the streams of different uses."""

    def __init__(self, seed: int, label: str = "") -> None:
        digest = hashlib.sha256(f"{seed}/{label}".encode()).digest()
        self._bits = np.random.PCG64(int.from_bytes(digest[:16], "big"))

    def below(self, limit: int) -> int:
        """A whole number from 0 to ``limit`` - 1, ``limit`` at most 2^32."""
        return (int(self._bits.random_raw()) >> 32) * limit >> 32

    def several(self, limit: int, count: int) -> NDArray[np.int64]:
        """``count`` whole numbers from 0 to ``limit`` - 1."""
        raw = np.asarray(self._bits.random_raw(count), dtype=np.uint64) >> _HIGH
        return (raw * np.uint64(limit) >> _HIGH).astype(np.int64)

    def fractions(self, count: int) -> NDArray[np.float64]:
        """``count`` numbers from 0 to below 1, 32 bits each."""
        raw = np.asarray(self._bits.random_raw(count), dtype=np.uint64) >> _HIGH
        return raw.astype(np.float64) / 2.0**32

    def fraction(self) -> float:
        """One number from 0 to below 1."""
        return (int(self._bits.random_raw()) >> 32) / 2.0**32

    def shuffled(self, count: int) -> NDArray[np.int64]:
        """0 to ``count`` - 1 in random order."""
        return np.argsort(np.asarray(self._bits.random_raw(count), dtype=np.uint64), kind="stable").astype(np.int64)
