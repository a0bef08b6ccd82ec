"""A race whose blocks a sampler chooses: a Gaussian process (:mod:`permutations.racing.surrogate`) or one of Optuna's.

For spaces where even one block of all points is too expensive.  Each block has ``batch`` points that the sampler
proposes from the outcomes so far; then the best means go into confirmation as in any race.  There is no error rate,
because a sampler does not test anything.  A point whose trials miss a requirement ranks below all that meet it, by the
violation; one that a fact rules out is not proposed again.  Optuna (Akiba et al., KDD 2019) is the optional extra
``optuna``; numbers are ordered there too.
"""

from __future__ import annotations

import hashlib
import importlib.util
import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from permutations.racing.race import SCREENING, Ask, Budget, Outcome, RaceState, block_outcomes, confirmation
from permutations.racing.spec import GAUSSIAN_PROCESS, RacingSpec
from permutations.racing.surrogate import Surrogate, ordered, ranks
from stripelab.settings import Setting

TRIES = 50
"""Maximum proposals for one place of a block; after them an untried point fills it."""

_MISSING = 1.0
"""Violation of a requirement that a trial did not measure: as if missed by a factor of e."""


def available() -> bool:
    """Whether Optuna is installed."""
    return importlib.util.find_spec("optuna") is not None


@dataclass(frozen=True)
class SampledRace:
    """A race over ``points``, which are settings by id."""

    spec: RacingSpec
    points: Mapping[str, Mapping[str, Setting]]
    maximise: bool
    expected_s: float
    seed: int

    def state(self, history: Iterable[Outcome]) -> RaceState:
        """State of the race, from a replay of ``history``."""
        by_trial = {(trial.phase, trial.block, trial.point_id): trial for trial in history}
        budget = Budget(self.spec, self.expected_s)
        measured: list[Outcome] = []
        block = 0
        while True:
            ask = Ask(SCREENING, block, self._block(by_trial, measured, block))
            if not ask.points or (block and not budget.allows(ask.points, screening=True)):
                break
            outcomes = block_outcomes(by_trial, ask)
            if outcomes is None:
                return RaceState(ask, ask.points, missing=_unfit(measured))
            budget.spend(outcomes)
            measured += outcomes
            block += 1
        finalists = self._leaders(measured)
        following = confirmation(by_trial, budget, finalists, block)
        return RaceState(following, finalists, finalists=finalists, missing=_unfit(measured))

    def _block(
        self, by_trial: Mapping[tuple[str, int, str], Outcome], measured: Sequence[Outcome], block: int
    ) -> tuple[str, ...]:
        """The points of a block: those of ``by_trial`` if it is complete, else what the sampler proposes."""
        visits = sorted(point for phase, number, point in by_trial if (phase, number) == (SCREENING, block))
        return tuple(visits) if len(visits) == self.spec.batch else self.propose(measured, block)

    def propose(self, measured: Sequence[Outcome], block: int) -> tuple[str, ...]:
        """The distinct points of a block; the same for the same history and seed."""
        in_order = sorted(measured, key=lambda trial: (trial.block, trial.point_id))
        out = {trial.point_id for trial in measured if trial.value is None or trial.unfit}
        merits = [(trial.point_id, merit) for trial, merit in self._merits(in_order) if trial.point_id not in out]
        if self.spec.sampler == GAUSSIAN_PROCESS:
            return self._by_surrogate(merits, out, block)
        chosen = self._by_optuna(merits, out, block)
        seen = {trial.point_id for trial in measured} | set(chosen)
        spare = sorted(self.points.keys() - seen, key=lambda point: _digest(self.seed, block, point))
        return tuple(chosen + spare[: self.spec.batch - len(chosen)])

    def _merits(self, measured: Sequence[Outcome]) -> list[tuple[Outcome, float]]:
        """Merit of each trial, more is better: its figure on the log scale, or below all others if it misses."""
        sign = 1 if self.maximise else -1
        figures = [(trial, sign * math.log(trial.value)) for trial in measured if trial.value is not None]
        least = min((figure for _, figure in figures), default=0.0)
        short = [
            math.fsum(_MISSING if slack is None else max(0.0, -slack) for slack in trial.slacks) for trial, _ in figures
        ]
        return [(trial, least - miss if miss else figure) for (trial, figure), miss in zip(figures, short, strict=True)]

    def _by_surrogate(self, known: Sequence[tuple[str, float]], out: Collection[str], block: int) -> tuple[str, ...]:
        """Points that were not measured yet; if these do not fill the block, others again."""
        import numpy as np

        ids = sorted(self.points)
        place = {point: number for number, point in enumerate(ids)}
        new = np.ones(len(ids), dtype=bool)
        new[[place[point] for point in {point for point, _ in known} | set(out)]] = False
        again = np.array([point not in out for point in ids]) & ~new
        draw = np.array([int(_digest(self.seed, block, point)[:12], 16) / 16**12 for point in ids])
        model = Surrogate([self.points[point] for point in ids])
        places = np.array([place[point] for point, _ in known], dtype=np.int64)
        merits = np.array([merit for _, merit in known])
        chosen = model.propose(places, merits, self.spec.batch, new, draw)
        chosen += model.propose(places, merits, self.spec.batch - len(chosen), again, draw)
        return tuple(ids[number] for number in chosen)

    def _by_optuna(self, known: Sequence[tuple[str, float]], out: Collection[str], block: int) -> list[str]:
        study = self._study(known, block)
        space = self._space()
        ids = {tuple(self._encode(settings).values()): point for point, settings in self.points.items()}
        chosen: list[str] = []
        tries = 0
        while len(chosen) < self.spec.batch and tries < TRIES * self.spec.batch:
            tries += 1
            trial = study.ask(space)
            point = ids.get(tuple(trial.params[name] for name in space))
            if point is not None and point not in chosen and point not in out:
                chosen.append(point)
        return chosen

    @cached_property
    def _ranks(self) -> Mapping[str, Mapping[Setting, int]]:
        """Ranks of the values of each numeric factor; None comes first."""
        columns = {name: [point[name] for point in self.points.values()] for name in next(iter(self.points.values()))}
        return {name: ranks(column) for name, column in columns.items() if ordered(column)}

    def _encode(self, settings: Mapping[str, Setting]) -> dict[str, int | str]:
        """Settings for Optuna: a number becomes its rank, which tells Optuna which values are near each other."""
        return {
            name: self._ranks[name][value] if name in self._ranks else str(value) for name, value in settings.items()
        }

    def _space(self) -> dict[str, Any]:
        """A distribution for each factor."""
        from optuna.distributions import CategoricalDistribution, IntDistribution

        coded = [self._encode(settings) for settings in self.points.values()]
        return {
            name: IntDistribution(0, len(self._ranks[name]) - 1)
            if name in self._ranks
            else CategoricalDistribution(sorted({str(settings[name]) for settings in coded}))
            for name in coded[0]
        }

    def _study(self, known: Sequence[tuple[str, float]], block: int) -> Any:
        """A study with the trials so far and a sampler seeded for this block."""
        import optuna

        optuna.logging.set_verbosity(optuna.logging.WARNING)
        seed = int(_digest(self.seed, block, "sampler")[:8], 16)
        samplers = {"optuna-tpe": optuna.samplers.TPESampler, "optuna-random": optuna.samplers.RandomSampler}
        study = optuna.create_study(sampler=samplers[self.spec.sampler](seed=seed), direction="maximize")
        space = self._space()
        for point, merit in known:
            params = self._encode(self.points[point])
            study.add_trial(optuna.trial.create_trial(params=params, distributions=space, value=merit))
        return study

    def _leaders(self, measured: Sequence[Outcome]) -> tuple[str, ...]:
        """The finalists: the best means."""
        out = {trial.point_id for trial in measured if trial.unfit}
        merits: dict[str, list[float]] = {}
        for trial, merit in self._merits(sorted(measured, key=lambda trial: (trial.block, trial.point_id))):
            if trial.point_id not in out:
                merits.setdefault(trial.point_id, []).append(merit)
        means = {point: math.fsum(values) / len(values) for point, values in merits.items()}
        order = sorted(means, key=lambda point: (-means[point], point))
        return tuple(order[: self.spec.finalists])


def _unfit(measured: Sequence[Outcome]) -> tuple[str, ...]:
    """Points that a fact rules out."""
    return tuple(dict.fromkeys(trial.point_id for trial in measured if trial.unfit))


def _digest(seed: int, block: int, word: str) -> str:
    return hashlib.sha256(f"{seed}/{block}/{word}".encode("ascii")).hexdigest()
