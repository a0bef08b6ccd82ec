"""The course of a metric over the nights, what was measured beside it tonight, and the verdict they are made into."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from results.nightly.answer import Confirmed, Metric, Since, Verdict
from results.nightly.evidence import CONFIDENCE, DEFAULT_MARGIN, Look, Screen, Shift, look, screen, typical
from results.statistics.changepoint import change_points
from stripelab.units import signed_pct

if TYPE_CHECKING:
    from results.nightly.acknowledged import Acknowledged
    from results.nightly.disks import SlowMember
    from results.nightly.evidence import Floats


DATED_BASELINE, DATED_NIGHTS = 40, 90
"""Nights in which a change is sought: the last ones of the baseline, and the latest since."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Course:
    """A metric's nights: those of the baseline, those since it (tonight last), and those of both with their dates.

    ``since`` begins after the last look that confirmed nothing; ``looks`` counts those of the year before, by side.
    ``level`` is the screen's centre where pairs cleared nights after the baseline, ``confirmed`` the change that
    stands before tonight, ``acknowledged`` who knows of it.
    """

    metric: Metric
    baseline_name: str
    baseline: Floats
    since: Floats
    nights: tuple[str, ...]
    values: Floats
    looks: Mapping[str, int] = field(default_factory=dict)
    level: float | None = None
    confirmed: Confirmed | None = None
    acknowledged: Acknowledged | None = None

    @property
    def sign(self) -> int:
        """1 where more is better, else -1."""
        return 1 if self.metric.higher_is_better else -1

    @property
    def night(self) -> str:
        """Tonight."""
        return self.nights[-1]

    def screened(self, margin: float = DEFAULT_MARGIN) -> Screen:
        """What the screen says of tonight; ``margin`` is the practical one, a share."""
        return screen(self.baseline, self.since, self.sign, margin=margin, level=self.level)

    def look(self, seen: Screen) -> Look:
        """How fresh figures are judged tonight."""
        return look(self.looks.get(side_of(seen), 0))


@dataclass(frozen=True, eq=False, kw_only=True)
class Fresh:
    """What was measured the same night to confirm: nothing where ``why_not`` says why.

    ``differences`` are tonight less baseline, pair by pair, where the baseline could be restored; ``again`` further
    trials of tonight where it could not; ``slow`` the point's members that became slower than their peers.  Of a
    regression that rests on disks, ``shares`` has what each of them that is still a member lost in the latest nights,
    tonight last (logarithms).
    """

    differences: Floats | None = None
    again: Floats | None = None
    slow: tuple[SlowMember, ...] = ()
    shares: Mapping[str, Sequence[float]] | None = None
    why_not: str | None = None


def side_of(seen: Screen) -> str:
    """The side that the screen suspects."""
    return "worse" if seen.worse else "better"


def interval_text(shift: Shift) -> str:
    """A change with its interval: ``-20 % (-22 % to -18 %, 95%)``."""
    low, high = (signed_pct(as_pct(value)) for value in (shift.low, shift.high))
    return f"{signed_pct(as_pct(shift.change))} ({low} to {high}, {CONFIDENCE:.0%})"


def as_pct(change: float) -> float:
    """A logarithm as a change in per cent."""
    return 100 * math.expm1(change)


def made(
    course: Course,
    seen: Screen,
    word: str,
    reason: str,
    margin: float,
    shift: Shift | None = None,
    *,
    since: Since | None = None,
    disks: tuple[str, ...] = (),
    looked: str | None = None,
    confirmed: Confirmed | None = None,
) -> Verdict:
    """The verdict with what every one has: tonight, the baseline, the change between them or that of ``shift``."""
    tonight, before = float(course.since[-1]), float(typical(course.baseline).mean())
    pairs = shift.count if shift is not None and shift.p_value is not None else 0
    return Verdict(
        metric=course.metric,
        word=word,
        reason=reason,
        baseline=course.baseline_name,
        value=math.exp(tonight),
        baseline_value=math.exp(before),
        change_pct=as_pct(shift.change if shift is not None else tonight - before),
        change_low_pct=as_pct(shift.low) if shift is not None else None,
        change_high_pct=as_pct(shift.high) if shift is not None else None,
        margin_pct=100 * margin,
        screen=seen.statistic,
        screened=seen.alarmed,
        looked=looked,
        pairs=pairs,
        p_value=shift.p_value if shift is not None else None,
        since=since,
        disks=disks,
        confirmed=confirmed,
    )


def since(course: Course) -> Since:
    """When it began: the last change point of the latest nights, with the end of the baseline before them.

    A change from before those is dated on the first of them: time grows with the square of the nights.

    A change needs two nights on either side to be found; one that nothing before tonight shows began tonight, for which
    there is no confidence to state.
    """
    begin = len(course.baseline)
    recent = max(begin, len(course.nights) - DATED_NIGHTS)
    old = slice(max(0, begin - DATED_BASELINE), begin)
    values = [*course.values[old], *course.values[recent:]]
    nights = (*course.nights[old], *course.nights[recent:])
    first = begin - old.start
    found = [each for each in change_points(values, confidence=CONFIDENCE) if each.index >= first]
    if not found:
        return Since(night=nights[-1], low=nights[-1], high=nights[-1], confidence=None)
    last, end = found[-1], len(nights) - 1
    low, high = (nights[min(end, each)] for each in (last.low, last.high))
    return Since(night=nights[last.index], low=low, high=high, confidence=CONFIDENCE)
