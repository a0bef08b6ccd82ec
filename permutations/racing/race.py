"""Racing: blocks of live points, elimination by a sequential test, then fresh runs of the finalists.

Ask and tell, without a memory of its own: what to run next is a function of the sweep and of the
history alone, so that a race resumes anywhere and decides the same again.

**Screening.**  Each block visits every live point once.  After each block but the first, a point is
eliminated where the leader is ahead of it by more than chance explains: a one-sided t test on
logarithms, with the noise pooled over all points and blocks so far.  The best point is eliminated
with a probability of at most ``error_rate``, whatever the truth: at the look after block t the level
is error_rate / (t (t - 1)), which adds up to error_rate over all looks (Bonferroni's inequality over
looks, as in alpha spending: Lan and DeMets, Biometrika 70, 1983), and each look divides its level by
the number of rivals (Bonferroni again).  Rivals are counted as at the start, since those that are
left were chosen for their figures.  Races of this kind: Maron and Moore, Artificial Intelligence
Review 11, 1997; Birattari et al., F-Race, 2010.

**The cut.**  Where the budget does not reach to measure every live point often enough, those with the
worst means drop out, some after each block, so that what is left goes to points that may still win
(:func:`width`).  That is a choice for want of budget, and no error rate covers it.

**Confirmation.**  The rest of the budget goes to fresh blocks of the finalists.  Estimates come from
these alone: screening favours whoever was lucky in it (the winner's curse).

**Requirements.**  Points that cannot meet one do not start (:mod:`permutations.requirement`).  Requirements on measured
figures are tested after each block but the first, in screening and confirmation: a point is eliminated where its mean
misses the limit by more than noise and blocks explain (:class:`permutations.racing.screen.Limit`).  Only a point that
is shown to meet all of them can lead, so a point that does not count eliminates no other.  The objective and each
requirement take equal parts of ``error_rate``, which so bounds the probability that the best of the points that meet
the requirements is eliminated.  The cut takes points first that seem to miss a requirement.

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
"""How much faster the field shrinks than the budget asks for, which leaves more blocks of the last few points.

Chosen by simulation: 1.25 to 2 are about equally good, 1 is less (``tests/validate/race.py``).
"""


@dataclass(frozen=True)
class Outcome:
    """One trial of a race: its figure (None where it failed) and what it took.

    ``slacks`` says by how much it meets each measured requirement (log scale, below 0 it misses; None: not measured).
    ``unfit``: it showed that its point cannot meet a requirement, by a fact that is the same in every trial.
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
    """What the test did after a block: points that it eliminated, at which level and lead (a ratio)."""

    block: int
    level: float
    critical_lead: float
    eliminated: tuple[str, ...]


@dataclass(frozen=True)
class RaceState:
    """Where a race stands; ``ask`` is None when it has ended.

    ``cut`` are the points that dropped out for want of budget, those of each block together, in the order
    of the blocks; ``missing`` are those that are shown to miss a requirement.
    """

    ask: Ask | None
    live: tuple[str, ...]
    looks: tuple[Look, ...] = ()
    withdrawn: tuple[str, ...] = ()
    finalists: tuple[str, ...] = ()
    cut: tuple[tuple[str, ...], ...] = ()
    missing: tuple[str, ...] = ()


class Racer(Protocol):
    """Whatever decides what to run next from what was measured."""

    def state(self, history: Iterable[Outcome]) -> RaceState:
        """Where the race stands after ``history``, in whatever order that is told."""
        ...


def width(live: npt.NDArray[np.intp], finalists: int, left: Floats) -> npt.NDArray[np.intp]:
    """How many of the ``live`` points the next block of screening visits, where ``left`` trials may be spent.

    Blocks that shrink from m live points to k finalists by the same ratio q each take q (m - k) / (1 - q) trials,
    which is what is left where q = left / (left + m - k).  That is asked anew after every block, with
    :data:`HASTE` times m - k.  A point so gets visits in inverse proportion to how many outlast it, as in
    successive rejects (Audibert, Bubeck and Munos, COLT 2010) and sequential halving (Karnin, Koren and Somekh,
    ICML 2013), in small steps instead of a few large ones.  No more than ``finalists`` means that screening
    is over.
    """
    import numpy as np

    room = np.maximum(left, 0.0)
    ideal = np.rint(live * room / np.maximum(room + HASTE * (live - finalists), 1e-9))
    found: npt.NDArray[np.intp] = np.minimum(np.minimum(ideal, live), np.floor(room + 1e-9)).astype(np.intp)
    return found


@dataclass(frozen=True)
class Race:
    """A race over ``points`` (their ids); ``expected_s`` is what a trial takes before any is measured.

    ``requirements`` is how many measured figures have a limit.
    """

    spec: RacingSpec
    points: tuple[str, ...]
    maximise: bool
    expected_s: float
    requirements: int = 0

    def state(self, history: Iterable[Outcome]) -> RaceState:
        """Play the race again from ``history`` and say where it stands."""
        told = {(each.phase, each.block, each.point_id): each for each in history}
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
            outcomes = answers(told, ask)
            if outcomes is None:
                return replace(replay.state(ask), cut=tuple(cut))
            budget.spend(outcomes)
            replay.block(outcomes)
        finalists = replay.finalists()
        following = confirmation(told, budget, finalists, replay.screen.blocks, replay.limit)
        left = tuple(point for point in finalists if point not in replay.missing)
        return replace(replay.state(following), finalists=left, cut=tuple(cut))


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
        return self._named(self.screen.live)

    def state(self, ask: Ask | None) -> RaceState:
        """Where the race stands."""
        return RaceState(ask, self.live, tuple(self._looks), tuple(self._withdrawn), missing=tuple(self.missing))

    def finalists(self) -> tuple[str, ...]:
        """The first of those that are live."""
        count = min(self._race.spec.finalists, len(self.live))
        return tuple(self._race.points[place] for place in self.screen.leaders(count)[0])

    def cut(self, budget: Budget) -> tuple[str, ...]:
        """The points that drop out before the next block, for want of budget."""
        import numpy as np

        live, finalists = self.live, self._race.spec.finalists
        wide = width(np.array([len(live)]), finalists, np.array([budget.left(live)]))
        return self._named(self.screen.cut(np.maximum(wide, finalists), np.array([True])))

    def block(self, outcomes: Sequence[Outcome]) -> None:
        """Take a block of screening in, and look at it."""
        import numpy as np

        failed = [each.point_id for each in outcomes if each.value is None]
        self.screen.remove(self._flags(failed))  # points whose trial failed leave the race
        self._withdrawn += failed
        running = np.array([True])
        values = np.zeros((1, len(self._place)))
        for each in outcomes:
            if each.value is not None:
                values[0, self._place[each.point_id]] = math.log(each.value) * (1 if self._race.maximise else -1)
        self.screen.add(values, running)
        self.limit(outcomes)
        if self.screen.blocks > 1:
            able = self._limits.meeting() if self._race.requirements else None
            out, reach = self.screen.eliminate(running, able)
            lead = math.exp(min(float(reach[0]), 700.0))
            level = look_level(self.screen.error_rate, self.screen.blocks)
            self._looks.append(Look(self.screen.blocks - 1, level, lead, self._named(out)))

    def limit(self, outcomes: Sequence[Outcome]) -> frozenset[str]:
        """Hold a block against the requirements; the points that go on."""
        import numpy as np

        ok = [each for each in outcomes if each.value is not None]
        taken = self._flags(each.point_id for each in ok)
        slacks = np.full((self._race.requirements, *taken.shape), np.nan)
        for each in ok:
            for number, slack in enumerate(each.slacks):
                slacks[number, 0, self._place[each.point_id]] = np.nan if slack is None else slack
        self._limits.add(slacks, taken, self.screen.chosen)
        out = taken & (self._limits.failing() | self._flags(each.point_id for each in ok if each.unfit))
        self.missing += self._named(out)
        self.screen.remove(out)
        self.screen.handicap = self._limits.handicap()
        return frozenset(self._named(taken & ~out))

    def _flags(self, points: Iterable[str]) -> Flags:
        import numpy as np

        found = np.zeros((1, len(self._place)), dtype=bool)
        found[0, [self._place[point] for point in points]] = True
        return found

    def _named(self, flags: Flags) -> tuple[str, ...]:
        return tuple(point for point, flag in zip(self._race.points, flags[0], strict=True) if flag)


class Budget:
    """What a race may still spend, in trials or in seconds."""

    def __init__(self, spec: RacingSpec, expected_s: float) -> None:
        self._spec = spec
        self._expected_s = expected_s
        self._spent = 0.0
        self._durations: dict[str, list[float]] = {}

    def spend(self, outcomes: Sequence[Outcome]) -> None:
        """A block was run."""
        for each in outcomes:
            self._spent += each.duration_s if self._spec.budget_trials is None else 1
            self._durations.setdefault(each.point_id, []).append(each.duration_s)

    def allows(self, points: Sequence[str], *, screening: bool) -> bool:
        """Whether a further block of ``points`` fits; what confirmation needs is kept from screening."""
        return self._spent + self._cost(points) <= self._limit(screening=screening)

    def left(self, points: Sequence[str]) -> float:
        """How many trials of ``points`` screening may still run, at what those before took on average."""
        return (self._limit(screening=True) - self._spent) * len(points) / max(self._cost(points), 1e-9)

    def _limit(self, *, screening: bool) -> float:
        whole = float(self._spec.budget_trials or self._spec.budget_s or 0)
        return whole * (1 - self._spec.confirmation_share) if screening else whole

    def _cost(self, points: Sequence[str]) -> float:
        """What a block of ``points`` takes, in trials or in seconds."""
        if self._spec.budget_trials is not None:
            return float(len(points))
        return math.fsum(self._expected(point) for point in points)

    def _expected(self, point: str) -> float:
        known = self._durations.get(point)
        return math.fsum(known) / len(known) if known else self._expected_s


def answers(told: Mapping[tuple[str, int, str], Outcome], ask: Ask) -> tuple[Outcome, ...] | None:
    """The outcomes of a block in its order; None while one is missing."""
    found = [told.get((ask.phase, ask.block, point)) for point in ask.points]
    whole = tuple(each for each in found if each is not None)
    return whole if len(whole) == len(found) else None


def fit(outcomes: Iterable[Outcome]) -> frozenset[str]:
    """The points whose trials did not fail, nor show that they cannot meet a requirement."""
    return frozenset(each.point_id for each in outcomes if each.value is not None and not each.unfit)


def confirmation(
    told: Mapping[tuple[str, int, str], Outcome],
    budget: Budget,
    finalists: Sequence[str],
    block: int,
    going_on: Callable[[Sequence[Outcome]], Collection[str]] = fit,
) -> Ask | None:
    """The next block of the finalists, from ``block`` on; None where the budget or the finalists are at an end."""
    left = tuple(sorted(finalists))
    while left and budget.allows(left, screening=False):
        ask = Ask(CONFIRMATION, block, left)
        outcomes = answers(told, ask)
        if outcomes is None:
            return ask
        budget.spend(outcomes)
        left = tuple(sorted(going_on(outcomes)))
        block += 1
    return None
