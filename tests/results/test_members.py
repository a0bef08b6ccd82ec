"""A slow member is named, and none is where all keep up."""

from __future__ import annotations

from pathlib import Path

import pytest

from results.recommendation.recommend import recommend
from results.runs import members
from results.runs.members import slow_disks
from results.store.query import load
from tests.results import synthetic
from tests.results.synthetic import Plan, raid_truth


def found(path: Path, **plan: object) -> list[str]:
    synthetic.write(path, Plan(raid_truth(), replicates=2, **plan))  # type: ignore[arg-type]
    frames = load(path)
    return [disk.disk_id for disk in slow_disks(frames, frames.trial_rows(), frames.environment_rows())]


@pytest.mark.parametrize("speed", [0.33, 0.6, 0.0])
def test_a_disk_that_reads_slower_on_its_own_is_named(tmp_path: Path, speed: float) -> None:
    assert found(tmp_path / "s", disk_speeds={"SERIAL-2": speed}) == ["SERIAL-2"]
    (warning,) = (line for line in recommend(tmp_path / "s").warnings if "SLOWER" in line)
    assert "THE DISK SERIAL-2 IS SLOWER THAN ITS PEERS" in warning
    assert f"{100 * speed:.0f} % of its peers' random reads" in warning


@pytest.mark.parametrize("speed", [1.0, 0.93, 1.5])
def test_disks_that_keep_up_are_not_named(tmp_path: Path, speed: float) -> None:
    assert found(tmp_path / "s", disk_speeds={"SERIAL-2": speed}) == []


def test_a_disk_that_is_busy_while_its_peers_wait_is_named(tmp_path: Path) -> None:
    assert found(tmp_path / "one", busy={"SERIAL-1": 97.0, "*": 34.0}) == ["SERIAL-1"]
    assert found(tmp_path / "all", busy={"*": 97.0}) == []
    assert found(tmp_path / "none", busy={"SERIAL-1": 30.0, "*": 10.0}) == []


def test_every_check_counts_however_few_trials_are_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(members, "evenly", lambda _frames, _table, _trials: [])
    assert found(tmp_path / "s", disk_speeds={"SERIAL-2": 0.33}) == ["SERIAL-2"]


def test_a_store_without_telemetry_of_disks_is_no_trouble(tmp_path: Path) -> None:
    assert found(tmp_path / "s") == []
