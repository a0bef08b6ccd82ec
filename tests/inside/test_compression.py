"""A compressing filesystem in the lab: incompressible data by default, and a warning where the data are not."""

from __future__ import annotations

from results.recommendation.recommend import recommend
from results.store.query import load
from tests.inside.sweeps import run

SWEEP = """
[sweep]
name = "compression"
replicates = 2
[factors]
level = ["jbod"]
disks = [2]
filesystem = ["btrfs"]
mount_options = ["default", "compress-force=zstd"]
[dataset]
files = 4
file_size = "8M"
[[workload]]
name = "dd"
engine = "dd"
rw = "write"
bs = "1M"
direct = false
io_size = "32M"
[[workload]]
name = "fio"
rw = "write"
bs = "64k"
direct = false
io_size = "32M"
[[workload]]
name = "native"
engine = "native"
rw = "write"
bs = "4k"
direct = false
io_size = "32M"
[[workload]]
name = "zeros"
engine = "dd"
rw = "write"
bs = "1M"
direct = false
io_size = "32M"
options = { buffer_compress_percentage = 100 }
[[workload]]
name = "read"
engine = "dd"
rw = "read"
bs = "1M"
direct = false
io_size = "32M"
"""


def test_a_compressor_is_named_with_the_bytes_that_reached_the_disks(tmp_path, disks):
    path = tmp_path / "sweep.toml"
    path.write_text(SWEEP)
    summary = run(path, tmp_path / "store", disks[:2])
    assert summary.ok == summary.planned == 4
    results = load(tmp_path / "store")
    compressing = {row.trial_id for row in results.trial_rows() if row.mount_options}
    for row in results.observation_rows():
        share = row.disk_bytes / row.least_disk_bytes
        if row.trial_id in compressing and row.workload in {"zeros", "read"}:
            assert share < 0.2, row.workload
        else:
            assert share >= 0.99, row.workload
    said = [line for row in results.trial_rows() for line in row.warnings if "reached the disks" in line]
    assert len(said) == 2
    assert all(line.startswith("zeros: the data are compressible or compressed") for line in said)
    assert any("reached the disks" in line for line in recommend(tmp_path / "store").warnings)
