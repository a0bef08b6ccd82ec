"""The days on which runs were made: the unit of a guarantee that speaks of other days.

A day is a calendar day in UTC, the only clock that every store shares.  A run belongs to the date on which its session
began: a session continues across midnight until a pause of SESSION_PAUSE_S, and 24 hours at most.  So an evening that
ends after midnight is one day, and a campaign without a pause has a day for every 24 hours.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from results.guarantee.answer import DayFigure
from results.guarantee.runs import Run

SESSION_PAUSE_S = 4 * 3600
_DAY_S = 24 * 3600


@dataclass(frozen=True, eq=False)
class Day:
    """The runs of one day in their order, one or more."""

    date: str
    runs: tuple[Run, ...]

    def worst(self, *, at_least: bool) -> float:
        """The figure of its worst run."""
        return (min if at_least else max)(run.bound for run in self.runs)

    @property
    def mean(self) -> float:
        """The mean of its runs' means."""
        return sum(run.mean for run in self.runs) / len(self.runs)

    def figure(self, *, at_least: bool) -> DayFigure:
        """As it is reported."""
        return DayFigure(self.date, len(self.runs), self.worst(at_least=at_least), self.mean)


def by_day(runs: Sequence[Run]) -> tuple[Day, ...]:
    """The days of ``runs`` in the order of time."""
    found: list[list[Run]] = []
    for run in sorted(runs, key=lambda each: (each.trial.started_at_ns, each.trial.run_order)):
        if found and _same_day(found[-1], run):
            found[-1].append(run)
        else:
            found.append([run])
    return tuple(Day(date_of(each[0]), tuple(each)) for each in found)


def date_of(run: Run) -> str:
    """The date in UTC on which a run began."""
    return datetime.fromtimestamp(run.trial.started_at_ns / 1e9, UTC).date().isoformat()


def _same_day(day: Sequence[Run], run: Run) -> bool:
    """Whether a run belongs to the day of the runs before it."""
    first, last = day[0].trial, day[-1].trial
    paused_s = (run.trial.started_at_ns - last.started_at_ns) / 1e9 - last.duration_s
    within_s = (run.trial.started_at_ns - first.started_at_ns) / 1e9
    return date_of(day[0]) == date_of(run) or (paused_s < SESSION_PAUSE_S and within_s < _DAY_S)
