"""The balance of the member disks and the states of arrays, from stores with a known truth."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from results.estimates.states import beside_each_other, state_of, states
from results.report.embed import UNKNOWN, pack, unpack
from results.runs.balance import member_loads
from results.store.folder import Store
from results.store.query import load
from results.store.schema import TelemetryRow
from tests.results import synthetic
from tests.results.synthetic import Plan
from tests.results.test_recommend import chunks

PLAN = Plan(chunks(100, 200))


def store_of(path: Path, level: str, bytes_s: dict[str, float], util_pct: dict[str, float]) -> Path:
    store = Store.create(path)
    store.put_environment(synthetic.environment())
    for order, (point, block, value) in enumerate(synthetic.values(PLAN)):
        row = replace(synthetic.trial(PLAN, PLAN.truth[point][0], block, order), level=level)
        telemetry = [
            TelemetryRow(
                trial_id=row.trial_id,
                workload=PLAN.workload,
                second=float(second),
                device=disk,
                disk_id=disk,
                read_bytes_s=0.0,
                write_bytes_s=moved,
                util_pct=util_pct[disk],
            )
            for disk, moved in bytes_s.items()
            for second in range(1, 4)
        ]
        store.append(row, [synthetic.observation(PLAN, row, value, "write", None)], [], telemetry)
    return path


BYTES = {"SERIAL-0": 100e6, "SERIAL-1": 100e6, "SERIAL-2": 150e6, "SERIAL-3": 50e6}
UTIL = dict.fromkeys(BYTES, 40.0)


def loads_of(path: Path) -> dict[str, tuple[float | None, float | None]]:
    frames = load(path)
    found = member_loads(frames, frames.trial_rows(), frames.environment_rows())
    return {each.disk_id: (each.share, each.util_pct) for each in found}


def test_a_share_is_that_of_the_bytes_over_an_even_one(tmp_path: Path) -> None:
    found = loads_of(store_of(tmp_path / "s", "raid0", BYTES, UTIL))
    assert list(found) == sorted(BYTES)
    assert [share for share, _ in found.values()] == pytest.approx([1.0, 1.0, 1.5, 0.5])
    assert {util for _, util in found.values()} == {40.0}


@pytest.mark.parametrize("level", ["raid1", "jbod"])
def test_no_even_share_is_expected_of_mirrors_and_of_single_disks(tmp_path: Path, level: str) -> None:
    assert {share for share, _ in loads_of(store_of(tmp_path / "s", level, BYTES, UTIL)).values()} == {None}


def test_the_slow_disk_is_marked(tmp_path: Path) -> None:
    synthetic.write(tmp_path / "s", Plan(chunks(100, 200, 300), disk_speeds={"SERIAL-2": 0.5}))
    frames = load(tmp_path / "s")
    found = member_loads(frames, frames.trial_rows(), frames.environment_rows())
    assert [each.disk_id for each in found if each.slow] == ["SERIAL-2"]
    alone = {each.disk_id: each.check_iops for each in found}
    assert alone["SERIAL-2"] == pytest.approx(100, rel=0.1)
    assert alone["SERIAL-1"] == pytest.approx(200, rel=0.1)


def test_a_store_without_telemetry_has_no_balance(tmp_path: Path) -> None:
    store_of(tmp_path / "s", "raid0", {}, {})
    assert loads_of(tmp_path / "s") == {}


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        (("clean", "idle", 0), ("clean", "idle", 0), "healthy"),
        (("clean", "idle", 1), ("clean", "idle", 1), "degraded"),
        (("active", "recover", 1), ("active", "recover", 1), "degraded, rebuilding"),
        (("active", "resync", 0), ("clean", "idle", 0), "resyncing, then healthy"),
        (("clean", "check", 0), ("clean", "check", 0), "check"),
        (("clean", "idle", 0), ("clean", "idle", 2), "healthy, then degraded (2 missing)"),
        (("clean", "idle", 0), (None, None, None), "healthy"),
        ((None, None, None), (None, None, None), None),
    ],
)
def test_states_are_in_words_of_md(
    before: tuple[str | None, str | None, int | None],
    after: tuple[str | None, str | None, int | None],
    words: str | None,
) -> None:
    row = synthetic.trial(PLAN, PLAN.truth[0][0], 0, 0)
    names = ("array_state", "sync_action", "degraded")
    told = {f"{name}_before": value for name, value in zip(names, before, strict=True)}
    told |= {f"{name}_after": value for name, value in zip(names, after, strict=True)}
    assert state_of(replace(row, **told)) == words  # type: ignore[arg-type]


def test_figures_of_a_state_are_geometric_means() -> None:
    rows = [
        replace(
            synthetic.trial(PLAN, PLAN.truth[0][0], block, block), array_state_before="clean", degraded_before=missing
        )
        for block, missing in enumerate((0, 0, 1))
    ]
    values = dict(zip((row.trial_id for row in rows), (100.0, 400.0, 50.0), strict=True))
    found = {each.state: each for each in beside_each_other(rows, values)}
    assert states(rows) == ("healthy", "degraded")
    assert found["healthy"].value == pytest.approx(200)
    assert found["degraded"].trials == (rows[2].trial_id,)


@given(st.lists(st.none() | st.floats(0, 1e12), max_size=50))
def test_what_is_packed_comes_back_to_one_step(values: list[float | None]) -> None:
    top, text = pack(values)
    found = unpack(top, text)
    assert [each is None for each in found] == [each is None for each in values]
    for was, is_now in zip(values, found, strict=True):
        if was is not None and is_now is not None:
            assert abs(was - is_now) <= top / (UNKNOWN - 1)
