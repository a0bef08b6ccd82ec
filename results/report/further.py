"""Parts of the report that stand beside the rankings: the front, constraints, member disks, array states."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from results.estimates import states
from results.estimates.constraints import Judged
from results.estimates.pareto import Front, ParetoPoint
from results.recommendation.answer import Answer, Recommendation
from results.report import drawings, tables
from results.report.detail import Detail, link_text
from results.report.model import Block, Drawing, Page
from results.report.tables import Cell, Column, Links
from results.runs.balance import MemberLoad
from results.store.schema import TrialRow
from stripelab.metrics import figure, metric_name, scale_of
from stripelab.units import counted, number, pct


def front_blocks(name: str, answer: Answer, traces: tables.Traces, mark: str, *, virtual: bool) -> tuple[Block, ...]:
    """The Pareto front: a drawing of two objectives and a table of all of them; nothing where there is but one."""
    found = answer.front
    if found is None or len(found.metrics) < 2 or not found.points:
        return ()
    said = (
        f"{len(found.points)} of {found.of_points} points are beaten by no other point in everything at once: "
        f"{', '.join(map(metric_name, found.metrics))}. A difference that chance explains beats nobody. Which of them "
        "to take is a choice of what matters to you."
    )
    axes = _axes(found)
    drawing = None
    if axes is not None:
        svg = drawings.front(f"{name}-front", found, *axes, virtual=virtual)
        across, upward = (metric_name(found.metrics[place]) for place in axes)
        drawing = Drawing(svg, f"{answer.workload}: {across} and {upward} of {found.of_points} points{mark}")
    left_out = tuple(
        f"Not among the objectives: {metric_name(metric)}, {why.strip()}."
        for metric, _, why in (line.partition(":") for line in found.left_out)
    )
    table = front_table(found, traces, f"{answer.workload}: points on the Pareto front{mark}")
    return (Block(lines=(said, *left_out), drawing=drawing), Block(grid=table))


def _axes(found: Front) -> tuple[int, int] | None:
    """The first two objectives in which points differ: one that is the same everywhere has nothing to show."""
    every = (*found.points, *found.beaten)
    differing = [place for place in range(len(found.metrics)) if len({point.values[place] for point in every}) > 1]
    return (differing[0], differing[1]) if len(differing) > 1 else None


def front_table(found: Front, traces: tables.Traces, caption: str) -> tables.Grid:
    """The points on the front, numbered as in the drawing."""
    points = found.points
    columns = {
        Column("point"): [Cell(point.label, point.label) for point in points],
        Column("no.", right=True): [Cell(str(place), place) for place in range(1, len(points) + 1)],
    }
    for place, metric in enumerate(found.metrics):
        better = "more" if found.maximise[place] else "less"
        column = Column(f"{found.name(place)} ({better} is better)", right=True)
        columns[column] = [_objective(metric, point, place) for point in points]
    columns[Column("trials, by block")] = [traces.cell(point.point_id) for point in points]
    return tables.grid(caption, columns, [""] * len(points), [_ids(traces.shown(point.point_id)) for point in points])


def _objective(metric: str, point: ParetoPoint, place: int) -> Cell:
    return Cell(figure(metric, point.values[place]), point.values[place])


def constraint_blocks(answer: Answer, mark: str) -> tuple[Block, ...]:
    """What was required, and how each point meets it."""
    if not answer.constraints:
        return ()
    judged = answer.constraints
    columns = {
        Column("constraint"): [Cell(each.constraint, each.constraint) for each in judged],
        Column("met by", right=True): [Cell(counted(len(each.met), "point"), len(each.met)) for each in judged],
        Column("not met by", right=True): [Cell(f"{len(each.not_met)}", len(each.not_met)) for each in judged],
        Column("inconclusive for", right=True): [
            Cell(f"{len(each.not_shown)}", len(each.not_shown)) for each in judged
        ],
        Column("not measured for", right=True): [
            Cell(f"{len(each.not_measured)}", len(each.not_measured)) for each in judged
        ],
    }
    said = (
        "A measured figure meets a constraint only where its whole interval does; where only a part does, that is "
        "inconclusive."
    )
    summary = tables.grid(f"{answer.workload}: constraints and their outcome{mark}", columns, [""] * len(judged))
    return (
        Block(lines=(said,), grid=summary),
        Block(grid=_by_point(answer.workload, judged, mark), folded="Which point meets what"),
    )


def _by_point(workload: str, judged: Sequence[Judged], mark: str) -> tables.Grid:
    """Each point against each constraint."""
    labels = sorted(
        {label for each in judged for label in (*each.met, *each.not_met, *each.not_shown, *each.not_measured)}
    )
    columns = {Column("point"): [Cell(label, label) for label in labels]}
    for each in judged:
        words = {
            **dict.fromkeys(each.met, "met"),
            **dict.fromkeys(each.not_met, "not met"),
            **dict.fromkeys(each.not_shown, "inconclusive"),
            **dict.fromkeys(each.not_measured, "not measured"),
        }
        columns[Column(each.constraint)] = [Cell(words.get(label, ""), words.get(label, "")) for label in labels]
    kinds = ["tied" if all(label in each.met for each in judged) else "" for label in labels]
    return tables.grid(f"{workload}: points and constraints{mark}", columns, kinds)


def disks_page(
    loads: Sequence[MemberLoad], models: Mapping[str, str], mark: str, shown: Detail, *, virtual: bool
) -> Page | None:
    """Balance of the member disks, the slow one by name; None where the store has no telemetry of disks."""
    if not loads:
        return None
    slow = [load.slow.sentence for load in loads if load.slow is not None]
    verdict = Block(lines=tuple(slow), loud=True) if slow else Block(lines=("No disk is slower than its peers.",))
    said = (
        "From what the kernel counted of each disk while the workloads ran, and from reading each disk on its own "
        "before. A share of 100 % is an even share of the bytes; a disk that is busier than its peers for the same "
        "bytes is the slow one. Shares are those of striped arrays: a mirror may read from any member, and what lies "
        "on which disk of a JBOD is up to the files."
    )
    svg = drawings.balance("disks", loads, virtual=virtual)
    drawing = Drawing(svg, f"How busy each member was, and its share of the bytes{mark}")
    table = _disks_table(loads, models, shown, f"Member disks over all trials{mark}")
    return Page("disks", "Member disks", (verdict, Block(lines=(said,), drawing=drawing), Block(grid=table)))


def _disks_table(loads: Sequence[MemberLoad], models: Mapping[str, str], shown: Detail, caption: str) -> tables.Grid:
    """A row per disk."""
    scale, unit = scale_of("bw_bytes_s", max((load.bytes_s or 0.0 for load in loads), default=1.0))
    columns = {
        Column("disk"): [Cell(load.disk_id, load.disk_id, code=True) for load in loads],
        Column("verdict"): [Cell("SLOW" if load.slow else "keeps up", bool(load.slow)) for load in loads],
        Column("model"): [Cell(models.get(load.disk_id, ""), models.get(load.disk_id, "")) for load in loads],
        Column("alone: random reads/s", right=True): [_or_blank("iops", load.check_iops) for load in loads],
        Column("alone: sequential", right=True): [_or_blank("bw_bytes_s", load.check_bytes_s) for load in loads],
        Column("busy", right=True): [_pct(load.util_pct) for load in loads],
        Column(f"moved, {unit}", right=True): [
            Cell("", -1.0) if load.bytes_s is None else Cell(number(load.bytes_s / scale), load.bytes_s)
            for load in loads
        ],
        Column("of an even share", right=True): [_pct(load.share and 100 * load.share) for load in loads],
        Column("least even trial", right=True): [_worst(load, shown) for load in loads],
        Column("trials", right=True): [Cell(str(load.trials), load.trials) for load in loads],
    }
    return tables.grid(caption, columns, ["bad" if load.slow else "" for load in loads])


def _worst(load: MemberLoad, shown: Detail) -> Cell:
    if load.worst_share is None or load.worst_trial is None:
        return Cell("", -1.0)
    text = pct(100 * load.worst_share)
    return Cell(text, load.worst_share, trials=shown.linked(((text, load.worst_trial),)))


def _or_blank(metric: str, value: float | None) -> Cell:
    return Cell("", -1.0) if value is None else Cell(figure(metric, value), value)


def _pct(value: float | None) -> Cell:
    return Cell("", -1.0) if value is None else Cell(pct(value), value)


def states_page(
    found: Recommendation,
    trials: Sequence[TrialRow],
    values: Mapping[tuple[str, int], float],
    labels: Mapping[str, str],
    mark: str,
    shown: Detail,
) -> Page | None:
    """Array states beside each other, each point's figure in each; None where no trial had an array.

    ``values`` are keyed by trial and by the answer's place, those of trials that do not count included.
    """
    every = states.states(trials)
    if not every:
        return None
    blocks = [Block(grid=_states_table(trials, every, f"States that the workloads met{mark}"))]
    if len(every) == 1:
        said = f"Every array was {every[0]} while its workloads ran; there is nothing to compare."
        return Page("states", "Array states", (Block(lines=(said,)), *blocks))
    for place, answer in enumerate(found.answers):
        own = {trial: value for (trial, of), value in values.items() if of == place}
        table = _beside(answer, trials, own, every, labels, mark, shown)
        if table is not None:
            blocks.append(Block(heading=answer.workload, grid=table))
    said = (
        "The same points while their array was in one state and in another, as geometric means over the trials. Trials "
        "whose array was not as it should have been are invalid: they are in no ranking, and here all the same."
    )
    return Page("states", "Array states", (Block(lines=(said,)), *blocks))


def _states_table(trials: Sequence[TrialRow], every: Sequence[str], caption: str) -> tables.Grid:
    """How many trials met each state."""
    by_state = {state: [trial for trial in trials if states.state_of(trial) == state] for state in every}
    columns = {
        Column("state"): [Cell(state, state) for state in every],
        Column("trials", right=True): [Cell(str(len(own)), len(own)) for own in by_state.values()],
        Column("of them ok", right=True): [
            Cell(str(count), count) for count in (sum(t.status == "ok" for t in own) for own in by_state.values())
        ],
        Column("md array_state"): [_words({trial.array_state_before for trial in own}) for own in by_state.values()],
        Column("md sync_action"): [_words({trial.sync_action_before for trial in own}) for own in by_state.values()],
        Column("initial sync"): [_words({trial.initial_sync for trial in own}) for own in by_state.values()],
    }
    return tables.grid(caption, columns, [""] * len(every))


def _words(values: set[str | None]) -> Cell:
    text = ", ".join(sorted(value for value in values if value))
    return Cell(text, text)


def _beside(
    answer: Answer,
    trials: Sequence[TrialRow],
    values: Mapping[str, float],
    every: Sequence[str],
    labels: Mapping[str, str],
    mark: str,
    shown: Detail,
) -> tables.Grid | None:
    """A row per point that met more than one state, a column per state, and each against the first."""
    known = {(each.point_id, each.state): each for each in states.beside_each_other(trials, values)}
    points = list(dict.fromkeys(point for point, _ in known))
    points = [point for point in points if sum((point, state) in known for state in every) > 1]
    if not points:
        return None
    texts = {trial.trial_id: link_text(trial) for trial in trials}
    columns = {Column("point"): [Cell(labels[point], labels[point]) for point in points]}
    for state in every:
        mine = [known.get((point, state)) for point in points]
        columns[Column(f"{state}: {metric_name(answer.metric)}", right=True)] = [
            Cell("", -1.0) if each is None else Cell(figure(answer.metric, each.value), each.value) for each in mine
        ]
        if state != every[0]:
            first = [known.get((point, every[0])) for point in points]
            columns[Column(f"{state}, of {every[0]}", right=True)] = [
                Cell("", -1.0) if a is None or b is None else _pct(100 * a.value / b.value)
                for a, b in zip(mine, first, strict=True)
            ]
        columns[Column(f"{state}: trials, by block")] = [
            Cell("", 0)
            if each is None
            else tables.traced(shown.linked([(texts[trial], trial) for trial in each.trials]), len(each.trials))
            for each in mine
        ]
    return tables.grid(f"{answer.workload}: states beside each other{mark}", columns, [""] * len(points))


def _ids(links: Links) -> tuple[str, ...]:
    return tuple(trial for _, trial in links)
