"""Reference values and known truths of the parts of a recommendation."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import scipy

from results.errors import ResultsError
from results.estimates.anova import Term, table
from results.estimates.constraints import parsed
from results.estimates.estimate import WELCH_T, fit
from results.estimates.intervals import estimates, median_ranks, with_intervals
from results.estimates.modes import two_modes
from results.estimates.responses import Response
from results.estimates.shape import shape
from results.recommendation.apply import script, tuned_script
from results.recommendation.recommend import Wishes, recommend
from results.runs.within import lag_one, truncation
from results.statistics.bases import indicator
from stripelab.constraint import INCONCLUSIVE, MET, NOT_MET, parse
from tests.results import synthetic
from tests.results.synthetic import Plan, raid_truth

NIST = Path(scipy.__file__).parent / "stats" / "tests" / "data" / "nist_anova"
CERTIFIED = {
    "SiRstv": (1.18046237440255, 13),
    "AtmWtAg": (15.9467335677930, 10),
    "SmLs01": (21.0, 13),
    "SmLs02": (201.0, 13),
    "SmLs03": (2001.0, 13),
    "SmLs04": (21.0, 10),
    "SmLs05": (201.0, 10),
    "SmLs06": (2001.0, 10),
    "SmLs07": (21.0, 4),
    "SmLs08": (201.0, 4),
    "SmLs09": (2001.0, 4),
}


@pytest.mark.parametrize("name", CERTIFIED)
def test_the_analysis_of_variance_has_the_certified_digits(name: str) -> None:
    """NIST Statistical Reference Datasets, one-way analysis of variance; 60 lines of header."""
    rows = np.loadtxt(NIST / f"{name}.dat", skiprows=60)
    found = table(rows[:, 1], [Term("treatment", indicator(rows[:, 0].tolist()), "trials")])
    certified, digits = CERTIFIED[name]
    assert found[0].f is not None
    assert -math.log10(abs(found[0].f - certified) / certified + 1e-17) >= digits


@pytest.mark.parametrize(
    ("trials", "ranks"),
    [(5, None), (6, (1, 6)), (10, (2, 9)), (20, (6, 15)), (30, (10, 21)), (50, (18, 33))],
)
def test_ranks_of_the_median_are_those_of_the_tables(trials: int, ranks: tuple[int, int] | None) -> None:
    """David and Nagaraja, Order Statistics, 3rd ed., ch. 7."""
    assert median_ranks(trials) == ranks


def test_points_that_are_not_equally_noisy_get_intervals_of_their_own() -> None:
    dice = np.random.default_rng(1)
    runs = [
        Response(f"{p}-{b}", f"p{p}", b, b * 6 + p, math.exp(dice.normal(0, 0.2 if p == 0 else 0.01)))
        for b in range(10)
        for p in range(6)
    ]
    plain = fit(runs)
    model = with_intervals(plain, shape(plain))
    assert model.intervals.method == WELCH_T
    widths = [math.log(each.high / each.low) for each in estimates(model)]
    assert widths[0] > 5 * max(widths[1:])


def test_two_modes_are_seen_and_one_is_not_taken_for_two() -> None:
    dice = np.random.default_rng(2)
    found = two_modes(dice.normal(0, 0.02, 200) - 0.25 * (dice.random(200) < 0.1))
    assert found is not None
    assert found.step_pct == pytest.approx(100 * math.expm1(-0.25), abs=2)
    assert found.share == pytest.approx(0.9, abs=0.05)
    for _ in range(30):
        assert two_modes(dice.normal(0, 0.03, 200)) is None
        assert two_modes(dice.standard_t(3, 200) * 0.03) is None


def test_runs_in_two_modes_are_refused_and_both_modes_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain, dice = synthetic.values, np.random.default_rng(3)
    monkeypatch.setattr(
        synthetic, "values", lambda plan: [(p, b, v * (0.7 if dice.random() < 0.1 else 1)) for p, b, v in plain(plan)]
    )
    synthetic.write(tmp_path / "s", Plan(raid_truth(), replicates=7))
    (answer,) = recommend(tmp_path / "s").answers
    assert answer.refusal is not None
    assert "two modes" in answer.refusal
    assert "\N{MINUS SIGN}29 % off" in answer.refusal or "\N{MINUS SIGN}30 % off" in answer.refusal
    assert answer.overall is None


def test_a_constraint_is_met_only_where_the_whole_interval_meets_it() -> None:
    limit = parse("p99 < 20 ms")
    assert limit.limit == 20e6
    assert [limit.judge(*ends) for ends in ((1e6, 19e6), (19e6, 21e6), (21e6, 22e6))] == [MET, INCONCLUSIVE, NOT_MET]
    assert parse("usable >= 10 TiB").limit == 10 * 1024**4
    assert parse("p99 < .5 ms").limit == 0.5e6
    for text in ("p99", "p99 > 20 ms", "price < 2", "p99 < 20 MiB", "p99<100", "usable >= 10", "bandwidth > 5"):
        with pytest.raises(ResultsError):
            parsed(text)


def test_constraints_preferences_and_a_baseline_are_answered(tmp_path: Path) -> None:
    synthetic.write(tmp_path / "s", Plan(raid_truth(), replicates=4))
    wishes = Wishes(("survives >= 2",), ("capacity", "redundancy"), "level=raid1 filesystem=xfs")
    (answer,) = recommend(tmp_path / "s", wishes=wishes).answers
    assert answer.meeting is not None
    assert answer.meeting.chosen.settings["level"] == "raid6"
    assert answer.meeting.chosen.gain_pct == pytest.approx(33, abs=5)
    assert 20 < (answer.meeting.chosen.gain_at_least_pct or 0) < (answer.meeting.chosen.gain_pct or 0)
    assert answer.front is not None
    survived = {point.values[answer.front.metrics.index("disk_failures_survived")] for point in answer.front.points}
    assert survived == {0, 1, 2, 3}
    assert not any("raid10" in point.label for point in answer.front.points)  # raid5 is as fast, and larger
    (answer,) = recommend(tmp_path / "s", wishes=Wishes(("survives >= 4",))).answers
    assert answer.unmet is not None
    assert "no point is shown to meet disk failures survived >= 4" in answer.unmet


APPLIED = ("mdadm --create /dev/md/data", "fstab: LABEL=data1 /data1 xfs noatime 0 0", 'udev: ENV{MD_DEVNAME}=="data"')


def test_lines_become_commands_that_can_be_run() -> None:
    found = script(APPLIED)
    assert found[0] == APPLIED[0]
    assert "echo 'LABEL=data1 /data1 xfs noatime 0 0' >> /etc/fstab" in found[1]
    assert 'ENV{MD_DEVNAME}=="data"' in found


@pytest.mark.parametrize(("level", "tops"), [("raid5", ["MD"]), ("jbod", [f"DISK{n}" for n in range(1, 9)])])
def test_queue_settings_are_kept_in_one_way_and_for_every_disk_of_the_stack(level: str, tops: list[str]) -> None:
    """F8: a profile for DISK1 and DISK2 of eight disks, behind the rules that it was to replace."""
    settings = {"level": level, "disks": 8, "scheduler": "none", "nr_requests": 64, "read_ahead_kib": 4096}
    by_udev, by_tuned = script(APPLIED), tuned_script(APPLIED, settings)
    assert not any("tuned" in line for line in by_udev)
    assert not any("udev" in line or "MD_DEVNAME" in line for line in by_tuned)
    assert by_udev[:2] == by_tuned[:2]
    assert "devices=DISK1,DISK2,DISK3,DISK4,DISK5,DISK6,DISK7,DISK8" in by_tuned
    assert [f"/sys/block/DISK{n}/queue/nr_requests=64" in by_tuned for n in range(1, 10)] == [True] * 8 + [False]
    assert {f"/sys/block/{top}/queue/read_ahead_kb=4096" for top in tops} <= set(by_tuned)
    assert tuned_script(APPLIED, {"level": level, "disks": 8}) == ()


def test_no_bitmap_comes_with_what_it_means_after_a_crash() -> None:
    lines = ("mdadm --create /dev/md/data --level=5 --bitmap=none /dev/disk/by-id/DISK1",)
    *said, command = script(lines)
    assert command == lines[0]
    assert said[0] == "# DISK1: put the names of your disks in /dev/disk/by-id there."
    assert all(line.startswith("#") for line in said)
    assert "full resync" in " ".join(said)
    assert script(("mdadm --create /dev/md/data --level=0",)) == ("mdadm --create /dev/md/data --level=0",)


def test_the_warm_up_and_the_correlation_of_seconds_are_measured() -> None:
    dice = np.random.default_rng(4)
    steady = dice.normal(100, 1, 200)
    assert abs(lag_one(steady)) < 0.2
    steady[:30] *= 0.5
    assert truncation(steady) == pytest.approx(30, abs=2)
