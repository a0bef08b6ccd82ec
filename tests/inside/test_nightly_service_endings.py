"""How the nightly service ends when it must: in order after its limit, and without ado beside another run."""

from __future__ import annotations

from bench.errors import BusyError
from bench.journal import Journal
from bench.nightly.timer import BUSY_STATUS
from bench.store_lock import locked
from tests.inside.service import FAILED, SUCCEEDED, nothing_stands, serve


def test_a_night_that_outlasts_its_limit_takes_its_stack_down_before_it_ends(service_folder, disks):
    status, said = serve(service_folder, disks, runtime_s=150, more="RuntimeMaxSec=40")
    assert status == FAILED, said
    assert "stopped by SIGTERM" in said, "the signal goes to stripelab alone, which then ends in order"
    nothing_stands()
    with Journal(service_folder / "store" / "journal.jsonl") as journal:
        assert journal.pending == ()


def test_another_run_that_holds_the_store_is_no_failure_of_the_service(service_folder, disks):
    (service_folder / "store").mkdir()
    with locked(service_folder / "store"):
        status, said = serve(service_folder, disks)
    assert status == SUCCEEDED, said
    assert "another run is writing this store" in said
    assert BusyError.status == BUSY_STATUS
