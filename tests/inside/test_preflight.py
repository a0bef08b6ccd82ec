"""What is said of the lab beforehand, against the lab's own kernel."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench import environment, machine
from bench.lab import modules
from bench.machine import UBD_SCHEDULER, UBD_TAGS, leased
from bench.preflight import MOST_REQUESTS


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
