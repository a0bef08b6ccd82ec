"""The verdict on a change that was confirmed on an earlier night: it stands until its recovery is confirmed.

A few pairs a night are enough to see that it is still there.  Where they no longer show it, or show that an
acknowledged regression grew, pairs are added until there are as many as a first look takes, and their interval decides.
Without pairs, a regression that rests on disks is over when they are as before on several nights in a row, and any
other when the figure is.  None of this spends levels of looks: nothing new is claimed of a change that stands.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from results.nightly import answer
from results.nightly.course import as_pct, interval_text, made, since
from results.nightly.disks import NIGHTS_IN_A_ROW
from results.nightly.evidence import FEWEST_PAIRS, Shift, paired, typical
from stripelab.units import signed_pct

if TYPE_CHECKING:
    from results.nightly.answer import Confirmed, Verdict
    from results.nightly.course import Course, Fresh
    from results.nightly.evidence import Floats, Screen


def verdict_of_standing(course: Course, change: Confirmed, seen: Screen, fresh: Fresh | None, margin: float) -> Verdict:
    """The verdict where ``change`` stands; ``fresh`` is None where only the night itself was measured."""
    if fresh is not None and fresh.differences is not None:
        # A few pairs beside a change that was confirmed estimate it: their p-value would answer no question.
        return replace(_of_pairs(course, change, seen, fresh, fresh.differences, margin), p_value=None)
    if change.disks and fresh is not None and fresh.shares is not None:
        return _of_disks(course, change, seen, fresh, margin)
    return _of_figures(course, change, seen, margin)


def needs_more_pairs(course: Course, differences: Floats, margin: float) -> bool:
    """Whether the pairs of the nightly check leave open if the change is still there, and no larger."""
    change = course.confirmed
    if change is None or not 2 <= len(differences) < FEWEST_PAIRS:
        return False
    mean = float(differences.mean())
    return not _beyond(course, change, mean, margin) or _grown(course, change, mean, margin)


def _direction(course: Course, change: Confirmed) -> int:
    """1 where the change is towards larger figures, else -1."""
    return course.sign if change.improvement else -course.sign


def _beyond(course: Course, change: Confirmed, value: float, margin: float) -> bool:
    """Whether a figure (a logarithm beside the baseline) is beyond the margin on the side of the change."""
    return value > math.log1p(margin) if _direction(course, change) > 0 else value < math.log1p(-margin)


def _grown(course: Course, change: Confirmed, value: float, margin: float) -> bool:
    """Whether a regression is worse than when it was confirmed, by more than the margin."""
    if change.improvement:
        return False
    return _beyond(course, change, value - math.log1p(change.change_pct / 100), margin)


def _of_pairs(
    course: Course, change: Confirmed, seen: Screen, fresh: Fresh, differences: Floats, margin: float
) -> Verdict:
    if len(differences) < 2:
        why = fresh.why_not or "too few pairs ended ok"
        return _stands(course, change, seen, f"it could not be checked tonight: {why}", margin)
    shift = paired(differences, worse=not change.improvement, sign=course.sign)
    words = f"{shift.count} interleaved pairs tonight: {interval_text(shift)}"
    nearest, farthest = (shift.high, shift.low) if _direction(course, change) < 0 else (shift.low, shift.high)
    enough = shift.count >= FEWEST_PAIRS
    if enough and not _beyond(course, change, farthest, margin):
        return _recovered(course, change, seen, words, margin, shift)
    if enough and _grown(course, change, nearest, margin):
        grown = replace(change, night=course.night, change_pct=as_pct(shift.change))
        before = f"worse than the {signed_pct(change.change_pct)} that was confirmed on {change.night}"
        return _regressed(course, grown, seen, f"{words}: {before}", margin, shift)
    still = _beyond(course, change, shift.change, margin)
    told = "it is still there" if still else "the recovery is not confirmed"
    return _stands(course, change, seen, f"{words}: {told}", margin, shift)


def _of_disks(course: Course, change: Confirmed, seen: Screen, fresh: Fresh, margin: float) -> Verdict:
    """Each disk beside its peers, from the readings of the nights themselves."""
    latest = {disk: tuple(nights)[-NIGHTS_IN_A_ROW:] for disk, nights in (fresh.shares or {}).items()}
    there = {disk: nights for disk, nights in latest.items() if nights}
    limit = math.log1p(-margin)
    told = "; ".join(
        f"disk {disk} reads {signed_pct(as_pct(nights[-1]))} of its share in the baseline tonight"
        for disk, nights in there.items()
    )
    if not latest:
        gone = f"{', '.join(change.disks)}: no longer a member"
        if not _beyond(course, change, _moved(course)[-1], margin):
            return _recovered(course, change, seen, gone, margin)
        return _stands(course, change, seen, f"{gone}, and the figure is still beyond the margin", margin)
    if len(there) < len(latest):
        return _stands(course, change, seen, fresh.why_not or "not all of its disks were read tonight", margin)
    if all(len(nights) >= NIGHTS_IN_A_ROW and min(nights) > limit for nights in there.values()):
        return _recovered(course, change, seen, f"{told}, as on {NIGHTS_IN_A_ROW} nights in a row", margin)
    still = any(nights[-1] <= limit for nights in there.values())
    return _stands(course, change, seen, told if still else f"{told}: a recovery needs {_nights_text()}", margin)


def _of_figures(course: Course, change: Confirmed, seen: Screen, margin: float) -> Verdict:
    """Nothing to measure beside the night: the figures of the latest nights themselves."""
    latest = _moved(course)[-NIGHTS_IN_A_ROW:]
    if len(latest) >= NIGHTS_IN_A_ROW and not any(_beyond(course, change, each, margin) for each in latest):
        return _recovered(course, change, seen, f"within the margin on {_nights_text()}", margin)
    reason = f"the baseline cannot be restored, so only the night itself tells: {signed_pct(as_pct(latest[-1]))}"
    return _stands(course, change, seen, reason, margin)


def _moved(course: Course) -> list[float]:
    """How far each night since the change was confirmed is from the baseline."""
    before = float(typical(course.baseline).mean())
    return [float(each) - before for each in course.values[len(course.baseline) :]]


def _nights_text() -> str:
    return f"{NIGHTS_IN_A_ROW} nights in a row"


def _recovered(
    course: Course, change: Confirmed, seen: Screen, why: str, margin: float, shift: Shift | None = None
) -> Verdict:
    what = "improvement" if change.improvement else "regression"
    end = "is gone" if change.improvement else "has recovered tonight"
    reason = f"{why}: the {what} of {signed_pct(change.change_pct)} that was confirmed on {change.night} {end}"
    found = made(course, seen, answer.RECOVERED, reason, margin, shift, confirmed=change)
    known = course.acknowledged
    return found if known is None else replace(found, acknowledged=known.acknowledgement)


def _stands(
    course: Course, change: Confirmed, seen: Screen, why: str, margin: float, shift: Shift | None = None
) -> Verdict:
    reason = f"confirmed on {change.night} ({signed_pct(change.change_pct)}); {why}"
    if change.improvement:
        return made(course, seen, answer.IMPROVEMENT, reason, margin, shift, since=since(course), confirmed=change)
    return _regressed(course, change, seen, reason, margin, shift)


def _regressed(
    course: Course, change: Confirmed, seen: Screen, reason: str, margin: float, shift: Shift | None
) -> Verdict:
    """A regression, or one that is known: an acknowledgement covers the change it was made for until its last night."""
    known = course.acknowledged if course.confirmed == change else None
    word = answer.REGRESSION
    if known is not None:
        until = known.acknowledgement.until
        expired = course.night > until
        word = answer.REGRESSION if expired else answer.KNOWN
        reason = f"{reason}; the acknowledgement expired on {until}" if expired else reason
    found = made(course, seen, word, reason, margin, shift, since=since(course), disks=change.disks, confirmed=change)
    return found if known is None else replace(found, acknowledged=known.acknowledgement)
