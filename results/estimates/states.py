"""Array states beside each other: how each point did while its array was clean, degraded or being rebuilt.

The words are md's own (Linux, Documentation/admin-guide/md.rst: array_state, sync_action, degraded).  A trial
whose array was not what it should have been is invalid for the ranking, and is shown here all the same.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from results.store.schema import TrialRow

_IDLE = frozenset({None, "idle", "none", "frozen"})
HEALTHY = "healthy"


@dataclass(frozen=True)
class StateFigure:
    """The geometric mean of a point's figure over ``trials`` in one state."""

    point_id: str
    state: str
    value: float
    trials: tuple[str, ...]


def state_of(trial: TrialRow) -> str | None:
    """The state that the workloads met, in words; None of a trial without an array."""
    if trial.array_state_before is None and trial.degraded_before is None and trial.sync_action_before is None:
        return None
    before = _state(trial.degraded_before, trial.sync_action_before)
    after = _state(trial.degraded_after, trial.sync_action_after)
    known_after = trial.array_state_after is not None or trial.degraded_after is not None
    return before if before == after or not known_after else f"{before}, then {after}"


def _state(missing: int | None, action: str | None) -> str:
    """``healthy``, ``degraded``, ``degraded (2 missing), recover``, ``resync``."""
    words = []
    if missing:
        words.append("degraded" if missing == 1 else f"degraded ({missing} missing)")
    if action not in _IDLE:
        words.append({"recover": "rebuilding", "resync": "resyncing"}.get(str(action), str(action)))
    return ", ".join(words) or HEALTHY


def beside_each_other(trials: Iterable[TrialRow], values: Mapping[str, float]) -> tuple[StateFigure, ...]:
    """Figures by point and state, in the order of the points; ``values`` are by trial."""
    found: dict[tuple[str, str], list[str]] = defaultdict(list)
    for trial in trials:
        state = state_of(trial)
        if state is not None and values.get(trial.trial_id, 0.0) > 0:
            found[trial.point_id, state].append(trial.trial_id)
    return tuple(
        StateFigure(point, state, math.exp(math.fsum(math.log(values[each]) for each in own) / len(own)), tuple(own))
        for (point, state), own in found.items()
    )


def states(trials: Sequence[TrialRow]) -> tuple[str, ...]:
    """Every state that occurs, the healthy one first."""
    every = {state for trial in trials if (state := state_of(trial)) is not None}
    return tuple(sorted(every, key=lambda state: (state != HEALTHY, state)))
