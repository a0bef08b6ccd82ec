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

A point whose trial fails is withdrawn.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from permutations.racing.spec import RacingSpec

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]
    Flags = npt.NDArray[np.bool_]

SCREENING = "screening"
CONFIRMATION = "confirmation"

HASTE = 1.5
"""How much faster the field shrinks than the budget asks for, which leaves more blocks of the last few points.

Chosen by simulation: 1.25 to 2 are about equally good, 1 is less (``tests/validate/race.py``).
"""


@dataclass(frozen=True)
class Outcome:
    """One trial of a race: its figure (None where it failed) and what it took."""

    phase: str
    block: int
    point_id: str
    value: float | None
    duration_s: float


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
    of the blocks.
    """

    ask: Ask | None
    live: tuple[str, ...]
    looks: tuple[Look, ...] = ()
    withdrawn: tuple[str, ...] = ()
    finalists: tuple[str, ...] = ()
    cut: tuple[tuple[str, ...], ...] = ()


class Racer(Protocol):
    """Whatever decides what to run next from what was measured."""

    def state(self, history: Iterable[Outcome]) -> RaceState:
        """Where the race stands after ``history``, in whatever order that is told."""
        ...


@dataclass
class Screen:
    """Screening of ``races`` races side by side, each over the same number of points.

    Values are on the log scale, more is better.  One race is a batch of one; simulations are batches
    of thousands, through the same lines of code.
    """

    live: Flags
    """(races, points)"""
    error_rate: float
    keep: int
    """Fewest points that the test leaves."""
    blocks: int = 0
    chosen: Flags = field(init=False)
    """(races,) Whether points dropped out without a test, so that those live were chosen by their means."""
    means: Floats = field(init=False)
    squares: Floats = field(init=False)
    df: Floats = field(init=False)

    def __post_init__(self) -> None:
        import numpy as np

        races, points = self.live.shape
        self.rivals = points - 1
        self.chosen = np.zeros(races, dtype=bool)
        self.means = np.zeros((races, points))
        self.squares = np.zeros(races)
        self.df = np.zeros(races)

    def add(self, values: Floats, running: Flags) -> None:
        """A block of the ``running`` races; only values of live points are looked at.

        The noise grows by what the block departs from the means before it, block effect taken out
        (Helmert contrasts, independent of the means).  Where live points were chosen by the means before it,
        these scatter less than chance would make them, and by how much depends on the truth; so only the
        block's own scatter is counted on then, which makes the noise too large rather than too small.
        """
        import numpy as np

        self.blocks += 1
        taken = self.live & running[:, None]
        count = np.maximum(taken.sum(axis=1), 1)
        step = np.where(taken, values - self.means, 0.0)
        if self.blocks > 1:
            off = np.where(taken, step - (step.sum(axis=1) / count)[:, None], 0.0)
            share = np.where(self.chosen, 1.0, (self.blocks - 1) / self.blocks)
            self.squares += (off**2).sum(axis=1) * share
            self.df += np.where(running, np.maximum(count - 1, 0), 0)
        self.means += step / self.blocks

    def eliminate(self, running: Flags) -> tuple[Flags, Floats]:
        """Take out who is shown to be behind the leader: who that is, and the lead that shows it."""
        import numpy as np
        from scipy import special

        level = look_level(self.error_rate, self.blocks)
        df = np.maximum(self.df, 1)
        critical = -special.stdtrit(df, level / max(self.rivals, 1))
        reach = critical * np.sqrt(self.squares / df * 2 / self.blocks)
        reach = np.where(self.df > 0, reach, np.inf)
        standing = np.where(self.live, self.means, -np.inf)
        behind = standing.max(axis=1)[:, None] - self.means > reach[:, None]
        ranks = (-standing).argsort(axis=1, kind="stable").argsort(axis=1, kind="stable")
        out = self.live & behind & running[:, None] & (ranks >= self.keep)
        self.live = self.live & ~out
        return out, reach

    def cut(self, count: npt.NDArray[np.intp], running: Flags) -> Flags:
        """Keep the ``count`` live points with the best means of each of the ``running`` races; who drops out."""
        import numpy as np

        ranks = np.where(self.live, -self.means, np.inf).argsort(axis=1, kind="stable").argsort(axis=1, kind="stable")
        out: Flags = self.live & running[:, None] & (ranks >= count[:, None])
        self.live = self.live & ~out
        self.chosen = self.chosen | out.any(axis=1)
        return out

    def leaders(self, count: int) -> npt.NDArray[np.intp]:
        """Positions of the ``count`` live points with the best means, best first; (races, count)."""
        import numpy as np

        order: npt.NDArray[np.intp] = np.where(self.live, -self.means, np.inf).argsort(axis=1, kind="stable")
        return order[:, :count]


def look_level(error_rate: float, blocks: int) -> float:
    """Level of the look after ``blocks`` blocks (2 or more); over all looks they add up to ``error_rate``."""
    return error_rate / (blocks * (blocks - 1))


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
    """A race over ``points`` (their ids); ``expected_s`` is what a trial takes before any is measured."""

    spec: RacingSpec
    points: tuple[str, ...]
    maximise: bool
    expected_s: float

    def state(self, history: Iterable[Outcome]) -> RaceState:
        """Play the race again from ``history`` and say where it stands."""
        import numpy as np

        told = {(each.phase, each.block, each.point_id): each for each in history}
        budget = Budget(self.spec, self.expected_s)
        screen = Screen(np.ones((1, len(self.points)), dtype=bool), self.spec.error_rate, self.spec.finalists)
        looks: list[Look] = []
        withdrawn: list[str] = []
        cut: list[tuple[str, ...]] = []
        while len(live := self._live(screen)) > self.spec.finalists:
            if screen.blocks:
                cut.append(self._cut(screen, budget))
                live = self._live(screen)
                if len(live) <= self.spec.finalists or not budget.allows(live, screening=True):
                    break
            ask = Ask(SCREENING, screen.blocks, live)
            outcomes = answers(told, ask)
            if outcomes is None:
                return RaceState(ask, live, tuple(looks), tuple(withdrawn), cut=tuple(cut))
            budget.spend(outcomes)
            withdrawn += self._withdraw(screen, outcomes)
            self._block(screen, outcomes, looks)
        finalists = tuple(self.points[index] for index in screen.leaders(min(self.spec.finalists, len(live)))[0])
        following = confirmation(told, budget, finalists, screen.blocks)
        return RaceState(following, live, tuple(looks), tuple(withdrawn), finalists, tuple(cut))

    def _live(self, screen: Screen) -> tuple[str, ...]:
        return tuple(point for point, live in zip(self.points, screen.live[0], strict=True) if live)

    def _cut(self, screen: Screen, budget: Budget) -> tuple[str, ...]:
        """The points that drop out before the next block, for want of budget."""
        import numpy as np

        live = self._live(screen)
        wide = width(np.array([len(live)]), self.spec.finalists, np.array([budget.left(live)]))
        out = screen.cut(np.maximum(wide, self.spec.finalists), np.array([True]))
        return tuple(point for point, flag in zip(self.points, out[0], strict=True) if flag)

    def _withdraw(self, screen: Screen, outcomes: Sequence[Outcome]) -> list[str]:
        """Points whose trial failed leave the race."""
        failed = [each.point_id for each in outcomes if each.value is None]
        for point in failed:
            screen.live[0, self.points.index(point)] = False
        return failed

    def _block(self, screen: Screen, outcomes: Sequence[Outcome], looks: list[Look]) -> None:
        """Take a block in, and look at it."""
        import numpy as np

        running = np.array([True])
        values = np.zeros((1, len(self.points)))
        for each in outcomes:
            if each.value is not None:
                values[0, self.points.index(each.point_id)] = math.log(each.value) * (1 if self.maximise else -1)
        screen.add(values, running)
        if screen.blocks > 1:
            out, reach = screen.eliminate(running)
            gone = tuple(point for point, flag in zip(self.points, out[0], strict=True) if flag)
            level = look_level(self.spec.error_rate, screen.blocks)
            looks.append(Look(screen.blocks - 1, level, math.exp(min(float(reach[0]), 700.0)), gone))


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


def confirmation(
    told: Mapping[tuple[str, int, str], Outcome], budget: Budget, finalists: Sequence[str], block: int
) -> Ask | None:
    """The next block of the finalists, from ``block`` on; None where the budget or the finalists are at an end."""
    left = tuple(sorted(finalists))
    while left and budget.allows(left, screening=False):
        ask = Ask(CONFIRMATION, block, left)
        outcomes = answers(told, ask)
        if outcomes is None:
            return ask
        budget.spend(outcomes)
        left = tuple(each.point_id for each in outcomes if each.value is not None)
        block += 1
    return None
