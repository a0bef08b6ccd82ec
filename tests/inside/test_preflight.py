"""What is said of the lab beforehand, against the lab's own kernel."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench import environment, machine, preflight
from bench.machine import UBD_SCHEDULER, UBD_TAGS, leased
from bench.places import on_disks
from bench.preflight import MOST_REQUESTS
from bench.stack import modules
from bench.vocabulary import vocabulary
from permutations.design import make_plan
from permutations.sweep import Sweep
from results.store.query import load

MIB = 1 << 20


def test_the_schedulers_are_those_that_the_disks_offer(disks):
    """F8: bfq, a module of this kernel, was never loaded, and 12 of 36 trials failed."""
    found = leased(disks)
    assert found.schedulers == {"none", *modules.SCHEDULERS}
    assert (found.tags, found.disk_bytes) == (UBD_TAGS, disks[0].size_bytes)
    assert f"[{UBD_SCHEDULER}]" in (disks[0].sys / "queue/scheduler").read_text()


@pytest.mark.parametrize("scheduler", ["none", *modules.SCHEDULERS])
def test_queue_lengths_are_refused_where_the_plan_says_so(disks, scheduler):
    queue = disks[0].sys / "queue"
    most = UBD_TAGS if scheduler == "none" else MOST_REQUESTS
    try:
        (queue / "scheduler").write_text(scheduler)
        for length in (4, most):
            (queue / "nr_requests").write_text(str(length))
            assert (queue / "nr_requests").read_text().strip() == str(length)
        for length in (most + 1, 2 * most):
            with pytest.raises(OSError, match="Invalid argument"):
                (queue / "nr_requests").write_text(str(length))
    finally:
        (queue / "scheduler").write_text(UBD_SCHEDULER)


def test_the_memory_is_the_same_at_every_boot():
    assert environment.installed_memory_bytes() == 1 << 30
    assert machine.memory_bytes() < 1 << 30
    assert "mem=1024M" in Path("/proc/cmdline").read_text()


SWEEP = """
[sweep]
name = "dd"
[factors]
level = ["jbod", "raid0"]
disks = 4
chunk_kib = 64
filesystem = "ext4"
[[workload]]
name = "dd-read"
engine = "dd"
rw = "read"
bs = "1M"
numjobs = 4
[dataset]
files = 4
file_size = "40MiB"
[lab]
profile = "hdd"
"""


def test_dd_reads_what_arithmetic_says_and_not_the_burst_of_the_throttle(disks, tmp_path):
    """D3: 182 MiB/s were told where four disks of 20 MiB/s are the limit; md's chunks of 64 KiB make it 12.5."""
    path = tmp_path / "sweep.toml"
    path.write_text(SWEEP)
    plan = make_plan(Sweep.load(path, vocabulary()))
    assert preflight.problems(plan, machine.virtual_lab(plan.sweep, installed=False)) == ()
    on_disks(plan, tmp_path / "store", lambda _: None, [disk.id for disk in disks[:4]])
    frames = load(tmp_path / "store")
    levels = {row.trial_id: row.level for row in frames.trial_rows()}
    found = {levels[row.trial_id]: row for row in frames.observation_rows()}
    for level, mib_s in (("jbod", 80), ("raid0", 50)):
        assert found[level].predicted_bw_bytes_s == pytest.approx(mib_s * MIB)
        assert 0.6 * mib_s * MIB <= found[level].bw_bytes_s <= 1.07 * mib_s * MIB
