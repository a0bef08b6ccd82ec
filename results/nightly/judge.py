"""One verdict from one metric's evidence: what the screen saw, what was measured afresh, what that can separate.

* Pairs of baseline and tonight, interleaved, separate what tonight has and the baseline has not from everything that
  drifts: only they, or a disk beside its peers, confirm a regression.
* Fresh trials against the nights of the baseline show that the figure is different tonight, and not why.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from results.nightly import answer
from results.nightly.answer import Metric, Since, Verdict
from results.nightly.disks import SlowMember
from results.nightly.evidence import (
    CONFIDENCE,
    CUSUM_LIMIT,
    FEWEST_PAIRS,
    YEAR_NIGHTS,
    Look,
    Screen,
    Shift,
    against_nights,
    look,
    paired,
    screen,
    typical,
)
from results.statistics.changepoint import change_points
from results.units import pct, signed_pct

if TYPE_CHECKING:
    from results.nightly.evidence import Floats


DATED_BASELINE, DATED_NIGHTS = 40, 90
"""Nights in which a change is sought: the last ones of the baseline, and the latest since."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Course:
    """A metric's nights: those of the baseline, those since it (tonight last), and those of both with their dates.

    ``since`` begins after the last night on which a screen proved to be a false alarm; ``looks`` counts the nights of
    the year before on which fresh figures were asked for, by side.
    """

    metric: Metric
    baseline_name: str
    baseline: Floats
    since: Floats
    nights: tuple[str, ...]
    values: Floats
    looks: Mapping[str, int] = field(default_factory=dict)

    @property
    def sign(self) -> int:
        """1 where more is better, else -1."""
        return 1 if self.metric.higher_is_better else -1

    def screened(self) -> Screen:
        """What the screen says of tonight."""
        return screen(self.baseline, self.since, self.sign)

    def look(self, seen: Screen) -> Look | None:
        """How fresh figures would be judged tonight; None where the year's looks at that side are spent."""
        return look(self.looks.get(_side(seen), 0))


@dataclass(frozen=True, eq=False, kw_only=True)
class Fresh:
    """What was measured the same night to confirm: nothing where ``why_not`` says why.

    ``differences`` are tonight less baseline, pair by pair, where the baseline could be restored; ``again`` further
    trials of tonight where it could not; ``slow`` the point's members that became slower than their peers.
    """

    differences: Floats | None = None
    again: Floats | None = None
    slow: tuple[SlowMember, ...] = ()
    why_not: str | None = None


def verdict(course: Course, seen: Screen, fresh: Fresh | None, margin: float) -> Verdict:
    """The verdict on a metric; ``margin`` is the practical one, a share.  ``fresh`` is None after a silent screen."""
    if seen.alarmed and course.look(seen) is None:
        return _spent(course, seen, margin)
    if not seen.alarmed or fresh is None:
        return _made(course, seen, answer.OK, f"within what the baseline's nights did: {_screen_words(seen)}", margin)
    if fresh.differences is not None and len(fresh.differences) >= FEWEST_PAIRS:
        return _of_pairs(course, seen, fresh.differences, margin)
    if fresh.again is not None and len(fresh.again):
        return _of_fresh(course, seen, against_nights(course.baseline, fresh.again), fresh, margin)
    why = fresh.why_not or "too few confirmation trials ended ok"
    reason = f"{_screen_words(seen)}, and it could not be confirmed: {why}"
    return _made(course, seen, answer.UNCONFIRMED, reason, margin)


def _spent(course: Course, seen: Screen, margin: float) -> Verdict:
    """Looked at as often as a year allows, and never confirmed."""
    count = course.looks.get(_side(seen), 0)
    reason = (
        f"{_screen_words(seen)}; fresh figures were taken {count} times within {YEAR_NIGHTS} nights and never bore out "
        f"a change to the {_side(seen)}, and one more would make false verdicts too likely"
    )
    return _made(course, seen, answer.DRIFT, reason, margin)


def none(metric: Metric, reason: str, *, baseline: str | None = None, value: float | None = None) -> Verdict:
    """No verdict, and why."""
    return Verdict(metric=metric, word=answer.NO_VERDICT, reason=reason, baseline=baseline, value=value)


def _of_pairs(course: Course, seen: Screen, differences: Floats, margin: float) -> Verdict:
    """The baseline was restored and measured in turn with tonight."""
    shift = paired(differences, worse=seen.worse, sign=course.sign)
    p_value = shift.p_value if shift.p_value is not None else 1.0
    words = f"{shift.count} interleaved pairs: {_interval(shift)}, p = {p_value:.2g}"
    level = _level(course, seen)
    if p_value > level:
        reason = f"{words}: not below the level of this look, {level:.2g}"
        return _made(course, seen, answer.UNCONFIRMED, reason, margin, shift)
    if not shift.beyond(margin):
        reason = f"{words}: real, but the interval reaches into the practical margin of {pct(100 * margin)}"
        return _made(course, seen, answer.UNCONFIRMED, reason, margin, shift)
    word = answer.REGRESSION if seen.worse else answer.IMPROVEMENT
    reason = f"{words}: the interval excludes the practical margin of {pct(100 * margin)}"
    return _made(course, seen, word, reason, margin, shift, since=since(course))


def _of_fresh(course: Course, seen: Screen, shift: Shift, fresh: Fresh, margin: float) -> Verdict:
    """The baseline could not be restored: either a disk beside its peers tells the cause, or nothing does."""
    words = f"{shift.count} fresh trials against the baseline's nights: {_interval(shift)}"
    if not shift.beyond(margin):
        reason = f"{words}: the interval reaches into the practical margin of {pct(100 * margin)}"
        return _made(course, seen, answer.UNCONFIRMED, reason, margin, shift)
    slow = tuple(each for each in _once(fresh.slow) if each.p_value <= _level(course, seen))
    if seen.worse and slow:
        told = "; ".join(_member_words(each) for each in slow)
        reason = f"{words}; {told}"
        disks = tuple(each.disk_id for each in slow)
        made = _made(course, seen, answer.REGRESSION, reason, margin, shift, since=since(course), disks=disks)
        return _with_test(made, slow[0])
    reason = (
        f"{words}: it is different tonight, and what differs cannot be separated from whatever else changed since the "
        "baseline, which cannot be restored here"
    )
    return _made(course, seen, answer.DRIFT, reason, margin, shift, since=since(course))


def _with_test(made: Verdict, slow: SlowMember) -> Verdict:
    from dataclasses import replace

    return replace(made, p_value=slow.p_value, pairs=slow.shift.count)


def _once(slow: tuple[SlowMember, ...]) -> tuple[SlowMember, ...]:
    """Each disk once, by what fell most."""
    return tuple({each.disk_id: each for each in reversed(slow)}.values())[::-1]


def _member_words(slow: SlowMember) -> str:
    what = "random reads per second" if slow.kind == "read_iops" else "sequential bandwidth"
    return (
        f"disk {slow.disk_id}, read on its own {slow.shift.count} times beside its peers, reaches "
        f"{pct(100 * slow.share_tonight)} of their {what} and reached {pct(100 * slow.share_before)} in the baseline "
        f"(p = {slow.p_value:.2g})"
    )


def _side(seen: Screen) -> str:
    return "worse" if seen.worse else "better"


def _level(course: Course, seen: Screen) -> float:
    """Level of tonight's look; 0 where there is none."""
    allowed = course.look(seen)
    return 0.0 if allowed is None else allowed.level


def _screen_words(seen: Screen) -> str:
    worse = "worse" if seen.z >= 0 else "better"
    return (
        f"tonight is {abs(seen.z):.1f} standard deviations {worse} (limit {seen.z_limit:.1f}), "
        f"cumulative sum {seen.cusum:.1f} (limit {CUSUM_LIMIT:.0f})"
    )


def _interval(shift: Shift) -> str:
    low, high = (signed_pct(_pct(value)) for value in (shift.low, shift.high))
    return f"{signed_pct(_pct(shift.change))} ({low} to {high}, {CONFIDENCE:.0%})"


def _pct(change: float) -> float:
    return 100 * math.expm1(change)


def _made(
    course: Course,
    seen: Screen,
    word: str,
    reason: str,
    margin: float,
    shift: Shift | None = None,
    *,
    since: Since | None = None,
    disks: tuple[str, ...] = (),
) -> Verdict:
    tonight, before = float(course.since[-1]), float(typical(course.baseline).mean())
    pairs = shift.count if shift is not None and shift.p_value is not None else 0
    return Verdict(
        metric=course.metric,
        word=word,
        reason=reason,
        baseline=course.baseline_name,
        value=math.exp(tonight),
        baseline_value=math.exp(before),
        change_pct=_pct(shift.change if shift is not None else tonight - before),
        change_low_pct=_pct(shift.low) if shift is not None else None,
        change_high_pct=_pct(shift.high) if shift is not None else None,
        margin_pct=100 * margin,
        screen=seen.statistic,
        screened=seen.alarmed,
        looked=_side(seen) if seen.alarmed and shift is not None else None,
        pairs=pairs,
        p_value=shift.p_value if shift is not None else None,
        since=since,
        disks=disks,
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
