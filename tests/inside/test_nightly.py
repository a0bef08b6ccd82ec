"""Nights in the lab: quiet ones, one with a disk throttled by a fifth, one with another firmware."""

from __future__ import annotations

import dataclasses
import logging
import os
from datetime import date, timedelta

import pytest

from bench import environment
from bench.nightly.night import Asked, run_night
from bench.nightly.where import Where
from bench.vocabulary import vocabulary
from permutations.design import make_plan
from permutations.sweep import Sweep
from results.nightly import answer
from results.nightly.baseline import FEWEST_NIGHTS
from results.nightly.kept import outcomes

LOG = logging.getLogger(__name__)
QUIET = int(os.environ.get("NIGHTLY_NIGHTS", "1"))
"""Quiet nights that are judged, after those of the baseline; ``make chaos`` runs the long form, with 30."""

BASELINE = min(FEWEST_NIGHTS, 7 + QUIET)
NIGHT_S = 90
"""A night takes a quarter of that, and four times as long where others use the machine."""

FIRST = date(2026, 10, 1)
SWEEP = """
[sweep]
name = "watched"
seed = 3
[factors]
level = ["raid0"]
disks = [4]
chunk_kib = [64]
filesystem = ["raw"]
[[workload]]
name = "random-read"
rw = "randread"
bs = "4k"
iodepth = 8
numjobs = 2
runtime_s = 2
[dataset]
files = 4
file_size = "4MiB"
[lab]
disks = 4
profile = {iops = 20, bandwidth = "4MiB"}
"""
THROTTLED = """
[[lab.disk]]
number = 3
iops = 16
bandwidth = "3276K"
"""


class Nights:
    """Nights one after the other, in virtual time."""

    def __init__(self, folder, disks):
        self.folder, self.disks, self.count = folder, disks, 0

    def next(self, text=SWEEP):
        sweep = self.folder / "sweep.toml"
        sweep.write_text(text)
        where = Where(sweep=sweep, store=self.folder / "store", disks=tuple(disk.id for disk in self.disks[:4]))
        night = FIRST + timedelta(days=self.count)
        self.count += 1
        asked = Asked(where=where, night=night.isoformat(), baseline_nights=BASELINE)
        found = run_night(make_plan(Sweep.load(sweep, vocabulary())), asked, lambda _: None)
        assert found.problems == ()
        return found


def words(night):
    return {(each.metric.figure): each.word for each in night.verdicts}


def renamed(describe):
    """The machine with another firmware on its second disk."""

    def with_firmware(*asked):
        row = describe(*asked)
        firmwares = (row.disk_firmwares[0], "FW02", *row.disk_firmwares[2:])
        return dataclasses.replace(row, environment_id="f" * 16, disk_firmwares=firmwares)

    return with_firmware


@pytest.mark.timeout(NIGHT_S * (BASELINE + QUIET + 8))
def test_a_throttled_disk_is_named_the_same_night_and_a_dated_regression_on_the_third(tmp_path, disks, monkeypatch):
    nights = Nights(tmp_path, disks)
    for number in range(BASELINE + QUIET):
        quiet = nights.next()
        LOG.info("quiet night %s: %s", number + 1, words(quiet))
        silent = {answer.NO_VERDICT} if number < BASELINE else {answer.OK, answer.UNCONFIRMED}
        assert set(words(quiet).values()) <= silent, [each.reason for each in quiet.verdicts]
    assert quiet.baseline.name == "first"
    assert quiet.changes == ()

    with monkeypatch.context() as patched:
        patched.setattr(environment, "describe", renamed(environment.describe))
        other = nights.next()
    assert set(words(other).values()) <= {answer.OK, answer.UNCONFIRMED}
    (change,) = other.changes
    assert (change.what, change.before, change.after) == (f"disk {disks[1].id}, firmware", None, "FW02")

    first_slow = (FIRST + timedelta(days=nights.count)).isoformat()
    for word in (answer.TONIGHT, answer.TONIGHT, answer.REGRESSION):
        slow = nights.next(SWEEP + THROTTLED)
        (verdict,) = (each for each in slow.verdicts if each.metric.figure == "iops")
        told = [[each.value for each in night.verdicts] for night in outcomes(tmp_path / "store")]
        assert verdict.word == word, (verdict.reason, told)
    assert verdict.disks == (disks[2].id,), verdict.reason
    assert verdict.p_value <= 1 / 256
    assert verdict.change_high_pct < -5
    assert (verdict.since.night, slow.status) == (first_slow, 1)
