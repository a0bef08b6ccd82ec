"""Each metric over all nights: values, verdicts, baselines, datings, and what was different from the night before.

Pure: a history, the outcomes that were kept, the baselines that were pinned and the environments give the same values
everywhere.  Figures are in their own unit again, no logarithms.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from results.nightly import answer
from results.nightly.answer import Metric, Nightly, Since, Verdict
from results.nightly.baseline import Pinned
from results.nightly.evidence import typical
from results.nightly.health import TEMPERATURE
from results.nightly.history import History, Key, Series
from results.runs.changes import Change, environment_changes
from results.store.schema import EnvironmentRow
from stripelab.units import date

ATTENTION = (answer.REGRESSION, answer.KNOWN, answer.TONIGHT, answer.DRIFT, answer.RECOVERED, answer.IMPROVEMENT)
"""Verdicts that say of a metric that it moved."""


@dataclass(frozen=True)
class Entry:
    """A night of a metric: its figure in its own unit, and its verdict; None is what is not known.

    ``status`` is the exit status that the night ended with; None where it has no outcome yet.
    """

    night: str
    value: float | None
    verdict: Verdict | None
    status: int | None

    @property
    def word(self) -> str | None:
        """The verdict in a word."""
        return None if self.verdict is None else self.verdict.word

    @property
    def broken(self) -> bool:
        """Whether the night broke a stated bound."""
        return self.verdict is not None and any(each.held is False for each in self.verdict.watched)


@dataclass(frozen=True)
class Era:
    """A baseline and the nights that were compared with it.

    ``first`` and ``last`` are those of its own nights, ``since`` and ``until`` those that were compared with it.
    ``level`` is its mean in the figure's unit, ``margin_pct`` the practical margin; None is what is not known.
    """

    name: str
    first: str
    last: str
    nights: int
    since: str
    until: str
    level: float | None
    margin_pct: float | None

    @property
    def margins(self) -> tuple[float, float] | None:
        """The figures between which a change is of no matter."""
        if self.level is None or self.margin_pct is None:
            return None
        share = self.margin_pct / 100
        return self.level * (1 - share), self.level * (1 + share)


@dataclass(frozen=True)
class Trend:
    """A metric over the nights, in the order of time; ``datings`` are the change points that verdicts rest on."""

    metric: Metric
    entries: tuple[Entry, ...]
    eras: tuple[Era, ...]
    datings: tuple[Since, ...]

    @property
    def newest(self) -> Verdict | None:
        """The verdict of the last night that has an outcome."""
        return next((each.verdict for each in reversed(self.entries) if each.verdict is not None), None)

    def count(self, word: str) -> int:
        """On how many nights it got this verdict."""
        return sum(each.word == word for each in self.entries)

    @property
    def moved(self) -> bool:
        """Whether it ever got a verdict that says that it moved."""
        return any(each.word in ATTENTION for each in self.entries)


@dataclass(frozen=True)
class Happening:
    """A night on which something was different from the night before, or from which another baseline counts."""

    night: str
    changes: tuple[Change, ...]
    baseline: Pinned | None


def trends(history: History, outcomes: Sequence[Nightly], pinned: Sequence[Pinned]) -> tuple[Trend, ...]:
    """Every metric that was ever measured or judged in a night, what wants attention first.

    That is by the newest verdict, then those that ever moved, then by how far the newest figure is from the baseline.
    """
    series = {each.key: each for each in history.all_series()}
    judged = _by_key(outcomes)
    statuses = {each.night: each.status for each in outcomes}
    found = [_trend(series.get(key), judged.get(key, {}), statuses, pinned) for key in {**series, **judged}]
    return tuple(sorted(found, key=_order))


def _order(trend: Trend) -> tuple[object, ...]:
    newest = trend.newest
    word = len(answer.WORDS) if newest is None else answer.WORDS.index(newest.word)
    change = newest.change_pct if newest is not None and newest.change_pct is not None else 0.0
    metric = trend.metric
    far = abs(change) if math.isfinite(change) else math.inf
    return (word, not trend.moved, -far, metric.workload, metric.direction or "", metric.figure, metric.point_id)


def _by_key(outcomes: Iterable[Nightly]) -> dict[Key, dict[str, Verdict]]:
    """Verdicts by metric and night."""
    found: dict[Key, dict[str, Verdict]] = {}
    for outcome in outcomes:
        for verdict in outcome.verdicts:
            metric = verdict.metric
            key = Key(metric.point_id, metric.workload, metric.direction or "", metric.figure)
            found.setdefault(key, {})[outcome.night] = verdict
    return found


def _trend(
    series: Series | None,
    judged: Mapping[str, Verdict],
    statuses: Mapping[str, int],
    pinned: Sequence[Pinned],
) -> Trend:
    measured = {} if series is None else dict(zip(series.nights, map(math.exp, series.values.tolist()), strict=True))
    told = {night: verdict.value for night, verdict in judged.items() if verdict.value is not None}
    values = {**told, **measured}
    entries = tuple(
        Entry(night, values.get(night), judged.get(night), statuses.get(night)) for night in sorted({*values, *judged})
    )
    metric = series.metric if series is not None else judged[max(judged)].metric
    eras = tuple(era for each in pinned if (era := _era(each, series, judged)) is not None)
    return Trend(metric, entries, eras, _datings(judged[night] for night in sorted(judged)))


def _era(pinned: Pinned, series: Series | None, judged: Mapping[str, Verdict]) -> Era | None:
    """The baseline as this metric has it; None where it has neither a figure in it nor a verdict against it."""
    against = [night for night, verdict in sorted(judged.items()) if verdict.baseline == pinned.name]
    own = None if series is None else series.at(pinned.nights)
    known = [judged[night] for night in against if judged[night].baseline_value is not None]
    if own is not None and not len(own):
        own = None
    if not against and own is None:
        return None
    level = known[-1].baseline_value if known else None if own is None else math.exp(float(typical(own).mean()))
    return Era(
        name=pinned.name,
        first=min(pinned.nights),
        last=max(pinned.nights),
        nights=len(pinned.nights),
        since=against[0] if against else max(pinned.nights),
        until=against[-1] if against else max(pinned.nights),
        level=level,
        margin_pct=known[-1].margin_pct if known else None,
    )


def _datings(verdicts: Iterable[Verdict]) -> tuple[Since, ...]:
    """Change points of verdicts, in the order of time: of those whose intervals meet, the one that was found last.

    A change that stays is dated anew every night, each time from more nights.
    """
    found: list[Since] = []
    for verdict in verdicts:
        new = verdict.since
        if new is not None:
            found = [each for each in found if each.high < new.low or each.low > new.high]
            found.append(new)
    return tuple(sorted(found, key=lambda each: each.night))


def happenings(
    history: History,
    outcomes: Sequence[Nightly],
    pinned: Sequence[Pinned],
    environments: Iterable[EnvironmentRow],
) -> tuple[Happening, ...]:
    """Every night on which machine, disks, tools or settings were others than the night before, or the baseline was.

    The machine is compared with that of the night before; settings are known from what a night listed beside its
    verdicts, and compared where both nights have one baseline.
    """
    kept = {each.night: each for each in outcomes}
    nights = sorted({*history.nights, *kept})
    rows = {row.environment_id: row for row in environments}
    on = {night: rows.get(name) for night, name in history.environments.items()}
    moved = _moved(outcomes, pinned)
    found = []
    for before, after in pairwise(nights):
        machine = _machine(on.get(before), on.get(after))
        listed = _listed(kept.get(before), kept.get(after), {each.what for each in machine})
        if machine or listed or after in moved:
            found.append(Happening(after, (*machine, *listed), moved.get(after)))
    ahead = {night: each for night, each in moved.items() if night not in nights[1:]}
    found += [Happening(night, (), each) for night, each in ahead.items()]
    return tuple(sorted(found, key=lambda each: each.night))


def _machine(before: EnvironmentRow | None, after: EnvironmentRow | None) -> tuple[Change, ...]:
    if before is None or after is None or before.environment_id == after.environment_id:
        return ()
    return environment_changes(before, after)


def _listed(before: Nightly | None, after: Nightly | None, told: set[str]) -> tuple[Change, ...]:
    """What a night lists as different from the baseline and the night before did not, and what it lists no more."""
    if before is None or after is None or before.baseline is None or after.baseline is None:
        return ()
    if before.baseline.name != after.baseline.name:
        return ()
    old, new = ({each.what: each for each in night.changes if each.what not in told} for night in (before, after))
    found = []
    for what in (*new, *(what for what in old if what not in new)):
        was, now = old.get(what), new.get(what)
        first = was.after if was is not None else now.before if now is not None else None
        last = now.after if now is not None else was.before if was is not None else None
        if was is not None and now is not None and what.endswith(TEMPERATURE):
            continue  # it is another one every night
        if first != last:
            found.append(Change(what=what, before=first, after=last))
    return tuple(found)


def _moved(outcomes: Sequence[Nightly], pinned: Sequence[Pinned]) -> dict[str, Pinned]:
    """The first night that was compared with each baseline; where there is none yet, the day on which it was pinned."""
    found = {}
    for each in pinned:
        used = (night.night for night in outcomes if night.baseline is not None and night.baseline.name == each.name)
        found[min(used, default=date(each.set_at_ns)[:10])] = each
    return found
