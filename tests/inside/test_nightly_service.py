"""The nightly service under systemd itself: its sandbox lets a trial build its array, and little else be done."""

from __future__ import annotations

from results.store.query import load
from tests.inside.service import SUCCEEDED, nothing_stands, serve

BESIDE = "ExecStartPost=/bin/sh -c 'touch /srv/beside; date -s 2020-01-01; true'"


def test_a_trial_runs_inside_the_sandbox_with_array_filesystem_and_queue_settings(service_folder, disks):
    status, said = serve(service_folder, disks, more=BESIDE)
    assert status == SUCCEEDED, said
    (trial,) = load(service_folder / "store").trial_rows()
    assert (trial.status, trial.error) == ("ok", None)
    assert (trial.scheduler, trial.read_ahead_kib, trial.stripe_cache_pages) == ("mq-deadline", 512, 512)
    nothing_stands()
    assert "cannot touch '/srv/beside': Read-only file system" in said
    assert "date: cannot set date: Operation not permitted" in said
