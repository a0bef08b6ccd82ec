"""Races that are played to their end, with outcomes that a test makes up."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from permutations.racing.race import Ask, Outcome, RaceState


class Plays(Protocol):
    """A race, or one whose blocks a sampler chooses."""

    def state(self, history: list[Outcome], /) -> RaceState:
        """Where it stands after these outcomes."""


def played(race: Plays, outcome: Callable[[Ask, str], Outcome]) -> tuple[list[Outcome], list[RaceState]]:
    """Run a race to its end; its history and every state on the way."""
    history: list[Outcome] = []
    states: list[RaceState] = []
    while True:
        states.append(race.state(history))
        ask = states[-1].ask
        if ask is None:
            return history, states
        history += [outcome(ask, point) for point in ask.points]
