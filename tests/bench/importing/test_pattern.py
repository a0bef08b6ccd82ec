from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.errors import ImportFailedError
from bench.importing.pattern import Named, compile_pattern, named_by, named_by_options
from bench.importing.run import Naming

ISSUE = "{controller}/{level}-{chunk_kib}K/{rw}-{iodepth}-{numjobs}.json"


def test_factors_words_and_labels_go_where_they_belong() -> None:
    found = compile_pattern(ISSUE).match("/lab/2024/h730p/RAID5-256K/randread-16-4.json")
    assert found == Named(
        {"level": "raid5", "chunk_kib": 256},
        {"rw": "randread", "iodepth": "16", "numjobs": "4"},
        {"controller": "h730p"},
    )


@pytest.mark.parametrize(
    ("written", "meant"),
    [("RAID-10", "raid10"), ("raid 6", "raid6"), ("5", "raid5"), ("JBOD", "jbod"), ("raidz2", "raidz2"), ("50", "50")],
)
def test_a_level_is_read_in_any_spelling_and_kept_where_md_has_none(written: str, meant: str) -> None:
    found = compile_pattern("{level}/x").match(f"{written}/x")
    assert found is not None
    assert found.factors == {"level": meant}


def test_a_value_that_does_not_fit_its_factor_is_named() -> None:
    with pytest.raises(ImportFailedError, match="chunk_kib is a whole number, and '64k' is none"):
        compile_pattern("{chunk_kib}/x").match("64k/x")


def test_a_path_that_fits_no_pattern_is_said_to() -> None:
    with pytest.raises(ImportFailedError, match="does not fit --factors"):
        named_by([compile_pattern(ISSUE)], "somewhere/else.json")


def test_the_first_pattern_that_fits_counts() -> None:
    patterns = [compile_pattern("{level}/{disks}/x"), compile_pattern("{box}/x")]
    assert named_by(patterns, "raid5/4/x").factors == {"level": "raid5", "disks": 4}
    assert named_by(patterns, "h730/x").labels == {"box": "h730"}


def test_an_option_of_the_job_can_be_read_and_has_the_last_word() -> None:
    patterns = [compile_pattern("{level}/x.json"), compile_pattern("filename=/mnt/{level}/{}")]
    path = named_by(patterns, "raid0/x.json")
    found = path.under(named_by_options(patterns, {"filename": "/mnt/raid6/a/b"}, "job"))
    assert found.factors == {"level": "raid6"}
    assert named_by_options([compile_pattern("jobname={controller}-{}")], {}, "lsi-1").labels == {"controller": "lsi"}


def test_repetitions_are_no_factors_and_a_workload_can_be_named() -> None:
    found = compile_pattern("{night}/{workload}/{run}.json").match("2025-01-02/segment-scan/3.json")
    assert found == Named({}, {}, {}, "segment-scan")


@pytest.mark.parametrize("text", ["", "plain.json", "{}", "{a", "a}", "{a b}", "{a}{a}", "{1}", "x={", "{{a}}"])
def test_a_pattern_that_cannot_be_read_says_why(text: str) -> None:
    with pytest.raises(ImportFailedError):
        compile_pattern(text)


NAMES = st.lists(st.text(string.ascii_lowercase, min_size=3, max_size=8), min_size=1, max_size=4, unique=True)
VALUES = st.text(string.ascii_letters + string.digits, min_size=1, max_size=8)


@given(names=NAMES, data=st.data())
def test_what_a_pattern_puts_into_a_path_it_reads_out_of_it(names: list[str], data: st.DataObject) -> None:
    values = {f"my_{name}": data.draw(VALUES) for name in names}
    pattern = "/".join(f"{{{name}}}" for name in values)
    found = compile_pattern(pattern).match("above/" + "/".join(values.values()))
    assert found is not None
    assert found.labels == values


@given(text=st.text(max_size=30), path=st.text(max_size=30))
def test_no_pattern_and_no_path_raises_anything_else(text: str, path: str) -> None:
    try:
        named_by([compile_pattern(text)], path)
    except ImportFailedError as error:
        assert error.message  # noqa: PT017 - any pattern may be refused, and then in words


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("out/nvme0/4k/randread-16-8.json", {"bs": "4k", "rw": "randread", "iodepth": "16", "numjobs": "8"}),
        ("nvme0/1M/run-2/read-1-1.json", {"bs": "1M", "rw": "read", "iodepth": "1", "numjobs": "1"}),
        (
            "x/nvme0/randrw75/4k/randrw-2-1.json",
            {"rwmixread": "75", "bs": "4k", "rw": "randrw", "iodepth": "2", "numjobs": "1"},
        ),
    ],
)
def test_folders_of_bench_fio_are_known_without_a_pattern(path: str, words: dict[str, str]) -> None:
    found = Naming.of(path, []).named
    assert (found.words, found.labels) == (words, {"target": "nvme0"})
    assert Naming.of(path, [compile_pattern("{box}.json")]).named.labels != found.labels
