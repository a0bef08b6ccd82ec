"""What `plan` refuses is what `run` refuses, by the same list of problems; and what it lets pass can be run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from bench import machine, preflight
from bench.cli.main import outcome
from bench.errors import LabError, SweepFileError
from bench.lab import check, modules
from bench.machine import Machine
from bench.stack import filesystems
from bench.vocabulary import vocabulary
from permutations.capacity import roomy_disk_bytes
from permutations.design import make_plan
from permutations.plan import Plan
from permutations.sweep import Sweep
from permutations.workload import DataSet, DiskProfile
from tests.bench.conftest import sh

EXAMPLES = Path(__file__).parents[2] / "examples"
HDD = DiskProfile("hdd", 200, 20 << 20)
GIB = 1 << 30
SWEEP = """
[sweep]
name = "checked"
[factors]
level = ["raid1", "raid10"]
disks = 4
{factors}
[[workload]]
name = "w"
{workload}
[dataset]
{dataset}
"""
DIRECT = 'rw = "randwrite"\nbs = "4k"\nruntime_s = 2'


def planned(factors: str = "", workload: str = DIRECT, dataset: str = "files = 16", more: str = "") -> Plan:
    text = SWEEP.format(factors=factors, workload=workload, dataset=dataset) + more
    return make_plan(Sweep.parse(text, "t.toml", vocabulary()))


def found(plan: Plan, where: Machine) -> list[tuple[str, bool]]:
    return [(each.text, each.fatal) for each in preflight.problems(plan, where)]


@pytest.mark.parametrize(
    ("plan", "where", "text", "fatal"),
    [
        (
            planned('scheduler = ["none", "bfq"]'),
            Machine("x", schedulers=frozenset({"none", "mq-deadline"})),
            't.toml:7: [factors] scheduler: "bfq" is not available on x: there are mq-deadline, none',
            True,
        ),
        (
            planned('scheduler = "none"\nnr_requests = [32, 128]'),
            Machine("x", tags=64),
            't.toml:8: [factors] nr_requests: 128 is refused with scheduler = "none" on x: at most 64',
            True,
        ),
        (
            planned('scheduler = "none"\nnr_requests = [32, 128]'),
            Machine("x"),
            't.toml:8: [factors] nr_requests: 128 with scheduler = "none" is refused by disks with fewer tags',
            False,
        ),
        (
            planned("nr_requests = 4096"),
            Machine("x", scheduler="mq-deadline"),
            "t.toml:7: [factors] nr_requests: Linux refuses 4096 with scheduler mq-deadline: at most 2048",
            True,
        ),
        (
            planned(dataset='files = 16\nfile_size = "64MiB"'),
            Machine("x", disk_bytes=GIB),
            "t.toml:13: [dataset]: 16 files, 1 GiB in all, do not fit on raid1 x4 with disks of 1 GiB: xfs has room",
            True,
        ),
        (
            planned('filesystem = ["xfs", "ext4"]', dataset='files = 4\nfile_size = "1MiB"'),
            Machine("x", disk_bytes=128 << 20),
            "t.toml:7: [factors] filesystem: xfs cannot be made on raid1 x4 with disks of 128 MiB: too small",
            True,
        ),
        (
            planned(workload='rw = "read"\nbs = "1M"\nnumjobs = 40', dataset='files = 4\nfile_size = "4MiB"'),
            Machine("x"),
            "t.toml:8: workload 'w': 10 jobs on a file of 4194304 bytes leave none of them a block",
            True,
        ),
        (
            planned(workload='rw = "read"\nbs = "1M"\ndirect = false\nioengine = "psync"'),
            Machine("x", memory_bytes=GIB),
            "t.toml:8: workload w: buffered, and its data set of 1 GiB fits in memory (1 GiB)",
            False,
        ),
        (
            planned(workload='engine = "dd"\nrw = "read"\nbs = "1M"\nio_size = "16M"'),
            Machine("x", profile=HDD),
            "t.toml:8: workload w: 16 MiB take 0.2 s at the limit of 4 disks, and the throttle lets the first 0.1 s",
            True,
        ),
        (
            planned(workload='rw = "randwrite"\nbs = "4k"\nruntime_s = 1'),
            Machine("x", profile=HDD),
            "t.toml:8: workload w: the throttle lets the first 0.1 s through at once, up to 10 % of a run of 1 s",
            False,
        ),
        (
            planned(more='[objective]\nmaximise = "iops"\nrequire = ["survives >= 4"]\n'),
            Machine("x"),
            "t.toml:17: [objective] require: workload w: no point can meet survives >= 4; the closest is raid1 x4 xfs",
            True,
        ),
        (
            planned(more='[objective]\nmaximise = "iops"\nrequire = ["usable >= 1 TiB"]\n'),
            Machine("x", disk_bytes=4 * GIB),
            "t.toml:17: [objective] require: workload w: no point can meet usable >= 1 TiB; the closest is raid10 x4",
            True,
        ),
        (
            planned(more='[objective]\nmaximise = "iops"\nrequire = ["survives >= 3", "usable >= 6 GiB"]\n'),
            Machine("x", disk_bytes=4 * GIB),
            "t.toml:17: [objective] require: workload w: no point can meet survives >= 3 and usable >= 6 GiB together",
            True,
        ),
        (
            planned(more='[objective]\nmaximise = "iops"\nrequire = ["survives >= 2"]\n'),
            Machine("x"),
            "t.toml:15: [objective]: 1 of 2 points cannot meet survives >= 2: they are measured for what they",
            False,
        ),
    ],
    ids=lambda each: None if not isinstance(each, str) else each[:40],
)
def test_what_is_known_beforehand_is_said_with_its_line(plan: Plan, where: Machine, text: str, fatal: bool) -> None:
    ((said, refused),) = [each for each in found(plan, where) if text[:60] in each[0]]
    assert said.startswith(text)
    assert refused is fatal


def test_requirements_of_different_workloads_that_no_point_meets_together_are_refused() -> None:
    second = '[[workload]]\nname = "v"\n' + DIRECT + "\n"
    of = '[[objective]]\nworkload = "{}"\nmaximise = "iops"\nrequire = ["{}"]\n'
    plan = planned(more=second + of.format("w", "survives >= 3") + of.format("v", "usable >= 6 GiB"))
    ((said, fatal),) = found(plan, Machine("x", disk_bytes=4 * GIB))
    assert "no point can meet the requirements of all workloads together: survives >= 3 and usable >= 6 GiB" in said
    assert fatal


def test_a_race_is_refused_where_no_point_can_meet_a_requirement_and_not_warned_of_points_that_do_not_start() -> None:
    racing = SWEEP.replace('name = "checked"', 'name = "checked"\ndesign = "racing"\n[racing]\nbudget_trials = 40')
    objective = '[objective]\nmaximise = "iops"\nrequire = ["survives >= {}"]\n'
    for count, fatal in ((2, []), (4, [True])):
        text = racing.format(factors="chunk_kib = [64, 128]", workload=DIRECT, dataset="files = 16")
        plan = make_plan(Sweep.parse(text + objective.format(count), "t.toml", vocabulary()))
        assert [refused for _, refused in found(plan, Machine("x"))] == fatal


@pytest.mark.parametrize(
    ("workload", "where"),
    [
        (DIRECT, Machine("x", disk_bytes=4 * GIB, memory_bytes=64 * GIB, tags=64, schedulers=frozenset({"none"}))),
        ('engine = "dd"\nrw = "read"\nbs = "1M"\ndirect = false', Machine("x", memory_bytes=64 * GIB)),
        ('engine = "dd"\nrw = "read"\nbs = "1M"', Machine("x", profile=HDD)),
        ('rw = "randread"\nbs = "4k"\nruntime_s = 1\nramp_time_s = 1', Machine("x", profile=HDD)),
        ('rw = "read"\nbs = "1M"\ndirect = false\nioengine = "psync"', Machine("x", memory_bytes=GIB // 2)),
    ],
)
def test_what_can_be_run_is_not_spoken_against(workload: str, where: Machine) -> None:
    assert found(planned(workload=workload), where) == []


@pytest.mark.parametrize("file", sorted(EXAMPLES.glob("*.toml")), ids=lambda file: file.stem)
def test_every_example_can_be_run_in_the_lab(file: Path) -> None:
    plan = make_plan(Sweep.load(file, vocabulary()))
    if plan.sweep.lab_given:
        assert not [text for text, fatal in found(plan, machine.virtual_lab(plan.sweep, installed=False)) if fatal]


def test_the_first_example_has_no_warning_either() -> None:
    plan = make_plan(Sweep.load(EXAMPLES / "first-sweep.toml", vocabulary()))
    assert found(plan, machine.virtual_lab(plan.sweep, installed=False)) == []


def in_a_lab(monkeypatch: pytest.MonkeyPatch, schedulers: set[str] | None, problems: tuple[str, ...] = ()) -> None:
    """A lab whose kernel has these schedulers, or none at all, on a machine with such problems."""

    def release() -> str:
        if schedulers is None:
            raise LabError("linux.uml is not installed", remedy="Install it.")
        return "6.1"

    monkeypatch.setattr(modules, "release", release)
    monkeypatch.setattr(modules, "schedulers", lambda _kernel: frozenset(schedulers or ()))
    monkeypatch.setattr(check, "problems", lambda: problems)


def test_an_installed_lab_must_be_there_and_another_may_be(monkeypatch: pytest.MonkeyPatch) -> None:
    sweep = planned().sweep
    in_a_lab(monkeypatch, {"none", "bfq"})
    for installed in (True, False):
        assert machine.virtual_lab(sweep, installed=installed).schedulers == {"none", "bfq"}
    in_a_lab(monkeypatch, None)
    assert machine.virtual_lab(sweep, installed=False).schedulers is None
    with pytest.raises(LabError, match="not installed"):
        machine.virtual_lab(sweep, installed=True)


def test_plan_for_the_lab_checks_its_kernel_and_this_machine(tmp_path: Path, monkeypatch, capsys) -> None:
    sweep = tmp_path / "t.toml"
    sweep.write_text(SWEEP.format(factors='scheduler = ["none", "kyber"]', workload=DIRECT, dataset="files = 16"))
    in_a_lab(monkeypatch, {"none", "kyber"}, ("bwrap is missing",))
    assert outcome(["plan", str(sweep), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["warnings"] == []
    assert outcome(["plan", str(sweep), "--lab", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["warnings"] == [
        "the virtual lab does not start on this machine: bwrap is missing"
    ]
    in_a_lab(monkeypatch, {"none", "mq-deadline"})
    assert outcome(["plan", str(sweep), "--lab", "--json"]) == SweepFileError.status
    assert '"kyber" is not available on the virtual lab' in json.loads(capsys.readouterr().out)["error"]["message"]
    in_a_lab(monkeypatch, None)
    assert outcome(["plan", str(sweep), "--json"]) == 0
    capsys.readouterr()
    assert outcome(["plan", str(sweep), "--lab", "--json"]) == LabError.status


LEAST = {"raid5": 3, "raid6": 4, "raid10": 4, "raid1": 2, "raid0": 2, "jbod": 1}
LEVELS = tuple(LEAST)


@pytest.mark.parametrize(("level", "disks"), [(level, disks) for level in LEVELS for disks in (LEAST[level], 4, 8)])
@pytest.mark.parametrize("filesystem", filesystems.names())
def test_defaults_fit_each_other(level: str, disks: int, filesystem: str) -> None:
    text = f"""
    [factors]
    level = "{level}"
    disks = {disks}
    filesystem = "{filesystem}"
    [[workload]]
    name = "w"
    {DIRECT}
    """
    plan = make_plan(Sweep.parse(text, "t.toml", vocabulary()))
    assert found(plan, machine.virtual_lab(plan.sweep, installed=False)) == []
    assert found(plan, machine.loop_files(plan.sweep.default_disk_bytes)) == []


@pytest.mark.loop
@pytest.mark.parametrize("mib", [320, 512, 1024, 1536, 4096, 20480])
@pytest.mark.parametrize("filesystem", filesystems.names())
def test_the_room_of_a_filesystem_is_bounded_by_what_mkfs_leaves(tmp_path: Path, filesystem: str, mib: int) -> None:
    """Never less than is free, so that what fits is not refused; and at most 8 % and 32 MiB more."""
    free = free_bytes(tmp_path, filesystem, mib << 20)
    room = filesystems.by_name(filesystem).room_bytes(mib << 20, ())
    assert free <= room <= 1.08 * free + (32 << 20)


@pytest.mark.loop
@pytest.mark.parametrize("dataset", [DataSet(), DataSet(1, 64 << 20), DataSet(7, 300 << 20), DataSet(100, 100 << 20)])
@pytest.mark.parametrize("filesystem", filesystems.names())
def test_a_roomy_disk_has_room_on_the_real_filesystem(tmp_path: Path, filesystem: str, dataset: DataSet) -> None:
    size_bytes = roomy_disk_bytes(dataset, "raid1", 2)
    assert free_bytes(tmp_path, filesystem, max(size_bytes, GIB)) >= dataset.total_bytes


def free_bytes(folder: Path, filesystem: str, size_bytes: int) -> int:
    """What is free on a new filesystem of the real mkfs, mounted."""
    image, point = folder / "image", folder / "mnt"
    image.touch()
    os.truncate(image, size_bytes)
    point.mkdir()
    kind = filesystems.by_name(filesystem)
    *words, _ = kind.mkfs(Path("/x"), None, "l", ())
    sh(*words, *kind.force, image)
    sh("mount", "-o", "loop", image, point)
    try:
        room = os.statvfs(point)
        return room.f_bavail * room.f_frsize
    finally:
        sh("umount", point)


@pytest.mark.loop
def test_run_refuses_in_the_same_words_as_plan_and_makes_nothing(tmp_path: Path, capsys) -> None:
    sweep = tmp_path / "t.toml"
    sweep.write_text(
        SWEEP.format(factors='nr_requests = 500\nscheduler = "none"', workload=DIRECT, dataset="files = 16")
    )
    assert outcome(["plan", str(sweep), "--disk-size", "1GiB", "--json"]) == SweepFileError.status
    by_plan = json.loads(capsys.readouterr().out)["error"]["message"].splitlines()
    words = ["run", str(sweep), "--store", str(tmp_path / "s"), "--loop", "4", "--loop-size", "1GiB", "--json"]
    assert outcome(words) == SweepFileError.status
    by_run = json.loads(capsys.readouterr().out)["error"]["message"].splitlines()
    assert [line for line in by_plan if "do not fit" in line] == [line for line in by_run if "do not fit" in line] != []
    assert any("500 is refused" in line for line in by_run), "a loop device has 128 tags"
    assert not (tmp_path / "s").exists()


def test_every_problem_is_told_at_once_on_a_line_of_its_own(tmp_path: Path) -> None:
    sweep = tmp_path / "t.toml"
    text = SWEEP.format(factors='nr_requests = 128\nscheduler = "none"', workload=DIRECT, dataset="files = 16")
    sweep.write_text(f'{text}[lab]\ndisk_size = "1GiB"\n')
    words = [sys.executable, "-m", "bench", "plan", str(sweep)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    errors = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert (done.returncode, done.stdout, len(errors)) == (SweepFileError.status, "", 2)


def test_plan_prints_warnings_in_both_forms(tmp_path: Path, capsys) -> None:
    sweep = tmp_path / "t.toml"
    workload = 'rw = "randwrite"\nbs = "4k"\nruntime_s = 1'
    sweep.write_text(SWEEP.format(factors="", workload=workload, dataset="files = 16") + '[lab]\nprofile = "hdd"\n')
    assert outcome(["plan", str(sweep), "--json"]) == 0
    (warning,) = json.loads(capsys.readouterr().out)["warnings"]
    assert outcome(["plan", str(sweep)]) == 0
    assert f"warning: {warning}" in capsys.readouterr().out


def test_leased_disks_are_described_by_sysfs() -> None:
    from bench import inventory

    loops = [disk for disk in inventory.disks() if (disk.sys / "mq/0/nr_tags").exists()]
    if not loops:
        pytest.skip("no disk here tells its tags")
    described = machine.leased(loops[:1])
    assert described.tags == int((loops[0].sys / "mq/0/nr_tags").read_text())
    assert described.disk_bytes == loops[0].size_bytes
    assert "none" in (described.schedulers or {"none"})


SYNCING = 'rw = "randwrite"\nbs = "8k"\nfsync = 1\nruntime_s = 3\n'
OF_P99 = '[[objective]]\nminimise = "lat_p99_ns"\n'
WAL = """
[sweep]
name = "pg-host"
seed = 11
replicates = 3
initial_sync = "assume-clean"
[factors]
level = ["raid1", "raid5", "raid10"]
disks = 4
[[workload]]
name = "wal"
{engine}
rw = "randwrite"
bs = "8k"
fsync = 1
runtime_s = 3
[[workload]]
name = "oltp"
rw = "randrw"
rwmixread = 70
bs = "8k"
iodepth = 8
numjobs = 2
runtime_s = 3
[dataset]
files = 4
file_size = "32MiB"
[lab]
profile = "hdd"
[[objective]]
workload = "oltp"
maximise = "iops"
require = ["survives >= 1", "p99 < 200 ms"]
[[objective]]
workload = "wal"
minimise = "lat_p99_ns"
require = ["survives >= 1"]
"""


def wal(tmp_path: Path, engine: str) -> str:
    path = tmp_path / "wal.toml"
    path.write_text(WAL.format(engine=engine))
    return str(path)


def test_the_latency_of_a_log_is_planned_as_that_of_its_commits(tmp_path, capsys):
    assert outcome(["plan", wal(tmp_path, ""), "--json"]) == 0
    (said,) = [each for each in json.loads(capsys.readouterr().out)["warnings"] if "wal" in each]
    assert said.endswith(
        "workload wal syncs, so lat_p99_ns is read as commit_lat_p99_ns: a write with the sync that makes it durable"
    )
    assert outcome(["plan", wal(tmp_path, "")]) == 0
    assert "workloads  wal (native), oltp (fio)" in capsys.readouterr().out
    sweep = Sweep.load(tmp_path / "wal.toml", vocabulary())
    assert [workload.engine for workload in sweep.workloads] == ["native", "fio"]
    assert [objective.metric for objective in sweep.objectives] == ["iops", "commit_lat_p99_ns"]


def test_a_commit_percentile_that_fio_cannot_tell_is_refused_with_the_remedy(tmp_path, capsys):
    for verb in (["plan"], ["run", "--lab", "--store", str(tmp_path / "store")]):
        assert outcome([verb[0], wal(tmp_path, 'engine = "fio"'), *verb[1:]]) == 3
        said = " ".join(capsys.readouterr().err.split())
        assert "wal.toml:10: workload wal syncs, so lat_p99_ns is about commits, a write with its sync;" in said
        assert "fio measures the two apart, and commit_lat_p99_ns cannot be computed from them" in said
        assert 'hint: set engine = "native", which measures commits, or minimise commit_lat_mean_ns' in said
        assert "or ask for sync_lat_p99_ns, the sync alone" in said


@pytest.mark.parametrize(
    ("workload", "objective", "fatal"),
    [
        (SYNCING + 'engine = "fio"', '[[objective]]\nminimise = "commit_lat_mean_ns"\n', None),
        (SYNCING + 'engine = "fio"', '[[objective]]\nminimise = "lat_mean_ns"\n', False),
        (SYNCING + 'engine = "fio"', '[[objective]]\nminimise = "sync_lat_p99_ns"\n', None),
        (SYNCING + 'engine = "fio"', '[[objective]]\nminimise = "write_lat_p99_ns"\n', None),
        (SYNCING + 'engine = "fio"', '[[objective]]\nmaximise = "iops"\nrequire = ["p99 < 20 ms"]\n', True),
        (SYNCING + 'engine = "fio"', '[[objective]]\nmaximise = "iops"\nrequire = ["sync_p99 < 20 ms"]\n', None),
        (SYNCING + 'engine = "fio"\niodepth = 4', '[[objective]]\nminimise = "lat_mean_ns"\n', True),
        (SYNCING, OF_P99, False),
        (SYNCING, '[[objective]]\nminimise = "commit_lat_p99_ns"\n', None),
        (SYNCING, '[[objective]]\nmaximise = "iops"\nrequire = ["p99 < 20 ms"]\n', False),
        ('rw = "write"\nbs = "8k"\noptions = {sync = "dsync"}', OF_P99, False),
        ('rw = "write"\nbs = "8k"\noptions = {fdatasync = 1}', OF_P99, False),
        ('rw = "write"\nbs = "8k"', OF_P99, None),
    ],
)
def test_a_latency_of_commits_is_refused_said_or_neither(workload: str, objective: str, fatal: bool | None) -> None:
    said = [
        refused for text, refused in found(planned(workload=workload, more=objective), Machine("x")) if "syncs" in text
    ]
    assert said == ([] if fatal is None else [fatal])


def test_a_job_file_that_syncs_is_refused_with_its_own_remedy(tmp_path, capsys):
    (tmp_path / "wal.fio").write_text("[wal]\nrw=write\nbs=8k\nfsync=1\nruntime=3\ntime_based\n")
    sweep = tmp_path / "t.toml"
    sweep.write_text(SWEEP.format(factors="", workload='job_file = "wal.fio"', dataset="files = 4") + OF_P99)
    assert outcome(["plan", str(sweep)]) == 3
    assert "in place of the job file write the workload out here" in " ".join(capsys.readouterr().err.split())
