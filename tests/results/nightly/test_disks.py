"""One member slower than its peers, found among nights with a known truth: the night is the unit, not the reading."""

from __future__ import annotations

import numpy as np
import pytest

from results.nightly.disks import CHECKS, NIGHTS_IN_A_ROW, lost_shares, slow_members

DISKS = [f"SERIAL-{n}" for n in range(4)]


def shares(rng, count, slow=0.0, noise=0.02, nightly=0.0):
    """Readings of a night: ``nightly`` is what they have in common."""
    found = {}
    for disk in DISKS:
        level = rng.normal(0, nightly) if nightly else 0.0
        for kind in ("read_iops", "read_bytes_s"):
            fall = np.log1p(-slow) if disk == "SERIAL-2" else 0.0
            found[disk, kind] = (fall + level + rng.normal(0, noise, count)).tolist()
    return found


def nights(rng, count=20, **more):
    return {str(n): shares(rng, 3, **more) for n in range(count)}


def test_a_disk_that_lost_a_fifth_is_named():
    rng = np.random.default_rng(1)
    found = slow_members(nights(rng), shares(rng, CHECKS, 0.2), 0.05)
    assert {each.disk_id for each in found} == {"SERIAL-2"}
    assert found[0].share_tonight == pytest.approx(0.8, abs=0.03)
    assert found[0].nights == 1


@pytest.mark.parametrize("nightly", [0.0, 0.01, 0.03])
def test_readings_of_one_night_are_not_independent(nightly):
    """With what a night's readings have in common the sign-flip test on readings named a disk in most nights."""
    rng = np.random.default_rng(2)
    named = sum(
        bool(slow_members(nights(rng, nightly=nightly), shares(rng, CHECKS, nightly=nightly), 0.0)) for _ in range(400)
    )
    assert named <= 16  # 400 * 4 / 256 = 6.25 are expected at most; P(more than 16 | 6.25) is 0.0003


@pytest.mark.parametrize(("slow", "in_a_row"), [((0.0, 0.0), 1), ((0.2, 0.0), 1), ((0.0, 0.2), 2), ((0.2, 0.2), 3)])
def test_nights_in_a_row_are_counted_from_tonight_back(slow, in_a_row):
    rng = np.random.default_rng(3)
    recent = [shares(rng, 3, each) for each in slow]
    found = slow_members(nights(rng), shares(rng, CHECKS, 0.2), 0.05, recent)
    assert {(each.disk_id, each.nights) for each in found} == {("SERIAL-2", in_a_row)}


def test_a_night_on_which_the_disk_was_not_read_breaks_the_row():
    rng = np.random.default_rng(3)
    found = slow_members(nights(rng), shares(rng, CHECKS, 0.2), 0.05, [shares(rng, 3, 0.2), {}])
    assert {each.nights for each in found} == {1}


def test_a_disk_that_was_always_slower_is_as_it_was():
    rng = np.random.default_rng(3)
    assert slow_members(nights(rng, slow=0.2), shares(rng, CHECKS, 0.2), 0.05) == ()


def test_a_disk_without_nights_of_its_own_is_not_judged():
    rng = np.random.default_rng(4)
    assert slow_members(nights(rng, 4), shares(rng, CHECKS, 0.5), 0.05) == ()


def test_what_a_disk_lost_is_told_for_each_night_and_not_where_it_was_not_read_tonight():
    rng = np.random.default_rng(5)
    before, latest = nights(rng), [shares(rng, 3, 0.2) for _ in range(NIGHTS_IN_A_ROW)]
    lost = lost_shares(before, latest, ["SERIAL-2", "SERIAL-0"])
    assert lost["SERIAL-2"] == pytest.approx([np.log1p(-0.2)] * NIGHTS_IN_A_ROW, abs=0.04)
    assert lost["SERIAL-0"] == pytest.approx([0.0] * NIGHTS_IN_A_ROW, abs=0.04)
    assert lost_shares(before, [*latest, {}], ["SERIAL-2"]) == {"SERIAL-2": ()}
