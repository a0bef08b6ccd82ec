"""A night without its trials: what it refuses, what it says was not run, and the commands around its pairs."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from bench.campaign import Conduct, Summary
from bench.errors import StoreError
from bench.nightly import confirm, state
from bench.nightly.confirm import Hooks
from bench.nightly.night import Asked, run_night
from bench.nightly.where import Where
from bench.vocabulary import vocabulary
from permutations.design import make_plan
from permutations.night import PAIR_BASELINE
from permutations.sweep import Sweep
from results.nightly import kept
from results.store.schema import PAIR_TONIGHT
from tests.results.nightly.nights import night

SWEEP = Path(__file__).parents[3] / "examples" / "first-sweep.toml"
PLAN = make_plan(Sweep.load(SWEEP, vocabulary()))


def silent(_event):
    """Progress that nobody looks at."""


def test_a_night_before_one_that_is_over_is_refused_and_nothing_begins(tmp_path):
    over = night()
    (tmp_path / "nights").mkdir()
    state.keep(tmp_path, over)
    asked = Asked(where=Where(sweep=SWEEP, store=tmp_path, lab=True), night="2001-01-01")
    with pytest.raises(StoreError, match=f"the night 2001-01-01 is before {over.night}, which is over"):
        run_night(PLAN, asked, silent)
    assert not (tmp_path / "nights" / "2001-01-01.began").exists()
    assert kept.nights(tmp_path) == (over.night,)


@pytest.mark.parametrize("ends_in", ["baseline", "tonight"])
def test_the_machine_is_switched_only_between_states_and_left_in_tonights(tmp_path, ends_in):
    told = tmp_path / "told"
    hooks = Hooks(f"echo baseline >> {told}", f"echo tonight >> {told}")
    wanted = ["tonight", "baseline", "baseline", "tonight", "baseline", ends_in]
    problems: list[str] = []
    with confirm._switched(hooks, silent, problems) as before:
        for each in wanted:
            before(SimpleNamespace(role=PAIR_BASELINE if each == "baseline" else PAIR_TONIGHT))
    assert told.read_text().split() == ["baseline", "tonight", "baseline", "tonight"]
    assert problems == []


def test_a_machine_that_cannot_be_put_back_is_said_with_the_command(tmp_path):
    problems: list[str] = []
    with confirm._switched(Hooks(f"echo b > {tmp_path / 'told'}", "exit 3"), silent, problems) as before:
        before(SimpleNamespace(role=PAIR_BASELINE))
    (problem,) = problems
    assert "MAY NOT BE IN TONIGHT'S STATE" in problem
    assert "exit 3" in problem


def test_what_the_time_budget_left_out_of_a_confirmation_is_said():
    where = SimpleNamespace(run=lambda *_: Summary(planned=24, ok=5, failed=0, invalid=0))
    assert confirm._attempt(where, PLAN, silent, Conduct(budget_s=0.0)) == [
        "the time budget was spent before what the screen found could be confirmed"
    ]
    (problem,) = confirm._attempt(where, PLAN, silent, Conduct(budget_s=60.0))
    assert problem == "19 of 24 confirmation trials were not run: time budget"


def test_a_night_that_was_killed_right_after_its_outcome_is_over_and_leaves_no_mark(tmp_path):
    over = night()
    state.begin(tmp_path, over.night)
    state.keep(tmp_path, over)
    state.begin(tmp_path, over.night)
    asked = Asked(where=Where(sweep=SWEEP, store=tmp_path, lab=True), night=over.night)
    assert run_night(PLAN, asked, silent) == over
    assert [path.name for path in (tmp_path / "nights").iterdir()] == [f"{over.night}.json"]
