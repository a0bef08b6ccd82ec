"""``stripelab compact`` and ``--keep-raw``: through the verbs, with the locks, and never in the way of a verdict."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from bench.cli.main import attempt
from bench.errors import BusyError
from bench.nightly import night as nights
from bench.nightly.retain import retain
from bench.store_lock import locked
from results.store.folder import Store
from results.store.query import load
from results.store.schema import NIGHT
from tests.results import synthetic

NAMES = ("2026-01-01", "2026-01-02", "2026-01-03")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Three nights that are over, a trial each."""
    store = Store.create(tmp_path / "s")
    store.put_environment(synthetic.environment())
    plan = synthetic.Plan([])
    (tmp_path / "s" / "nights").mkdir()
    for order, name in enumerate(NAMES):
        row = synthetic.trial(plan, {"level": "raid0", "disks": 4, "chunk_kib": 64}, 0, order)
        row = replace(row, trial_id=name, night=name, night_role=NIGHT)
        seconds = synthetic.intervals(plan, row, 200.0, "write")
        observed = [synthetic.observation(plan, row, 200.0, "write", None)]
        store.append(row, observed, seconds, synthetic.telemetry(plan, row))
        (tmp_path / "s" / "nights" / f"{name}.json").write_text("{}")
    return tmp_path / "s"


def dropped(path: Path) -> set[str]:
    return {row.trial_id for row in load(path).trial_rows() if row.dropped_at_ns is not None}


def test_the_verb_says_first_what_would_go_and_then_lets_it_go(path, capsys):
    arguments = ["compact", str(path), "--keep-raw-nights", "1", "--json"]
    assert attempt([*arguments, "--dry-run"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["nights"], told["trials"], told["dry_run"]) == (list(NAMES[:2]), 2, True)
    assert dropped(path) == set()
    assert attempt(arguments) == 0
    assert json.loads(capsys.readouterr().out)["freed_bytes"] > 0
    assert dropped(path) == set(NAMES[:2])
    assert attempt(arguments[:-1]) == 0
    assert "nothing to drop" in capsys.readouterr().out
    assert attempt(["status", str(path)]) == 0
    assert "dropped on purpose" in capsys.readouterr().out


def test_the_runs_of_a_named_guarantee_stay(path, tmp_path, capsys):
    (tmp_path / "g.json").write_text(json.dumps({"granted": True, "runs": [{"trial_id": NAMES[0]}]}))
    command = ["compact", str(path), "--keep-raw-nights", "1", "--guarantee", str(tmp_path / "g.json")]
    assert attempt(command) == 0
    assert f"the night {NAMES[0]}, because {tmp_path / 'g.json'} rests on them" in capsys.readouterr().out
    assert dropped(path) == {NAMES[1]}


@pytest.mark.parametrize("lock", [".night.lock", ".lock"])
def test_a_store_that_is_in_use_is_left_alone(path, capsys, lock):
    with locked(path, lock):
        assert attempt(["compact", str(path), "--keep-raw-nights", "1"]) == BusyError.status
    assert dropped(path) == set()
    assert capsys.readouterr().err


def test_a_name_that_is_no_store_makes_no_folder(tmp_path, capsys):
    assert attempt(["compact", str(tmp_path / "x")]) != 0
    assert "no result store" in capsys.readouterr().err
    assert not (tmp_path / "x").exists()


def test_after_a_night_the_store_is_compacted_and_what_fails_is_said_alone(path):
    said = []
    asked = nights.Asked(where=nights.Where(sweep=path, store=path), keep_raw=2)
    nights._compacted(asked, 2, lambda event: said.append(event.message))
    assert dropped(path) == {NAMES[0]}
    assert any("the night 2026-01-01" in line for line in said)
    said.clear()
    with locked(path):
        nights._compacted(asked, 1, lambda event: said.append(event.message))
    assert said[0].startswith("WARNING: the store was not compacted")
    assert retain(path, 1, ()).nights == (NAMES[1],)
