"""Folders as factors, and runs that pass for replicates of each other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from bench.importing import fio
from bench.importing.campaign import Imported
from results.recommendation.recommend import recommend
from results.store.query import load
from tests.bench.importing.conftest import at

Import = Callable[..., Imported]
START_MS = 1_760_000_000_000


def tree(folder: Path, places: Sequence[str], *, apart: float = 1.0) -> Path:
    """A file in each place, a minute after the one before and faster by a factor."""
    for number, place in enumerate(places):
        path = folder / place / "randwrite-4-1.json"
        path.parent.mkdir(parents=True)
        path.write_text(at(START_MS + 60_000 * number, faster=100 * apart**number))
    return folder


def points(store: Path) -> list[tuple[str, ...]]:
    return sorted({row.labels for row in load(store).trial_rows()})


def test_27_devices_in_27_folders_are_27_points(importing: Import, tmp_path: Path) -> None:
    places = [f"box{box}/h{controller}/sd{disk}" for box in "abc" for controller in "123" for disk in "xyz"]
    done = importing(tree(tmp_path / "lab", places, apart=1.2))
    assert len(points(tmp_path / "S")) == 27
    assert points(tmp_path / "S")[0] == ("folder1=boxa", "folder2=h1", "folder3=sdx")
    (note,) = done.noted
    assert "folder1 (boxa, boxb, boxc); folder2 (h1, h2, h3); folder3 (sdx, sdy, sdz)" in note.reason
    assert "'{NAME}/{NAME}/{NAME}/{}'" in note.reason


def test_a_pattern_has_the_last_word_over_folders(importing: Import, tmp_path: Path) -> None:
    importing(tree(tmp_path / "lab", ["a/x", "b/x"]), factors=("{controller}/{}/{}",))
    assert points(tmp_path / "S") == [("controller=a",), ("controller=b",)]


@pytest.mark.parametrize(
    "names",
    [("run-1", "run-2"), ("night-1", "night-10"), ("2025-03-04", "2025-03-05"), ("20250304T1200", "20250305T1200")],
)
def test_folders_of_repetitions_are_replicates(importing: Import, tmp_path: Path, names: Sequence[str]) -> None:
    done = importing(tree(tmp_path / "lab", names))
    assert points(tmp_path / "S") == [()]
    assert done.noted == ()


def test_folders_that_say_what_jobs_do_are_no_factors(importing: Import, tmp_path: Path) -> None:
    importing(tree(tmp_path / "lab", ["randread/qd1/a", "randwrite/qd16/b"]))
    assert points(tmp_path / "S") == [("folder3=a",), ("folder3=b",)]


def test_bench_fio_keeps_its_target_and_the_folders_above(importing: Import, tmp_path: Path) -> None:
    importing(tree(tmp_path / "lab", ["box1/ssd/4k", "box1/hdd/8k", "box2/ssd/4k"]))
    assert points(tmp_path / "S") == [
        ("folder1=box1", "target=hdd"),
        ("folder1=box1", "target=ssd"),
        ("folder1=box2", "target=ssd"),
    ]


def test_runs_of_one_point_that_lie_far_apart_are_told_with_their_figures(importing: Import, tmp_path: Path) -> None:
    done = importing(tree(tmp_path / "lab", ["run-1", "run-2", "run-3"], apart=2.0))
    (note,) = done.noted
    assert "3 runs of" in note.reason
    assert "a factor of 4" in note.reason
    assert "run-1" in note.reason
    assert "run-3" in note.reason
    assert "--factors" in note.reason
    (answer,) = recommend(tmp_path / "S").answers
    assert answer.refusal is not None or any("a factor of 4" in line for line in answer.notes)


def test_runs_of_one_point_that_lie_together_are_not(importing: Import, tmp_path: Path) -> None:
    assert importing(tree(tmp_path / "lab", ["run-1", "run-2", "run-3"], apart=1.05)).noted == ()


def test_an_import_is_not_told_to_run_its_sweep_again(importing: Import, tmp_path: Path) -> None:
    importing(tree(tmp_path / "lab", ["a", "b"]))
    (answer,) = recommend(tmp_path / "S").answers
    assert answer.refusal is not None
    (advice,) = answer.next_runs
    assert "sweep" not in advice.sentence
    assert "replicates =" not in advice.sentence
    assert "Import" in advice.sentence


CLONES = {"rw": "write", "numjobs": "4", "filename": "/dev/sdb"}


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({}, True),
        ({"rw": "read"}, True),
        ({"rw": "randwrite"}, False),
        ({"numjobs": "1"}, False),
        ({"offset_increment": "10g"}, False),
        ({"offset_increment": "0"}, True),
        ({"filename": "/data/f.$jobnum"}, False),
    ],
)
def test_clones_of_a_sequential_job_over_one_range_are_told(changes: dict[str, str], found: bool) -> None:
    said = fio.clones({**CLONES, **changes}, 1)
    assert (said is not None) == found
    assert said is None or "offset_increment" in said


def test_clones_with_files_of_their_own_are_fine() -> None:
    assert fio.clones({"rw": "write", "numjobs": "4", "directory": "/data"}, 4) is None
