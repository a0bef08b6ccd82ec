"""Temperature and wear of a night's disks: what is kept of them, and what of it is listed beside a verdict."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from results.nightly import health, words
from results.nightly.answer import DiskHealth, from_json
from results.store.folder import Store
from results.store.query import load
from results.store.schema import DISK_HEALTH, TelemetryRow
from tests.results import synthetic
from tests.results.nightly.nights import night

COOL = DiskHealth(
    disk_id="S1", temperature_c=38.0, used_pct=3, power_on_hours=100, media_errors=0, reallocated_sectors=2
)


def nights(*healths):
    return [night(night=f"2026-10-{number + 1:02}", health=(each,)) for number, each in enumerate(healths)]


def listed(before, now):
    return {change.what: (change.before, change.after) for change in health.health_changes(before, [now])}


def test_a_night_that_is_as_the_baseline_lists_nothing_nor_do_hours_that_pass():
    assert listed(nights(COOL), replace(COOL, power_on_hours=2000)) == {}


@pytest.mark.parametrize(
    ("temperature_c", "after"), [(42.9, None), (43.0, "43 °C (+5 K)"), (33.0, "33 °C (-5 K)"), (33.1, None)]
)
def test_a_temperature_is_listed_from_five_kelvin_off_the_median_of_the_baseline_on(temperature_c, after):
    before = nights(*(replace(COOL, temperature_c=each) for each in (37.0, 38.0, 60.0)))
    found = listed(before, replace(COOL, temperature_c=temperature_c))
    assert found == ({"disk S1, temperature": ("38 °C", after)} if after else {})


def test_wear_and_errors_are_compared_with_the_last_night_of_the_baseline_that_knew_them():
    before = nights(replace(COOL, used_pct=1), COOL, DiskHealth(disk_id="S1"))
    now = replace(COOL, used_pct=5, media_errors=1, reallocated_sectors=10)
    assert listed(before, now) == {
        "disk S1, endurance used": ("3 %", "5 % (+2 points)"),
        "disk S1, media errors": ("0", "1 (+1)"),
        "disk S1, reallocated sectors": ("2", "10 (+8)"),
    }


def test_what_is_not_known_on_either_side_is_no_change():
    unknown = DiskHealth(disk_id="S1", not_read="wear: smartctl is not installed")
    assert listed(nights(COOL), unknown) == {}
    assert listed(nights(unknown), replace(COOL, media_errors=9)) == {}
    assert listed([], COOL) == {}
    assert listed(nights(replace(COOL, disk_id="S2")), replace(COOL, media_errors=9)) == {}, "another disk"


def test_what_could_not_be_read_stands_with_the_facts_of_the_night_a_line_for_each_reason():
    why = "wear: smartctl is not installed"
    found = night(health=(COOL, DiskHealth(disk_id="S2", not_read=why), DiskHealth(disk_id="S3", not_read=why)))
    facts = dict(words.facts(found))
    assert facts["not known"] == f"2 disks (S2, S3): {why}"
    assert facts["disk temperature"] == "38 °C"
    assert from_json(json.dumps(found.to_json())) == found


def test_a_night_has_the_median_of_its_temperatures_and_the_most_of_its_wear(tmp_path):
    store = Store.create(tmp_path)
    store.put_environment(synthetic.environment())
    for block, (temperature_c, errors) in enumerate([(40.0, 1), (44.0, 3), (42.0, None)]):
        row = synthetic.trial(synthetic.Plan([]), {"level": "raid0", "disks": 2, "chunk_kib": 64}, block, block)
        named = {"trial_id": row.trial_id, "workload": DISK_HEALTH, "second": 1.0, "device": "sda", "disk_id": "S1"}
        read = TelemetryRow(**named, temperature_c=temperature_c, media_errors=errors)
        at_work = TelemetryRow(**{**named, "workload": "random-write"}, util_pct=90.0)
        figures = synthetic.observation(synthetic.Plan([]), row, 400.0, "write", None)
        store.append(row, [figures], telemetry=[at_work, read])
    found = health.health_of(load(tmp_path), store.trial_ids())
    assert found == (DiskHealth(disk_id="S1", temperature_c=42.0, media_errors=3),)
