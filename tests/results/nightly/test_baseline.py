"""Baselines are pinned for a reason, kept for ever, and never changed in silence."""

from __future__ import annotations

import dataclasses

import pytest

from results.errors import ResultsError
from results.nightly.baseline import FILE, pin, read_baselines
from tests.results.nightly.test_judge import pinned


def named(name, reason="a new kernel"):
    return dataclasses.replace(pinned(20), name=name, reason=reason)


def test_the_last_one_counts_and_all_are_kept(tmp_path):
    for name in ("first", "kernel-6.12", "new disks"):
        pin(tmp_path, read_baselines(tmp_path), named(name))
    found = read_baselines(tmp_path)
    assert [each.name for each in found] == ["first", "kernel-6.12", "new disks"]
    assert found[0].previous is None
    assert len({each.previous for each in found}) == 3


@pytest.mark.parametrize("new", [named("first"), named("other", " "), dataclasses.replace(named("x"), nights=())])
def test_none_is_replaced_and_none_is_without_a_reason(tmp_path, new):
    pin(tmp_path, (), named("first"))
    before = (tmp_path / FILE).read_bytes()
    with pytest.raises(ResultsError):
        pin(tmp_path, read_baselines(tmp_path), new)
    assert (tmp_path / FILE).read_bytes() == before


@pytest.mark.parametrize(
    "change",
    [
        lambda lines: [lines[0].replace("2026-01-03", "2026-01-30"), *lines[1:]],
        lambda lines: [lines[0], lines[2]],
        lambda lines: lines[1:],
        lambda lines: [*lines[:2], "{}"],
        lambda lines: [*lines[:2], lines[2][:-9]],
    ],
)
def test_a_line_that_was_changed_or_taken_out_is_noticed(tmp_path, change):
    for name in ("a", "b", "c"):
        pin(tmp_path, read_baselines(tmp_path), named(name))
    path = tmp_path / FILE
    path.write_text("\n".join(change(path.read_text().splitlines())))
    with pytest.raises(ResultsError, match="not as it was written"):
        read_baselines(tmp_path)
