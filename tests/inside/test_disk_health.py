"""A night on a disk that the kernel takes for a real one (scsi_debug): what it says of itself is kept and told."""

from __future__ import annotations

import shutil
from pathlib import Path

from bench import disk_health, inventory
from bench.nightly.night import Asked, run_night
from bench.nightly.where import Where
from bench.vocabulary import vocabulary
from permutations.design import make_plan
from permutations.sweep import Sweep
from results.nightly import words
from tests.inside.faults import scsi_disk

SWEEP = """
[sweep]
name = "warm"
seed = 3
[factors]
level = ["jbod"]
disks = [1]
filesystem = ["raw"]
[[workload]]
name = "random-read"
rw = "randread"
bs = "4k"
runtime_s = 1
[dataset]
files = 1
file_size = "1MiB"
"""


def test_a_night_tells_the_temperature_that_smartctl_reads_or_that_there_is_no_smartctl(tmp_path: Path) -> None:
    sweep = tmp_path / "sweep.toml"
    sweep.write_text(SWEEP)
    with scsi_disk() as node:
        disk = inventory.read(node.name)
        assert disk is not None
        assert disk.substrate == "disk"
        where = Where(sweep=sweep, store=tmp_path / "store", disks=(disk.id or "",))
        found = run_night(make_plan(Sweep.load(sweep, vocabulary())), Asked(where=where), lambda _: None)
    assert found.problems == ()
    (health,) = found.health
    facts = dict(words.facts(found))
    assert (health.disk_id, health.used_pct, health.media_errors) == (disk.id, None, None)
    if shutil.which("smartctl"):  # the kernel's scsi_debug always says 38 degrees, and has no log of wear
        assert (health.temperature_c, health.not_read) == (38.0, None)
        assert facts["disk temperature"] == "38 °C"
    else:
        assert health.not_read == f"wear: smartctl is not installed; {disk_health.NO_SENSOR}"
        assert facts["not known"] == f"disk {disk.id}: {health.not_read}"
