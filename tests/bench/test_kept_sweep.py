"""What a store keeps of its sweep: enough to read it again anywhere, and what an edited sweep would mix."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from bench.claim import claim_store, kept_sweep
from bench.cli.main import outcome
from bench.errors import StoreError
from bench.events import EventReader
from bench.vocabulary import vocabulary
from permutations.design import make_plan
from permutations.plan import Plan
from permutations.sweep import Sweep
from results.evidence.files import copy_store, store_entries
from results.store.folder import Store
from tests.results import synthetic

SWEEP = """
[sweep]
name = "kept"
[factors]
level = ["raid5", "raid10"]
disks = 4
[[workload]]
name = "pages"
job_file = "pages.fio"
[dataset]
files = 4
file_size = "16MiB"
"""
JOB = "[global]\nioengine=libaio\nruntime=60\nsize=10G\n\n[pages]\nrw=randrw\niodepth=16\n"


def planned(folder: Path, text: str = SWEEP, job: str = JOB) -> Plan:
    folder.mkdir(exist_ok=True)
    (folder / "pages.fio").write_text(job)
    (folder / "t.toml").write_text(text)
    return make_plan(Sweep.load(folder / "t.toml", vocabulary()))


def with_trials(path: Path, plan: Plan, count: int) -> Store:
    """A store that was claimed for a plan and has the first ``count`` trials of it."""
    store = claim_store(path, plan)
    store.put_environment(synthetic.environment("disk"))
    truth = synthetic.Plan([])
    for number, each in enumerate(plan.trials[:count]):
        settings = {name: value for name, value in each.point.settings.items() if value is not None}
        row = synthetic.trial(truth, settings, each.block, number)
        row = replace(row, trial_id=each.trial_id, point_id=each.point.id, protocol_id=plan.sweep.protocol_id)
        store.append(row, [synthetic.observation(truth, row, 100.0, "read", None)])
    return store


def told(path: Path, plan: Plan) -> list[str]:
    said: list[str] = []
    claim_store(path, plan, lambda event: said.append(event.message))
    return said


def test_status_works_where_the_job_file_is_gone(tmp_path: Path, capsys) -> None:
    """F9: `status` looked for the job file in the store, where it had never been."""
    plan = planned(tmp_path / "asked")
    with_trials(tmp_path / "store", plan, 1)
    shutil.rmtree(tmp_path / "asked")
    assert outcome(["status", str(tmp_path / "store"), "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert (answer["planned"], answer["ok"], answer["complete"]) == (2, 1, False)
    again = kept_sweep(tmp_path / "store", vocabulary())
    assert again.protocol_id == plan.sweep.protocol_id
    assert again.workloads[0].job_text == JOB


def test_status_of_a_store_without_its_job_file_lists_the_trials_and_says_why(tmp_path: Path, capsys) -> None:
    """Stores of earlier versions have none."""
    with_trials(tmp_path / "store", planned(tmp_path / "asked"), 1)
    shutil.rmtree(tmp_path / "store" / "job-files")
    assert outcome(["status", str(tmp_path / "store")]) == 0
    said = capsys.readouterr()
    assert "1 trials ok" in said.out
    assert "pages.fio is not in the store, which is of an earlier version" in said.err


def test_the_job_file_is_in_the_evidence(tmp_path: Path) -> None:
    store = with_trials(tmp_path / "store", planned(tmp_path / "asked"), 1)
    assert ("job-files/pages.fio", "sweep") in [(each.path, each.role) for each in store_entries(store)]
    copy_store(store, tmp_path / "copy")
    assert (tmp_path / "copy" / "job-files" / "pages.fio").read_text() == JOB


@pytest.mark.parametrize(
    ("old", "new"),
    [("16MiB", "32MiB"), ('"raid5", ', ""), ('job_file = "pages.fio"', 'rw = "read"\nbs = "1M"\nruntime_s = 5')],
)
def test_a_corrected_sweep_takes_the_place_of_one_without_trials(tmp_path: Path, old: str, new: str) -> None:
    claim_store(tmp_path / "store", planned(tmp_path / "asked"))
    corrected = planned(tmp_path / "asked", SWEEP.replace(old, new))
    assert told(tmp_path / "store", corrected) == []
    assert kept_sweep(tmp_path / "store", vocabulary()).protocol_id == corrected.sweep.protocol_id


@pytest.mark.parametrize(
    ("old", "new", "job", "said"),
    [
        ("16MiB", "32MiB", JOB, "changed: data set: file_bytes 16777216 -> 33554432"),
        ('job_file = "pages.fio"', 'job_file = "pages.fio"\nruntime_s = 9', JOB, "workload pages: runtime_s 60 -> 9"),
        ('"pages"', '"other"', JOB, "changed: workload pages: removed; workload other: added"),
        ("", "", JOB.replace("16", "8"), "changed: workload pages: job file"),
        ('"kept"', '"kept"\ninitial_sync = "assume-clean"', JOB, "changed: initial_sync wait -> assume-clean"),
    ],
)
def test_another_protocol_is_refused_with_what_changed(tmp_path: Path, old: str, new: str, job: str, said: str) -> None:
    with_trials(tmp_path / "store", planned(tmp_path / "asked"), 1)
    edited = planned(tmp_path / "asked", SWEEP.replace(old, new, 1), job)
    with pytest.raises(StoreError, match="they cannot be compared") as refused:
        claim_store(tmp_path / "store", edited)
    assert said in refused.value.message
    assert kept_sweep(tmp_path / "store", vocabulary()).workloads[0].job_text == JOB


def test_an_edited_sweep_says_what_it_mixes(tmp_path: Path) -> None:
    plan = planned(tmp_path / "asked")
    with_trials(tmp_path / "store", plan, 2)
    edited = planned(tmp_path / "asked", SWEEP.replace('"raid10"', '"raid0"'))
    (said,) = told(tmp_path / "store", edited)
    assert "of 2 trials in the store 1 are planned by the new file too and are not run again" in said
    assert "new points: raid0 x4 xfs flat" in said
    assert "points that it no longer has, whose trials stay and are judged with the others: raid10 x4 xfs flat" in said
    assert told(tmp_path / "store", edited) == [], "said once"


@pytest.mark.parametrize("new", ['"kept"\nreplicates = 3', '"kept" # a comment', '"renamed"'])
def test_nothing_is_said_where_nothing_is_mixed(tmp_path: Path, new: str) -> None:
    with_trials(tmp_path / "store", planned(tmp_path / "asked"), 2)
    assert told(tmp_path / "store", planned(tmp_path / "asked", SWEEP.replace('"kept"', new))) == []


@pytest.mark.loop
def test_events_to_a_file_leave_the_terminal_its_progress(tmp_path: Path) -> None:
    sweep = tmp_path / "t.toml"
    workload = '[[workload]]\nname = "w"\nengine = "dd"\nrw = "read"\nbs = "1M"\n'
    sweep.write_text(f'[factors]\nlevel = "jbod"\ndisks = 1\nfilesystem = "ext4"\n{workload}[dataset]\nfiles = 1\n')
    words = ["run", sweep, "--store", tmp_path / "s", "--loop", "1", "--events", tmp_path / "events"]
    done = subprocess.run([sys.executable, "-m", "bench", *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "[1/1] ok" in done.stderr
    assert [each.kind for each in EventReader(tmp_path / "events")()][-1] == "ended"
