"""Which trials a report shows one by one: all of a sweep; of years of nights the newest, or those that were asked for.

Answers, intervals, distributions, the course of the nights and the guarantee rest on every trial whatever is shown:
this is about rows, commands and seconds, which would make a file that nobody opens.  What is left out is said, with the
commands that give it.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from results.errors import ResultsError
from results.recommendation.answer import Recommendation
from results.store.schema import TrialRow

MOST_TRIALS = 1200
"""Trials beyond which not every one is shown: with their seconds some 3 MB.  A sweep of 200 points in three blocks has
600."""

MOST_PROBLEMS = 300
"""Failed and invalid trials that are listed beside them."""

MOST_LINKS = 10
"""Trials that a figure links to where not every trial is shown, or where they are those of many nights."""

MOST_ROWS = 1500
"""Rows of points in all tables of a kind together: a sweep of 200 points and three workloads has 1,200."""

_ANOTHER = 30
"""Nights that the command for others asks for."""

_SPAN = re.compile(r"(\d{4}-\d\d-\d\d)(?:\.\.(\d{4}-\d\d-\d\d))?")
_REMEDY = (
    "Give a number of the newest nights, such as 30, a night, such as 2026-11-24, from one to another, such as "
    "2026-11-01..2026-11-24, or all."
)


@dataclass(frozen=True)
class Nights:
    """The nights that were asked for: so many of the ``newest``, or from ``first`` to ``last`` (dates, ISO 8601).

    Nothing of that: every night.  ``text`` is how they were asked for.
    """

    text: str
    newest: int | None = None
    first: str | None = None
    last: str | None = None

    def among(self, every: Sequence[str]) -> tuple[str, ...]:
        """Those of ``every`` night, which are in the order of time."""
        if self.newest is not None:
            return tuple(every[-self.newest :])
        if self.first is None or self.last is None:
            return tuple(every)
        return tuple(night for night in every if self.first <= night <= self.last)


def nights(text: str) -> Nights:
    """Nights as they are asked for on a command line: ``30``, ``2026-11-24``, ``2026-11-01..2026-11-24`` or ``all``.

    Raises:
        ResultsError: it is none of these.
    """
    if text == "all":
        return Nights(text)
    if text.isascii() and text.isdigit() and 0 < int(text) < 10**6:
        return Nights(text, newest=int(text))
    span = _SPAN.fullmatch(text)
    if span is None:
        raise ResultsError(f"{text!r} names no nights", remedy=_REMEDY)
    first, last = span[1], span[2] or span[1]
    for each in (first, last):
        try:
            date.fromisoformat(each)
        except ValueError:
            raise ResultsError(f"{each} is no date", remedy=_REMEDY) from None
    if last < first:
        raise ResultsError(f"{first} is later than {last}", remedy=_REMEDY)
    return Nights(text, first=first, last=last)


@dataclass(frozen=True)
class Detail:
    """What a report shows trial by trial.

    ``trials`` are the ids of those that have a row, their commands and their seconds; ``problems`` of those that are
    listed because they failed or do not count.  ``of`` is how many trials there are, ``said`` has what was left out and
    the commands that give it; it is empty where nothing was.  ``rows`` is how many points a table may list, ``links``
    how many trials a figure may link to; None is any number.  ``asked`` is which nights were asked for, in words.
    """

    trials: frozenset[str]
    problems: frozenset[str]
    of: int
    said: tuple[str, ...] = ()
    rows: int | None = None
    links: int | None = None
    asked: str | None = None

    @property
    def whole(self) -> bool:
        """Whether every trial is shown."""
        return len(self.trials) == self.of

    def linked(self, links: Sequence[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
        """Of (text, trial) those that lead to a trial that is shown: the last ones where not every trial is."""
        if self.links is None:
            return tuple(links)
        return tuple(each for each in links if each[1] in self.trials)[-self.links :]


def choose(trials: Sequence[TrialRow], found: Recommendation, asked: Nights | None = None) -> Detail:
    """What to show of ``trials``, those that a recommendation was made of.

    Raises:
        ResultsError: there is none of the nights that were asked for.
    """
    every = sorted({trial.night for trial in trials if trial.night is not None})
    wanted = asked.among(every) if asked is not None else ()
    if asked is not None and not wanted:
        there = f"it has those from {every[0]} to {every[-1]}" if every else "it has no night at all"
        raise ResultsError(f"{found.store} has none of the nights {asked.text}: {there}", remedy=_REMEDY)
    tables = sum(max(1, len(answer.rankings)) for answer in found.answers)
    rows = None if found.points * tables <= MOST_ROWS else max(50, MOST_ROWS // tables)
    text = None if asked is None else asked.text
    bad = [trial for trial in reversed(trials) if trial.status != "ok"]
    if asked is None and len(trials) <= MOST_TRIALS:
        ids = frozenset(trial.trial_id for trial in trials)
        links = MOST_LINKS if every else None
        return Detail(ids, frozenset(trial.trial_id for trial in bad), len(trials), (), rows, links)
    problems = frozenset(trial.trial_id for trial in sorted(bad, key=lambda each: -each.started_at_ns)[:MOST_PROBLEMS])
    shown: tuple[str, ...] = ()
    if every:
        shown = wanted or _newest(trials, every)
        chosen = {trial.trial_id for trial in trials if trial.night in set(shown)}
    else:
        chosen = _best(trials, found)
    kept = frozenset(chosen | problems)
    if len(kept) == len(trials):
        return Detail(kept, problems, len(trials), (), rows, MOST_LINKS, text)
    said = tuple(_said(found.store, len(chosen), len(trials), shown, every))
    return Detail(kept, problems, len(trials), said, rows, MOST_LINKS, text)


def _newest(trials: Iterable[TrialRow], every: Sequence[str]) -> tuple[str, ...]:
    """The newest nights that fit whole, one at least."""
    sizes: dict[str, int] = dict.fromkeys(every, 0)
    for trial in trials:
        if trial.night is not None:
            sizes[trial.night] += 1
    left = MOST_TRIALS
    shown: list[str] = []
    for night in reversed(every):
        left -= sizes[night]
        if left < 0 and shown:
            break
        shown.append(night)
    return tuple(reversed(shown))


def _best(trials: Iterable[TrialRow], found: Recommendation) -> set[str]:
    """The trials of the points that stand first in any ranking, the points whole."""
    listed = [answer.overall.points if answer.overall else answer.measured for answer in found.answers]
    places: dict[str, int] = {}
    for points in listed:
        for place, each in enumerate(points):
            places[each.point_id] = min(place, places.get(each.point_id, place))
    by_point: dict[str, list[str]] = {}
    for trial in trials:
        by_point.setdefault(trial.point_id, []).append(trial.trial_id)
    chosen: set[str] = set()
    for point in sorted(by_point, key=lambda point: (places.get(point, len(by_point)), point)):
        if chosen and len(chosen) + len(by_point[point]) > MOST_TRIALS:
            break
        chosen.update(by_point[point])
    return chosen


def _said(store: str, shown: int, of: int, own: Sequence[str], every: Sequence[str]) -> Iterator[str]:
    """What is shown one by one, what it is that is not, and how to get it."""
    path = shlex.quote(store)
    if every:
        nights_of = f"{len(own)} of {len(every)} nights" if len(own) > 1 else f"the night {own[0]} of {len(every)}"
        span = f", {own[0]} to {own[-1]}" if len(own) > 1 else ""
        which = f"{shown:,} trials of {nights_of}{span}"
    else:
        which = f"{shown:,} trials of the points that stand first in the rankings"
    yield (
        f"To stay a file that one opens, this report shows {which} one by one, with their seconds and their commands, "
        f"and beside them at most {MOST_PROBLEMS} that failed or do not count. There are {of:,} trials, and every "
        "figure, interval and distribution, the course of the nights and the guarantee rest on all of them."
    )
    if every:
        left = [night for night in every if night not in set(own)]
        span = f"{left[0]}..{left[min(len(left), _ANOTHER) - 1]}"
        yield (
            f"Other nights one by one: stripelab report {path} --nights {span} -o report.html; --nights all has every "
            f"trial, in a large file."
        )
    where = f" WHERE night = '{left[-1]}'" if every else ""
    rest = "" if every else f" Every point: stripelab recommend {path} --json."
    yield (
        f"Every trial as a table: stripelab export {path} --format csv -o figures.csv, or stripelab sql {path} "
        f'"FROM results{where}"; its seconds are in the table intervals.{rest}'
    )


def link_text(trial: TrialRow) -> str:
    """What a link to a trial says: its block, and of years of nights which of them."""
    return f"{trial.block + 1}" if trial.night is None else f"{trial.night}, {trial.block + 1}"
