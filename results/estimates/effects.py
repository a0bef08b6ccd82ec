"""What each factor does, from any design: the change between its values in a linear model, and its sentence.

A change is claimed only where the factor's own F test and the comparison itself (Tukey and Kramer) are significant
after Holm over all factors and interactions: :mod:`results.estimates.factor_model`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from results.estimates.coding import FactorCode
from results.estimates.dependence import Condition, conditions, wording
from results.estimates.factor_model import LEVEL, Difference, FactorModel, FactorTest, PairTest
from results.estimates.shares import Share, share_of
from results.statistics.bases import beyond, span
from results.statistics.multiplicity import tukey_critical
from stripelab.metrics import metric_name
from stripelab.settings import Setting, value_text
from stripelab.units import pct, signed_pct

_MOST_NAMED = 3


@dataclass(frozen=True)
class LevelComparison:
    """What changing a factor from ``reference`` to ``level`` does, the other factors at their average, in per cent.

    ``low_pct`` to ``high_pct`` is its 95 % interval, which holds for all comparisons of all factors at once.
    ``certain`` says that the change is significant after adjustment: then the interval does not go beyond no change
    (Guilbaud, Biometrical Journal 50, 2008).  ``points`` have either value.  ``confounded_with`` are factors that
    the two values cannot be separated from.  ``conditions`` has the change by the values of the factor that it
    depends on.
    """

    level: Setting
    reference: Setting
    change_pct: float
    low_pct: float
    high_pct: float
    points: int
    certain: bool
    confounded_with: tuple[str, ...] = ()
    conditions: tuple[Condition, ...] = ()


@dataclass(frozen=True)
class Effect:
    """A factor's effect on one figure.

    ``comparisons`` has each pair of values, the better one as ``level``: those that are certain first, then by size;
    empty where the design cannot separate the factor from others.  ``p_value`` is that of the factor's F test,
    unadjusted; ``significant`` is after Holm.  ``confounded_with`` are the factors and pairs of factors (``level x
    chunk_kib``) that it cannot be separated from; ``depends_on`` the factors that it is shown to interact with.
    ``share_pct`` is the part of the variance between points that the factor alone explains, of log figures with
    noise taken out, and ``share`` its interval; both None where nothing varies.
    """

    factor: str
    points: int
    share_pct: float | None
    comparisons: tuple[LevelComparison, ...]
    sentence: str
    share: Share | None = None
    p_value: float | None = None
    significant: bool = False
    confounded_with: tuple[str, ...] = ()
    depends_on: tuple[str, ...] = ()


def effects(
    found: FactorModel,
    metric: str,
    *,
    maximise: bool,
    recommended: Mapping[str, Setting] | None = None,
    best: Mapping[str, Setting] | None = None,
) -> tuple[Effect, ...]:
    """Effects of the factors, the largest share first.

    ``recommended`` are the settings of the point that is recommended: where its value is the worse one on average, the
    sentence says so.  ``best`` are those of the point that the ranking shows to be better than every other; None
    without one.  The ranking's test is one-sided and against the best only, so it may be significant where no
    comparison here is: the sentence on a factor that alone was varied then says both.
    """
    tests = {test.code.name: test for test in found.factors}
    made = []
    for code in found.coding.factors:
        test = tests.get(code.name)
        if test is None:
            names = _listed(code.confounded_with) or "the others"
            sentence = f"{code.name}: cannot be separated from {names}."
            made.append(
                Effect(code.name, _applying(found, code), None, (), sentence, None, None, False, code.confounded_with)
            )
        else:
            made.append(_effect(found, test, metric, maximise=maximise, recommended=recommended or {}, best=best or {}))
    return tuple(sorted(made, key=lambda effect: (-(effect.share_pct or 0.0), effect.factor)))


def _effect(
    found: FactorModel,
    test: FactorTest,
    metric: str,
    *,
    maximise: bool,
    recommended: Mapping[str, Setting],
    best: Mapping[str, Setting],
) -> Effect:
    """The effect of one factor that the design can tell apart."""
    code = test.code
    comparisons = [_comparison(found, test, each, maximise=maximise) for each in test.differences]
    comparisons.sort(key=lambda each: (not each.certain, -abs(math.log1p(each.change_pct / 100))))
    interacting = [
        each for each in found.pairs if each.significant and len(each.pairs) == 1 and code.name in each.pairs[0]
    ]
    interacting.sort(key=lambda each: each.p_value)
    depends: tuple[Condition, ...] = ()
    for pair in interacting:
        place, depends = _dependence(found, code.name, pair, comparisons)
        if depends:
            first = comparisons.pop(place)
            comparisons.insert(0, LevelComparison(**{**first.__dict__, "conditions": depends}))
            break
    columns = found.coding.columns[code.name]
    share = share_of(
        found.fit,
        range(len(found.coding.rows)),
        beyond(columns, span(found.coding.matrix(leave_out=(code.name,)))),
        1 - LEVEL * test.weight,
    )
    return Effect(
        factor=code.name,
        points=_applying(found, code),
        share_pct=share.pct if share else None,
        comparisons=tuple(comparisons),
        sentence=_sentence(found, test, metric, comparisons, recommended, best),
        share=share,
        p_value=test.p_value,
        significant=test.significant,
        confounded_with=test.confounded_with,
        depends_on=tuple(_partner(pair, code.name) for pair in interacting),
    )


def _comparison(found: FactorModel, test: FactorTest, each: Difference, *, maximise: bool) -> LevelComparison:
    """A difference oriented so that ``level`` is the better value."""
    code = test.code
    alike = sum(1 for group in code.groups if group == code.groups[each.one])
    half = each.error * tukey_critical(alike, each.df, LEVEL * test.weight)
    change, low, high = each.change, each.change - half, each.change + half
    certain = test.certain(each)
    if certain:
        low, high = (max(0.0, low), high) if change > 0 else (low, min(0.0, high))
    places = each.one, each.other
    if (change < 0) == maximise:
        change, low, high, places = -change, -high, -low, places[::-1]
    levels = {code.levels[place] for place in places}
    return LevelComparison(
        level=code.levels[places[1]],
        reference=code.levels[places[0]],
        change_pct=_pct(change),
        low_pct=_pct(low),
        high_pct=_pct(high),
        points=sum(1 for row in found.coding.rows if row[code.name] in levels),
        certain=certain,
        confounded_with=code.confounders.get((each.one, each.other), ()),
    )


def _dependence(
    found: FactorModel, factor: str, pair: PairTest, comparisons: Sequence[LevelComparison]
) -> tuple[int, tuple[Condition, ...]]:
    """The comparison to name the dependence of, and its changes by the other factor's values.

    It is the one that is claimed on average, or the one whose changes are furthest apart.
    """
    other = _partner(pair, factor)
    best: tuple[float, int, tuple[Condition, ...]] = (-1.0, 0, ())
    for place, each in enumerate(comparisons if not comparisons[0].certain else comparisons[:1]):
        listed = conditions(found, factor, other, (each.reference, each.level), pair)
        changes = [math.log1p(each.change_pct / 100) for each in listed]
        if len(changes) > 1 and max(changes) - min(changes) > best[0]:
            best = (max(changes) - min(changes), place, listed)
    return best[1:]


def _sentence(
    found: FactorModel,
    test: FactorTest,
    metric: str,
    comparisons: Sequence[LevelComparison],
    recommended: Mapping[str, Setting],
    best: Mapping[str, Setting],
) -> str:
    """What is shown of a factor, in plain words."""
    code, first = test.code, comparisons[0]
    name, figure = code.name, metric_name(metric)
    alone = len(found.coding.factors) == 1
    depends = f"; {wording(first.conditions)}" if first.conditions else ""
    level, reference = (value_text(name, value) for value in (first.level, first.reference))
    if first.certain:
        verb = "increases" if first.change_pct > 0 else "reduces"
        limits = f"95 % interval {signed_pct(first.low_pct)} to {signed_pct(first.high_pct)}"
        text = (
            f"{name}: {level} instead of {reference} {verb} {figure} by {pct(first.change_pct)}"
            f"{'' if alone else ' on average'} ({limits}, adjusted for all comparisons){depends}"
        )
        names = first.confounded_with or test.confounded_with
        if names:
            text += f"; cannot be separated from {_listed(names)}"
        if not alone and recommended.get(name, first.level) == first.reference:
            text += f"; the recommended point has {reference} and is ranked by its own measurements"
        return f"{text}."
    if alone and name in best:
        return (
            f"{name}: the ranking has {value_text(name, best[name])} as the best by a one-sided test of each value "
            f"against the best; how large its effect on {figure} is stays open: two-sided intervals for all pairs, "
            "adjusted for all comparisons, include no change."
        )
    if test.significant:
        return f"{name}: {figure} differs between its values, but no two of them differ significantly{depends}."
    if depends:
        return f"{name}: no significant effect on {figure} on average; {level} instead of {reference} {depends[2:]}."
    if alone:
        return (
            f"{name}: no two values differ significantly in {figure} (all pairs, two-sided); the ranking compares each "
            "value with the best only."
        )
    return f"{name}: no significant effect on {figure} on average (two-sided, adjusted for all comparisons)."


def _partner(pair: PairTest, factor: str) -> str:
    one, other = pair.pairs[0]
    return other if one == factor else one


def _applying(found: FactorModel, code: FactorCode) -> int:
    return sum(1 for row in found.coding.rows if row[code.name] is not None)


def _listed(names: Sequence[str]) -> str:
    """``layout and level x chunk_kib``; how many where there are many."""
    factors = [name for name in names if " x " not in name]
    pairs = [f"the interaction of {' and '.join(name.split(' x '))}" for name in names if " x " in name]
    if len(pairs) > _MOST_NAMED:
        pairs = [f"{len(pairs)} interactions of other factors"]
    words = [*factors, *pairs]
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}" if words else ""


def _pct(log_ratio: float) -> float:
    return 100 * math.expm1(log_ratio)
