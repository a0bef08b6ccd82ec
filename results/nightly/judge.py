"""One verdict from one metric's evidence: what the screen saw, what was measured afresh, what that can separate.

* Pairs of baseline and tonight, interleaved, separate what tonight has and the baseline has not from everything that
  drifts: only they, or a disk beside its peers on several nights, confirm a regression.
* Fresh trials against the nights of the baseline show that the figure is different tonight, and not why.

A change that was confirmed stands until its recovery is confirmed (:mod:`results.nightly.standing_change`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from results.nightly import answer
from results.nightly.answer import Confirmed, Metric, Since, Verdict
from results.nightly.disks import NIGHTS_IN_A_ROW, SlowMember
from results.nightly.evidence import (
    CONFIDENCE,
    CUSUM_LIMIT,
    DEFAULT_MARGIN,
    FEWEST_PAIRS,
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
    from results.nightly.acknowledged import Acknowledged
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
        return look(self.looks.get(_side(seen), 0))


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


def verdict(course: Course, seen: Screen, fresh: Fresh | None, margin: float) -> Verdict:
    """The verdict on a metric; ``margin`` is the practical one, a share.  ``fresh`` is None after a silent screen."""
    if course.confirmed is not None:
        from results.nightly.standing_change import verdict_of_standing

        return verdict_of_standing(course, course.confirmed, seen, fresh, margin)
    if not seen.alarmed or fresh is None:
        return made(course, seen, answer.OK, f"within what the nights before did: {_screen_words(seen)}", margin)
    if fresh.differences is not None and len(fresh.differences) >= FEWEST_PAIRS:
        return _of_pairs(course, seen, fresh.differences, margin)
    if fresh.again is not None and len(fresh.again):
        return _of_fresh(course, seen, against_nights(course.baseline, fresh.again), fresh, margin)
    why = fresh.why_not or "too few confirmation trials ended ok"
    reason = f"{_screen_words(seen)}, and it could not be confirmed: {why}"
    return made(course, seen, answer.UNCONFIRMED, reason, margin)


def none(metric: Metric, reason: str, *, baseline: str | None = None, value: float | None = None) -> Verdict:
    """No verdict, and why."""
    return Verdict(metric=metric, word=answer.NO_VERDICT, reason=reason, baseline=baseline, value=value)


def _of_pairs(course: Course, seen: Screen, differences: Floats, margin: float) -> Verdict:
    """The baseline was restored and measured in turn with tonight."""
    shift = paired(differences, worse=seen.worse, sign=course.sign)
    p_value = shift.p_value if shift.p_value is not None else 1.0
    words = f"{shift.count} interleaved pairs: {interval_text(shift)}, p = {p_value:.2g}"
    level = course.look(seen).level
    looked = _side(seen)
    if shift.within(margin):
        reason = (
            f"{_screen_words(seen)}, and so was the baseline measured in turn; {words}: the interval lies within the "
            f"practical margin of {pct(100 * margin)}"
        )
        return made(course, seen, answer.OK, reason, margin, shift, looked=looked)
    if p_value > level:
        reason = f"{words}: not below the level of this look, {level:.2g}"
        return made(course, seen, answer.UNCONFIRMED, reason, margin, shift, looked=looked)
    if not shift.beyond(margin):
        reason = f"{words}: real, but the interval reaches into the practical margin of {pct(100 * margin)}"
        return made(course, seen, answer.UNCONFIRMED, reason, margin, shift, looked=looked)
    word = answer.REGRESSION if seen.worse else answer.IMPROVEMENT
    reason = f"{words}: the interval excludes the practical margin of {pct(100 * margin)}"
    found = Confirmed(night=course.night, change_pct=as_pct(shift.change), improvement=not seen.worse)
    return made(course, seen, word, reason, margin, shift, since=since(course), looked=looked, confirmed=found)


def _of_fresh(course: Course, seen: Screen, shift: Shift, fresh: Fresh, margin: float) -> Verdict:
    """The baseline could not be restored: either a disk beside its peers tells the cause, or nothing does."""
    words = f"{shift.count} fresh trials against the baseline's nights: {interval_text(shift)}"
    looked = _side(seen) if seen.worse and fresh.slow else None
    if not shift.beyond(margin):
        reason = f"{words}: the interval reaches into the practical margin of {pct(100 * margin)}"
        return made(course, seen, answer.UNCONFIRMED, reason, margin, shift, looked=looked)
    level = course.look(seen).level
    slow = tuple(each for each in _once(fresh.slow) if each.p_value <= level) if seen.worse else ()
    lasting = tuple(each for each in slow if each.nights >= NIGHTS_IN_A_ROW)
    if lasting:
        return _of_disks(course, seen, shift, lasting, words, margin, word=answer.REGRESSION)
    if slow:
        return _of_disks(course, seen, shift, slow, words, margin, word=answer.TONIGHT)
    reason = (
        f"{words}; the baseline cannot be restored, so what moved it cannot be told: machine, kernel, firmware and "
        "tonight's settings were all different then"
    )
    return made(course, seen, answer.DRIFT, reason, margin, shift, since=since(course), looked=looked)


def _of_disks(
    course: Course, seen: Screen, shift: Shift, slow: Sequence[SlowMember], words: str, margin: float, *, word: str
) -> Verdict:
    """Members are slower than their peers: a regression where they were on several nights in a row."""
    told = "; ".join(_member_words(each) for each in slow)
    ids = tuple(each.disk_id for each in slow)
    tested = Shift(shift.change, shift.low, shift.high, slow[0].p_value, slow[0].shift.count)
    looked = _side(seen)
    if word == answer.TONIGHT:
        reason = f"{words}; {told}: a regression needs {NIGHTS_IN_A_ROW} nights in a row"
        return made(course, seen, word, reason, margin, tested, disks=ids, looked=looked)
    found = Confirmed(night=course.night, change_pct=as_pct(shift.change), disks=ids)
    return made(
        course,
        seen,
        word,
        f"{words}; {told}",
        margin,
        tested,
        since=since(course),
        disks=ids,
        looked=looked,
        confirmed=found,
    )


def _once(slow: tuple[SlowMember, ...]) -> tuple[SlowMember, ...]:
    """Each disk once, by what fell most."""
    return tuple({each.disk_id: each for each in reversed(slow)}.values())[::-1]


def _member_words(slow: SlowMember) -> str:
    what = "random reads per second" if slow.kind == "read_iops" else "sequential bandwidth"
    nights = "tonight" if slow.nights == 1 else f"for {slow.nights} nights in a row"
    return (
        f"disk {slow.disk_id}, read on its own beside its peers, reaches {pct(100 * slow.share_tonight)} of their "
        f"{what} {nights} and reached {pct(100 * slow.share_before)} in the baseline (p = {slow.p_value:.2g})"
    )


def _side(seen: Screen) -> str:
    return "worse" if seen.worse else "better"


def _screen_words(seen: Screen) -> str:
    worse = "worse" if seen.z >= 0 else "better"
    return (
        f"tonight is {abs(seen.z):.1f} standard deviations {worse} (limit {seen.z_limit:.1f}), "
        f"cumulative sum {seen.cusum:.1f} (limit {CUSUM_LIMIT:.0f})"
    )


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
