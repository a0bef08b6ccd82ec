"""What changed since the baseline, by name."""

from __future__ import annotations

import dataclasses

from results.runs.changes import Change, environment_changes, settings_changes
from tests.results import synthetic

BEFORE = dataclasses.replace(synthetic.environment(), tools=("fio: fio-3.33", "mdadm: mdadm - v4.2"))


def test_the_same_machine_has_no_changes():
    assert environment_changes(BEFORE, dataclasses.replace(BEFORE, environment_id="other")) == ()


def test_a_kernel_a_firmware_and_a_tool_are_listed_with_both_values():
    after = dataclasses.replace(
        BEFORE,
        kernel="6.12.0",
        disk_firmwares=("FW01", "FW02", "FW01", "FW01"),
        tools=("fio: fio-3.40", "mdadm: mdadm - v4.2"),
    )
    assert environment_changes(BEFORE, after) == (
        Change(what="kernel", before="6.1.0-44-amd64", after="6.12.0"),
        Change(what="disk SERIAL-1, firmware", before="FW01", after="FW02"),
        Change(what="fio", before="fio-3.33", after="fio-3.40"),
    )


def test_a_replaced_disk_is_one_change_and_the_order_of_disks_is_none():
    ids = ("SERIAL-3", "SERIAL-9", "SERIAL-0", "SERIAL-1")
    after = dataclasses.replace(BEFORE, disk_ids=ids)
    assert environment_changes(BEFORE, after) == (Change(what="disk replaced", before="SERIAL-2", after="SERIAL-9"),)


def test_settings_are_listed_by_point():
    found = settings_changes("raid0 x4", {"chunk_kib": 64, "layout": None}, {"chunk_kib": 512, "layout": None})
    assert found == (Change(what="raid0 x4, chunk_kib", before="64", after="512"),)
