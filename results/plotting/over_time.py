"""Plots of seconds and disks: throughput over time, distributions of latency, how evenly the members work."""

from __future__ import annotations

import math
import statistics
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from results.errors import ResultsError
from results.estimates.latencies import as_measured
from results.estimates.responses import group, merged
from results.plotting import axes as common
from results.plotting import style, svg
from results.plotting.axes import DASHES, LatencyCurve
from results.plotting.measured import Sweep
from results.retention.words import dropped_note
from results.runs import seconds
from results.store.pieces import by_trial
from results.store.schema import DISK_CHECK, ObservationRow
from stripelab.metrics import metric_name, parts, scale_of

_ELSEWHERE = "Choose another point or workload: `stripelab status STORE` lists what was measured."


@dataclass(frozen=True)
class Line:
    """A trial's figure of each second, from 0; None where it is not known."""

    label: str
    values: tuple[float, ...]


def lines_of(sweep: Sweep, workload: str, metric: str, point: str) -> tuple[Line, ...]:
    """Seconds of the trials of a point, directions added up, in the order of their blocks."""
    import numpy as np

    trials = {trial.trial_id: trial for trial in sweep.trials if trial.point_id == point}
    found = {}
    streamed = seconds.series(sweep.frames, (metric,), trial_ids=trials, workload=workload)
    for trial_id, _, directions in seconds.by_workload(streamed):
        sums, there = seconds.added(directions, metric)
        found[trial_id] = tuple(float(value) for value in np.where(there, sums, np.nan))
    ordered = sorted(trials.values(), key=lambda trial: (trial.block, trial.run_order))
    return tuple(Line(f"block {each.block + 1}", found[each.trial_id]) for each in ordered if each.trial_id in found)


@style.styled
def series(sweep: Sweep, workload: str, metric: str, point: str) -> style.Drawing:
    """Throughput of a point's trials, second by second; the last :data:`style.MOST_LINES` trials."""
    every = lines_of(sweep, workload, metric, point)
    if not every:
        why = dropped_note([trial for trial in sweep.trials if trial.point_id == point])
        raise ResultsError(f"no trial of {sweep.labels[point]} has seconds of {workload}", remedy=why or _ELSEWHERE)
    shown = every[-style.MOST_LINES :]
    scale, unit = scale_of(metric, max((v for line in shown for v in line.values if not math.isnan(v)), default=1.0))
    figure, (axes,) = style.canvas(8.0, 3.6)
    for place, line in enumerate(shown):
        axes.plot(
            range(len(line.values)),
            [value / scale for value in line.values],
            color=style.LINES[place],
            ls=DASHES[place],
            lw=1.3,
            label=line.label,
        )
    axes.set_ylim(bottom=0)
    axes.set_xlim(left=0)
    axes.grid()
    axes.set_xlabel("time since the measured phase began, s")
    axes.set_ylabel(style.axis(metric, unit))
    style.legend_beside(axes)
    style.title(axes, f"{workload}: {sweep.labels[point]}")
    style.mark(figure, virtual=sweep.virtual)
    return style.Drawing(
        figure,
        f"{workload}: {metric_name(metric)} over time, {sweep.labels[point]}",
        f"{len(shown)} of {len(every)} trials, a figure a second.",
    )


@style.styled
def latency(sweep: Sweep, workload: str, points: Sequence[str], direction: str | None) -> style.Drawing:
    """Share of I/Os at or below a latency, both axes logarithmic; from the merged histograms of each point's trials.

    Without a direction they are the I/Os of the data, and the commits of a workload that syncs.
    """
    direction = direction or parts(as_measured("lat_p99_ns", sweep.observations, workload))[0]
    found = _histograms(sweep, workload, points, direction)[: style.MOST_LINES]
    if not found:
        of = f" of {direction}s" if direction is not None else ""
        raise ResultsError(
            f"no trial has a histogram of latency{of} of {workload}",
            remedy="dd keeps none, and fio none of commits where it measures write and sync apart. Choose another "
            "--direction.",
        )
    curves = [LatencyCurve(label, tuple(each), tuple(each.values())) for label, each in found]
    figure, (axes,) = style.canvas(8.0, 4.0)
    common.latency(axes, curves, style.colour)
    style.legend_beside(axes)
    what = f"{workload}: distribution of {f'{direction} ' if direction is not None else ''}latency"
    style.title(axes, what)
    style.mark(figure, virtual=sweep.virtual)
    return style.Drawing(figure, what, f"Points: {'; '.join(curve.label for curve in curves)}.")


def _histograms(
    sweep: Sweep, workload: str, points: Sequence[str], direction: str | None
) -> list[tuple[str, Mapping[int, int]]]:
    """Label and merged histogram of each point that has one."""
    of_point = {trial.trial_id: trial.point_id for trial in sweep.trials}
    rows: dict[str, list[ObservationRow]] = defaultdict(list)
    for trial_id, own in group(sweep.observations, workload, direction).items():
        rows[of_point[trial_id]] += own
    found = [(sweep.labels[point], merged(rows[point])) for point in points]
    return [(label, histogram) for label, histogram in found if histogram]


@style.styled
def members(sweep: Sweep, workload: str, points: Sequence[str]) -> style.Drawing:
    """How evenly the disks work: throughput and utilisation of each member in each trial, and read on its own.

    A slow member shows in the second and third panel only: in an array all get the same share of the work.
    """
    panels = _of_members(sweep, workload, points)
    if not panels:
        raise ResultsError(f"the store has no telemetry of disks while {workload} ran")
    disks = sorted({disk for _, _, found in panels for disk in found})
    figure, every = style.canvas(1.2 + 3.1 * len(panels), 1.4 + 0.34 * len(disks), columns=len(panels))
    for place, (axes, (label, limit, found)) in enumerate(zip(every, panels, strict=True)):
        for row, disk in enumerate(disks):
            values = found.get(disk, [])
            axes.plot(values, [row] * len(values), "o", ms=4, alpha=0.45, color=style.LINES[0])
            if values:
                axes.plot([statistics.median(values)], [row], "|", ms=15, mew=2.5, color=style.colour(svg.PREDICTED))
        axes.set_xlim(0, limit)
        axes.set_ylim(len(disks) - 0.5, -0.5)
        axes.set_yticks(range(len(disks)), disks if place == 0 else [""] * len(disks))
        axes.tick_params(axis="y", length=0)
        axes.grid(axis="x")
        axes.set_xlabel(label, fontsize=9)
    style.title(every[0], f"{workload}: a dot a trial, the bar is the median")
    style.mark(figure, virtual=sweep.virtual)
    words = "; ".join(
        f"{label}: " + ", ".join(f"{disk} {statistics.median(found[disk]):.3g}" for disk in disks if found.get(disk))
        for label, _, found in panels
    )
    return style.Drawing(figure, f"{workload}: balance of the member disks", f"Medians. {words}.")


Panel = tuple[str, float | None, Mapping[str, list[float]]]


def _of_members(sweep: Sweep, workload: str, points: Sequence[str]) -> list[Panel]:
    """Label of the axis, its end, and each disk's figures by trial; panels without figures are left out."""
    trials = [trial.trial_id for trial in sweep.trials if trial.point_id in points]
    columns = ("workload", "disk_id", "read_bytes_s", "write_bytes_s", "util_pct")
    found: tuple[dict[str, list[float]], ...] = (defaultdict(list), defaultdict(list), defaultdict(list))
    every = [trial.trial_id for trial in sweep.trials]
    wanted = set(trials)
    for trial_id, table in by_trial(sweep.frames.store, "telemetry", columns, every):
        frame = table.to_pandas()
        frame = frame[frame["disk_id"].notna()]
        running = frame[frame["workload"] == workload]
        rate = running["read_bytes_s"].fillna(0) + running["write_bytes_s"].fillna(0)
        known = running["read_bytes_s"].notna() | running["write_bytes_s"].notna()
        alone = frame[(frame["workload"] == DISK_CHECK) & frame["read_bytes_s"].notna()]
        if trial_id in wanted:
            _add(found[0], (rate[known] / (1 << 20)).groupby(running["disk_id"][known]).mean().to_dict())
            _add(found[1], running.dropna(subset=["util_pct"]).groupby("disk_id")["util_pct"].mean().to_dict())
        _add(found[2], (alone["read_bytes_s"] / (1 << 20)).groupby(alone["disk_id"]).max().to_dict())
    labels = (("throughput, MiB/s", None), ("utilisation, %", 105.0), ("read on its own, MiB/s", None))
    panels = zip(labels, found, strict=True)
    return [
        (label, limit or 1.08 * max(max(each) for each in values.values()) or 1.0, values)
        for (label, limit), values in panels
        if values
    ]


def _add(found: dict[str, list[float]], values: Mapping[str, float]) -> None:
    for disk, value in values.items():
        found[disk].append(float(value))
