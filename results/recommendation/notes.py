"""What a reader must know beside the figures, in plain words."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

from results.estimates.diagnostics import TOLERATED_DRIFT_PCT, drift, outliers
from results.estimates.estimate import POOLED, Fit
from results.estimates.latencies import as_measured, syncs
from results.estimates.objective import Objective
from results.estimates.responses import PERCENTILES
from results.estimates.shape import Shape
from results.recommendation.answer import Ranking
from results.retention.words import dropped_note
from results.runs.changes import changed_text, environment_changes
from results.runs.within import Within
from results.store import compressed, imported
from results.store.schema import IMPORTED, VIRTUAL_SUBSTRATES, EnvironmentRow, ObservationRow, TrialRow
from stripelab.metrics import COMMIT, LAST_BUCKET_NS, RATES, figure, is_least, metric_name, parts
from stripelab.units import pct, signed_pct

_FAR_FROM_PREDICTION_PCT = 15.0
_MOST_CHANGES = 5
ASSUMED = 'The tied set and every "at least" assume'


def notice(trials: Sequence[TrialRow]) -> str | None:
    """The loud mark of virtual and loop substrates, and of imports; None where every trial ran on real disks."""
    return notice_of(trial.substrate for trial in trials)


def notice_of(substrates: Iterable[str]) -> str | None:
    """As :func:`notice`, from the substrates alone."""
    found = set(substrates)
    virtual = VIRTUAL_SUBSTRATES & found
    if not virtual:
        return imported.NOTICE if IMPORTED in found else None
    names = {"uml": "in the virtual lab (User-Mode Linux)", "loop": "on loop devices (files)"}
    where = " and ".join(names[name] for name in sorted(virtual))
    return (
        f"NOT REAL HARDWARE: measured {where}. It shows how the method works; it says nothing of real disks and "
        "cannot become a guarantee."
    )


def answer_notes(
    objective: Objective,
    model: Fit,
    overall: Ranking,
    trials: Sequence[TrialRow],
    observations: Sequence[ObservationRow],
    without: Sequence[str],
) -> tuple[str, ...]:
    """Notes on one answer."""
    labels = {point.point_id: point.label for point in overall.points}
    found = [
        *_commits(objective, observations),
        *_few(objective, observations),
        *_split_plot(model),
        *_missing(model, labels, without),
        *_drifting(model),
        *_standing_apart(model, labels),
        *_unseparated(overall),
        *_unpredicted(overall),
        *_engine_errors(objective.workload, observations),
        *_compressed(objective.workload, trials, observations, labels),
        *_saturated(objective, observations),
        *_wide(objective.workload, trials, observations, labels),
    ]
    if objective.metric not in RATES and any(trial.disk_iops_limit is not None for trial in trials):
        found.append(throttled_latency())
    return tuple(found)


def of_shape(model: Fit, found: Shape) -> Iterable[str]:
    """What the noise looks like, where it is not of the plain kind."""
    if model.intervals is not POOLED:
        yield f"Intervals: {model.intervals.reason}."
    if model.assumption is not None:
        yield f"{ASSUMED} {model.assumption}."
    if found.autocorrelated:
        yield (
            f"Runs resemble the run before them (correlation {found.autocorrelation:+.2f} of neighbouring runs, "
            f"p = {found.autocorrelated_p:.2g}): the machine is not the same from run to run. The random order within "
            "blocks keeps comparisons fair; find what carries over (heat, caches, background work)."
        )


def of_seconds(found: Within | None, overall: Ranking, metric: str) -> Iterable[str]:
    """What the seconds inside the runs show."""
    if found is None:
        return
    if found.runs < found.all_runs:
        yield f"The seconds of {found.runs} of {found.all_runs} runs, evenly over the run order, were looked at."
    if found.independent is not None and found.autocorrelation is not None and found.autocorrelation > 0.2:
        yield (
            f"The {found.seconds:.0f} seconds of a run are worth {found.independent:.0f} independent ones (correlation "
            f"{found.autocorrelation:+.2f} of neighbours): that is why the run is the unit here, and not the second."
        )
    if found.warm_up is not None and found.warm_up.found:
        yield (
            f"A WARM-UP IS IN THE MEASURED TIME: the first tenth of a run is "
            f"{signed_pct(found.warm_up.first_tenth_pct)} "
            f"against its second half, which moves a run's figure by {signed_pct(found.warm_up.bias_pct)}. Comparisons "
            f"suffer where points warm up differently: set ramp_time_s to {found.warm_up.ramp_time_s} or more and run "
            "the sweep again."
        )
    labels = {point.point_id: point.label for point in overall.points}
    for point, (major, minor) in found.modes.items():
        yield (
            f"TWO MODES: the seconds of {labels.get(point, point)} are at {figure(metric, major.value)} in "
            f"{pct(major.share_pct)} of the time and at {figure(metric, minor.value)} in {pct(minor.share_pct)}; their "
            "mean describes neither, and no single figure is given for it."
        )
    if found.stalled:
        yield (
            f"In {len(found.stalled)} trial(s) more than 1 % of the seconds saw no I/O at all: "
            f"{', '.join(found.stalled[:6])}."
        )


def of_baseline(baseline: str | None, model: Fit, labels: Mapping[str, str]) -> Iterable[str]:
    """Why there is no gain where one was asked for."""
    if baseline is not None and baseline not in model.points:
        yield f"The baseline, {labels[baseline]}, has no result here, so no gain over it can be given."


def throttled_latency() -> str:
    """Why latencies under the lab's throttle mean nothing."""
    return (
        "The lab's throttle makes I/Os wait for their turn: latencies are those of the throttle, not of any storage. "
        "Do not compare them."
    )


def _commits(objective: Objective, observations: Sequence[ObservationRow]) -> Iterable[str]:
    """What a latency is of where a workload syncs."""
    workload, (direction, column) = objective.workload, parts(objective.metric)
    if not syncs(observations, workload) or objective.metric in RATES:
        return
    if objective.written is not None:
        yield (
            f"The workload syncs, so {objective.written} is read as {objective.metric}: from the start of a write to "
            f"the end of the sync that makes it durable. write_{column} and sync_{column} are the parts."
        )
    elif direction != COMMIT:
        yield (
            f"The workload syncs, and {objective.metric} is a part only of what a commit takes: "
            f"{as_measured(column, observations, workload)} is write and sync together."
        )


def _few(objective: Objective, observations: Iterable[ObservationRow]) -> Iterable[str]:
    """A percentile of so few I/Os that it is their slowest."""
    direction, column = parts(objective.metric)
    share = PERCENTILES.get(column)
    counts = [
        row.ios for row in observations if row.workload == objective.workload and direction in {None, row.direction}
    ]
    if share is not None and counts and direction is not None and min(counts) * (1 - share) < 1:
        least = math.ceil(1 / (1 - share))
        yield (
            f"The {metric_name(objective.metric)} of a run with {min(counts)} {direction}s is its slowest one: "
            f"a run needs {least} of them for more."
        )


def _split_plot(model: Fit) -> Iterable[str]:
    """What trials shared, and what differences are therefore judged by."""
    if not model.components:
        return
    noise = pct(100 * math.sqrt(math.expm1(model.sd**2)))
    shared = " and ".join(f"{each.plots} {each.name}s" for each in model.components)
    errors = "; ".join(
        f"{pct(100 * math.sqrt(math.expm1(each.sd**2)))} between {each.name}s that were built alike ({each.df} degrees "
        "of freedom)"
        for each in model.components
    )
    what = {"array": "RAID level, disks, chunk, raid10 layout", "filesystem": "filesystem and its options"}
    judged = "; ".join(f"{what[each.name]} by the error of {each.name}s" for each in model.components)
    yield (
        f"SPLIT-PLOT ORDER: the {len(model.responses)} trials shared {shared}. Differences are not judged by the noise "
        f"within them ({noise}) alone, but {judged}: {errors}. Every interval takes the fewest degrees of freedom "
        f"({model.df}), so those between points of one array are wider than they need be."
    )


def _missing(model: Fit, labels: Mapping[str, str], without: Sequence[str]) -> Iterable[str]:
    """Trials and figures that are not there."""
    if without:
        yield f"{len(without)} trial(s) have no such figure, or a zero, and are left out: {', '.join(without)}."
    few = [point for point, count in zip(model.points, model.counts, strict=True) if count < model.blocks]
    if few:
        names = ", ".join(labels[point] for point in few[:6] if point in labels)
        more = f" and {len(few) - 6} more" if len(few) > 6 else ""
        yield (
            f"{len(few)} point(s) have fewer than {model.blocks} trials ({names}{more}): their intervals are wider, "
            "and block differences are estimated from the others."
        )


def _drifting(model: Fit) -> Iterable[str]:
    """Drift inside the blocks."""
    found = drift(model)
    if found is not None and found.found:
        yield (
            f"The figures drift by {signed_pct(found.change_pct)} over the run order, beside points and blocks; it is "
            f"shown to be more than {TOLERATED_DRIFT_PCT:g} % (p = {found.p_value:.2g}). The random order spreads this "
            "over all points, which makes intervals wider and not wrong; find the cause (temperature, filling up, "
            "another load) before you rely on small differences."
        )


def _standing_apart(model: Fit, labels: Mapping[str, str]) -> Iterable[str]:
    """Trials beyond what noise explains."""
    seen: set[str] = set()
    for each in outliers(model):
        if each.point_id not in seen:
            seen.add(each.point_id)
            yield (
                f"The trials of {labels.get(each.point_id, each.point_id)} differ from each other by far more than the "
                f"others' do (see {each.trial_id}): look at its throughput over time before you trust this point."
            )


def _unseparated(overall: Ranking) -> Iterable[str]:
    """A fastest set that holds most of the points."""
    if len(overall.points) > 3 and len(overall.fastest_set) > len(overall.points) / 2:
        yield (
            f"{len(overall.fastest_set)} of {len(overall.points)} points are in the fastest set: the sweep hardly "
            "separates them. More replicates, or longer runs, would."
        )


def _unpredicted(overall: Ranking) -> Iterable[str]:
    """Points far from what was predicted."""
    far = [
        point
        for point in overall.points
        if point.deviation_pct is not None and abs(point.deviation_pct) > _FAR_FROM_PREDICTION_PCT
    ]
    if far:
        names = "; ".join(f"{point.label} {signed_pct(point.deviation_pct or 0.0)}" for point in far[:6])
        more = f"; and {len(far) - 6} more" if len(far) > 6 else ""
        yield f"More than {pct(_FAR_FROM_PREDICTION_PCT)} off the prediction: {names}{more}."


def _engine_errors(workload: str, observations: Iterable[ObservationRow]) -> Iterable[str]:
    """I/O errors that the engine counted."""
    bad = {row.trial_id for row in observations if row.workload == workload and row.errors}
    if bad:
        yield f"The engine counted I/O errors in {len(bad)} trial(s): {', '.join(sorted(bad))}."


def _compressed(
    workload: str, trials: Sequence[TrialRow], observations: Iterable[ObservationRow], labels: Mapping[str, str]
) -> Iterable[str]:
    """Points whose data were compressed on the way: they are not compared with others by what their disks can do."""
    worst: dict[str, ObservationRow] = {}
    points = {trial.trial_id: trial.point_id for trial in trials}
    for row in observations:
        point = points.get(row.trial_id)
        if row.workload != workload or point is None or not compressed.found(row):
            continue
        if point not in worst or compressed.share(row) < compressed.share(worst[point]):
            worst[point] = row
    if worst:
        named = sorted(worst, key=lambda point: compressed.share(worst[point]))
        each = "; ".join(f"{labels.get(point, point)}: {compressed.words(worst[point])}" for point in named[:6])
        more = f"; and {len(named) - 6} more" if len(named) > 6 else ""
        yield (
            f"THE DATA ARE COMPRESSIBLE OR COMPRESSED, or a cache held them, at {len(worst)} point(s): {each}{more}. "
            "Such a figure holds for data that compress as these do, and for no others."
        )


def _saturated(objective: Objective, observations: Iterable[ObservationRow]) -> Iterable[str]:
    """Percentiles beyond what the histogram tells apart."""
    direction, column = parts(objective.metric)
    least = {
        row.trial_id
        for row in observations
        if row.workload == objective.workload
        and direction in {None, row.direction}
        and is_least(column, getattr(row, column, None) or 0)
    }
    if least:
        yield (
            f"{objective.metric} of {len(least)} trial(s) lies in the last bucket of the histogram, which holds all "
            f"that is longer: it is {figure(objective.metric, LAST_BUCKET_NS)}, and so is what is computed of it. Do "
            "not rank by it."
        )


def _wide(
    workload: str, trials: Sequence[TrialRow], observations: Iterable[ObservationRow], labels: Mapping[str, str]
) -> Iterable[str]:
    """Imported runs that count as replicates and lie further apart than replicates do."""
    for each in imported.spreads(trials, [row for row in observations if row.workload == workload]):
        if each.wide:
            yield f"SPREAD at {labels.get(each.point_id) or 'the one point'}: {each.words}."


def _environments(trials: Sequence[TrialRow], described: Mapping[str, EnvironmentRow]) -> Iterable[str]:
    """A warning where the environment changed between trials, with what changed."""
    used = dict.fromkeys(trial.environment_id for trial in sorted(trials, key=lambda trial: trial.started_at_ns))
    if len(used) < 2:
        return
    rows = [described[name] for name in used if name in described]
    changes = dict.fromkeys(
        changed_text(change) for before, after in pairwise(rows) for change in environment_changes(before, after)
    )
    shown = [*changes][:_MOST_CHANGES]
    more = f"; {len(changes) - len(shown)} more" if len(changes) > len(shown) else ""
    what = f" ({'; '.join(shown)}{more})" if shown else ""
    yield (
        f"The trials ran in {len(used)} environments{what}: differences between points may be differences between "
        "environments."
    )


def store_warnings(
    trials: Sequence[TrialRow],
    described: Mapping[str, EnvironmentRow],
    left_out: int,
    without_environment: int,
    set_aside: Sequence[tuple[str, str]],
) -> tuple[str, ...]:
    """Warnings that concern the store as a whole."""
    found = [f"Set aside and not used: {path}: {reason}" for path, reason in set_aside]
    if left_out:
        found.append(
            f"{left_out} trial(s) belong to another protocol (other workloads, data set or lab profile) and are left "
            "out: only like is compared with like."
        )
    found += _environments(trials, described)
    if without_environment:
        found.append(f"{without_environment} trial(s) have lost the description of their environment.")
    if len({trial.substrate for trial in trials}) > 1:
        found.append("The trials ran on more than one kind of substrate: do not compare them.")
    if (dropped := dropped_note(trials)) is not None:
        found.append(dropped)
    for line, count in sorted(_tool_warnings(trials).items()):
        found.append(f"In {count} trial(s): {line}")
    return tuple(found)


def _tool_warnings(trials: Iterable[TrialRow]) -> Mapping[str, int]:
    """What the tools warned of, with the number of trials."""
    counts: dict[str, int] = {}
    for trial in trials:
        for line in set(trial.warnings):
            counts[line] = counts.get(line, 0) + 1
    return counts
