from __future__ import annotations

import json
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.errors import EngineError, ImportFailedError
from bench.importing import alike, formats
from bench.importing.fio_logs import NO_LOGS
from bench.importing.pattern import compile_pattern
from bench.importing.rows import Source, environment, rows
from bench.importing.run import Naming
from tests.bench.importing.conftest import DATA, document
from tests.bench.importing.mutations import PATTERNS, mutated

RECORDINGS = tuple(
    path
    for path in sorted((DATA / "fio").rglob("*"))
    if path.suffix in {".json", ".txt"} and path.read_bytes()[:1] == b"{"
)
PATHS = ("raid5/64/read.txt", "h730.txt", "TARGET/4k/randread-16-4.json")
USUAL = ("clat-by-default.json", "randwrite-4-jobs.json", "group.json", "no-percentiles.json", "single-ios.json")
ODD = ("stages.json", "randrw-fsync.json", "mixed.json", "put-together.txt", "two-clients.txt", "no-space.txt")


def outcome(content: bytes, number: int, *, carefully: bool) -> Any:
    """Rows and machines of a file by one of the ways, or its error in words; None where the quick way declines."""
    path, patterns = PATHS[number % len(PATHS)], PATTERNS if number % 2 else ()
    try:
        naming, source = Naming.of(path, patterns), Source(path, 10**18, content)
        if not carefully:
            found = alike.trial(content, naming, source)
            return None if found is None else ([found[0]], [found[1]], [])
        runs = formats.read(content, naming, NO_LOGS)
        return rows(runs, source), [environment(run) for run in runs], [note for run in runs for note in run.notes]
    except (EngineError, ImportFailedError) as error:
        return error.message


def both_ways(content: bytes, number: int) -> tuple[Any, Any]:
    """What the quick way and then the careful way make of a file; None of both where the quick one declines."""
    if not formats.may_be_one_document(content):
        return None, None
    quick = outcome(content, number, carefully=False)
    return quick, None if quick is None else outcome(content, number, carefully=True)


def same(content: bytes, number: int) -> bool:
    """Whether the quick way took a file; then with every value, and each of the type that the careful way gives it."""
    quick, careful = both_ways(content, number)
    assert quick == careful
    assert repr(quick) == repr(careful), "equal, but of another type: 1 and 1.0"
    return quick is not None and not isinstance(quick, str)


@pytest.mark.parametrize("path", RECORDINGS, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_a_recording_has_the_same_rows_both_ways_or_is_left_to_the_careful_one(path: Path) -> None:
    for number in range(6):
        quick, careful = both_ways(path.read_bytes(), number)
        assert repr(quick) == repr(careful), number


@pytest.mark.parametrize("name", USUAL)
def test_what_labs_have_thousands_of_goes_the_quick_way(name: str) -> None:
    assert same((DATA / "fio" / "3.33" / name).read_bytes(), 0)


@pytest.mark.parametrize("name", ODD)
def test_what_is_odd_goes_the_careful_way(name: str) -> None:
    assert not same((DATA / "fio" / "3.33" / name).read_bytes(), 0)


def test_files_that_went_wrong_have_the_same_rows_both_ways() -> None:
    rng = random.Random(20261124)
    sources = [path.read_bytes() for path in RECORDINGS]
    taken = sum(same(mutated(sources, rng), number) for number in range(600))
    assert taken > 30, "where none is taken any more the mutations are too coarse to find a difference"


VALUES: Sequence[Any] = (
    0, 1, -1, 7, 2**41, 2**52, 2**53, 2**63, 1.5, -0.0, 1e300, "", "x", "nan", "\ud800", None, True, [], {}, [1],
    {"50.000000": 5}, {"50.000000": 5, "99.000000": None}, {"99.000000": 9, "50.000000": 5}, {"-1.0": 3},
    {"50.0": 5, "50.000000": 6}, {"5": 3}, {"-5": 3}, {"5": 0}, {"9": 1, "5": 2}, {str(2**62 + 1): 1},
)  # fmt: skip
"""What is put in place of a value of a document: of the right kind, of none, at the edges of what is taken."""


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Paths to all values within."""
    if isinstance(value, dict):
        return [path, *(each for key, inner in value.items() for each in places(inner, (*path, key)))]
    if isinstance(value, list):
        return [path, *(each for at, inner in enumerate(value) for each in places(inner, (*path, at)))]
    return [path]


def put(value: Any, path: tuple[Any, ...], new: Any) -> None:
    """Put ``new`` at a path; an empty one is left alone."""
    for key in path[:-1]:
        value = value[key]
    if path:
        value[path[-1]] = new


USED = ("jobname", "groupid", "error", "job options", "total_err", "sync", "mixed", "hostname", "io_bytes", "io_kbytes",
        "bw_bytes", "iops", "runtime", "total_ios", "min", "max", "mean", "stddev", "N", "percentile", "bins",
        "timestamp", "timestamp_ms", "fio version", "global options")  # fmt: skip


@given(data=st.data())
def test_a_document_with_other_values_has_the_same_rows_both_ways(data: st.DataObject) -> None:
    found = document(data.draw(st.sampled_from(USUAL)))
    every = [path for path in places(found) if path and (path[-1] in USED or path[-2:-1] == ("percentile",))]
    for path in data.draw(st.lists(st.sampled_from(every), max_size=3, unique=True)):
        try:
            put(found, path, data.draw(st.sampled_from(VALUES)))
        except (KeyError, TypeError, IndexError):
            continue  # what held it was replaced before
    spaced = data.draw(st.sampled_from((None, (" , ", " : "), (",\n", " : "))))
    quick, careful = both_ways(json.dumps(found, separators=spaced).encode(), data.draw(st.integers(0, 5)))
    assert repr(quick) == repr(careful)


def test_options_of_jobs_that_differ_go_the_careful_way() -> None:
    found = document("randwrite-4-jobs.json")
    assert same(json.dumps(found).encode(), 0)
    found["jobs"][1]["job options"] = {"bs": "8k"}
    assert not same(json.dumps(found).encode(), 0)


def test_a_name_that_does_not_fit_goes_the_careful_way_which_has_words_for_it() -> None:
    naming = Naming.of("x.json", [compile_pattern("jobname={chunk_kib}")])
    content = (DATA / "fio" / "3.33" / "clat-by-default.json").read_bytes()
    assert alike.trial(content, naming, Source("x.json", 1, content)) is None
    with pytest.raises(ImportFailedError, match="chunk_kib is a whole number"):
        formats.read(content, naming, NO_LOGS)
