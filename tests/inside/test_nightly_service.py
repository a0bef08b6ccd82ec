"""The nightly service under systemd itself: its sandbox lets a trial build its array, and little else be done."""

from __future__ import annotations

import shlex

from bench import privileges
from bench.lab.inside import VARIABLE
from results.store.query import load
from tests.inside.service import SUCCEEDED, nothing_stands, serve

BESIDE = "ExecStartPost=/bin/sh -c 'touch /srv/beside; date -s 2020-01-01; true'"


def systemctl_as_root_starts_it():
    """The row of systemctl in bench/privileges.py: without a capability the manager still knows root."""
    words = ["setpriv", *privileges.setpriv_options("systemctl"), "--", "systemctl", "daemon-reload"]
    return f"ExecStartPost=/bin/sh -c '{shlex.join(words)} && echo the manager was asked'"


def test_a_trial_runs_inside_the_sandbox_with_array_filesystem_and_queue_settings(service_folder, disks, monkeypatch):
    with monkeypatch.context() as on_a_host:
        on_a_host.delenv(VARIABLE)
        more = f"{BESIDE}\n{systemctl_as_root_starts_it()}"
    status, said = serve(service_folder, disks, more=more)
    assert status == SUCCEEDED, said
    (trial,) = load(service_folder / "store").trial_rows()
    assert (trial.status, trial.error) == ("ok", None)
    assert (trial.scheduler, trial.read_ahead_kib, trial.stripe_cache_pages) == ("mq-deadline", 512, 512)
    nothing_stands()
    assert "cannot touch '/srv/beside': Read-only file system" in said
    assert "the manager was asked" in said
    assert "date: cannot set date: Operation not permitted" in said
