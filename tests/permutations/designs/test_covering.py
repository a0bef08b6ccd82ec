from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from permutations.designs import algebra, starter
from permutations.designs.covering import Effort, TooLargeError, cover
from permutations.designs.fields import field, order_for, prime_power
from permutations.designs.model import Group, Model
from permutations.designs.stream import Stream
from tests.permutations.designs.models import (
    BEST_KNOWN,
    MODELS,
    PICT,
    missing,
    raid_feasible,
    raid_space,
    tuples_of,
)

LIMITS = {"3^4": 9, "3^13": 15, "4^15 3^17 2^29": 29, "4^1 3^39 2^35": 22, "2^100": 10, "10^20": 181}
"""What a quick search reaches; ``make perf`` prints what the usual one does."""

QUICK = Effort(starts=1, steps=1500, tries=1)


@pytest.mark.parametrize("name", MODELS)
def test_the_published_models_have_every_pair_in_no_more_rows_than_pict(name):
    model = MODELS[name]
    found = cover(model, 2, 1, effort=QUICK)
    assert missing(found.rows.tolist(), model.levels, 2, None) == 0
    assert len(found.rows) <= LIMITS[name] <= PICT[name]
    assert found.lower_bound <= min(len(found.rows), BEST_KNOWN[name])


@pytest.mark.parametrize(("strength", "tuples", "limit"), [(2, 430, 33), (3, 3005, 151)])
def test_the_raid_space(strength, tuples, limit):
    model = raid_space()
    whole = [row for row in itertools.product(*map(range, model.levels)) if raid_feasible(row)]
    assert len(whole) == model.feasible() == 17_856
    found = cover(model, strength, 1, effort=Effort(starts=1, steps=2000, tries=1))
    rows = [tuple(row) for row in found.rows.tolist()]
    feasible = tuples_of(whole, strength)
    assert sum(map(len, feasible.values())) == found.tuples == tuples
    assert all(map(raid_feasible, rows))
    assert missing(rows, model.levels, strength, feasible) == 0
    assert len(set(rows)) == len(rows) <= limit


@st.composite
def constrained(draw):
    """A small model: levels, and random feasible rows for one or two groups of columns."""
    levels = draw(st.lists(st.integers(2, 4), min_size=1, max_size=6))
    order = draw(st.permutations(range(len(levels))))
    groups = []
    for size in draw(st.lists(st.integers(2, 3), max_size=2)):
        columns, order = tuple(order[:size]), order[size:]
        if len(columns) < 2:
            break
        whole = list(itertools.product(*(range(levels[column]) for column in columns)))
        kept = draw(st.lists(st.sampled_from(whole), min_size=1, max_size=12, unique=True))
        table = np.array(kept)
        for place, column in enumerate(columns):  # every level must occur
            used = sorted(set(table[:, place].tolist()))
            levels[column] = len(used)
            table[:, place] = [used.index(level) for level in table[:, place].tolist()]
        groups.append(Group(columns, np.unique(table, axis=0)))
    return Model.of(levels, groups)


def everything(model):
    """Every feasible row, by brute force."""
    tables = [(group.columns, {tuple(row) for row in group.rows.tolist()}) for group in model.groups]
    return [
        row
        for row in itertools.product(*map(range, model.levels))
        if all(tuple(row[column] for column in columns) in table for columns, table in tables)
    ]


@settings(max_examples=120, deadline=None)
@given(constrained(), st.integers(2, 3), st.integers(0, 2**63 - 1), st.data())
def test_no_feasible_tuple_is_missed_and_no_row_is_infeasible(model, strength, seed, data):
    whole = everything(model)
    kept = data.draw(st.lists(st.sampled_from(whole), max_size=3, unique=True))
    given_rows = np.array(kept, dtype=np.int64).reshape(-1, len(model.levels))
    found = cover(model, strength, seed, given_rows, Effort(starts=2, steps=200))
    rows = [tuple(row) for row in found.rows.tolist()]
    reach = min(strength, len(model.levels))
    assert set(rows) <= set(whole)
    assert rows[: len(kept)] == kept
    assert missing(rows, model.levels, reach, tuples_of(whole, reach)) == 0
    assert found.tuples == sum(map(len, tuples_of(whole, reach).values()))
    assert max(len(kept), found.lower_bound) <= len(rows) <= len(whole) + len(kept)


@settings(max_examples=15, deadline=None)
@given(constrained(), st.integers(0, 2**63 - 1))
def test_the_same_seed_gives_the_same_array(model, seed):
    first, second = (cover(model, 2, seed, effort=Effort(starts=2, steps=300)) for _ in range(2))
    assert first.rows.tolist() == second.rows.tolist()


def test_another_seed_gives_another_array():
    arrays = {str(cover(raid_space(), 2, seed, effort=QUICK).rows.tolist()) for seed in range(3)}
    assert len(arrays) == 3


def test_a_table_larger_than_a_choice_is_sampled_and_still_nothing_is_missed():
    whole = [row for row in itertools.product(range(8), repeat=4) if sum(row) % 2 == 0 or row[0] == row[3] == 7]
    model = Model.of([8] * 4 + [2], [Group((0, 1, 2, 3), np.array(whole))])
    assert len(whole) > 2000
    found = cover(model, 2, 5, effort=Effort(starts=1, steps=100))
    rows = found.rows.tolist()
    assert {tuple(row[:4]) for row in rows} <= set(whole)
    assert missing(rows, model.levels, 2, tuples_of([(*row, b) for row in whole for b in range(2)], 2)) == 0


def test_what_cannot_be_counted_is_refused():
    with pytest.raises(TooLargeError, match="800 levels in all are too many for strength 3"):
        cover(Model.free([8] * 100), 3)


# Algebra


@pytest.mark.parametrize("order", [2, 3, 4, 5, 7, 8, 9, 16, 25, 27])
def test_a_field_obeys_the_axioms(order):
    add, multiply = field(order)
    every = np.arange(order)
    assert (add == add.T).all()
    assert (multiply == multiply.T).all()
    assert (add[0] == every).all()
    assert (multiply[1] == every).all()
    assert (multiply[0] == 0).all()
    assert all(sorted(row) == list(every) for row in add.tolist())
    assert all(sorted(row) == list(every) for row in multiply[1:].tolist())
    for a, b, c in itertools.product(range(min(order, 9)), repeat=3):
        assert multiply[a, add[b, c]] == add[multiply[a, b], multiply[a, c]]
        assert multiply[a, multiply[b, c]] == multiply[multiply[a, b], c]


def test_prime_powers():
    # https://oeis.org/A246655
    assert [n for n in range(1, 33) if prime_power(n)] == [
        2, 3, 4, 5, 7, 8, 9, 11, 13, 16, 17, 19, 23, 25, 27, 29, 31, 32,
    ]  # fmt: skip
    assert [order_for(n) for n in (1, 2, 6, 10, 32, 33)] == [2, 2, 7, 11, 32, None]


@pytest.mark.parametrize(("order", "strength"), [(2, 2), (3, 2), (4, 2), (7, 2), (9, 2), (2, 3), (3, 3), (4, 3)])
def test_an_orthogonal_array_has_every_tuple_exactly_once(order, strength):
    array = algebra.bush(order, strength)
    assert array.shape == (order**strength, order + 1)
    for columns in itertools.combinations(range(order + 1), strength):
        assert len({tuple(row) for row in array[:, columns].tolist()}) == order**strength


@pytest.mark.parametrize(("order", "rows", "columns"), [(2, 6, 7), (3, 15, 13), (4, 28, 21), (5, 45, 31)])
def test_a_repeated_array_has_every_pair(order, rows, columns):
    """The sizes of Stevens, Ling and Mendelsohn: q^2 + q^2 - q rows for q^2 + q + 1 columns."""
    array = algebra.extend(algebra.bush(order, 2), order)
    assert array.shape == (rows, columns)
    assert missing(array.tolist(), [order] * columns, 2, None) == 0


# Kleitman and Spencer, table of the largest number of columns for N rows
@pytest.mark.parametrize(("rows", "columns"), [(4, 3), (5, 4), (6, 10), (7, 15), (8, 35), (9, 56), (10, 126)])
def test_binary_arrays_are_the_smallest(rows, columns):
    array = algebra.binary(columns)
    assert array.shape == (rows, columns)
    assert missing(array.tolist(), [2] * columns, 2, None) == 0
    assert len(algebra.binary(columns + 1)) == rows + 1


def test_a_cover_starter_makes_all_but_the_pairs_of_levels_that_stay():
    row = starter.starter(12, 6, 1, Stream(3), 50_000)
    assert row is not None
    array = starter.develop(row, 6, 1)
    assert array.shape == (60, 12)
    wanted = set(itertools.product(range(6), repeat=2)) - {(5, 5)}
    for one, other in itertools.combinations(range(12), 2):
        assert wanted <= set(map(tuple, array[:, [one, other]].tolist()))


def test_a_stream_is_the_same_for_ever():
    """Whoever changes this changes every design that was ever planned."""
    stream = Stream(7, "x")
    assert [stream.below(1000) for _ in range(4)] == FIRST
    assert stream.several(10, 5).tolist() == NEXT


FIRST, NEXT = [993, 677, 535, 803], [1, 0, 6, 1, 8]
