"""One verdict from one metric's evidence: what the screen saw, what was measured afresh, what that can separate.

* Pairs of baseline and tonight, interleaved, separate what tonight has and the baseline has not from everything that
  drifts: only they, or a disk beside its peers on several nights, confirm a regression.
* Fresh trials against the nights of the baseline show that the figure is different tonight, and not why.

A change that was confirmed stands until its recovery is confirmed (:mod:`results.nightly.standing_change`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from results.nightly import answer
from results.nightly.answer import Confirmed, Metric, Verdict
from results.nightly.course import Course, Fresh, as_pct, interval_text, made, side_of, since
from results.nightly.disks import NIGHTS_IN_A_ROW, SlowMember
from results.nightly.evidence import CUSUM_LIMIT, FEWEST_PAIRS, Screen, Shift, against_nights, paired
from results.nightly.standing_change import verdict_of_standing
from stripelab.units import pct

if TYPE_CHECKING:
    from results.nightly.evidence import Floats


def verdict(course: Course, seen: Screen, fresh: Fresh | None, margin: float) -> Verdict:
    """The verdict on a metric; ``margin`` is the practical one, a share.  ``fresh`` is None after a silent screen."""
    if course.confirmed is not None:
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
    looked = side_of(seen)
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
    looked = side_of(seen) if seen.worse and fresh.slow else None
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
    p_value, looked = slow[0].p_value, side_of(seen)
    if word == answer.TONIGHT:
        reason = f"{words}; {told}: a regression needs {NIGHTS_IN_A_ROW} nights in a row"
        return replace(made(course, seen, word, reason, margin, shift, disks=ids, looked=looked), p_value=p_value)
    change = Confirmed(night=course.night, change_pct=as_pct(shift.change), disks=ids)
    found = made(course, seen, word, f"{words}; {told}", margin, shift, since=since(course), disks=ids, looked=looked)
    return replace(found, p_value=p_value, confirmed=change)


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


def _screen_words(seen: Screen) -> str:
    worse = "worse" if seen.z >= 0 else "better"
    return (
        f"tonight is {abs(seen.z):.1f} standard deviations {worse} (limit {seen.z_limit:.1f}), "
        f"cumulative sum {seen.cusum:.1f} (limit {CUSUM_LIMIT:.0f})"
    )
