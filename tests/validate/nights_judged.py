"""A metric judged night after night by the code that judges real nights; only the measurements are made up."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta

import numpy as np

from results.nightly.answer import REGRESSION, Metric, Verdict
from results.nightly.course import Course, Fresh
from results.nightly.courses import course_of
from results.nightly.evidence import CHECK_PAIRS, DEFAULT_MARGIN, PAIRS, Look
from results.nightly.judge import verdict
from results.nightly.standing_change import needs_more_pairs
from tests.validate import nights_truth as truth

METRIC = Metric(workload="scan", figure="iops", point_id="p", label="raid5, 4 disks", settings={"level": "raid5"})
_FIRST = date(2020, 1, 1)
NAMES = tuple((_FIRST + timedelta(days=each)).isoformat() for each in range(1200))

Measured = Callable[[Course, int], Fresh]
"""What so many pairs, or whatever takes their place, give tonight."""


@dataclass
class Judged:
    """A metric's verdicts so far, beside what they cost."""

    past: list[tuple[str, Verdict]] = field(default_factory=list)
    pairs: int = 0
    looks: int = 0

    def night(self, values: truth.Floats, measured: Measured, margin: float = DEFAULT_MARGIN) -> Verdict:
        """Judge the last of these nights; the baseline's come first."""
        names = NAMES[: len(values)]
        course = course_of(METRIC, "first", names, values, truth.BASELINE, self.past)
        seen = course.screened(margin)
        fresh = None
        if course.confirmed is not None:
            fresh = self._measured(measured, course, CHECK_PAIRS)
            if fresh.differences is not None and needs_more_pairs(course, fresh.differences, margin):
                more = self._measured(measured, course, PAIRS - CHECK_PAIRS)
                fresh = Fresh(differences=np.concatenate([fresh.differences, more.differences]))
        elif seen.alarmed:
            self.looks += 1
            fresh = self._measured(measured, course, self._look(course).pairs)
        found = verdict(course, seen, fresh, margin)
        self.past.append((names[-1], found))
        return found

    def _look(self, course: Course) -> Look:
        return course.look(course.screened())

    def _measured(self, measured: Measured, course: Course, count: int) -> Fresh:
        self.pairs += count
        return measured(course, count)

    def branched(self) -> Judged:
        """The same past, to go on from in another way."""
        return Judged(list(self.past), self.pairs, self.looks)


def restored(dice: np.random.Generator, shift: float) -> Measured:
    """A baseline that can be restored: pairs around the shift."""
    return lambda _course, count: Fresh(differences=truth.pairs(dice, count, shift))


def quiet(dice: np.random.Generator, values: truth.Floats) -> Iterator[Judged]:
    """The metric before each of the nights after the baseline, in which nothing changed."""
    judged = Judged()
    measured = restored(dice, 0.0)
    for end in range(truth.BASELINE, len(values) + 1):
        yield judged
        if end < len(values):
            judged.night(values[: end + 1], measured)


def first_regression(
    dice: np.random.Generator, judged: Judged, values: truth.Floats, begins: int, shift: float, within: int
) -> int | None:
    """How many nights after a change by ``shift`` (a logarithm), which begins at this place, it is a regression."""
    own, moved = judged.branched(), values.copy()
    moved[begins:] += shift
    for end in range(begins, begins + within):
        if own.night(moved[: end + 1], restored(dice, shift)).word == REGRESSION:
            return end - begins
    return None
