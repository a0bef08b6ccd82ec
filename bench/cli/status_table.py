"""The progress of a sweep as a table, with a row per point and a mark per block."""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from bench.cli.output import print_line, print_paragraph
from bench.cli.terminal_table import TerminalTable, print_table

if TYPE_CHECKING:
    from results.store.query import StoreFrames
    from results.store.schema import TrialRow

MARKS = {"ok": "●", "failed": "✗", "invalid": "!", "": "·"}
MAX_POINTS = 60
MAX_BLOCKS = 30


def print_points(frames: StoreFrames, planned: Sequence[tuple[str, int]]) -> None:
    """Print a row for each point that has a trial; ``planned`` has the point and block of each planned trial."""
    from results.estimates.objective import objectives
    from results.estimates.responses import responses
    from results.estimates.settings import settings_of, varied
    from results.recommendation.notes import notice
    from stripelab.metrics import figure, metric_name
    from stripelab.settings import label

    trials = frames.trial_rows()
    if not trials:
        return
    hardware_notice = notice(trials)
    if hardware_notice is not None:
        print_paragraph(f"!!! {hardware_notice}")
    settings = {trial.point_id: settings_of(trial) for trial in trials}
    labels = {point: label(values, varied(settings.values())) for point, values in settings.items()}
    figure_header, figures = "figure", {}
    rows = frames.observation_rows()
    if rows:
        objective = objectives(frames.store.path, rows)[0]
        figure_header = f"{objective.workload}: {metric_name(objective.metric)}, median"
        by_point = defaultdict(list)
        for response in responses(objective, trials, rows)[0]:
            by_point[response.point_id].append(response.value)
        figures = {point: figure(objective.metric, statistics.median(values)) for point, values in by_point.items()}
    listed = list(dict.fromkeys(trial.point_id for trial in trials))[:MAX_POINTS]
    outcomes = _outcomes(trials, planned)
    cells = tuple(
        (labels[point], _block_marks(outcomes[point]), _median_duration(trials, point), figures.get(point, "-"))
        for point in listed
    )
    headers = ("point", "blocks", "time per trial", figure_header)
    print_table(TerminalTable(headers, cells, (False, False, True, True)))
    _print_legend(len({point for point, _ in planned} - settings.keys()), len(settings) - len(listed))


def _outcomes(trials: Sequence[TrialRow], planned: Sequence[tuple[str, int]]) -> Mapping[str, dict[int, str]]:
    """Status by point and block; empty where a trial is yet to run."""
    outcomes: dict[str, dict[int, str]] = defaultdict(dict)
    for point, block in planned:
        outcomes[point][block] = ""
    for trial in trials:
        outcomes[trial.point_id][trial.block] = trial.status
    return outcomes


def _block_marks(outcomes: Mapping[int, str]) -> str:
    """A mark per block, or counts where there are too many blocks."""
    statuses = [outcomes[block] for block in sorted(outcomes)]
    if len(statuses) > MAX_BLOCKS:
        return ", ".join(f"{statuses.count(status)} {mark}" for status, mark in MARKS.items() if status in statuses)
    return "".join(MARKS[status] for status in statuses)


def _median_duration(trials: Sequence[TrialRow], point: str) -> str:
    """Median duration of a point's trials."""
    from stripelab.units import duration

    return duration(statistics.median(trial.duration_s for trial in trials if trial.point_id == point))


def _print_legend(not_started: int, left_out: int) -> None:
    """Print the meaning of the marks, and the number of points that are not in the table."""
    more = [f"{not_started} more points have no trial yet"] if not_started else []
    more += [f"{left_out} more are not listed"] if left_out else []
    marks = f"{MARKS['ok']} ok  {MARKS['failed']} failed  {MARKS['invalid']} invalid  {MARKS['']} to run"
    print_line("; ".join([f"  {marks}", *more]))
