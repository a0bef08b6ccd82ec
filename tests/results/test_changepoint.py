"""Change points against published values, against the definition summed up term by term, and on known truth."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from results.errors import ResultsError
from results.statistics import resampled
from results.statistics.changepoint import MAX_VALUES, best_split, change_points

TWO_STEPS = [0.3, 2.4, 1.5, -0.9, -0.5, 99.7, 98.3, 99.1, 149, 149.7, 149.5, 149.1, 148.8, 150]
"""The example of the open-source implementations of E-divisive for performance tests (MongoDB's and Apache Otava's)."""


def by_definition(values, min_size, alpha):
    """The largest statistic over all splits and ends, summed up over pairs (Matteson and James 2014, sec. 2)."""
    series = np.asarray(values, dtype=float)
    apart = np.abs(series[:, None] - series) ** alpha
    found = {}
    for index in range(min_size, len(series) - min_size + 1):
        for end in range(index + min_size, len(series) + 1):
            n, m = index, end - index
            between = 2 * apart[:index, index:end].mean()
            within = apart[:index, :index].sum() / (n * (n - 1)) + apart[index:end, index:end].sum() / (m * (m - 1))
            found[index, end] = n * m / (n + m) * (between - within)
    return found


def test_the_published_example_is_found_with_its_statistic() -> None:
    split = best_split(TWO_STEPS)
    assert split is not None
    assert split.statistic == pytest.approx(761.282142857, abs=5e-10)
    assert split.index == 5
    assert [change.index for change in change_points(TWO_STEPS)] == [5, 8]


def test_a_thousand_zeros_and_a_thousand_ones_change_once() -> None:
    (change,) = change_points([0.0] * 1000 + [1.0] * 1000, permutations=39)
    assert (change.index, change.low, change.high) == (1000, 1000, 1000)
    assert (change.median_before, change.median_after) == (0.0, 1.0)
    assert change.p_value == pytest.approx(1 / 40)


numbers = st.floats(-1e6, 1e6, allow_nan=False).map(lambda value: round(value, 3))


@settings(deadline=None, max_examples=60)
@given(st.lists(numbers, min_size=4, max_size=24), st.integers(2, 4), st.sampled_from([0.5, 1.0, 1.7]))
def test_the_best_split_is_the_one_of_the_definition(values: list[float], min_size: int, alpha: float) -> None:
    split, wanted = best_split(values, min_size=min_size, alpha=alpha), by_definition(values, min_size, alpha)
    assert (split is None) == (not wanted)
    if split is not None:
        scale = max(1.0, *map(abs, wanted.values()), float(np.ptp(values)) ** alpha * len(values))
        assert split.statistic == pytest.approx(max(wanted.values()), abs=1e-9 * scale)
        assert wanted[split.index, split.end] == pytest.approx(split.statistic, abs=1e-9 * scale)


@pytest.mark.parametrize("size", [63, 64, 65, 66, 67, 128, 131])
def test_the_definition_holds_across_the_blocks_of_rows(size: int) -> None:
    values = np.random.default_rng(size).normal(size=size)
    split, wanted = best_split(values, min_size=3), by_definition(values, 3, 1.0)
    assert split is not None
    assert (split.index, split.end) == max(wanted, key=wanted.__getitem__)


@settings(deadline=None, max_examples=60)
@given(st.lists(numbers, min_size=2, max_size=90), st.integers(2, 4), st.sampled_from([0.5, 1.0, 1.7]), st.randoms())
def test_series_worked_on_together_have_the_statistics_that_each_has_alone(values, min_size, alpha, chance) -> None:
    together = np.asarray([chance.sample(values, len(values)) for _ in range(3)])
    found = resampled.best_statistics(together, min_size, alpha)
    scale = max(1.0, float(np.ptp(values)) ** alpha * len(values))
    for series, statistic in zip(together, found, strict=True):
        alone = best_split(series, min_size=min_size, alpha=alpha)
        assert statistic == (-np.inf if alone is None else pytest.approx(alone.statistic, abs=1e-9 * scale))


@pytest.mark.parametrize("size", [20, 63, 64, 65, 130])
def test_a_known_change_is_sought_among_the_splits_that_reach_both_ends(size: int) -> None:
    together = np.random.default_rng(size).normal(size=(3, size)) + np.repeat([0, 2], [size // 2, size - size // 2])
    for series, index in zip(together, resampled.whole_splits(together, 2, 1.0), strict=True):
        wanted = {split: value for (split, end), value in by_definition(series, 2, 1.0).items() if end == size}
        assert index == max(wanted, key=wanted.__getitem__)


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 10**6), st.floats(-1e3, 1e3), st.sampled_from([0.25, 4.0, 1024.0]))
def test_units_and_origin_change_nothing(seed: int, origin: float, unit: float) -> None:
    values = np.random.default_rng(seed).normal(size=30) + np.repeat([0, 3], 15)
    plain = change_points(values, permutations=39, seed=seed)
    moved = change_points((values + origin) * unit, permutations=39, seed=seed)
    assert [(each.index, each.low, each.high, each.p_value) for each in moved] == [
        (each.index, each.low, each.high, each.p_value) for each in plain
    ]


def test_the_same_seed_gives_the_same_answer_and_a_pinned_one() -> None:
    values = np.random.default_rng(3).normal(size=80) + np.repeat([0, 0.9], 40)
    first, again = (change_points(values, permutations=99, seed=11) for _ in range(2))
    assert first == again
    assert [each.index for each in first] == [40]


def test_an_episode_that_ends_has_a_beginning_and_an_end() -> None:
    """What ends again hardly shows where a series is only ever cut in two; the free end of the second part shows it."""
    values = np.random.default_rng(5).normal(size=200)
    values[100:115] += 4
    found = [each.index for each in change_points(values)]
    assert len(found) == 2
    assert abs(found[0] - 100) <= 1
    assert abs(found[1] - 115) <= 1


def test_a_change_of_spread_alone_is_found() -> None:
    values = np.random.default_rng(8).normal(size=120) * np.repeat([1, 6], 60)
    (change,) = change_points(values)
    assert abs(change.index - 60) <= 5


def test_where_nothing_changed_changes_are_found_as_rarely_as_the_level_says() -> None:
    """300 series; more than 24 false ones at the level 5 % happen by chance in less than 1 % of all sets of seeds."""
    found = sum(
        bool(change_points(np.random.default_rng(seed).standard_t(3, size=24), permutations=99, seed=seed))
        for seed in range(300)
    )
    assert found <= 24


def test_the_interval_holds_the_truth_as_often_as_it_says() -> None:
    held, seen = 0, 0
    for seed in range(80):
        values = np.random.default_rng(seed).normal(size=60) + np.repeat([0, 1.5], 30)
        for change in change_points(values, permutations=99, seed=seed)[:1]:
            seen += 1
            held += change.low <= 30 <= change.high
            assert change.low <= change.index <= change.high
    assert seen > 73
    assert held / seen >= 0.88


@pytest.mark.parametrize("values", [[], [1.0], [1.0, 2.0, 3.0], [5.0] * 50])
def test_short_and_constant_series_have_no_change(values: list[float]) -> None:
    assert change_points(values) == ()


@pytest.mark.parametrize(
    ("values", "options"),
    [
        ([1.0, float("nan"), 2.0, 3.0], {}),
        ([[1.0, 2.0], [3.0, 4.0]], {}),
        ([0.0] * (MAX_VALUES + 1), {}),
        ([1.0] * 9, {"significance": 0}),
        ([1.0] * 9, {"alpha": 2}),
        ([1.0] * 9, {"min_size": 1}),
        ([1.0] * 9, {"permutations": 0}),
        ([1.0] * 9, {"confidence": 1}),
    ],
)
def test_what_cannot_be_searched_is_refused_in_words(values, options) -> None:
    with pytest.raises(ResultsError, match=r"change points|too many"):
        change_points(values, **options)
