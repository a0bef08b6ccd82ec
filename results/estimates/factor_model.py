"""A linear model of the factors on the log figure, from any design, with the tests that effect sentences rest on.

Model: log(figure) = factors + those pairs of factors that are seen to interact + noise, by generalised least squares on
the estimates of the points, so that blocks, missing trials, arrays and filesystems count as in
:mod:`results.estimates.estimate` and effects rest on the same noise as the ranking.  Every factor and every pair is
one family of a weighted Holm procedure (:mod:`results.statistics.multiplicity`).  Pairs that the design cannot
separate are tested together. Where the factors do not add up, and the design lets that leak into a factor, the lack
of fit is its error (Box, Hunter and Hunter, Statistics for Experimenters, 2nd ed., ch. 6 and 10).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import combinations
from typing import TYPE_CHECKING

from results.estimates.coding import Coding, FactorCode, coding, estimable, null_rows
from results.estimates.estimate import Fit
from results.statistics.bases import beyond, span
from results.statistics.multiplicity import Family, holm_levels, tukey_p
from stripelab.settings import Setting

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

LEVEL = 0.05
"""Probability of any false claim among the effect sentences of one figure."""

_PAIRS_SHARE = 0.2
"""Part of the level that interactions have; factors have the rest, and each passes on what it does not need."""

_INCLUDED = 0.05
"""A pair whose own test is below this joins the model, which costs nothing where it is chance."""

LACK_OF_FIT = "lack of fit"
_LEAST_SE = 1e-9
_MOST_WORK = 2e10
_MOST_POINTS = 1500


@dataclass(frozen=True)
class Difference:
    """The change from the value at place ``one`` to that at ``other``, log scale; ``p_value`` is Tukey's."""

    one: int
    other: int
    change: float
    error: float
    df: int
    p_value: float


@dataclass(frozen=True)
class FactorTest:
    """A factor's F test against ``error``, and the differences between its values.

    ``weight`` is its part of the level, and ``level`` that at which it is tested in the end.
    """

    code: FactorCode
    f: float
    df: int
    error_df: int
    p_value: float
    error: str
    differences: tuple[Difference, ...]
    confounded_with: tuple[str, ...]
    weight: float = 0.0
    level: float = 0.0

    @property
    def significant(self) -> bool:
        """Whether the factor's own test is significant after Holm."""
        return self.p_value <= self.level

    def certain(self, difference: Difference) -> bool:
        """Whether a difference may be claimed."""
        return self.significant and difference.p_value <= self.level


@dataclass(frozen=True, eq=False)
class PairTest:
    """The test of one pair of factors, or of several that the design cannot separate.

    ``basis`` is what they span beyond everything else; (points, degrees of freedom).
    """

    pairs: tuple[tuple[str, str], ...]
    basis: Floats = field(repr=False)
    p_value: float
    weight: float = 0.0
    level: float = 0.0

    @property
    def significant(self) -> bool:
        """Whether the test is significant after Holm."""
        return self.p_value <= self.level


@dataclass(frozen=True, eq=False)
class FactorModel:
    """The tests of all factors that the design can tell apart, and of pairs."""

    fit: Fit
    coding: Coding
    factors: tuple[FactorTest, ...]
    pairs: tuple[PairTest, ...]

    @property
    def notes(self) -> tuple[str, ...]:
        """What holds for all effects; empty where there is nothing to say."""
        if not any(test.error == LACK_OF_FIT for test in self.factors):
            return ()
        return (
            "The effects of the factors do not add up in this design: their intervals take the lack of fit as error.",
        )


def factor_model(model: Fit, settings: Mapping[str, Mapping[str, Setting]]) -> FactorModel:
    """The model of the factors that vary among the points of ``model``."""
    coded = coding([settings[point] for point in model.points])
    pairs = _pair_tests(model, coded)
    matrix = coded.matrix()
    for test in sorted((each for each in pairs if len(each.pairs) == 1), key=lambda each: each.p_value):
        if test.p_value <= _INCLUDED:
            matrix = _wider(matrix, coded.pair(*test.pairs[0]), coded)
    weights = solved(model, matrix)
    leaking = _lack_of_fit(model, coded, matrix, weights)
    aliases = _aliases(coded)
    factors = []
    for code in coded.factors:
        if code.comparable:
            rows = weights[_columns(coded, code.name)]
            factors.append(_factor_test(model, code, rows, leaking.get(code.name), aliases.get(code.name, ())))
    share = (_PAIRS_SHARE if factors else 1.0) if pairs else 0.0
    families = [
        *(
            Family((1 - share) / len(factors), tuple(max(test.p_value, each.p_value) for each in test.differences))
            for test in factors
        ),
        *(Family(share / len(pairs), (test.p_value,)) for test in pairs),
    ]
    levels = holm_levels(families, LEVEL)
    places = [(family.weight, level) for family, level in zip(families, levels, strict=True)]
    return FactorModel(
        model,
        coded,
        tuple(replace(test, weight=w, level=a) for test, (w, a) in zip(factors, places, strict=False)),
        tuple(replace(test, weight=w, level=a) for test, (w, a) in zip(pairs, places[len(factors) :], strict=True)),
    )


def solved(model: Fit, matrix: Floats) -> Floats:
    """Weights of the points in each coefficient of ``matrix``, by generalised least squares; (columns, points).

    Where coefficients are not unique it is the shortest solution.
    """
    import numpy as np

    weighted = _inverse_times(model, matrix)
    return np.asarray(np.linalg.pinv(matrix.T @ weighted, rcond=1e-10, hermitian=True) @ weighted.T, dtype=np.float64)


def standard_error(model: Fit, weights: Floats) -> tuple[float, int]:
    """Standard error, log scale, of a sum of point means, and whole degrees of freedom.

    A comparison within arrays and filesystems rests on the noise of trials alone.
    """
    error, df = model.standard_error(weights)
    if model.own_sd is None and model.components and not _crosses_plots(model, weights):
        df = model.error_df
    return max(error, _LEAST_SE), max(1, math.floor(df + 1e-9))


def _columns(coded: Coding, name: str) -> slice:
    """Where the columns of a factor stand in the matrix."""
    start = 1
    for factor, columns in coded.columns.items():
        if factor == name:
            return slice(start, start + columns.shape[1])
        start += columns.shape[1]
    raise KeyError(name)


def _inverse_times(model: Fit, matrix: Floats) -> Floats:
    """The inverse of the covariance of the means (in units of sd²) times ``matrix`` (Woodbury's identity)."""
    import numpy as np

    scaled = matrix / model.inverse_counts[:, None]
    low_rank = model.low_rank[:, (model.low_rank**2).sum(axis=0) > 0]
    if low_rank.shape[1] == 0:
        return np.asarray(scaled, dtype=np.float64)
    other = low_rank / model.inverse_counts[:, None]
    inner = np.eye(low_rank.shape[1]) + low_rank.T @ other
    return np.asarray(scaled - other @ np.linalg.solve(inner, low_rank.T @ scaled), dtype=np.float64)


def _covariance(model: Fit, weights: Floats) -> Floats:
    """Covariance, log scale, of sums of point means; ``weights`` (sums, points)."""
    import numpy as np

    noise = model.inverse_counts * (model.sd if model.own_sd is None else model.own_sd) ** 2
    shared = model.sd * (weights @ model.low_rank)
    found = (weights * noise) @ weights.T + shared @ shared.T
    return np.asarray(found + _LEAST_SE**2 * np.eye(len(weights)), dtype=np.float64)


def _crosses_plots(model: Fit, weights: Floats) -> bool:
    """Whether a sum of point means has any of the error of arrays or filesystems in it."""
    import numpy as np

    place = {point: index for index, point in enumerate(model.points)}
    of_trials = np.array(
        [weights[place[each.point_id]] / model.counts[place[each.point_id]] for each in model.responses]
    )
    for depth in range(2):
        sums: dict[str, float] = {}
        for each, weight in zip(model.responses, of_trials, strict=True):
            plot = each.plots[depth] or each.trial_id
            sums[plot] = sums.get(plot, 0.0) + weight
        if len(sums) < len(of_trials) and max(map(abs, sums.values())) > 1e-6 * abs(of_trials).max():
            return True
    return False


def _f_test(model: Fit, weights: Floats, ratio: float = 1.0) -> tuple[float, int]:
    """F of several sums of point means being zero, and its degrees of freedom below the line."""
    import numpy as np

    values = weights @ model.log_means
    covariance = _covariance(model, weights) * ratio
    f = float(values @ np.linalg.solve(covariance, values)) / len(weights)
    return f, min(standard_error(model, each)[1] for each in weights)


def _factor_test(
    model: Fit, code: FactorCode, rows: Floats, misfit: tuple[float, int] | None, aliases: tuple[str, ...]
) -> FactorTest:
    """The tests of one factor; ``rows`` are the weights of its coefficients, ``misfit`` the error by lack of fit."""
    from scipy import special

    ratio, misfit_df = misfit or (1.0, 0)
    f, df = _f_test(model, rows, ratio)
    df = misfit_df or df
    differences = []
    for one, other in code.comparable:
        weights = (code.codes[other] - code.codes[one]) @ rows
        error, own_df = standard_error(model, weights)
        error *= math.sqrt(ratio)
        change = float(weights @ model.log_means)
        alike = sum(1 for group in code.groups if group == code.groups[one])
        own_df = misfit_df or own_df
        differences.append(Difference(one, other, change, error, own_df, tukey_p(change / error, alike, own_df)))
    return FactorTest(
        code,
        f,
        len(rows),
        df,
        float(special.fdtrc(len(rows), df, f)),
        "trials" if misfit is None else LACK_OF_FIT,
        tuple(differences),
        (*code.confounded_with, *aliases),
    )


def _lack_of_fit(model: Fit, coded: Coding, matrix: Floats, weights: Floats) -> Mapping[str, tuple[float, int]]:
    """Of each factor whose effect other pairs leak into: how much larger the lack of fit is than noise, and its df.

    Empty where what the model leaves between points is no more than noise.
    """
    import numpy as np
    from scipy import special

    df = len(coded.rows) - span(matrix).shape[1]
    if df == 0 or model.sd < _LEAST_SE:
        return {}
    left = model.log_means - matrix @ (weights @ model.log_means)
    ratio = float(left @ _inverse_times(model, left[:, None])[:, 0]) / df / model.sd**2
    if special.fdtrc(df, model.df, ratio) > LEVEL:
        return {}
    known = span(matrix)
    leaking = {}
    for one, other in combinations(coded.names, 2):
        columns = beyond(coded.pair(one, other), known)
        for name in coded.names:
            if columns.size and np.abs(weights[_columns(coded, name)] @ columns).max(initial=0.0) > 1e-6:
                leaking[name] = (max(1.0, ratio), df)
    return leaking


def _wider(matrix: Floats, columns: Floats, coded: Coding) -> Floats:
    """``matrix`` with the columns of a pair, unless an effect could then no longer be estimated."""
    import numpy as np

    wider = np.hstack([matrix, beyond(columns, np.zeros((len(columns), 0)))])
    ours = 1 + sum(each.shape[1] for each in coded.columns.values())
    nulls = null_rows(wider)
    return wider if all(estimable(row, nulls) for row in np.eye(wider.shape[1])[1:ours]) else matrix


def _aliases(coded: Coding) -> Mapping[str, tuple[str, ...]]:
    """The pairs of other factors that each factor cannot be separated from: with them no effect could be estimated."""
    import numpy as np

    found: dict[str, tuple[str, ...]] = {}
    if len(coded.rows) > _MOST_POINTS:
        return found
    matrix = coded.matrix()
    for one, other in combinations(coded.names, 2):
        columns = coded.pair(one, other)
        if columns.shape[1] == 0:
            continue
        nulls = null_rows(np.hstack([matrix, span(columns)]))
        for name in coded.names:
            mine = nulls[_columns(coded, name)]
            if name not in {one, other} and np.abs(mine).max(initial=0.0) > 1e-5:
                found[name] = (*found.get(name, ()), f"{one} x {other}")
    return found


def _pair_tests(model: Fit, coded: Coding) -> list[PairTest]:
    """The tests of pairs, each beyond all factors and all other pairs; those that cannot be separated in one."""
    import numpy as np

    matrix = coded.matrix()
    known = span(matrix)
    pairs = list(combinations(coded.names, 2))
    if len(coded.rows) > _MOST_POINTS or len(coded.rows) == known.shape[1]:
        return []
    own = {pair: beyond(coded.pair(*pair), known) for pair in pairs}
    own = {pair: columns for pair, columns in own.items() if columns.shape[1]}
    total = sum(columns.shape[1] for columns in own.values())
    alone: dict[tuple[str, str], Floats] = {}
    if len(own) * total**2 * len(coded.rows) <= _MOST_WORK:
        for pair, columns in own.items():
            others = [each for other, each in own.items() if other != pair]
            left = beyond(columns, span(np.hstack([known, *others])))
            if left.shape[1] == columns.shape[1]:
                alone[pair] = left
    tests = [_pair_test(model, (pair,), basis) for pair, basis in alone.items()]
    settled = span(np.hstack([known, *(own[pair] for pair in alone)]))
    rest = {pair: beyond(columns, settled) for pair, columns in own.items() if pair not in alone}
    groups = _meeting({pair: columns for pair, columns in rest.items() if columns.shape[1]})
    tests += [_pair_test(model, group, span(np.hstack([rest[pair] for pair in group]))) for group in groups]
    return tests


def _meeting(columns: Mapping[tuple[str, str], Floats]) -> list[tuple[tuple[str, str], ...]]:
    """Pairs in sets that share directions."""
    found: list[list[tuple[str, str]]] = []
    for pair, mine in columns.items():
        near = [each for each in found if any(abs(mine.T @ columns[other]).max() > 1e-6 for other in each)]
        found = [each for each in found if each not in near]
        found.append([*(member for each in near for member in each), pair])
    return [tuple(each) for each in found]


def _pair_test(model: Fit, pairs: tuple[tuple[str, str], ...], basis: Floats) -> PairTest:
    from scipy import special

    f, df = _f_test(model, basis.T)
    return PairTest(pairs, basis, float(special.fdtrc(basis.shape[1], df, f)))
