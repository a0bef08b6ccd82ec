"""Which trials are looked at where a store holds more seconds than need be read to judge it."""

from __future__ import annotations

import math
from collections.abc import Sequence

from results.store.query import StoreFrames
from results.store.schema import TrialRow

MOST_ROWS = 3_000_000
"""Most rows of a table that a check reads."""


def evenly(frames: StoreFrames, table: str, trials: Sequence[TrialRow], most_rows: int = MOST_ROWS) -> list[TrialRow]:
    """Trials evenly over the run order, as many as ``most_rows`` allow; all of them in most stores.

    How many rows a trial has is taken from the first, the middle and the last.
    """
    if not trials:
        return []
    asked = {trial.trial_id for trial in (trials[0], trials[len(trials) // 2], trials[-1])}
    rows = max(frames.of_trial(table, trial_id, ("trial_id",)).num_rows for trial_id in asked)
    step = max(1, math.ceil(rows * len(trials) / most_rows))
    # A step that divides the number of points would visit the same points in every block.
    return (
        [trial for place, trial in enumerate(trials) if place % step == (place // step) % step]
        if step > 1
        else list(trials)
    )
