"""A store that holds past nights of a sweep, as if its points had been measured on a machine of this substrate."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from bench.claim import PROTOCOL_FILE
from bench.vocabulary import vocabulary
from permutations.design import make_plan
from permutations.night import watched_plan
from permutations.sweep import Sweep
from results.store.folder import Store
from results.store.schema import NIGHT
from tests.results import synthetic

NIGHTS = tuple(f"2026-03-0{number}" for number in range(1, 6))
TONIGHT = "2026-03-06"


def past_nights(store: Path, sweep: Path, substrate: str, iops: Callable[[int], float]) -> None:
    """A trial of every point in each of :data:`NIGHTS`; ``iops`` gives the figure of a night from its number."""
    opened = Store.create(store)
    opened.put_environment(synthetic.environment(substrate))
    (store / "sweep.toml").write_text(sweep.read_text())
    laid_out = watched_plan(make_plan(Sweep.load(sweep, vocabulary())))
    (store / PROTOCOL_FILE).write_text(f"{laid_out.sweep.protocol_id}\n")
    for number, night in enumerate(NIGHTS):
        plan = synthetic.Plan([], substrate=substrate, workload=laid_out.sweep.workloads[0].name)
        for place, point in enumerate(laid_out.points):
            row = synthetic.trial(plan, dict(point.settings), 0, place)
            row = replace(row, trial_id=f"night-{number}-{place}", point_id=point.id, night=night, night_role=NIGHT)
            opened.append(row, [synthetic.observation(plan, row, iops(number), "read", None)])
