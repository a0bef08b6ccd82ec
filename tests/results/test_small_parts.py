"""Settings, objectives, responses and units."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from results.errors import ResultsError
from results.estimates.objective import objectives, stated_objectives, usual_objective
from results.estimates.responses import figure, merged, percentile
from results.estimates.settings import settings_of, varied
from stripelab import metrics, units
from stripelab.settings import complexity, label, ordered
from tests.results import synthetic
from tests.results.synthetic import Plan

PLAN = Plan([], bs_bytes=4096)


def settings(**values: object) -> dict:
    return settings_of(synthetic.trial(PLAN, {"filesystem": "xfs", "layout": "flat", **values}, 0, 0))  # type: ignore[dict-item]


def test_null_is_default_where_the_factor_applies_and_nothing_where_not() -> None:
    mirror = settings(level="raid1", disks=2)
    assert (mirror["chunk_kib"], mirror["raid10_layout"], mirror["scheduler"]) == (None, None, "default")
    stripe = settings(level="raid5", disks=4)
    assert (stripe["chunk_kib"], stripe["stripe_cache_pages"]) == ("default", "default")
    assert settings(level="raid10", disks=4)["raid10_layout"] == "default"
    raw = settings(level="raid0", disks=2, filesystem="raw", layout=None)
    assert (raw["layout"], raw["mkfs_options"], raw["mount_options"]) == (None, None, None)


def test_labels_name_what_varies_beside_the_basics() -> None:
    points = [
        settings(level="raid5", disks=4, chunk_kib=64, scheduler="none"),
        settings(level="raid5", disks=4, chunk_kib=1024, read_ahead_kib=128),
    ]
    assert varied(points) == ("chunk_kib", "scheduler", "read_ahead_kib")
    assert label(points[0], varied(points)) == "raid5 x4 64K xfs flat scheduler=none read_ahead_kib=default"
    assert label(points[1], varied(points)) == "raid5 x4 1M xfs flat scheduler=default read_ahead_kib=128"


def test_a_factor_that_only_stops_applying_does_not_vary() -> None:
    points = [settings(level="raid0", disks=4, chunk_kib=64), settings(level="raid1", disks=4)]
    assert varied(points) == ("level",)


def test_values_are_ordered_as_people_expect() -> None:
    assert ordered("chunk_kib", [None, 512, 64, "default"]) == [64, 512, "default", None]
    assert ordered("level", ["raid6", "raid10", "jbod", "raid0"]) == ["jbod", "raid0", "raid10", "raid6"]


def test_one_filesystem_is_simpler_than_four_and_flat_than_hashed() -> None:
    plain = complexity(settings(level="raid0", disks=4))
    assert plain < complexity(settings(level="jbod", disks=4))
    assert plain < complexity(settings(level="raid0", disks=4, layout="hashed-2x16"))
    assert plain < complexity(settings(level="raid0", disks=4, scheduler="none"))


def row(direction: str = "write", **changes: object):
    trial = synthetic.trial(PLAN, {"level": "raid0", "disks": 4}, 0, 0)
    return replace(synthetic.observation(PLAN, trial, 100.0, direction, None), **changes)


@pytest.mark.parametrize(
    ("changes", "metric"),
    [
        ({}, "iops"),
        ({"iops": None}, "bw_bytes_s"),
        ({"total_bytes": 500 * (1 << 20)}, "bw_bytes_s"),
        ({"total_bytes": 500 * (64 << 10)}, "bw_bytes_s"),
        ({"total_bytes": 500 * (32 << 10)}, "iops"),
    ],
)
def test_the_usual_objective(changes: dict, metric: str) -> None:
    found = usual_objective("random-write", [row(**changes)])
    assert (found.metric, found.maximise, found.stated) == (metric, True, False)


def test_stated_objectives_come_first_in_their_order(tmp_path: Path) -> None:
    (tmp_path / "sweep.toml").write_text(
        '[[objective]]\nworkload = "b"\nminimise = "lat_p99_ns"\n[[objective]]\nworkload = "gone"\nmaximise = "iops"\n'
    )
    rows = [row(workload="a"), row(workload="b")]
    found = objectives(tmp_path, rows)
    assert [(each.workload, each.metric, each.maximise) for each in found] == [
        ("b", "lat_p99_ns", False),
        ("a", "iops", True),
    ]
    assert [each.workload for each in objectives(tmp_path, rows, "a")] == ["a"]
    with pytest.raises(ResultsError, match="no result of the workload 'c'") as failure:
        objectives(tmp_path, rows, "c")
    assert "a, b" in failure.value.remedy


@pytest.mark.parametrize(
    "text",
    [
        "[objective",
        '[objective]\nmaximise = "iops"',
        '[objective]\nworkload = "a"\nmaximise = "speed"',
        "objective = 3",
    ],
)
def test_an_objective_that_says_nothing_usable_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "sweep.toml").write_text(text)
    with pytest.raises(ResultsError):
        stated_objectives(tmp_path)


def test_rates_of_two_directions_add_up_and_percentiles_merge() -> None:
    read = row("read", iops=300.0, lat_bins_ns=(10, 20), lat_counts=(90, 10), lat_p99_ns=20, ios=300, lat_mean_ns=11.0)
    write = row(
        "write", iops=100.0, lat_bins_ns=(20, 1000), lat_counts=(80, 20), lat_p99_ns=1000, ios=100, lat_mean_ns=31.0
    )
    assert figure([read, write], "iops") == 400.0
    assert figure([read, write], "lat_mean_ns") == pytest.approx((300 * 11 + 100 * 31) / 400)
    assert merged([read, write]) == {10: 90, 20: 90, 1000: 20}
    assert figure([read, write], "lat_p99_ns") == 1000.0
    assert figure([read, write], "lat_p50_ns") == 20.0
    assert figure([read, replace(write, iops=None)], "iops") is None
    assert figure([read], "lat_p99_ns") == 20.0


@given(st.dictionaries(st.integers(1, 10**9), st.integers(1, 50), min_size=1, max_size=30), st.floats(0.001, 0.999))
def test_a_percentile_is_the_sorted_sample_s(histogram: dict[int, int], share: float) -> None:
    ordered_histogram = dict(sorted(histogram.items()))
    sample = [value for value, count in ordered_histogram.items() for _ in range(count)]
    at = next(n for n in range(1, len(sample) + 1) if n >= share * len(sample))
    assert percentile(ordered_histogram, share) == sample[at - 1]
    assert percentile({}, share) is None


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (398.4, "398"),
        (0.01234, "0.0123"),
        (9.876, "9.88"),
        (12_345.0, "12,345"),
        (0, "0"),
        (99.95, "100"),
        (-4.2, "\N{MINUS SIGN}4.20"),
    ],
)
def test_numbers(value: float, text: str) -> None:
    assert units.number(value) in {text, f"{text}.0"}


def test_units_on_figures() -> None:
    assert metrics.figure("bw_bytes_s", 79.6 * 1024**2) == "79.6 MiB/s"
    assert metrics.figure("lat_p99_ns", 12_100_000) == "12.1 ms"
    assert metrics.figure("iops", 398) == "398"
    assert units.signed_pct(-0.42) == "\N{MINUS SIGN}0.4 %"
    assert units.signed_pct(38.2) == "+38 %"
    assert units.duration(42) == "42 s"
    assert units.duration(7500) == "2 h 05 min"
    assert units.date(0) == "1970-01-01 00:00 UTC"
