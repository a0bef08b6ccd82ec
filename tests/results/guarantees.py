"""Stores of runs for the tests of the guarantee: those of results/guarantee/synthetic.py, changed at will."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from results.guarantee import Guarantee, Question, guarantee
from results.guarantee.synthetic import Campaign, Truth, draw, environment, intervals, observation, trial
from results.store.folder import Store

REAL = Campaign(Truth(), substrate="disk")
Change = Callable[[int, dict[str, Any]], None]


def make(path: Path, campaign: Campaign = REAL, change: Change = lambda _block, _rows: None) -> Path:
    """A store of one point; ``change`` may alter ``row``, ``seen`` and ``seconds`` of the run of each block."""
    rng = np.random.default_rng(campaign.seed)
    store = Store.create(path)
    for name in (f"synthetic-{campaign.substrate}", "another"):
        store.put_environment(replace(environment(campaign.substrate), environment_id=name))
    drawn = draw(rng, campaign.truth, campaign.runs, campaign.seconds, campaign.runs_a_day)
    for block, values in enumerate(drawn):
        row = trial(campaign, 0, block)
        rows = {"row": row, "seen": [observation(row, values)], "seconds": intervals(row, values)}
        change(block, rows)
        store.append(rows["row"], rows["seen"], rows["seconds"])
    return path


def runs(campaign: Campaign = REAL) -> np.ndarray:
    """The figures that :func:`make` writes: runs by seconds."""
    rng = np.random.default_rng(campaign.seed)
    return draw(rng, campaign.truth, campaign.runs, campaign.seconds, campaign.runs_a_day)


def asked(store: Path, **question: Any) -> Guarantee:
    return guarantee(store, Question(**question))


def kinds(found: Guarantee) -> set[str]:
    return {refusal.kind for refusal in found.refusals}
