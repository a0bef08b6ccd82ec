"""A night on a disk that the kernel takes for a real one (scsi_debug): what it says of itself is kept and told."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bench import disk_health, inventory, smartctl
from bench.inventory import Disk
from bench.nightly.night import Asked, run_night
from bench.nightly.where import Where
from bench.smartctl import Smart
from bench.vocabulary import vocabulary
from permutations.design import make_plan
from permutations.sweep import Sweep
from results.nightly import words
from results.nightly.answer import Nightly
from results.runs.changes import Change
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


def one_night(folder: Path, disk: Disk, **asked: object) -> Nightly:
    sweep = folder / "sweep.toml"
    sweep.write_text(SWEEP)
    where = Where(sweep=sweep, store=folder / "store", disks=(disk.id or "",))
    plan = make_plan(Sweep.load(sweep, vocabulary()))
    found = run_night(plan, Asked(where=where, **asked), lambda _: None)  # type: ignore[arg-type]
    assert found.problems == ()
    return found


@contextmanager
def real_disk() -> Iterator[Disk]:
    with scsi_disk() as node:
        disk = inventory.read(node.name)
        assert disk is not None
        assert disk.substrate == "disk"
        yield disk


def test_a_night_tells_the_temperature_that_smartctl_reads_or_that_there_is_no_smartctl(tmp_path: Path) -> None:
    with real_disk() as disk:
        found = one_night(tmp_path, disk)
    (health,) = found.health
    facts = dict(words.facts(found))
    assert (health.disk_id, health.used_pct, health.media_errors) == (disk.id, None, None)
    if shutil.which("smartctl"):  # the kernel's scsi_debug always says 38 degrees, and has no log of wear
        assert (health.temperature_c, health.not_read) == (38.0, None)
        assert facts["disk temperature"] == "38 °C"
    else:
        assert health.not_read == f"wear: smartctl is not installed; {disk_health.NO_SENSOR}"
        assert facts["not known"] == f"disk {disk.id}: {health.not_read}"


def test_a_disk_that_got_warmer_and_counts_errors_is_listed_beside_the_verdicts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    readings = iter([Smart(temperature_c=30.0, media_errors=0), Smart(temperature_c=38.0, media_errors=2)])
    monkeypatch.setattr(smartctl, "ask", lambda _: next(readings))
    with real_disk() as disk:
        first = one_night(tmp_path, disk, night="2026-10-01", baseline_nights=1)
        second = one_night(tmp_path, disk, night="2026-10-02", baseline_nights=1)
    assert first.changes == ()
    assert second.changes == (
        Change(what=f"disk {disk.id}, temperature", before="30 °C", after="38 °C (+8 K)"),
        Change(what=f"disk {disk.id}, media errors", before="0", after="2 (+2)"),
    )
