"""What smartctl says of disks: recordings from the virtual lab, and documents made after its documented form."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench import smartctl
from bench.errors import EnvironmentUnknownError
from bench.smartctl import Smart

DATA = Path(__file__).parents[1] / "data" / "smartctl"


def text(name):
    return (DATA / name).read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("7.3/scsi-debug", Smart(temperature_c=38.0)),
        ("constructed/nvme", Smart(temperature_c=41.0, used_pct=7, power_on_hours=8712, media_errors=2)),
        (
            "constructed/ata-hdd",
            Smart(temperature_c=36.0, power_on_hours=36055, media_errors=3, reallocated_sectors=8),
        ),
        ("constructed/ata-ssd", Smart(temperature_c=29.0, used_pct=19, power_on_hours=2401, media_errors=0)),
        (
            "constructed/sas-ssd",
            Smart(temperature_c=21.0, used_pct=11, power_on_hours=26195, media_errors=3, reallocated_sectors=4),
        ),
        ("constructed/sas-without-a-sensor", Smart(reallocated_sectors=0)),
        ("constructed/endurance-used", Smart(temperature_c=33.0, used_pct=3)),
    ],
)
def test_each_kind_of_disk_tells_what_it_knows_and_the_rest_is_not_known(name, expected):
    assert smartctl.parse(text(f"{name}.json")) == expected


def test_a_disk_that_smartctl_does_not_know_is_refused_in_its_own_words():
    with pytest.raises(EnvironmentUnknownError, match="smartctl: /dev/ubda: Unable to detect device type"):
        smartctl.parse(text("7.3/virtual-lab-disk.json"))


@pytest.mark.parametrize("answer", ["", "smartctl 7.3", "[]", '{"temperature": {"current": "warm"}}', "\udcff"])
def test_what_is_no_answer_is_one_error(answer):
    with pytest.raises(EnvironmentUnknownError, match="not understood"):
        smartctl.parse(answer)


@pytest.mark.parametrize("status", range(256))
def test_only_the_bits_of_a_disk_that_was_not_asked_are_an_error(status):
    document = json.loads(text("constructed/nvme.json"))
    document["smartctl"]["exit_status"] = status
    if status & 3:
        with pytest.raises(EnvironmentUnknownError):
            smartctl.parse(json.dumps(document))
    else:
        assert smartctl.parse(json.dumps(document)).used_pct == 7


@given(st.sampled_from(sorted(path for path in DATA.rglob("*.json"))), st.data())
def test_a_key_that_is_missing_makes_its_figures_unknown_and_nothing_else(path, data):
    document = json.loads(path.read_text(encoding="utf-8"))
    if document["smartctl"]["exit_status"] & 3:
        return
    whole = smartctl.parse(json.dumps(document))
    del document[data.draw(st.sampled_from(sorted(document)))]
    less = smartctl.parse(json.dumps(document))
    for name in ("power_on_hours", "reallocated_sectors", "media_errors", "used_pct"):
        assert getattr(less, name) in {getattr(whole, name), None}
