"""Every RAID level with every filesystem, built for real, looked at with other eyes, and taken down."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from bench import probes
from bench.acts import TakenAct
from bench.errors import DiskRefusedError, StackError
from bench.journal import recover
from bench.stack import arrays, filesystems
from bench.stack.arrays import md
from bench.stack.build import stack, undo_table
from bench.stack.spec import Geometry, Site, StackRequest, StackSpec
from permutations.workload import DataSet
from tests.inside.conftest import make_blank, sh, signatures_on

LEVELS = arrays.levels()
MIB = 1 << 20
DATA_DISKS = {"raid0": 4, "raid5": 3, "raid6": 2, "raid10": 2}
"""Of four disks; Patterson, Gibson and Katz, 1988."""


@pytest.fixture
def site(lease, journal, run_folder):
    return Site(lease, journal, run_folder, "test0001")


def mount_of(path):
    """Name of the mount point that a file lies on."""
    return next(part for part in path.parts if part.startswith("mnt"))


def request(level, filesystem, *, dataset=None, **settings):
    settings.setdefault("chunk_kib", 64 if level in DATA_DISKS else None)
    settings.setdefault("initial_sync", "assume-clean")
    spec = StackSpec(level=level, disks=4, filesystem=filesystem, **settings)
    return StackRequest(spec, dataset or DataSet(8, 1 * MIB))


def left_over(site):
    """Arrays, mounts, signatures and journalled acts that a stack left behind: there must be none."""
    arrays = [path.name for path in Path("/sys/block").glob("md*")]
    mounts = [mount.mount_point for mount in probes.mounts() if str(site.folder) in mount.mount_point]
    written = [f"{each} on {each.device}" for each in signatures_on(site.lease.disks)]
    pending = [entry.act for entry in site.journal.pending if not isinstance(entry.act, TakenAct)]
    return [*arrays, *mounts, *written, *pending]


@pytest.mark.parametrize("filesystem", ["raw", *filesystems.names()])
@pytest.mark.parametrize("level", LEVELS)
def test_every_level_with_every_filesystem(site, level, filesystem):
    with stack(site, request(level, filesystem)) as (volume, targets):
        assert len(volume.devices) == (4 if level == "jbod" else 1)
        if level != "jbod":
            folder = Path("/sys/block") / volume.array / "md"
            assert (folder / "level").read_text().strip() == level
            assert int((folder / "raid_disks").read_text()) == 4
            if level in DATA_DISKS:
                assert int((folder / "chunk_size").read_text()) == 64 * 1024
            assert volume.state().clean
        if filesystem == "raw":
            assert targets.device
            assert tuple(path.resolve() for path in targets.paths) == volume.devices
        else:
            kinds = {
                sh("findmnt", "--noheadings", "--output", "FSTYPE", "--target", path).strip() for path in targets.paths
            }
            assert kinds == {filesystem}
            assert [path.stat().st_size for path in targets.paths] == [1 * MIB] * 8
    assert left_over(site) == []


@pytest.mark.parametrize("chunk_kib", [16, 512])
@pytest.mark.parametrize("level", DATA_DISKS)
def test_ext4_says_the_stripe_of_the_array(site, level, chunk_kib):
    with stack(site, request(level, "ext4", chunk_kib=chunk_kib)) as (volume, _):
        said = sh("dumpe2fs", "-h", volume.devices[0])
        assert int(re.search(r"RAID stride:\s+(\d+)", said)[1]) == chunk_kib // 4
        assert int(re.search(r"RAID stripe width:\s+(\d+)", said)[1]) == chunk_kib // 4 * DATA_DISKS[level]


@pytest.mark.parametrize("chunk_kib", [16, 512])
@pytest.mark.parametrize("level", DATA_DISKS)
def test_xfs_says_the_stripe_of_the_array(site, level, chunk_kib):
    with stack(site, request(level, "xfs", chunk_kib=chunk_kib)) as (_, targets):
        said = sh("xfs_info", targets.paths[0].parent.parent)
        unit, width = (int(number) for number in re.search(r"sunit=(\d+)\s+swidth=(\d+) blks", said).groups())
        assert unit * 4 == chunk_kib
        assert width == unit * DATA_DISKS[level]


@pytest.mark.parametrize(
    ("level", "layers"),
    [("raid5", ["md", "filesystem", "queue", "mount"]), ("jbod", ["filesystem"] + ["queue"] * 4 + ["mount"] * 4)],
)
def test_layers_go_up_in_order_and_come_down_in_the_reverse(site, journal, level, layers):
    with stack(site, request(level, "ext4", read_ahead_kib=512)):
        standing = [entry.act.kind for entry in reversed(journal.pending)]
    records = [json.loads(line) for line in journal.path.read_text().splitlines()]
    kinds = {record["n"]: record["kind"] for record in records if record["state"] == "begun"}
    taken_back = [kinds[record["n"]] for record in records if record["state"] == "undone"]
    assert [kind for kind in standing if kind != "taken"] == layers
    assert [kind for kind in taken_back if kind != "destroy"] == layers[::-1]


def test_a_geometry_that_mkfs_drops_is_an_error(site, monkeypatch):
    kind = filesystems.by_name("xfs")
    monkeypatch.setattr(type(kind), "geometry_of", lambda *_: Geometry(8, 3))
    with pytest.raises(StackError, match="stripe geometry"), stack(site, request("raid5", "xfs")):
        pytest.fail("the stack must not stand")
    assert left_over(site) == []


def test_the_layouts_spread_the_files(site):
    with stack(site, request("jbod", "ext4", layout="flat")) as (_, targets):
        assert len(targets.groups) == 1
        assert [mount_of(path) for path in targets.paths] == ["mnt0", "mnt1", "mnt2", "mnt3"] * 2
    with stack(site, request("raid10", "ext4", layout="per-disk")) as (_, targets):
        assert [{path.parent.name for path in group} for group in targets.groups] == [{f"seg{n}"} for n in range(4)]
    with stack(site, request("jbod", "xfs", layout="per-disk")) as (_, targets):
        assert [{mount_of(path) for path in group} for group in targets.groups] == [{f"mnt{n}"} for n in range(4)]
    with stack(site, request("raid0", "xfs", layout="hashed-2x3")) as (_, targets):
        leaves = sorted(path for path in targets.paths[0].parents[2].glob("*/*") if path.is_dir())
        assert len(leaves) == 6
        assert len({path.parent for path in targets.paths}) == 6
    assert left_over(site) == []


def test_queue_settings_are_in_force_and_put_back(site, lease):
    disk = lease.disks[0]
    queue = disk.sys / "queue"
    before = [(queue / name).read_text() for name in ("scheduler", "nr_requests", "read_ahead_kb")]
    wanted = request("raid0", "raw", scheduler="mq-deadline", nr_requests=32, read_ahead_kib=1024)
    with stack(site, wanted) as (volume, _):
        assert "[mq-deadline]" in (queue / "scheduler").read_text()
        assert (queue / "nr_requests").read_text().strip() == "32"
        assert (Path("/sys/block") / volume.array / "queue/read_ahead_kb").read_text().strip() == "1024"
    assert [(queue / name).read_text() for name in ("scheduler", "nr_requests", "read_ahead_kb")] == before


def test_a_setting_that_the_kernel_refuses_is_an_error(site):
    with (
        pytest.raises(StackError, match="no-such-scheduler"),
        stack(site, request("raid0", "raw", scheduler="no-such-scheduler")),
    ):
        pytest.fail("the stack must not stand")
    assert left_over(site) == []


def test_the_stripe_cache_is_in_force(site):
    with stack(site, request("raid5", "raw", stripe_cache_pages=1024)) as (volume, _):
        assert (Path("/sys/block") / volume.array / "md/stripe_cache_size").read_text().strip() == "1024"


@pytest.mark.parametrize("level", ["raid5", "raid10"])
def test_an_awaited_resync_has_ended_and_the_array_is_consistent(site, level):
    with stack(site, request(level, "raw", initial_sync="wait")) as (volume, _):
        assert volume.state().clean
        assert md.attribute(volume.array, "resync_start") in {"none", None}


@pytest.mark.parametrize("layout", ["n2", "f2", "o2"])
def test_raid10_layouts(site, layout):
    with stack(site, request("raid10", "raw", raid10_layout=layout)) as (volume, _):
        said = sh("mdadm", "--detail", volume.devices[0])
        assert {"n2": "near=2", "f2": "far=2", "o2": "offset=2"}[layout] in said


def test_a_member_that_dies_is_seen(site):
    with stack(site, request("raid5", "ext4")) as (volume, _):
        sh("mdadm", "--fail", volume.devices[0], site.lease.disks[1].path)
        state = volume.state()
        assert (state.degraded, state.clean) == (1, False)
    assert left_over(site) == []


def test_a_disk_of_another_array_is_refused(site, lease, disks):
    first = disks[0]
    sh("mdadm", "--create", "/dev/md/other", "--run", "--metadata=1.2", "--name=other", "--level=0", "--force",
       "--raid-devices=1", first.path)  # fmt: skip
    try:
        with pytest.raises(DiskRefusedError, match=r"md\d+ holds"), stack(site, request("raid0", "raw")):
            pytest.fail("the stack must not stand")
    finally:
        sh("mdadm", "--stop", Path("/dev/md/other").resolve())
    with pytest.raises(DiskRefusedError, match="linux_raid_member"), stack(site, request("raid0", "raw")):
        pytest.fail("the stack must not stand")
    sh("mdadm", "--zero-superblock", first.path)
    make_blank(first)


def test_a_disk_under_device_mapper_is_refused(lease, disks):
    sh("dmsetup", "create", "other", "--table", f"0 2048 linear {disks[0].path} 0")
    try:
        with pytest.raises(DiskRefusedError, match="dm-0 holds"):
            lease.check([disks[0]])
    finally:
        sh("dmsetup", "remove", "other")


@pytest.mark.parametrize("level", ["jbod", "raid5"])
@pytest.mark.parametrize("filesystem", ["ext4", "xfs"])
def test_what_a_dead_run_left_is_taken_back_by_the_next(site, lease, journal, level, filesystem):
    standing = stack(site, request(level, filesystem, read_ahead_kib=512))
    standing.__enter__()  # and never left, as if the process had been killed here
    assert [entry.act.kind for entry in journal.pending].count("queue") >= 1
    recover(journal, undo_table(lease))
    assert left_over(site) == []
    recover(journal, undo_table(lease))


def test_data_set_too_large_for_the_volume_is_an_error(site):
    with (
        pytest.raises(StackError, match="does not fit"),
        stack(site, request("raid1", "ext4", dataset=DataSet(4, 2048 * MIB))),
    ):
        pytest.fail("the stack must not stand")
    assert left_over(site) == []
