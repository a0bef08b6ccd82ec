"""The report of a store: from the recommendation and the rows to the model."""

from __future__ import annotations

import shlex
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace

from results.estimates import race
from results.estimates.objective import Objective
from results.estimates.responses import responses
from results.plotting import inline as plots
from results.plotting.axes import LatencyCurve
from results.recommendation import notes
from results.recommendation.answer import Answer, RankedPoint, Ranking, Recommendation
from results.recommendation.sentences import effect_line, heading
from results.report import detail, embed, first, further, gather, joint, tables, trend
from results.report.methods import methods
from results.report.model import Chapter, Drawing, Embedded, Machine, Page, ReportModel
from results.report.tables import Grid, Links, Traces
from results.runs.balance import member_loads
from results.store.imported import comparable
from results.store.query import StoreFrames
from results.store.schema import IMPORTED, EnvironmentRow, ObservationRow, TrialRow
from stripelab.metrics import figure, metric_name
from stripelab.units import capacity, counted, date

_MAX_HEAT_MAPS = 10
_MAX_CURVES = 6
_MAX_HISTOGRAM_BUCKETS = 120_000
"""Most latency buckets that a report carries for drawing on demand; beyond that those of the first points."""

Values = Mapping[tuple[str, int], float]
"""A trial's figure by trial and the answer's place."""


def build(frames: StoreFrames, found: Recommendation, shown: detail.Detail, pages: Sequence[Page] = ()) -> ReportModel:
    """The report of a store that was judged already; ``pages`` are further chapters, which are made elsewhere."""
    observations = frames.observation_rows(histograms=True)
    trials = list(comparable(frames.trial_rows()))
    detailed = [trial for trial in trials if trial.trial_id in shown.trials]
    labels = _labels(found, trials)
    series = gather.all_series(frames, found.answers, detailed)
    mark = _mark(found)
    values = _values(found, trials, observations)
    latency = [gather.latency_rows(answer, trials, observations, shown) for answer in found.answers]
    links = [_links(place, values, race.judged(tuple(trials))) for place in range(len(found.answers))]
    return ReportModel(
        title=found.sweep,
        date=date(found.last_trial_ns),
        notice=found.notice,
        measured=first.measured(found),
        measured_line=first.measured_line(found),
        chapters=tuple(
            _chapter(
                place,
                answer,
                found,
                trials,
                latency[place],
                tables.Traces(links[place], shown),
                first.load_line(answer.workload, observations),
            )
            for place, answer in enumerate(found.answers)
        ),
        joint=joint.card(found, mark),
        pages=(
            *joint.pages(found, links, shown, mark),
            *pages,
            *_own_pages(frames, found, trials, labels, values, shown),
        ),
        warnings=(*found.warnings, *(f"Not tested: {line}" for line in found.not_tested)),
        without_results=found.without_results,
        problems=_problems(found, shown, mark),
        bad_trials=len(found.problems),
        left_out=shown.said,
        trials=tables.trials(
            detailed, labels, found.answers, values, f"Every trial{mark}" if shown.whole else _some(shown, mark)
        ),
        embedded=Embedded(
            series=embed.series_json(series, {name: metric_name(name) for name in ("iops", "bw_bytes_s")}),
            histograms=embed.histograms_json(_few(found.answers, latency)),
            trials=_ran(found, shown, detailed, labels, observations, values),
        ),
        series_note=_series_note(series),
        machines=tuple(_machine(each, mark) for each in found.environments),
        methods=methods(found),
        command=f"stripelab report {shlex.quote(found.store)}{f' --nights {shown.asked}' if shown.asked else ''} "
        "-o report.html",
    )


def _problems(found: Recommendation, shown: detail.Detail, mark: str) -> Grid | None:
    """The trials that failed or do not count; of very many the newest."""
    if not found.problems:
        return None
    listed = [each for each in found.problems if each.trial_id in shown.problems]
    left = len(found.problems) - len(listed)
    caption = f"Trials that failed or do not count{mark}"
    if left:
        asked = "SELECT * FROM trials WHERE status <> 'ok'"
        caption = f'{caption}; {left:,} older ones are left out: stripelab sql {shlex.quote(found.store)} "{asked}"'
    return tables.problems(listed, caption)


def _ran(
    found: Recommendation,
    shown: detail.Detail,
    trials: Sequence[TrialRow],
    labels: Mapping[str, str],
    observations: Sequence[ObservationRow],
    values: Values,
) -> str:
    """What the trials that are shown built, ran and measured."""
    own = {key: value for key, value in values.items() if key[0] in shown.trials}
    rows = (row for row in observations if row.trial_id in shown.trials)
    return embed.trials_json(trials, labels, rows, _figures(found, own))


def _some(shown: detail.Detail, mark: str) -> str:
    return f"{len(shown.trials):,} of {shown.of:,} trials{mark}"


def _labels(found: Recommendation, trials: Sequence[TrialRow]) -> dict[str, str]:
    """The name of each point, of those without a result too."""
    labels = {point.point_id: point.label for answer in found.answers for point in _listed(answer)}
    problems = {problem.trial_id: problem.label for problem in found.problems}
    for trial in trials:
        if trial.point_id not in labels and trial.trial_id in problems:
            labels[trial.point_id] = problems[trial.trial_id]
    return {trial.point_id: labels.get(trial.point_id, "?") for trial in trials}


def _links(place: int, values: Values, trials: Sequence[TrialRow]) -> dict[str, Links]:
    """The trials that a point's figure rests on, by night and block."""
    found: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for trial in sorted(trials, key=lambda trial: (trial.night or "", trial.block, trial.trial_id)):
        if trial.status == "ok" and (trial.trial_id, place) in values:
            found[trial.point_id].append((detail.link_text(trial), trial.trial_id))
    return {point: tuple(links) for point, links in found.items()}


def _figures(found: Recommendation, values: Values) -> dict[str, list[tuple[str, str]]]:
    """What each trial measured, in words."""
    figures: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for (trial, place), value in values.items():
        answer = found.answers[place]
        figures[trial].append((f"{answer.workload}, {metric_name(answer.metric)}", figure(answer.metric, value)))
    return figures


def _few(
    answers: Sequence[Answer], latency: Sequence[Sequence[gather.LatencyRow]]
) -> dict[str, Sequence[gather.LatencyRow]]:
    """Histograms by workload, as many as the file may carry, the best points first."""
    left = _MAX_HISTOGRAM_BUCKETS
    kept: dict[str, Sequence[gather.LatencyRow]] = {}
    for answer, rows in zip(answers, latency, strict=True):
        own: list[gather.LatencyRow] = []
        for row in rows if answer.workload not in kept else ():
            left -= len(row.bins_ns)
            if left >= 0:
                own.append(row)
        kept.setdefault(answer.workload, own)
    return kept


def _own_pages(
    frames: StoreFrames,
    found: Recommendation,
    trials: Sequence[TrialRow],
    labels: Mapping[str, str],
    values: Values,
    shown: detail.Detail,
) -> tuple[Page, ...]:
    """The chapters on nights, on member disks and on the states of the arrays."""
    mark = _mark(found)
    models = {
        name: model for row in found.environments for name, model in zip(row.disk_ids, row.disk_models, strict=False)
    }
    loads = member_loads(frames, [trial for trial in trials if trial.status == "ok"], found.environments)
    pages = (
        trend.page(frames, mark, virtual=found.virtual) if any(trial.night for trial in trials) else None,
        further.disks_page(loads, models, mark, shown, virtual=found.virtual),
        further.states_page(found, trials, {**_invalid_values(frames, found, trials), **values}, labels, mark, shown),
    )
    return tuple(page for page in pages if page is not None)


def _listed(answer: Answer) -> Sequence[RankedPoint]:
    return answer.overall.points if answer.overall else answer.measured


def _mark(found: Recommendation) -> str:
    """What every caption ends with where nothing was measured on real disks."""
    if found.virtual:
        return f" — {plots.VIRTUAL_MARK}"
    return " — IMPORTED, NOT MEASURED BY STRIPELAB" if IMPORTED in found.substrates else ""


def _chapter(
    place: int,
    answer: Answer,
    found: Recommendation,
    trials: Sequence[TrialRow],
    latency: Sequence[gather.LatencyRow],
    traces: Traces,
    load: str,
) -> Chapter:
    """Everything on one answer."""
    mark = _mark(found)
    name = f"a{place}"
    rankings = answer.rankings
    heat_maps = _heat_maps(name, answer, found)
    throttled = found.disk_iops_limit is not None or any(trial.disk_iops_limit is not None for trial in trials)
    return Chapter(
        anchor=name,
        heading=heading(answer),
        workload=answer.workload,
        load=load,
        refusal=answer.refusal or answer.unmet,
        verdicts=first.verdicts(answer, traces, found),
        effect_lines=(
            *(effect_line(effect) for effect in answer.effects),
            *(pair.sentence for pair in answer.pairs if pair.significant),
        ),
        notes=(*answer.notes, *(f"What to run next: {each.sentence}" for each in answer.next_runs)),
        drawings=_rankings_drawn(name, answer, rankings, found),
        rankings=_ranking_tables(answer, rankings, mark, traces, found.store),
        effects=tables.effects(answer.effects, f"Effects on {metric_name(answer.metric)}{mark}")
        if any(effect.comparisons for effect in answer.effects)
        else None,
        heat_maps=heat_maps,
        heat_maps_left_out=len(answer.interactions) - len(heat_maps),
        front=further.front_blocks(name, answer, traces, mark, virtual=found.virtual),
        constraints=further.constraint_blocks(answer, mark),
        latency_note=notes.throttled_latency() if throttled and latency else None,
        latency_drawings=_latency_drawn(name, answer, latency, found),
        latency=tables.shortened(
            tables.latency(latency, f"Percentiles of total latency{mark}"), traces.detail.rows, _all_points(found.store)
        )
        if latency
        else None,
    )


def _ranking_tables(
    answer: Answer, rankings: Sequence[Ranking], mark: str, traces: Traces, store: str
) -> tuple[Grid, ...]:
    """The rankings, or what was measured where there is no verdict."""
    if answer.refusal:
        caption = f"{answer.workload}: measured, without a verdict{mark}"
        made = [tables.ranking(answer.measured, answer.metric, caption, traces)] if answer.measured else []
    else:
        captions = [f"{answer.workload}: {ranking.title.lower()}{mark}" for ranking in rankings]
        made = [
            tables.ranking(ranking.points, answer.metric, caption, traces)
            for ranking, caption in zip(rankings, captions, strict=True)
        ]
    return tuple(tables.shortened(each, traces.detail.rows, _all_points(store)) for each in made)


def _all_points(store: str) -> str:
    return f"stripelab recommend {shlex.quote(store)} --json has every point"


def _rankings_drawn(
    name: str, answer: Answer, rankings: Sequence[Ranking], found: Recommendation
) -> tuple[Drawing, ...]:
    """The ranking as a plot, the first of the points where there are many."""
    if not rankings:
        return ()
    points, which = rankings[0].points, _which_points(answer, rankings[0], found.points)
    shown = f"the first {plots.MAX_ROWS} of {which}" if len(points) > plots.MAX_ROWS else which
    svg = plots.ranking(f"{name}-rank", points, answer.metric, virtual=found.virtual)
    return (Drawing(svg, f"{answer.workload}: {shown}, with 95 % intervals{_mark(found)}"),)


def _which_points(answer: Answer, ranking: Ranking, measured: int) -> str:
    """The points of a ranking among those with results: ``the 6 points of 20 that meet the requirements``."""
    count = len(ranking.points)
    if ranking is answer.meeting:
        judged = len(answer.overall.points) if answer.overall else measured
        return f"the {counted(count, 'point')} of {judged} that meet{'s' if count == 1 else ''} the requirements"
    if count < measured:
        return f"the {counted(count, 'point')} of {measured} that {'is' if count == 1 else 'are'} ranked"
    return f"all {counted(count, 'point')} with results"


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
        curves = [LatencyCurve(row.label, row.bins_ns, row.counts) for row in shown]
        which = "the best point of each level" if len(best) > 1 else f"the first {len(shown)} points"
        svg = plots.latency(f"{name}-lat-{direction}", curves, virtual=found.virtual)
        drawn.append(Drawing(svg, f"{answer.workload}, {direction}: {which}{_mark(found)}"))
    return tuple(drawn)


def _invalid_values(frames: StoreFrames, found: Recommendation, trials: Sequence[TrialRow]) -> Values:
    """The figures of trials that do not count, for the states of their arrays."""
    invalid = [replace(trial, status="ok") for trial in trials if trial.status == "invalid"]
    return _values(found, invalid, frames.observation_rows(histograms=True, statuses=("invalid",))) if invalid else {}


def _values(found: Recommendation, trials: Sequence[TrialRow], observations: Sequence[ObservationRow]) -> Values:
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
