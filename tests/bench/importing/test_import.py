from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from bench.errors import ImportFailedError
from bench.importing import alike, campaign
from bench.importing.campaign import Imported, import_files
from bench.importing.rows import Source
from bench.importing.run import Naming
from results.guarantee import Question, guarantee
from results.recommendation.recommend import recommend
from results.store.folder import Store
from results.store.query import load
from results.store.schema import IMPORTED
from stripelab.metrics import figure
from tests.bench.importing.conftest import DATA, RECORDED, at, document
from tests.results import synthetic

Import = Callable[..., Imported]
START_MS = 1_760_000_000_000
PATTERN = "{night}/{controller}/{level}-{chunk_kib}K/{rw}-{iodepth}.json"
SPEEDS: Mapping[tuple[str, str], float] = {
    ("a", "raid5"): 1,
    ("a", "raid0"): 3,
    ("b", "raid5"): 1.2,
    ("b", "raid0"): 3.6,
}


def nights(folder: Path, count: int = 4) -> Path:
    """A tree as a lab has it: each night every point once, in another order; the truth is that of SPEEDS."""
    moment = START_MS
    for night in range(count):
        points = list(SPEEDS) if night % 2 else list(reversed(SPEEDS))
        for controller, level in points:
            moment += 60_000
            path = folder / f"night-{night}" / controller / f"{level}-64K" / "randwrite-4.json"
            path.parent.mkdir(parents=True)
            noise = 1 + (moment // 60_000 * 7 % 11 - 5) / 1000
            path.write_text(at(moment, faster=100 * SPEEDS[controller, level] * noise))
    return folder


def test_imported_rounds_of_one_order_are_refused(importing: Import, tmp_path: Path) -> None:
    moment = START_MS
    for night in range(3):
        for place, level in enumerate(("raid0", "raid1", "raid5", "raid6", "raid10")):
            moment += 60_000
            path = tmp_path / "lab" / f"night-{night}" / "a" / f"{level}-64K" / "randwrite-4.json"
            path.parent.mkdir(parents=True)
            path.write_text(at(moment, faster=100 * (1 + 0.1 * place + 0.01 * night)))
    importing(tmp_path / "lab", factors=(PATTERN,))
    (answer,) = recommend(tmp_path / "S").answers
    assert answer.refusal is not None
    assert "the points ran in nearly the same order in every block" in answer.refusal
    assert "each in a fresh random order, and import those runs into a new store" in answer.next_runs[0].sentence


def test_a_tree_becomes_a_store_that_recommends_and_says_that_it_was_imported(
    importing: Import, tmp_path: Path
) -> None:
    done = importing(nights(tmp_path / "lab"), factors=(PATTERN,))
    assert (done.files, done.trials, done.failed, done.skipped) == (16, 16, 0, ())
    found = recommend(tmp_path / "S")
    (answer,) = found.answers
    assert answer.refusal is None
    assert answer.overall is not None
    assert answer.overall.chosen.label == "raid0 64K controller=b"
    assert {point.trials for point in answer.overall.points} == {4}
    assert found.blocks == 4
    effects = {effect.factor: effect for effect in answer.effects}
    assert effects["controller"].comparisons[0].change_pct == pytest.approx(20, abs=1)
    assert found.notice is not None
    assert found.notice.startswith("IMPORTED")
    assert not found.virtual
    rows = load(tmp_path / "S").trial_rows()
    assert {row.substrate for row in rows} == {IMPORTED}
    assert [row.run_order for row in rows] == list(range(16))
    assert rows[0].imported_from == str(tmp_path / "lab" / "night-0" / "b" / "raid0-64K" / "randwrite-4.json")


def test_nothing_imported_becomes_a_guarantee(importing: Import, tmp_path: Path) -> None:
    importing(nights(tmp_path / "lab"), factors=(PATTERN,))
    for demonstration in (False, True):
        found = guarantee(tmp_path / "S", Question(demonstration=demonstration))
        assert not found.granted
        assert "imported" in {refusal.kind for refusal in found.refusals}


def test_the_same_tree_twice_adds_nothing(importing: Import, tmp_path: Path) -> None:
    tree = nights(tmp_path / "lab")
    importing(tree, factors=(PATTERN,))
    before = {path: path.read_bytes() for path in (tmp_path / "S").rglob("*.parquet")}
    again = importing(tree, factors=(PATTERN,))
    assert (again.files, again.trials, again.known) == (0, 0, 16)
    assert {path: path.read_bytes() for path in (tmp_path / "S").rglob("*.parquet")} == before
    nights(tmp_path / "more", 5)
    assert importing(tmp_path / "more", factors=(PATTERN,)).trials == 4


def test_every_bad_file_has_its_line_and_nothing_else_is_lost(importing: Import, tmp_path: Path) -> None:
    tree = nights(tmp_path / "lab", 1)
    good = (RECORDED / "clat-by-default.json").read_text()
    bad = {
        "empty.json": (b"", "it is empty"),
        "binary.json": (b"\0\1\2" * 99, "it is binary"),
        "truncated.json": (good[: len(good) // 2].encode(), "cut short"),
        "people.txt": (b"w: (g=0): rw=read\nfio-3.33\n  read: IOPS=1\n", "output for people"),
        "terse.txt": (b"3;fio-3.33;w;0;0\n", "terse"),
        "notes.md": (b"# Notes\n", "nothing that can be imported"),
        "other.json": (b'{"jobs": [{"jobname": 7}]}', "not fio's"),
    }
    for name, (content, _) in bad.items():
        (tree / name).write_bytes(content)
    (tree / "link.json").symlink_to(tree / "nowhere")
    (tree / "concatenated.json").write_text(at(START_MS - 9_000_000) + at(START_MS - 8_000_000))
    (tree / "nan.json").write_text(at(START_MS - 7_000_000).replace('"usr_cpu": ', '"usr_cpu": nan, "was": '))
    done = importing(tree)
    assert {(Path(each.path).name, each.reason) for each in done.noted} == {
        ("concatenated.json", "2 runs in one file"),
        ("nan.json", "some figures are no numbers (nan or inf): they are left empty"),
        (
            "lab",
            (
                "folder names that differ became factors: folder2 (a, b); folder3 (raid0-64K, raid5-64K); "
                "name them with --factors, as in '{}/{NAME}/{NAME}/{}'"
            ),
        ),
    }
    assert {Path(each.path).name for each in done.skipped} == {*bad, "link.json"}
    for each in done.skipped:
        assert bad.get(Path(each.path).name, (b"", "cannot be read"))[1] in each.reason
    assert (done.files, done.trials) == (6, 7)


def test_a_value_that_does_not_fit_skips_the_file_and_not_the_import(importing: Import, tmp_path: Path) -> None:
    for name in ("64K", "large"):
        (tmp_path / "lab" / name).mkdir(parents=True)
        (tmp_path / "lab" / name / "x.json").write_text(at(START_MS + len(name)))
    done = importing(tmp_path / "lab", factors=("{chunk_kib}K/x.json", "{chunk_kib}/x.json"))
    assert [each.reason for each in done.skipped] == ["chunk_kib is a whole number, and 'large' is none"]
    assert done.trials == 1


def test_a_copy_elsewhere_is_the_same_run(importing: Import, tmp_path: Path) -> None:
    tree = nights(tmp_path / "lab", 1)
    shutil.copytree(tree, tmp_path / "lab" / "copy")
    done = importing(tree)
    assert (done.trials, done.known) == (4, 4)


def test_several_processes_store_what_one_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Some of the files are copies, in another batch than what they are copies of."""
    monkeypatch.setattr(campaign, "ALONE_FILES", 0)
    tree = tmp_path / "lab"
    tree.mkdir()
    for number in range(540):
        (tree / f"{number:04}.json").write_text(at(START_MS + 1000 * (number % 530)))
    alone = import_files([tree], tmp_path / "one", [], processes=1)
    shared = import_files([tree], tmp_path / "two", [], processes=2)
    assert alone == shared
    assert (alone.trials, alone.known) == (530, 10)
    stores = [load(tmp_path / name) for name in ("one", "two")]
    assert stores[0].trial_rows() == stores[1].trial_rows()
    assert stores[0].observation_rows(histograms=True) == stores[1].observation_rows(histograms=True)
    assert stores[0].set_aside == stores[1].set_aside == ()


def test_logs_become_the_seconds_of_the_report(importing: Import, tmp_path: Path) -> None:
    for path in (RECORDED / "logs.json", *RECORDED.glob("logs_*.log")):
        shutil.copy(path, tmp_path)
    done = importing(tmp_path / "logs.json")
    assert done.trials == 1
    seconds = load(tmp_path / "S").intervals()
    assert list(seconds["second"]) == [0, 1, 2]
    assert seconds["iops"].between(108, 132).all()


def test_every_format_is_found_by_its_content(importing: Import, tmp_path: Path) -> None:
    done = importing(DATA / "fio", DATA / "gpcheckperf", DATA / "elbencho", DATA / "dd" / "9.1" / "short-reads.txt")
    engines = set(load(tmp_path / "S").observations(["engine"])["engine"])
    assert engines == {"fio", "gpcheckperf", "elbencho"}
    assert [Path(each.path).name for each in done.skipped if each.path.endswith("short-reads.txt")]
    assert done.failed == 2


def test_a_failed_run_is_a_row(importing: Import, tmp_path: Path) -> None:
    importing(RECORDED / "no-space.txt")
    (row,) = load(tmp_path / "S").trial_rows()
    assert row.status == "failed"
    assert row.error == "1 of 1 jobs of full on /dev/full ended with error 28"


def test_the_raw_file_is_kept_whole(importing: Import, tmp_path: Path) -> None:
    import zlib

    importing(RECORDED / "stages.json", RECORDED / "text-before.txt")
    kept = [raw for raw in load(tmp_path / "S").observations(["raw_zlib"])["raw_zlib"] if raw is not None]
    assert {zlib.decompress(raw) for raw in kept} == {
        (RECORDED / name).read_bytes() for name in ("stages.json", "text-before.txt")
    }


def test_repetitions_within_a_file_are_trials_of_one_point(importing: Import, tmp_path: Path) -> None:
    importing(RECORDED / "stages.json")
    rows = load(tmp_path / "S").trial_rows()
    assert len(rows) == 2
    assert len({row.point_id for row in rows}) == 1


def test_names_that_are_no_utf_8_are_shown_and_kept(importing: Import, tmp_path: Path) -> None:
    folder = bytes(tmp_path) + b"/l\xe4b"
    Path(folder.decode("utf-8", "surrogateescape")).mkdir()
    path = Path((folder + b"/x.json").decode("utf-8", "surrogateescape"))
    path.write_text(at(START_MS))
    assert importing(path, factors=("{box}/x.json",)).trials == 1
    (row,) = load(tmp_path / "S").trial_rows()
    assert row.labels == ("box=l\\xe4b",)


def test_a_store_of_a_sweep_takes_no_imports(importing: Import, tmp_path: Path) -> None:
    synthetic.write(tmp_path / "S", synthetic.Plan(truth=synthetic.raid_truth()[:2], replicates=1))
    with pytest.raises(ImportFailedError, match="store of a sweep"):
        importing(RECORDED / "stages.json")


def test_a_place_that_is_not_there_is_said_before_anything_is_made(importing: Import, tmp_path: Path) -> None:
    with pytest.raises(ImportFailedError, match="is not there"):
        importing(tmp_path / "nowhere")
    assert not (tmp_path / "S").exists()


def test_an_import_that_is_cut_off_is_gone_on_with(importing: Import, tmp_path: Path) -> None:
    """A bundle whose file of trials was never written counts for nothing, and the next import has its trials again."""
    importing(nights(tmp_path / "lab", 2))
    for path in (tmp_path / "S" / "trials").glob("*.parquet"):
        path.unlink()
    assert importing(tmp_path / "lab").trials == 8
    assert len(Store.open(tmp_path / "S").trial_ids()) == 8


def test_figures_are_those_of_the_files(importing: Import, tmp_path: Path) -> None:
    importing(RECORDED / "randrw-fsync.json")
    frame = load(tmp_path / "S").observations().set_index("direction")
    (job,) = document("randrw-fsync.json")["jobs"]
    for direction in ("read", "write"):
        assert frame.loc[direction, "ios"] == job[direction]["total_ios"]
        assert frame.loc[direction, "lat_p99_ns"] == job[direction]["lat_ns"]["percentile"]["99.000000"]
    assert frame.loc["sync", "ios"] == job["sync"]["total_ios"]


def test_percentiles_in_the_last_bucket_are_at_least_that(importing: Import, tmp_path: Path) -> None:
    """fio's last bucket (stat.c) holds all of 17.1 s and more; the mean here is 41 s."""
    found = document("clat-by-default.json")
    for job in found["jobs"]:
        lat = job["write"]["clat_ns"]
        lat.update(min=17_200_000_000, max=60_000_000_000, mean=41e9, stddev=1e9)
        lat["percentile"] = dict.fromkeys(lat["percentile"], 17_112_760_320)
        job["write"]["lat_ns"].update(min=17_200_000_000, max=60_000_000_000, mean=41e9, stddev=1e9)
    (tmp_path / "x.json").write_text(json.dumps(found))
    importing(tmp_path / "x.json")
    results = load(tmp_path / "S")
    (trial,) = results.trial_rows()
    assert any("clat_p99_ns" in line and "at least 17.1 s" in line for line in trial.warnings)
    (row,) = (each for each in results.observation_rows() if each.direction == "write")
    assert figure("clat_p99_ns", float(row.clat_p99_ns or 0)) == "at least 17.1 s"
    assert figure("lat_mean_ns", row.lat_mean_ns or 0) == "41.0 s"


def recorded(tmp_path: Path, *options: str) -> bytes:
    """What fio prints of sequential writes of a file, each made durable."""
    target = tmp_path / "target"
    target.write_bytes(bytes(1 << 20))
    words = ("fio", "--name=wal", f"--filename={target}", "--size=1M", "--bs=4k", "--ioengine=psync", *options)
    text = subprocess.run([*words, "--output-format=json+"], capture_output=True, check=True).stdout
    return text[text.index(b"{") :]


@pytest.mark.parametrize("kind", ["--fsync=1", "--fdatasync=1"])
def test_commits_of_a_file_have_the_mean_of_write_and_sync(importing: Import, tmp_path: Path, kind: str) -> None:
    (tmp_path / "wal.json").write_bytes(recorded(tmp_path, "--rw=write", kind, "--lat_percentiles=1"))
    importing(tmp_path / "wal.json")
    rows = {row.direction: row for row in load(tmp_path / "S").observation_rows(histograms=True)}
    assert set(rows) == {"write", "sync", "commit"}
    commit = rows["commit"]
    assert commit.lat_mean_ns == rows["write"].lat_mean_ns + rows["sync"].lat_mean_ns
    assert (commit.lat_p99_ns, commit.lat_max_ns, tuple(commit.lat_counts)) == (None, None, ())
    (answer,) = recommend(tmp_path / "S").answers
    assert answer.metric == "commit_lat_mean_ns"


def test_durable_writes_of_a_file_are_commits_with_every_figure(importing: Import, tmp_path: Path) -> None:
    content = recorded(tmp_path, "--rw=write", "--sync=dsync", "--lat_percentiles=1")
    assert alike.trial(content, Naming.of("wal.json", ()), Source("wal.json", 1, content)) is None
    (tmp_path / "wal.json").write_bytes(content)
    importing(tmp_path / "wal.json")
    rows = {row.direction: row for row in load(tmp_path / "S").observation_rows(histograms=True)}
    assert set(rows) == {"write", "commit"}
    assert rows["commit"].lat_p99_ns == rows["write"].lat_p99_ns is not None
    assert (rows["commit"].total_bytes, rows["commit"].lat_counts) == (0, rows["write"].lat_counts)
    (answer,) = recommend(tmp_path / "S").answers
    assert answer.metric == "commit_lat_p99_ns"
