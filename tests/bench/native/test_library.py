"""One set of tests for the C extension and its Python twin."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench import native
from bench.native import _engine, twin
from bench.native.buckets import BUCKETS, bucket_midpoint_ns

both = pytest.mark.parametrize("library", [_engine, twin], ids=["c", "python"])
NULL_RUN = "fio --name=null --ioengine=null --size=400m --bs=4k --rw=randread --iodepth=64 --output-format=json+"
UINT64 = st.integers(min_value=0, max_value=2**64 - 1)


@both
def test_the_histogram_has_the_buckets_of_fio(library: ModuleType) -> None:
    """fio, stat.h: FIO_IO_U_PLAT_NR = 29 groups of 2^6."""
    assert library.BUCKETS == 1856


@both
@pytest.mark.parametrize(
    ("value_ns", "index", "midpoint_ns"),
    [
        (0, 0, 0),
        (127, 127, 127),
        (128, 128, 129),
        (129, 128, 129),
        (130, 129, 131),
        (255, 191, 255),
        (256, 192, 258),
        (1_064, 322, 1_064),
        (1_000_000, 954, 1_003_520),
        (17_112_760_319, 1855, 17_112_760_320),
        (2**64 - 1, 1855, 17_112_760_320),
    ],
)
def test_known_values_fall_into_known_buckets(library: ModuleType, value_ns: int, index: int, midpoint_ns: int) -> None:
    """fio, the table above plat_val_to_idx() in stat.c; 17112760320 is the largest value fio can print."""
    assert library.bucket_index(value_ns) == index
    assert bucket_midpoint_ns(index) == midpoint_ns


@both
def test_a_midpoint_lies_in_its_own_bucket_and_midpoints_rise(library: ModuleType) -> None:
    midpoints = [bucket_midpoint_ns(index) for index in range(library.BUCKETS)]
    assert [library.bucket_index(midpoint) for midpoint in midpoints] == list(range(library.BUCKETS))
    assert midpoints == sorted(set(midpoints))


@both
@given(value_ns=UINT64)
def test_a_value_below_the_last_bucket_is_within_a_hundredth_of_its_midpoint(
    library: ModuleType, value_ns: int
) -> None:
    index = library.bucket_index(value_ns)
    if index < library.BUCKETS - 1:
        assert abs(bucket_midpoint_ns(index) - value_ns) * 128 <= value_ns + 64


@given(value_ns=UINT64)
def test_both_put_every_value_into_the_same_bucket(value_ns: int) -> None:
    assert _engine.bucket_index(value_ns) == twin.bucket_index(value_ns)


@both
@pytest.mark.parametrize("value", [-1, 2**64])
def test_a_value_that_c_cannot_hold_is_refused(library: ModuleType, value: int) -> None:
    with pytest.raises(ValueError, match="value_ns is out of range"):
        library.bucket_index(value)


@pytest.mark.parametrize("index", [-1, BUCKETS, 2**64])
def test_an_index_outside_the_histogram_is_refused(index: int) -> None:
    with pytest.raises(ValueError, match="index is out of range"):
        bucket_midpoint_ns(index)


@both
@pytest.mark.parametrize("value", [1.5, "7", None])
def test_what_is_no_integer_is_refused(library: ModuleType, value: object) -> None:
    with pytest.raises(TypeError):
        library.bucket_index(value)
    with pytest.raises(TypeError):
        bucket_midpoint_ns(value)


@both
def test_the_clock_says_where_it_comes_from_and_what_it_costs(library: ModuleType) -> None:
    clock = library.clock_state()
    assert clock["source"] in {"tsc", "clock_gettime"}
    assert clock["read_ns"] >= 0
    assert abs(clock["drift_ppm"]) < 10_000


def test_the_extension_is_chosen_where_it_was_built() -> None:
    assert native.IMPLEMENTATION == "c"
    assert native.bucket_index is _engine.bucket_index


@both
def test_the_buckets_of_a_real_fio_run_are_ours(library: ModuleType, tmp_path: Path) -> None:
    """Every bucket that fio prints under json+ is the midpoint of the bucket that we put it into."""
    out = tmp_path / "fio.json"
    subprocess.run(
        [*NULL_RUN.split(), f"--output={out}"],
        check=True,
        cwd=tmp_path,
    )
    read = json.loads(out.read_text())["jobs"][0]["read"]
    printed = {int(value) for kind in ("lat_ns", "clat_ns", "slat_ns") for value in read[kind].get("bins", {})}
    assert len(printed) > 20
    for value in printed:
        assert bucket_midpoint_ns(library.bucket_index(value)) == value
