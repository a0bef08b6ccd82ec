"""Racing: blocks of live points, elimination by a sequential test, then fresh runs of the finalists.

Ask and tell without state: what to run next is a function of the sweep and of the history only, so
that a race can resume anywhere and makes the same decisions again.

**Screening.**  Each block visits every live point once.  After each block but the first, a point is
eliminated if the leader is ahead of it by more than chance explains: a one-sided t test on
logarithms, with the noise pooled over all points and blocks so far.  The best point is eliminated
with a probability of at most ``error_rate``, whatever the true figures: at the look after block t the level
is error_rate / (t (t - 1)), which adds up to error_rate over all looks (Bonferroni's inequality over
looks, as in alpha spending: Lan and DeMets, Biometrika 70, 1983), and each look divides its level by
the number of rivals (Bonferroni again).  The number of rivals is the one at the start, because
the remaining ones were chosen for their figures.  Races of this kind: Maron and Moore, Artificial Intelligence
Review 11, 1997; Birattari et al., F-Race, 2010.

**The cut.**  If the budget is too small to measure every live point often enough, those with the worst
means drop out, some after each block, so that the rest of the budget goes to points that may still win
(:func:`width`).  No error rate covers this choice.

**Confirmation.**  The rest of the budget goes to fresh blocks of the finalists.  Estimates come only
from these: screening favours points that were lucky in it (the winner's curse).

**Requirements.**  Points that cannot meet one do not start (:mod:`permutations.requirement`).  Requirements on measured
figures are tested after each block but the first, in screening and confirmation: a point is eliminated if its mean
misses the limit by more than noise and blocks explain (:class:`permutations.racing.screen.Limit`).  Only a point that
is shown to meet all of them can be the leader and eliminate others.  The objective and each requirement use equal parts
of ``error_rate``, which therefore bounds the probability of eliminating the best point that meets the requirements.
The cut first removes points that seem to miss a requirement.

A point whose trial fails is withdrawn.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from permutations.racing.screen import Limits, Screen, look_level
from permutations.racing.spec import RacingSpec

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Flags = npt.NDArray[np.bool_]
    Floats = npt.NDArray[np.float64]

SCREENING = "screening"
CONFIRMATION = "confirmation"

HASTE = 1.5
"""How much faster the number of points shrinks than the budget requires; the last few points get more blocks.

Chosen by simulation: 1.25 to 2 are about equally good, 1 is less (``tests/validate/race.py``).
"""


@dataclass(frozen=True)
class Outcome:
    """One trial of a race: its figure (None if it failed) and its duration.

    ``slacks`` are the margins of the measured requirements (log scale, below 0 it misses one; None: not measured).
    ``unfit``: a fact that is the same in every trial shows that its point cannot meet a requirement.
    """

    phase: str
    block: int
    point_id: str
    value: float | None
    duration_s: float
    slacks: tuple[float | None, ...] = ()
    unfit: bool = False


@dataclass(frozen=True)
class Ask:
    """A block to run: every one of ``points`` once."""

    phase: str
    block: int
    points: tuple[str, ...]


@dataclass(frozen=True)
class Look:
    """Result of the test after a block: eliminated points, level, and critical lead (a ratio)."""

    block: int
    level: float
    critical_lead: float
    eliminated: tuple[str, ...]


@dataclass(frozen=True)
class RaceState:
    """State of a race; ``ask`` is None when it has ended.

    ``cut`` are the points that dropped out because of the budget, grouped by block in the order of
    the blocks; ``missing`` are those that are shown to miss a requirement.
    """

    ask: Ask | None
    live: tuple[str, ...]
    looks: tuple[Look, ...] = ()
    withdrawn: tuple[str, ...] = ()
    finalists: tuple[str, ...] = ()
    cut: tuple[tuple[str, ...], ...] = ()
    missing: tuple[str, ...] = ()


class Racer(Protocol):
    """Decides what to run next from the outcomes so far."""

    def state(self, history: Iterable[Outcome]) -> RaceState:
        """State of the race after ``history``, which may be in any order."""
        ...


def width(live: npt.NDArray[np.intp], finalists: int, left: Floats) -> npt.NDArray[np.intp]:
    """Number of the ``live`` points in the next block of screening, if the budget has ``left`` trials.

    Blocks that shrink from m live points to k finalists by the same ratio q each take q (m - k) / (1 - q) trials,
    which equals the rest of the budget if q = left / (left + m - k).  q is computed again after every block, with
    :data:`HASTE` times m - k.  So the visits of a point are in inverse proportion to how many outlast it, as in
    successive rejects (Audibert, Bubeck and Munos, COLT 2010) and sequential halving (Karnin, Koren and Somekh,
    ICML 2013), in small steps instead of a few large ones.  A result of at most ``finalists`` ends the
    screening.
    """
    import numpy as np

    room = np.maximum(left, 0.0)
    ideal = np.rint(live * room / np.maximum(room + HASTE * (live - finalists), 1e-9))
    visits: npt.NDArray[np.intp] = np.minimum(np.minimum(ideal, live), np.floor(room + 1e-9)).astype(np.intp)
    return visits


@dataclass(frozen=True)
class Race:
    """A race over ``points`` (their ids); ``expected_s`` is the assumed duration of a trial before any ran.

    ``requirements`` is the number of requirements on measured figures.
    """

    spec: RacingSpec
    points: tuple[str, ...]
    maximise: bool
    expected_s: float
    requirements: int = 0

    def state(self, history: Iterable[Outcome]) -> RaceState:
        """State of the race, from a replay of ``history``."""
        by_trial = {(outcome.phase, outcome.block, outcome.point_id): outcome for outcome in history}
        budget = Budget(self.spec, self.expected_s)
        replay = _Replay(self)
        cut: list[tuple[str, ...]] = []
        while len(live := replay.live) > self.spec.finalists:
            if replay.screen.blocks:
                cut.append(replay.cut(budget))
                live = replay.live
                if len(live) <= self.spec.finalists or not budget.allows(live, screening=True):
                    break
            ask = Ask(SCREENING, replay.screen.blocks, live)
            outcomes = block_outcomes(by_trial, ask)
            if outcomes is None:
                return replace(replay.state(ask), cut=tuple(cut))
            budget.spend(outcomes)
            replay.add_block(outcomes)
        finalists = replay.finalists()
        following = confirmation(by_trial, budget, finalists, replay.screen.blocks, replay.apply_limits)
        remaining = tuple(point for point in finalists if point not in replay.missing)
        return replace(replay.state(following), finalists=remaining, cut=tuple(cut))


class _Replay:
    """A race as it is played again: what was shown of its points so far."""

    def __init__(self, race: Race) -> None:
        import numpy as np

        self._race = race
        self._place = {point: place for place, point in enumerate(race.points)}
        parts = 1 + race.requirements
        shape = (1, len(race.points))
        self.screen = Screen(np.ones(shape, dtype=bool), race.spec.error_rate / parts, race.spec.finalists)
        self._limits = Limits(shape, race.requirements, race.spec.error_rate * race.requirements / parts)
        self._looks: list[Look] = []
        self._withdrawn: list[str] = []
        self.missing: list[str] = []

    @property
    def live(self) -> tuple[str, ...]:
        """The points that are still in the race."""
        return self._ids(self.screen.live)

    def state(self, ask: Ask | None) -> RaceState:
        """State of the race with ``ask`` as the next block."""
        return RaceState(ask, self.live, tuple(self._looks), tuple(self._withdrawn), missing=tuple(self.missing))

    def finalists(self) -> tuple[str, ...]:
        """The leading live points."""
        count = min(self._race.spec.finalists, len(self.live))
        return tuple(self._race.points[place] for place in self.screen.leaders(count)[0])

    def cut(self, budget: Budget) -> tuple[str, ...]:
        """Cut points to fit the budget before the next block; returns those that drop out."""
        import numpy as np

        live, finalists = self.live, self._race.spec.finalists
        wide = width(np.array([len(live)]), finalists, np.array([budget.remaining(live)]))
        return self._ids(self.screen.cut(np.maximum(wide, finalists), np.array([True])))

    def add_block(self, outcomes: Sequence[Outcome]) -> None:
        """Add a block of screening and run the test on it."""
        import numpy as np

        failed = [outcome.point_id for outcome in outcomes if outcome.value is None]
        self.screen.remove(self._flags(failed))  # points whose trial failed leave the race
        self._withdrawn += failed
        running = np.array([True])
        values = np.zeros((1, len(self._place)))
        for outcome in outcomes:
            if outcome.value is not None:
                values[0, self._place[outcome.point_id]] = math.log(outcome.value) * (1 if self._race.maximise else -1)
        self.screen.add(values, running)
        self.apply_limits(outcomes)
        if self.screen.blocks > 1:
            eligible = self._limits.meeting() if self._race.requirements else None
            out, reach = self.screen.eliminate(running, eligible)
            lead = math.exp(min(float(reach[0]), 700.0))
            level = look_level(self.screen.error_rate, self.screen.blocks)
            self._looks.append(Look(self.screen.blocks - 1, level, lead, self._ids(out)))

    def apply_limits(self, outcomes: Sequence[Outcome]) -> frozenset[str]:
        """Test a block against the requirements; returns the points that remain."""
        import numpy as np

        ok = [outcome for outcome in outcomes if outcome.value is not None]
        measured = self._flags(outcome.point_id for outcome in ok)
        slacks = np.full((self._race.requirements, *measured.shape), np.nan)
        for outcome in ok:
            for number, slack in enumerate(outcome.slacks):
                slacks[number, 0, self._place[outcome.point_id]] = np.nan if slack is None else slack
        self._limits.add(slacks, measured, self.screen.chosen)
        out = measured & (self._limits.failing() | self._flags(outcome.point_id for outcome in ok if outcome.unfit))
        self.missing += self._ids(out)
        self.screen.remove(out)
        self.screen.handicap = self._limits.handicap()
        return frozenset(self._ids(measured & ~out))

    def _flags(self, points: Iterable[str]) -> Flags:
        import numpy as np

        flags = np.zeros((1, len(self._place)), dtype=bool)
        flags[0, [self._place[point] for point in points]] = True
        return flags

    def _ids(self, flags: Flags) -> tuple[str, ...]:
        return tuple(point for point, flag in zip(self._race.points, flags[0], strict=True) if flag)


class Budget:
    """Budget of a race and what it has spent, in trials or in seconds."""

    def __init__(self, spec: RacingSpec, expected_s: float) -> None:
        self._spec = spec
        self._expected_s = expected_s
        self._spent = 0.0
        self._durations: dict[str, list[float]] = {}

    def spend(self, outcomes: Sequence[Outcome]) -> None:
        """Record the outcomes of a block."""
        for outcome in outcomes:
            self._spent += outcome.duration_s if self._spec.budget_trials is None else 1
            self._durations.setdefault(outcome.point_id, []).append(outcome.duration_s)

    def allows(self, points: Sequence[str], *, screening: bool) -> bool:
        """Whether another block of ``points`` fits; screening leaves the share of confirmation."""
        return self._spent + self._cost(points) <= self._limit(screening=screening)

    def remaining(self, points: Sequence[str]) -> float:
        """Trials of ``points`` that screening can still run, from the mean durations so far."""
        return (self._limit(screening=True) - self._spent) * len(points) / max(self._cost(points), 1e-9)

    def _limit(self, *, screening: bool) -> float:
        whole = float(self._spec.budget_trials or self._spec.budget_s or 0)
        return whole * (1 - self._spec.confirmation_share) if screening else whole

    def _cost(self, points: Sequence[str]) -> float:
        """Cost of a block of ``points``, in trials or in seconds."""
        if self._spec.budget_trials is not None:
            return float(len(points))
        return math.fsum(self._expected(point) for point in points)

    def _expected(self, point: str) -> float:
        durations = self._durations.get(point)
        return math.fsum(durations) / len(durations) if durations else self._expected_s


def block_outcomes(by_trial: Mapping[tuple[str, int, str], Outcome], ask: Ask) -> tuple[Outcome, ...] | None:
    """The outcomes of a block in its order; None if one is missing."""
    outcomes = [by_trial.get((ask.phase, ask.block, point)) for point in ask.points]
    whole = tuple(outcome for outcome in outcomes if outcome is not None)
    return whole if len(whole) == len(outcomes) else None


def fit_points(outcomes: Iterable[Outcome]) -> frozenset[str]:
    """The points whose trials neither failed nor showed that they cannot meet a requirement."""
    return frozenset(outcome.point_id for outcome in outcomes if outcome.value is not None and not outcome.unfit)


def confirmation(
    by_trial: Mapping[tuple[str, int, str], Outcome],
    budget: Budget,
    finalists: Sequence[str],
    block: int,
    remaining_points: Callable[[Sequence[Outcome]], Collection[str]] = fit_points,
) -> Ask | None:
    """The next block of the finalists, from number ``block``; None if the budget or the finalists are used up."""
    remaining = tuple(sorted(finalists))
    while remaining and budget.allows(remaining, screening=False):
        ask = Ask(CONFIRMATION, block, remaining)
        outcomes = block_outcomes(by_trial, ask)
        if outcomes is None:
            return ask
        budget.spend(outcomes)
        remaining = tuple(sorted(remaining_points(outcomes)))
        block += 1
    return None
