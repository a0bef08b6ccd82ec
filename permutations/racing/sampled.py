"""A race whose blocks a sampler of Optuna's chooses; the optional extra ``optuna``.

For spaces of which even one block of all points is too dear.  Each block has ``batch`` points that
the sampler proposes from what was measured so far; then the best means go into confirmation as in
any race.  No error rate is stated: a sampler tests nothing.  Optuna: Akiba et al., KDD 2019.
"""

from __future__ import annotations

import hashlib
import importlib.util
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from permutations.factors import Setting
from permutations.racing.race import SCREENING, Ask, Budget, Outcome, RaceState, answers, confirmation
from permutations.racing.spec import RacingSpec

TRIES = 50
"""Proposals for one place of a block; after that an untried point takes it."""


def available() -> bool:
    """Whether Optuna is installed."""
    return importlib.util.find_spec("optuna") is not None


@dataclass(frozen=True)
class SampledRace:
    """A race over ``points``: ids, each with its settings."""

    spec: RacingSpec
    points: Mapping[str, Mapping[str, Setting]]
    maximise: bool
    expected_s: float
    seed: int

    def state(self, history: Iterable[Outcome]) -> RaceState:
        """Play the race again from ``history`` and say where it stands."""
        told = {(each.phase, each.block, each.point_id): each for each in history}
        budget = Budget(self.spec, self.expected_s)
        measured: list[Outcome] = []
        block = 0
        while True:
            ask = Ask(SCREENING, block, self.proposed(measured, block))
            if not ask.points or (block and not budget.allows(ask.points, screening=True)):
                break
            outcomes = answers(told, ask)
            if outcomes is None:
                return RaceState(ask, ask.points)
            budget.spend(outcomes)
            measured += outcomes
            block += 1
        finalists = self._leaders(measured)
        return RaceState(confirmation(told, budget, finalists, block), finalists, finalists=finalists)

    def proposed(self, measured: Sequence[Outcome], block: int) -> tuple[str, ...]:
        """The points of a block, no one twice; the same for the same history and seed."""
        study = self._study(measured, block)
        failed = {each.point_id for each in measured if each.value is None}
        ids = {tuple(map(str, settings.values())): point for point, settings in self.points.items()}
        chosen: list[str] = []
        tries = 0
        while len(chosen) < self.spec.batch and tries < TRIES * self.spec.batch:
            tries += 1
            trial = study.ask(self._space())
            point = ids.get(tuple(trial.params[name] for name in next(iter(self.points.values()))))
            if point is not None and point not in chosen and point not in failed:
                chosen.append(point)
        seen = {each.point_id for each in measured} | set(chosen)
        spare = sorted(self.points.keys() - seen, key=lambda point: _drawn(self.seed, block, point))
        return tuple(chosen + spare[: self.spec.batch - len(chosen)])

    def _space(self) -> dict[str, Any]:
        """A categorical distribution for each factor."""
        from optuna.distributions import CategoricalDistribution

        names = next(iter(self.points.values()))
        return {
            name: CategoricalDistribution(sorted({str(settings[name]) for settings in self.points.values()}))
            for name in names
        }

    def _study(self, measured: Sequence[Outcome], block: int) -> Any:
        """A study that knows what was measured, its sampler seeded for this block."""
        import optuna

        optuna.logging.set_verbosity(optuna.logging.WARNING)
        seed = int(_drawn(self.seed, block, "sampler")[:8], 16)
        samplers = {"optuna-tpe": optuna.samplers.TPESampler, "optuna-random": optuna.samplers.RandomSampler}
        study = optuna.create_study(
            sampler=samplers[self.spec.sampler](seed=seed), direction="maximize" if self.maximise else "minimize"
        )
        space = self._space()
        for each in measured:
            if each.value is not None:
                params = {name: str(value) for name, value in self.points[each.point_id].items()}
                study.add_trial(
                    optuna.trial.create_trial(params=params, distributions=space, value=math.log(each.value))
                )
        return study

    def _leaders(self, measured: Sequence[Outcome]) -> tuple[str, ...]:
        """The finalists: the best means of log figures."""
        values: dict[str, list[float]] = {}
        for each in measured:
            if each.value is not None:
                values.setdefault(each.point_id, []).append(math.log(each.value))
        means = {point: math.fsum(logs) / len(logs) for point, logs in values.items()}
        order = sorted(means, key=lambda point: (-means[point] if self.maximise else means[point], point))
        return tuple(order[: self.spec.finalists])


def _drawn(seed: int, block: int, word: str) -> str:
    return hashlib.sha256(f"{seed}/{block}/{word}".encode("ascii")).hexdigest()
