"""The days on which runs were made: the unit of a guarantee that speaks of other days.

A day is a calendar day in UTC, the only clock that every store shares.  A run belongs to the date on which its session
began: a session continues across midnight until a pause of SESSION_PAUSE_S, and 24 hours at most.  So an evening that
ends after midnight is one day, and a campaign without a pause has a day for every 24 hours.  Trials of other points are
part of a session: between two runs of one point they can take hours.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from results.guarantee.answer import DayFigure
from results.guarantee.runs import Run
from results.store.schema import TrialRow

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


def by_day(runs: Sequence[Run], others: Sequence[TrialRow] = ()) -> tuple[Day, ...]:
    """The days of ``runs`` in the order of time; ``others`` are further trials of the same sessions."""
    days_of = _days_of([*(run.trial for run in runs), *others])
    found: dict[str, list[Run]] = {}
    for run in sorted(runs, key=lambda each: _place(each.trial)):
        found.setdefault(days_of[run.trial.trial_id], []).append(run)
    return tuple(Day(date, tuple(each)) for date, each in found.items())


def date_of(trial: TrialRow) -> str:
    """The date in UTC on which a trial began."""
    return datetime.fromtimestamp(trial.started_at_ns / 1e9, UTC).date().isoformat()


def _days_of(trials: Sequence[TrialRow]) -> dict[str, str]:
    """The day of each trial: the date on which its session began."""
    found: dict[str, str] = {}
    ordered = sorted(trials, key=_place)
    first, ended_s = ordered[0] if ordered else None, 0.0
    for trial in ordered:
        began_s = trial.started_at_ns / 1e9
        if first is None or not (
            date_of(first) == date_of(trial)
            or (began_s - ended_s < SESSION_PAUSE_S and began_s - first.started_at_ns / 1e9 < _DAY_S)
        ):
            first = trial
        found[trial.trial_id] = date_of(first)
        ended_s = max(ended_s, began_s + trial.duration_s)
    return found


def _place(trial: TrialRow) -> tuple[int, int]:
    return trial.started_at_ns, trial.run_order
