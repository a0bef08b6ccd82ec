"""A race of a sweep's points: from the outcomes so far to the trials to run next."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from permutations.cost import trial_seconds
from permutations.errors import SweepError
from permutations.order import shuffled
from permutations.point import DesignPoint, PlannedTrial, trial_id
from permutations.racing.race import CONFIRMATION, Ask, Outcome, Race, Racer
from permutations.racing.sampled import SampledRace, available
from permutations.racing.spec import ELIMINATION, GAUSSIAN_PROCESS, RacingSpec
from permutations.requirement import measured_requirements
from permutations.sweep import Sweep


def racer(sweep: Sweep, points: Sequence[DesignPoint]) -> Racer:
    """What decides the blocks of a racing sweep; raises :class:`SweepError` if its library is missing."""
    spec = sweep.racing or RacingSpec()
    maximise = sweep.objectives[0].maximise
    expected_s = trial_seconds(sweep)
    if spec.sampler == ELIMINATION:
        limits = len(measured_requirements(sweep.objectives))
        return Race(spec, tuple(point.id for point in points), maximise, expected_s, limits)
    if spec.sampler != GAUSSIAN_PROCESS and not available():
        message = f'sampler = "{spec.sampler}" needs Optuna, which is not installed: pip install "stripelab[optuna]"'
        raise SweepError(sweep.path, None, "[racing] sampler", message)
    return SampledRace(spec, {point.id: point.settings for point in points}, maximise, expected_s, sweep.seed)


def first_block(sweep: Sweep, spec: RacingSpec, points: Sequence[DesignPoint]) -> tuple[PlannedTrial, ...]:
    """The first block; raises :class:`SweepError` if the budget is too small for a race."""
    if spec.budget_trials is not None:
        width = min(len(points), spec.batch) if spec.sampler != ELIMINATION else len(points)
        finalists = min(spec.finalists, len(points))
        screening = width if len(points) > finalists else 0
        if spec.budget_trials * (1 - spec.confirmation_share) < screening:
            least = math.ceil(width / (1 - spec.confirmation_share))
            message = f"{spec.budget_trials} is too little: one block of {width} points and confirmation need {least}"
            raise SweepError(sweep.path, None, "[racing] budget_trials", message)
    return next_block(sweep, points, ())


def next_block(sweep: Sweep, points: Sequence[DesignPoint], history: Iterable[Outcome]) -> tuple[PlannedTrial, ...]:
    """The trials of the next block of the race, in run order; none if it has ended.

    They include the trials of that block that are in ``history`` already.
    """
    outcomes = tuple(history)
    ask = racer(sweep, points).state(outcomes).ask
    if ask is None:
        return ()
    before = sum((outcome.phase, outcome.block) != (ask.phase, ask.block) for outcome in outcomes)
    return tuple(
        PlannedTrial(_trial_id(sweep, point, ask), point, ask.block, before + place, phase=ask.phase)
        for place, point in enumerate(shuffled(_points_of(points, ask), sweep.seed, ask.block))
    )


def _points_of(points: Sequence[DesignPoint], ask: Ask) -> list[DesignPoint]:
    ids = set(ask.points)
    return [point for point in points if point.id in ids]


def _trial_id(sweep: Sweep, point: DesignPoint, ask: Ask) -> str:
    """The id of a trial; it includes the phase for confirmation, because block numbers do not identify the phase."""
    return trial_id(point.id, sweep.protocol_id, ask.block, CONFIRMATION if ask.phase == CONFIRMATION else None)
