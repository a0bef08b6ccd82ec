"""The C library and its Python twin draw, write, judge and refuse alike."""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.native import _engine, twin
from tests.bench.native.ways import text

X = Path("/x")
UINT64 = st.integers(0, 2**64 - 1)
FLAG = st.integers(0, 1)
SIZES = st.sampled_from([65_536, 65_537, 1_048_576, 10_000_000, 2**40, 2**62])
SPLITS = st.sampled_from(
    [
        [(0, 4096, 2**32 - 1)],
        [(0, 4096, 10**9), (0, 65_536, 2**32 - 1), (1, 512, 2**32 - 1)],
    ]
)
NUMBERS = {
    "reads": FLAG,
    "writes": FLAG,
    "random": FLAG,
    "random_map": FLAG,
    "distribution": st.integers(0, 2),
    "theta_ppm": st.one_of(st.integers(1, 3_000_000), st.sampled_from([1, 999_999, 1_000_000, 1_000_001, 10**8])),
    "fsync": st.sampled_from([0, 1, 3]),
    "fdatasync": st.sampled_from([0, 0, 2]),
    "seed": UINT64,
    "rwmixread_pct": st.integers(0, 100),
    "verify": st.sampled_from([0, 0, 1]),
    "iodepth": st.sampled_from([1, 8]),
}


def answer(function: Any, *arguments: Any) -> Any:
    try:
        return function(*arguments)
    except ValueError:
        return ValueError


@given(
    numbers=st.fixed_dictionaries(NUMBERS),
    sizes=st.lists(st.tuples(st.integers(0, 9), SIZES), min_size=1, max_size=3),
    splits=SPLITS,
    job=st.integers(0, 2),
)
def test_both_draw_the_same_requests(numbers: dict[str, int], sizes: Any, splits: Any, job: int) -> None:
    options = text(None, [(X, 512 * offset, size) for offset, size in sizes], jobs=2, splits=splits, **numbers)
    assert answer(_engine.draw, options, job, 64) == answer(twin.draw, options, job, 64)


LINES = st.lists(
    st.one_of(
        st.sampled_from([b"job", b"reads=1", b"split=0:512:4294967295", b"split=1:512:4294967295", b"file=0:4096:/x"]),
        st.sampled_from(
            [b"", b"job=1", b"cpu=1", b"cpu=70000", b"seed=18446744073709551616", b"seed=007", b"iodepth=0"]
        ),
        st.sampled_from([b"file=0:1:", b"file=0:9:/a:b=c", b"split=2:1:1", b"split=0:1", b"verify=1", b"fsync=+1"]),
        st.binary(max_size=12),
    ),
    max_size=9,
)


@given(lines=LINES, end=st.sampled_from([b"", b"\n", b"\n\n"]))
def test_both_take_and_refuse_the_same_texts(lines: list[bytes], end: bytes) -> None:
    options = b"\n".join(lines) + end
    assert answer(_engine.draw, options, 0, 4) == answer(twin.draw, options, 0, 4)


@given(sectors=st.integers(1, 9), offset=UINT64, generation=UINT64)
def test_both_write_the_same_pattern(sectors: int, offset: int, generation: int) -> None:
    block = _engine.pattern(512 * sectors, offset, generation)
    assert block == twin.pattern(512 * sectors, offset, generation)
    first = bytearray(block[:512])
    crc = int.from_bytes(first[24:28], "little")
    first[24:28] = bytes(4)
    assert zlib.crc32(first) == crc


SECTOR = st.tuples(st.sampled_from(["right", "older", "elsewhere", "damaged", "foreign"]), st.integers(0, 2**64 - 1))


def sector(kind: str, noise: int, offset: int, generation: int) -> bytes:
    if kind == "foreign":
        return noise.to_bytes(8, "little") * 64
    block = _engine.pattern(512, offset + 512 * (kind == "elsewhere"), generation - (kind == "older"))
    return block if kind != "damaged" else block[:100] + bytes([block[100] ^ 1]) + block[101:]


@given(kinds=st.lists(SECTOR, min_size=1, max_size=6), expected=st.integers(0, 9))
def test_both_judge_a_block_alike(kinds: list[tuple[str, int]], expected: int) -> None:
    block = b"".join(sector(kind, noise, 4096 + 512 * at, 5) for at, (kind, noise) in enumerate(kinds))
    assert _engine.judge(block, 4096, expected) == twin.judge(block, 4096, expected)


@pytest.mark.parametrize("library", [_engine, twin], ids=["c", "python"])
def test_each_kind_of_damage_has_its_name(library: Any) -> None:
    """In the order whole, unwritten, lost, torn, misplaced, corrupt."""
    new, old, other = (library.pattern(4096, offset, generation) for offset, generation in ((0, 7), (0, 6), (8192, 7)))
    damaged = bytes(byte ^ (at % 512 == 300) for at, byte in enumerate(new))
    found = [
        library.judge(block, 0, expected)
        for block, expected in (
            (new, 7),
            (bytes(4096), 0),
            (old, 7),
            (new[:512] + old[512:], 0),
            (other, 7),
            (damaged, 7),
        )
    ]
    assert found == [0, 1, 2, 3, 4, 5]
    assert library.judge(bytes(4096), 0, 7) == 2
