"""One member slower than its peers, found among checks with a known truth."""

from __future__ import annotations

import numpy as np
import pytest

from results.nightly.disks import checks_needed, slow_members

DISKS = [f"SERIAL-{n}" for n in range(4)]


def shares(rng, count, slow=0.0, noise=0.02):
    found = {}
    for disk in DISKS:
        for kind in ("read_iops", "read_bytes_s"):
            fall = np.log1p(-slow) if disk == "SERIAL-2" else 0.0
            found[disk, kind] = (fall + rng.normal(0, noise, count)).tolist()
    return found


def test_a_disk_that_lost_a_fifth_is_named(tmp_path):
    rng = np.random.default_rng(1)
    before = {str(n): shares(rng, 1) for n in range(20)}
    found = slow_members(before, shares(rng, 12, 0.2), 0.05)
    assert {each.disk_id for each in found} == {"SERIAL-2"}
    assert found[0].share_tonight == pytest.approx(0.8, abs=0.03)
    assert found[0].p_value == 8 / 4096


def test_disks_as_they_were_are_named_in_few_of_many_nights():
    rng = np.random.default_rng(2)
    named = 0
    for _ in range(400):
        before = {str(n): shares(rng, 1) for n in range(20)}
        named += bool(slow_members(before, shares(rng, 12), 0.0))
    assert named <= 6  # 400 / 256 are expected at most; P(more than 6 | 1.56) is 0.0009


def test_a_disk_that_was_always_slower_is_as_it_was():
    rng = np.random.default_rng(3)
    before = {str(n): shares(rng, 1, 0.2) for n in range(20)}
    assert slow_members(before, shares(rng, 12, 0.2), 0.05) == ()


def test_a_disk_without_nights_of_its_own_is_not_judged():
    rng = np.random.default_rng(4)
    assert slow_members({str(n): shares(rng, 1) for n in range(4)}, shares(rng, 12, 0.5), 0.05) == ()


@pytest.mark.parametrize(("disks", "checks"), [(4, 12), (8, 12), (9, 13), (24, 14), (60, 15)])
def test_more_disks_need_more_checks(disks, checks):
    assert checks_needed(disks, 12, 1 / 256) == checks
