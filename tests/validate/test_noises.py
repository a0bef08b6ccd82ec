"""A small part of ``make validate`` for every run of the tests: the noises that once broke a limit."""

from __future__ import annotations

import pytest

from tests.validate.noises import KINDS, draw, tally

HELD = [
    ("normal", 5, 3, 100),
    ("block shifts", 5, 3, 100),
    ("quantised", 5, 5, 60),
    ("one noisy point", 20, 5, 40),
    ("sd rising with the mean", 20, 5, 40),
    ("rare stalls", 5, 5, 60),
    ("10 % bimodal", 5, 5, 60),
]


@pytest.mark.parametrize(("kind", "points", "blocks", "seeds"), HELD)
def test_what_is_printed_holds(kind: str, points: int, blocks: int, seeds: int) -> None:
    found = tally(kind, points, blocks, seeds)
    assert found.answered > 0.3 * seeds  # the others are refused for two modes
    assert found.holds


@pytest.mark.parametrize("kind", KINDS)
def test_every_answer_of_two_blocks_states_what_it_assumes(kind: str) -> None:
    found = tally(kind, 5, 2, 10)
    assert found.assumed == found.answered > 0


def test_two_modes_are_refused_where_there_are_runs_enough_to_see_them() -> None:
    assert tally("10 % bimodal", 20, 5, 20).refused >= 15


def test_truth_is_what_the_blocks_show_on_average() -> None:
    for kind in set(KINDS) - {"quantised"}:
        drawn = draw(kind, 5, 3, 4000)
        overall = drawn.logs.mean() - drawn.truth.mean()
        assert abs(overall) < 0.01, kind
