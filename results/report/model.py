"""The report as a value: every text, table and drawing, before any HTML."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from results import notes, plots
from results.answer import Answer, RankedPoint, Ranking, Recommendation
from results.imported import comparable
from results.objective import Objective
from results.query import StoreFrames
from results.recommend import CONFIDENCE
from results.report import gather, tables
from results.report.methods import Method, methods
from results.report.tables import Grid
from results.responses import responses
from results.schema import IMPORTED, EnvironmentRow, ObservationRow, TrialRow
from results.summary import effect_line, gain_sentence, heading, published_sentence, sureness, value_sentence
from results.units import capacity, date, duration, figure, metric_name, number, pct, scale_of, signed_pct

_MAX_HEAT_MAPS = 10
_MAX_CURVES = 6


@dataclass(frozen=True)
class Verdict:
    """What to use: the big words of the first screen."""

    title: str
    label: str
    settings: tuple[tuple[str, str], ...]
    value: str
    unit: str
    interval: str
    prediction: str
    facts: tuple[str, ...]
    reason: str
    sure: str
    commands: tuple[str, ...]


@dataclass(frozen=True)
class Drawing:
    """An inline SVG and its caption."""

    svg: str
    caption: str


@dataclass(frozen=True)
class Chapter:
    """Everything on one answer."""

    anchor: str
    heading: str
    workload: str
    refusal: str | None
    verdicts: tuple[Verdict, ...]
    effect_lines: tuple[str, ...]
    notes: tuple[str, ...]
    drawings: tuple[Drawing, ...]
    rankings: tuple[Grid, ...]
    effects: Grid | None
    heat_maps: tuple[Drawing, ...]
    heat_maps_left_out: int
    latency_note: str | None
    latency_drawings: tuple[Drawing, ...]
    latency: Grid | None


@dataclass(frozen=True)
class Machine:
    """An environment: facts and disks."""

    facts: tuple[tuple[str, str], ...]
    disks: Grid


@dataclass(frozen=True)
class ReportModel:
    """The whole report."""

    title: str
    date: str
    notice: str | None
    measured: tuple[tuple[str, str], ...]
    measured_line: str
    chapters: tuple[Chapter, ...]
    warnings: tuple[str, ...]
    without_results: tuple[str, ...]
    problems: Grid | None
    trials: Grid
    series_json: str
    series_note: str | None
    machines: tuple[Machine, ...]
    methods: tuple[Method, ...]
    command: str


def build(frames: StoreFrames, found: Recommendation) -> ReportModel:
    """The report of a store that was judged already."""
    observations = frames.observation_rows(histograms=True)
    labels = {point.point_id: point.label for answer in found.answers for point in _listed(answer)}
    every = frames.trial_rows()
    trials = list(comparable(every))
    problems = {problem.trial_id: problem.label for problem in found.problems}
    labels = {trial.point_id: labels.get(trial.point_id) or problems.get(trial.trial_id, "?") for trial in trials}
    series = gather.all_series(frames, found.answers, trials)
    names = {"iops": metric_name("iops"), "bw_bytes_s": metric_name("bw_bytes_s")}
    mark = _mark(found)
    return ReportModel(
        title=found.sweep,
        date=date(found.last_trial_ns),
        notice=found.notice,
        measured=_measured(found),
        measured_line=_measured_line(found),
        chapters=tuple(
            _chapter(place, answer, found, trials, observations) for place, answer in enumerate(found.answers)
        ),
        warnings=(*found.warnings, *(f"Not tested: {line}" for line in found.not_tested)),
        without_results=found.without_results,
        problems=tables.problems(found.problems, f"Trials that failed or do not count{mark}")
        if found.problems
        else None,
        trials=tables.trials(trials, labels, found.answers, _values(found, trials, observations), f"Every trial{mark}"),
        series_json=json.dumps(gather.series_json(series, names), separators=(",", ":"), ensure_ascii=False),
        series_note=_series_note(series),
        machines=tuple(_machine(each, mark) for each in found.environments),
        methods=methods(found),
        command=f"stripelab report {shlex.quote(found.store)} -o report.html",
    )


def _listed(answer: Answer) -> Sequence[RankedPoint]:
    return answer.overall.points if answer.overall else answer.measured


def _mark(found: Recommendation) -> str:
    """What every caption ends with where nothing was measured on real disks."""
    if found.virtual:
        return f" — {plots.VIRTUAL_MARK}"
    return " — IMPORTED, NOT MEASURED BY STRIPELAB" if IMPORTED in found.substrates else ""


def _measured_line(found: Recommendation) -> str:
    """The same in one line."""
    parts = [f"{found.trials_ok} trials of {found.points} points"]
    parts += [
        f"{len(machine.disk_ids)} disks, {', '.join(sorted(set(machine.disk_models)))}"
        for machine in found.environments[:1]
        if machine.disk_ids
    ]
    parts.append(", ".join(tables.substrate_text(each) for each in found.substrates))
    if found.disk_iops_limit is not None:
        parts.append(f"throttled to {found.disk_iops_limit} IOPS per disk")
    return "; ".join(parts)


def _measured(found: Recommendation) -> tuple[tuple[str, str], ...]:
    """What was measured on what, for the first screen."""
    facts = [
        ("Trials", f"{found.trials_ok} ok, {found.trials_failed} failed, {found.trials_invalid} invalid"),
        ("Design", f"{found.points} points in {found.blocks} blocks, varied: {', '.join(found.varied) or 'nothing'}"),
        ("Measured on", ", ".join(tables.substrate_text(each) for each in found.substrates)),
    ]
    for machine in (each for each in found.environments[:1] if each.substrate != IMPORTED):
        models = ", ".join(sorted(set(machine.disk_models)))
        sizes = ", ".join(capacity(size) for size in sorted(set(machine.disk_sizes_bytes)))
        facts.append(("Disks", f"{len(machine.disk_ids)} of {models}, {sizes}"))
        facts.append(("Host", f"{machine.cpu_model}, {machine.cpus} CPUs, kernel {machine.kernel}"))
    limits = []
    if found.disk_iops_limit is not None:
        limits.append(f"{found.disk_iops_limit} IOPS")
    if found.disk_bw_bytes_s_limit is not None:
        limits.append(figure("bw_bytes_s", found.disk_bw_bytes_s_limit))
    if limits:
        facts.append(("Throttle", f"{' and '.join(limits)} per disk, by the lab"))
    facts.append(
        ("When", f"{date(found.first_trial_ns)} to {date(found.last_trial_ns)}, {duration(found.busy_s)} of trials")
    )
    return tuple(facts)


def _chapter(
    place: int,
    answer: Answer,
    found: Recommendation,
    trials: Sequence[TrialRow],
    observations: Sequence[ObservationRow],
) -> Chapter:
    """Everything on one answer."""
    mark = _mark(found)
    name = f"a{place}"
    rankings = answer.rankings
    latency = gather.latency_rows(answer, trials, observations)
    heat_maps = _heat_maps(name, answer, found)
    throttled = found.disk_iops_limit is not None or any(trial.disk_iops_limit is not None for trial in trials)
    return Chapter(
        anchor=name,
        heading=heading(answer),
        workload=answer.workload,
        refusal=answer.refusal or answer.unmet,
        verdicts=_verdicts(answer, rankings, found),
        effect_lines=(
            *(effect_line(effect) for effect in answer.effects),
            *(pair.sentence for pair in answer.pairs if pair.share.low_pct > 0),
        ),
        notes=(*answer.notes, *(f"What to run next: {each.sentence}" for each in answer.next_runs)),
        drawings=_rankings_drawn(name, answer, rankings, found),
        rankings=_ranking_tables(answer, rankings, mark),
        effects=tables.effects(answer.effects, f"Effects on {metric_name(answer.metric)}{mark}")
        if any(effect.comparisons for effect in answer.effects)
        else None,
        heat_maps=heat_maps,
        heat_maps_left_out=len(answer.interactions) - len(heat_maps),
        latency_note=notes.throttled_latency() if throttled and latency else None,
        latency_drawings=_latency_drawn(name, answer, latency, found),
        latency=tables.latency(latency, f"Percentiles of total latency{mark}") if latency else None,
    )


def _ranking_tables(answer: Answer, rankings: Sequence[Ranking], mark: str) -> tuple[Grid, ...]:
    """The rankings, or what was measured where there is no verdict."""
    if answer.refusal:
        caption = f"{answer.workload}: measured, without a verdict{mark}"
        return (tables.ranking(answer.measured, answer.metric, caption),) if answer.measured else ()
    return tuple(
        tables.ranking(ranking.points, answer.metric, f"{answer.workload}: {ranking.title.lower()}{mark}")
        for ranking in rankings
    )


def _verdicts(answer: Answer, rankings: Sequence[Ranking], found: Recommendation) -> tuple[Verdict, ...]:
    """One per ranking; one for both where they recommend the same point."""
    drawn = [_verdict(answer, ranking, found) for ranking in rankings]
    if len(rankings) == 2 and rankings[0].recommended == rankings[1].recommended:
        return (replace(drawn[0], title="Fastest of all, and of those that survive one disk failure"),)
    return tuple(drawn)


def _verdict(answer: Answer, ranking: Ranking, found: Recommendation) -> Verdict:
    """The big words on one ranking."""
    chosen = ranking.chosen
    scale, unit = scale_of(answer.metric, chosen.value)
    interval = ""
    if chosen.low is not None and chosen.high is not None:
        interval = f"{number(chosen.low / scale)} to {number(chosen.high / scale)}"
    prediction = ""
    if chosen.predicted is not None and chosen.deviation_pct is not None:
        prediction = f"predicted {number(chosen.predicted / scale)}, measured {signed_pct(chosen.deviation_pct)}"
    if chosen.modes:
        interval = value_sentence(answer.metric, chosen, CONFIDENCE)
    return Verdict(
        title=ranking.title,
        label=chosen.label,
        settings=tuple((name, str(value)) for name, value in chosen.settings.items() if value not in {None, "default"}),
        value=" / ".join(number(each.value / scale) for each in chosen.modes) or number(chosen.value / scale),
        unit=unit or metric_name(answer.metric),
        interval=interval,
        prediction=prediction,
        facts=_facts(answer, ranking),
        reason=ranking.reason,
        sure=sureness(ranking, found),
        commands=chosen.apply_commands,
    )


def _facts(answer: Answer, ranking: Ranking) -> tuple[str, ...]:
    """Safety, capacity, and how far the chosen point is ahead of the middle and of the last."""
    chosen = ranking.chosen
    facts = [line for line in (published_sentence(answer, ranking, CONFIDENCE), gain_sentence(answer, ranking)) if line]
    if chosen.disk_failures_survived is not None:
        count = chosen.disk_failures_survived
        facts.append(f"survives {count or 'no'} disk failure{'s' if count > 1 else ''}")
    if chosen.usable_bytes is not None:
        facts.append(f"{capacity(chosen.usable_bytes)} usable")
    middle = ranking.points[len(ranking.points) // 2]
    for words, other in (("the median point", middle), ("the last", ranking.points[-1])):
        ratio = chosen.value / other.value if answer.maximise else other.value / chosen.value
        if ratio > 1:
            by = f"{ratio:.1f} times" if ratio >= 2 else f"{pct(100 * (ratio - 1))} better than"
            facts.append(f"{by} {words} tried")
    return tuple(facts)


def _rankings_drawn(
    name: str, answer: Answer, rankings: Sequence[Ranking], found: Recommendation
) -> tuple[Drawing, ...]:
    """The ranking as a plot, the first of the points where there are many."""
    if not rankings:
        return ()
    points = rankings[0].points
    shown = f"the first {plots.MAX_ROWS} of {len(points)} points" if len(points) > plots.MAX_ROWS else "all points"
    svg = plots.ranking(f"{name}-rank", points, answer.metric, virtual=found.virtual)
    return (Drawing(svg, f"{answer.workload}: {shown}, with 95 % intervals{_mark(found)}"),)


def _heat_maps(name: str, answer: Answer, found: Recommendation) -> tuple[Drawing, ...]:
    """Heat maps of the pairs of factors that matter most."""
    weight = {effect.factor: effect.share_pct or 0.0 for effect in answer.effects}
    order = sorted(
        answer.interactions,
        key=lambda table: -(weight.get(table.row_factor, 0.0) + weight.get(table.column_factor, 0.0)),
    )
    values = [cell.value for table in answer.interactions for cell in table.cells]
    return tuple(
        Drawing(
            plots.heat_map(
                f"{name}-heat{number_}",
                table,
                answer.metric,
                (min(values), max(values)),
                maximise=answer.maximise,
                virtual=found.virtual,
            ),
            f"{answer.workload}: {table.row_factor} by {table.column_factor}, brighter is better{_mark(found)}",
        )
        for number_, table in enumerate(order[:_MAX_HEAT_MAPS])
    )


def _latency_drawn(
    name: str, answer: Answer, rows: Sequence[gather.LatencyRow], found: Recommendation
) -> tuple[Drawing, ...]:
    """A distribution per direction: the best point of each RAID level, or the first points of a single level."""
    levels = {point.label: point.settings["level"] for point in _listed(answer)}
    drawn = []
    for direction in sorted({row.direction for row in rows}):
        mine = [row for row in rows if row.direction == direction]
        best = list({levels[row.label]: row for row in reversed(mine)}.values())[::-1]
        shown = (best if len(best) > 1 else mine)[:_MAX_CURVES]
        curves = [plots.LatencyCurve(row.label, row.bins_ns, row.counts) for row in shown]
        which = "the best point of each level" if len(best) > 1 else f"the first {len(shown)} points"
        svg = plots.latency(f"{name}-lat-{direction}", curves, virtual=found.virtual)
        drawn.append(Drawing(svg, f"{answer.workload}, {direction}: {which}{_mark(found)}"))
    return tuple(drawn)


def _values(
    found: Recommendation, trials: Sequence[TrialRow], observations: Sequence[ObservationRow]
) -> Mapping[tuple[str, int], float]:
    """The figure of each trial for each answer."""
    values: dict[tuple[str, int], float] = {}
    for place, answer in enumerate(found.answers):
        objective = Objective(answer.workload, answer.metric, answer.maximise, answer.objective_stated)
        for response in responses(objective, trials, observations)[0]:
            values[response.trial_id, place] = response.value
    return values


def _series_note(series: Sequence[gather.WorkloadSeries]) -> str | None:
    """Says so where seconds were averaged to keep the file small."""
    thinned = [f"{each.workload}: {each.step_s} s" for each in series if each.step_s > 1]
    if not thinned:
        return None
    return f"To keep this file small each point of a line is a mean over several seconds ({'; '.join(thinned)})."


def _machine(row: EnvironmentRow, mark: str) -> Machine:
    """An environment for people."""
    if row.substrate == IMPORTED:
        known = (
            ("Host", row.hostname),
            ("Substrate", tables.substrate_text(row.substrate)),
            ("Programs", ", ".join(row.tools)),
            ("Everything else", "not known: the files do not say"),
            ("Environment", row.environment_id),
        )
        return Machine(known, tables.disks(row, f"Disks{mark}"))
    facts = (
        ("Host", row.hostname),
        ("Substrate", tables.substrate_text(row.substrate)),
        ("Kernel", row.kernel),
        ("System", f"{row.os_release}, {row.architecture}"),
        ("CPU", f"{row.cpu_model}, {row.cpus} online, governor {row.cpu_governor or 'not known'}"),
        ("Memory", capacity(row.memory_bytes)),
        ("Programs", ", ".join(row.tools)),
        ("stripelab", row.stripelab_version),
        ("Environment", row.environment_id),
    )
    return Machine(facts, tables.disks(row, f"Disks{mark}"))
