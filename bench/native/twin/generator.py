"""Which I/O comes next: direction, size, file and offset, from two streams of random numbers.

Draw for draw what ``generator.c`` does, so that a workload is the same whichever implementation runs it.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from typing import NamedTuple

from bench.native.text import PARETO, READ, SYNC, UINT64_MAX, WRITE, ZIPF, Options, Split, parse

GOLDEN = 0x9E3779B97F4A7C15
MIX_1 = 0xBF58476D1CE4E5B9
MIX_2 = 0x94D049BB133111EB


class Request(NamedTuple):
    """One I/O; offset and length in bytes."""

    direction: int
    file: int
    offset: int
    length: int
    sequence: int
    """Of a write: 1 for the first of the job; of a sync: the last write before it; of a read 0."""


class Stream:
    """splitmix64 (Steele, Lea and Flood, OOPSLA 2014)."""

    __slots__ = ("state",)

    def __init__(self, state: int) -> None:
        self.state = state & UINT64_MAX

    def next(self) -> int:
        """64 random bits."""
        self.state = (self.state + GOLDEN) & UINT64_MAX
        value = ((self.state ^ (self.state >> 30)) * MIX_1) & UINT64_MAX
        value = ((value ^ (value >> 27)) * MIX_2) & UINT64_MAX
        return value ^ (value >> 31)

    def below(self, count: int) -> int:
        """Uniform in 0 … count - 1 (Lemire, ACM TOMACS 29, 2019, without the rejection)."""
        return (self.next() * count) >> 64

    def unit_interval(self) -> float:
        """Uniform in [0, 1), of 53 bits."""
        return (self.next() >> 11) * 2.0**-53


def permute(index: int, count: int, key: int) -> int:
    """A permutation of 0 … count - 1 chosen by ``key``.

    A Feistel network of four rounds on the fewest bits that hold ``count - 1``, walked until it lands below ``count``
    (Black and Rogaway, CT-RSA 2002).
    """
    bits = (count - 1).bit_length() if count > 2 else 2
    low_bits = bits // 2
    high_bits = bits - low_bits
    while True:
        for turn in range(4):
            low = index & ((1 << low_bits) - 1)
            high = index >> low_bits
            mixed = ((low + key + turn) * GOLDEN) & UINT64_MAX
            mixed = ((mixed ^ (mixed >> 32)) * MIX_1) & UINT64_MAX
            index = (low << high_bits) | ((high ^ (mixed >> 32)) & ((1 << high_bits) - 1))
            low_bits, high_bits = high_bits, low_bits
        if index < count:
            return index


class Zipf:
    """Ranks by rejection-inversion (Hörmann and Derflinger, ACM TOMACS 6, 1996): exact for any number, no table."""

    __slots__ = ("cut", "start", "theta")

    def __init__(self, theta: float) -> None:
        self.theta = theta
        self.start = self.integral(1.5) - 1
        self.cut = 2 - self._inverse(self.integral(2.5) - math.exp(-theta * math.log(2)))

    def integral(self, x: float) -> float:
        """Of x^-theta, from 1."""
        log_x = math.log(x)
        scaled = (1 - self.theta) * log_x
        if abs(scaled) <= 1e-8:
            return log_x * (1 + scaled / 2)
        return math.expm1(scaled) / (1 - self.theta)

    def _inverse(self, y: float) -> float:
        scaled = y * (1 - self.theta)
        if scaled <= -1:  # where C has an infinity
            return math.inf
        try:
            return math.exp(math.log1p(scaled) / (1 - self.theta) if abs(scaled) > 1e-8 else y * (1 - scaled / 2))
        except OverflowError:
            return math.inf

    def rank(self, stream: Stream, count: int, span: float) -> int:
        """In 0 … count - 1; ``span`` is the integral from ``start`` to ``count + 1/2``."""
        while True:
            area = self.start + stream.unit_interval() * span
            x = self._inverse(area)
            rank = min(max(math.floor(x + 0.5), 1), count) if x < math.inf else count
            if rank - x <= self.cut or area >= self.integral(rank + 0.5) - math.exp(-self.theta * math.log(rank)):
                return rank - 1


class Place:
    """Where a file's generator stands."""

    __slots__ = ("blocks", "key", "position", "span")

    def __init__(self, blocks: int, key: int, span: float) -> None:
        self.blocks = blocks
        self.key = key
        self.span = span
        self.position = [0, 0]
        """Of reads and writes, bytes; or of the random map in [0], blocks."""


class Generator:
    """The I/Os of one job, one after the other."""

    def __init__(self, options: Options, job: int) -> None:
        state = Stream(options.seed + (job << 32))
        self.options = options
        self.files = options.jobs[job].files
        self.unit = options.smallest
        self.offsets = Stream(state.next())
        self.mix = Stream(state.next())
        self.writes = 0
        self._every = options.fsync + options.fdatasync
        self._since_sync = 0
        self._file = 0
        self._last_written = 0
        theta = options.theta_ppm / 1e6
        self._zipf = Zipf(theta) if options.distribution == ZIPF else None
        self._exponent = math.log(theta) / math.log(1 - theta) if options.distribution == PARETO else 0.0
        self._places = []
        for file in self.files:
            # Units at which even the largest block fits, so that no block has to be cut.
            blocks = (file.size - options.largest) // self.unit + 1
            span = self._zipf.integral(blocks + 0.5) - self._zipf.start if self._zipf else 0.0
            self._places.append(Place(blocks, state.next(), span))

    def next(self) -> Request:
        """The next I/O."""
        options = self.options
        if self._every and self._since_sync == self._every:
            self._since_sync = 0
            return Request(SYNC, self._last_written, 0, 0, self.writes)
        direction, draw = READ if options.reads else WRITE, 0
        if options.reads and options.writes:
            draw = self.mix.next()
            if ((draw >> 32) * 100) >> 32 >= options.rwmixread_pct:
                direction = WRITE
        length = self._length(options.splits[direction], draw)
        if options.random:
            file = self._file
            self._file = (file + 1) % len(self.files)
            offset = self._random_unit(self._places[file]) * self.unit
        else:
            offset = self._sequential(direction, length)
            file = self._file
        offset += self.files[file].offset
        if direction == READ:
            return Request(direction, file, offset, length, 0)
        self.writes += 1
        self._since_sync += 1
        self._last_written = file
        return Request(direction, file, offset, length, self.writes)

    def _length(self, split: Split, draw: int) -> int:
        if len(split.sizes) == 1:
            return split.sizes[0]
        return split.sizes[bisect_left(split.below, (draw or self.mix.next()) & 0xFFFFFFFF)]

    def _random_unit(self, place: Place) -> int:
        options = self.options
        if self._zipf:
            return permute(self._zipf.rank(self.offsets, place.blocks, place.span), place.blocks, place.key)
        if options.distribution == PARETO:
            # fio's: the share 1 - h of the I/Os falls on the share h of the blocks (lib/zipf.c, pareto_init).
            rank = int(float(place.blocks - 1) * self.offsets.unit_interval() ** self._exponent)
            return permute(rank, place.blocks, place.key)
        if not options.random_map:
            return self.offsets.below(place.blocks)
        if place.position[0] == place.blocks:  # a pass is over: the next has an order of its own
            place.position[0] = 0
            if not options.verify:  # but a block must never be in flight twice
                place.key = self.offsets.next()
        place.position[0] += 1
        return permute(place.position[0] - 1, place.blocks, place.key)

    def _sequential(self, direction: int, length: int) -> int:
        """One file after the other, from end to end; reads and writes have positions of their own."""
        position = self._places[self._file].position
        if self.files[self._file].size - position[direction] < length:
            position[direction] = 0
            self._file = (self._file + 1) % len(self.files)
            position = self._places[self._file].position
            if self.files[self._file].size - position[direction] < length:
                position[direction] = 0
        position[direction] += length
        return position[direction] - length


def draw(text: bytes, job: int, count: int, /) -> list[tuple[int, int, int, int, int]]:
    """The first ``count`` I/Os of a job, none of them done: direction, file, offset, length, sequence.

    Raises ValueError for a text that the parser refuses, and for a job that it does not name.
    """
    options = parse(text)
    if not 0 <= job < len(options.jobs):
        raise ValueError(f"there is no job {job}")
    generator = Generator(options, job)
    return [generator.next() for _ in range(count)]
