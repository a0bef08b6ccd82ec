"""How far a sweep has come, as a table: a row a point, a mark a block."""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from bench.cli.output import prose, say
from bench.cli.slides import Slide, show

if TYPE_CHECKING:
    from results.store.query import StoreFrames
    from results.store.schema import TrialRow

MARKS = {"ok": "●", "failed": "✗", "invalid": "!", "": "·"}
MOST_POINTS = 60
MOST_BLOCKS = 30


def show_points(frames: StoreFrames, planned: Sequence[tuple[str, int]]) -> None:
    """A row for each point with a trial, or planned (``planned``: point and block of each trial)."""
    from results.estimates.objective import objectives
    from results.estimates.responses import responses
    from results.estimates.settings import settings_of, varied
    from results.recommendation.notes import notice
    from stripelab.metrics import figure, metric_name
    from stripelab.settings import label

    trials = frames.trial_rows()
    if not trials:
        return
    mark = notice(trials)
    if mark is not None:
        prose(f"!!! {mark}")
    settings = {trial.point_id: settings_of(trial) for trial in trials}
    labels = {point: label(each, varied(settings.values())) for point, each in settings.items()}
    head, figures = "", {}
    rows = frames.observation_rows()
    if rows:
        objective = objectives(frames.store.path, rows)[0]
        head = f"{objective.workload}: {metric_name(objective.metric)}, median"
        by_point = defaultdict(list)
        for response in responses(objective, trials, rows)[0]:
            by_point[response.point_id].append(response.value)
        figures = {point: figure(objective.metric, statistics.median(each)) for point, each in by_point.items()}
    listed = list(dict.fromkeys(trial.point_id for trial in trials))[:MOST_POINTS]
    outcomes = _outcomes(trials, planned)
    cells = tuple(
        (labels[point], _blocks(outcomes[point]), _minutes(trials, point), figures.get(point, "-")) for point in listed
    )
    headers = ("point", "blocks", "a trial takes", head or "figure")
    show(Slide(headers, cells, (False, False, True, True)))
    _legend(len({point for point, _ in planned} - settings.keys()), len(settings) - len(listed))


def _outcomes(trials: Sequence[TrialRow], planned: Sequence[tuple[str, int]]) -> Mapping[str, dict[int, str]]:
    """Status by point and block; empty where a trial is yet to run."""
    found: dict[str, dict[int, str]] = defaultdict(dict)
    for point, block in planned:
        found[point][block] = ""
    for trial in trials:
        found[trial.point_id][trial.block] = trial.status
    return found


def _blocks(outcomes: Mapping[int, str]) -> str:
    """A mark for each block; counts where there are too many."""
    statuses = [outcomes[block] for block in sorted(outcomes)]
    if len(statuses) > MOST_BLOCKS:
        return ", ".join(f"{statuses.count(each)} {mark}" for each, mark in MARKS.items() if each in statuses)
    return "".join(MARKS[status] for status in statuses)


def _minutes(trials: Sequence[TrialRow], point: str) -> str:
    """Median duration of a point's trials."""
    from stripelab.units import duration

    return duration(statistics.median(trial.duration_s for trial in trials if trial.point_id == point))


def _legend(to_begin: int, left_out: int) -> None:
    """What the marks mean, and how many points the table does not have."""
    more = [f"{to_begin} more points have not begun"] if to_begin else []
    more += [f"{left_out} more are not listed"] if left_out else []
    marks = f"{MARKS['ok']} ok  {MARKS['failed']} failed  {MARKS['invalid']} invalid  {MARKS['']} to run"
    say("; ".join([f"  {marks}", *more]))
