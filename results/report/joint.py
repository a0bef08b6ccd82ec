"""The stack for all workloads in the report: the card of the first screen, and a chapter of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations, islice

from results.recommendation.answer import Answer, JointAnswer, JointPoint, Recommendation
from results.recommendation.sentences import joint_lines, joint_title, objective_name, safety, value_text
from results.report import drawings, tables
from results.report.detail import Detail
from results.report.first import settings_in_words
from results.report.further import front_table
from results.report.model import Block, Drawing, JointCard, Page
from results.report.tables import Cell, Column, Grid, Links, Traces
from stripelab.metrics import figure, metric_name
from stripelab.units import capacity, counted, pct

ANCHOR = "joint"
_FRONTS = 3
"""Drawings of two workloads against each other."""


def card(found: Recommendation, mark: str) -> JointCard | None:
    """What the first screen says of all workloads together; None where there is but one answer."""
    joint = found.joint
    if joint is None:
        return None
    if joint.refusal:
        return JointCard(title="", label="", refusal=joint.refusal)
    chosen = joint.chosen
    return JointCard(
        title=joint_title(joint),
        label=chosen.label,
        settings=settings_in_words(chosen.settings),
        value=pct(chosen.score_pct),
        unit="of each workload's best, weighted mean" if joint.weights else "or more of every workload's best",
        lines=tuple(joint_lines(joint, found)),
        shares=_shares(joint, found.answers, f"What this stack reaches of each workload's best{mark}"),
        facts=tuple(part for part in safety(chosen.disk_failures_survived, chosen.usable_bytes).split(", ") if part),
        commands=chosen.apply_commands,
    )


def pages(found: Recommendation, links: Sequence[Mapping[str, Links]], shown: Detail, mark: str) -> tuple[Page, ...]:
    """The candidates compared: a drawing of their shares, the ranking, the joint Pareto front; none without them.

    ``links`` are the trials of each point, by answer; every workload of a trial ran on the same stack.
    """
    joint = found.joint
    if joint is None or joint.refusal:
        return ()
    traces = Traces(links[0], shown)
    names = [objective_name(answer, found.answers) for answer in found.answers]
    score = "the weighted geometric mean of the shares" if joint.weights else "the smallest of the shares"
    said = (
        f"Each candidate's figure over the best of each workload, in per cent; the score is {score}. Candidates meet "
        "the requirements of every workload. Bounds hold for all points and workloads at once (Tukey and Kramer's "
        "simultaneous intervals, Bonferroni over the workloads)."
    )
    drawing = Drawing(
        drawings.shares(f"{ANCHOR}-shares", joint, names, virtual=found.virtual),
        f"Shares of each workload's best, {_how_many(joint)}{mark}",
    )
    blocks = [
        Block(lines=(said,), drawing=drawing),
        Block(grid=tables.shortened(_ranking(joint, names, mark), traces.detail.rows, "in stripelab recommend --json")),
        *_front(joint, traces, mark, virtual=found.virtual),
    ]
    if joint.excluded:
        lines = (f"Not candidates: {counted(len(joint.excluded), 'point')}.", "; ".join(joint.excluded[:20]))
        blocks.append(Block(lines=lines))
    return (Page(ANCHOR, "All workloads", tuple(blocks), first=True),)


def _how_many(joint: JointAnswer) -> str:
    shown = min(drawings.MOST_SHARES, len(joint.points))
    return f"the first {shown} of {len(joint.points)} candidates" if shown < len(joint.points) else "all candidates"


def _shares(joint: JointAnswer, answers: Sequence[Answer], caption: str) -> Grid:
    """A row per workload."""
    own = joint.chosen.shares
    columns = {
        Column("workload"): [Cell(name, name) for name in (objective_name(each, answers) for each in answers)],
        Column("metric"): [Cell(metric_name(each.metric), each.metric) for each in own],
        Column("this stack", right=True): [Cell(value_text(each.metric, each.value), each.value) for each in own],
        Column("95 % interval", right=True): [
            Cell("", 0.0)
            if each.low is None or each.high is None
            else Cell(f"{figure(each.metric, each.low)} to {figure(each.metric, each.high)}", each.low)
            for each in own
        ],
        Column("of its best", right=True): [Cell(pct(each.share_pct), each.share_pct) for each in own],
        Column("at least", right=True): [Cell(pct(each.at_least_pct), each.at_least_pct) for each in own],
        Column("best for it alone"): [
            Cell(f"{each.best_label}, {value_text(each.metric, each.best_value)}", each.best_label) for each in own
        ],
    }
    return tables.grid(caption, columns, [""] * len(own))


def _ranking(joint: JointAnswer, names: Sequence[str], mark: str) -> Grid:
    """The candidates by their score."""
    points = joint.points
    score = "weighted share" if joint.weights else "worst share"
    columns: dict[Column, list[Cell]] = {
        Column("point"): [Cell(point.label, point.label) for point in points],
        Column("rank", right=True): [Cell(str(point.rank), point.rank) for point in points],
        Column(score, right=True): [Cell(pct(point.score_pct), point.score_pct) for point in points],
        Column("at least", right=True): [Cell(pct(point.at_least_pct), point.at_least_pct) for point in points],
        Column("at most", right=True): [Cell(pct(point.at_most_pct), point.at_most_pct) for point in points],
    }
    for place, name in enumerate(names):
        own = [point.shares[place].share_pct for point in points]
        columns[Column(name, right=True)] = [Cell(pct(each), each) for each in own]
    columns |= {
        Column("limited by"): [Cell(point.limited_by, point.limited_by) for point in points],
        Column("tied for best"): [Cell(point.tied or "", point.tied or "~") for point in points],
        Column("disk failures survived", right=True): [_survives(point) for point in points],
        Column("usable", right=True): [
            Cell("" if point.usable_bytes is None else capacity(point.usable_bytes), point.usable_bytes or -1)
            for point in points
        ],
        Column("measured on", whole=True): tables.substrates([point.substrate for point in points]),
    }
    kinds = {"statistically": "tied", "within margin": "near"}
    caption = f"Candidates by {score} of each workload's best{mark}"
    return tables.grid(caption, columns, [kinds.get(point.tied or "", "") for point in points])


def _survives(point: JointPoint) -> Cell:
    count = point.disk_failures_survived
    return Cell("", -1) if count is None else Cell(str(count), count)


def _front(joint: JointAnswer, traces: Traces, mark: str, *, virtual: bool) -> list[Block]:
    """The joint Pareto front: workloads against each other two by two, and a table of all objectives."""
    front = joint.front
    if front is None or len(front.metrics) < 2 or not front.points:
        return []
    said = (
        f"{len(front.points)} of {front.of_points} candidates are beaten by no other in every workload, capacity and "
        "redundancy at once. A difference that chance explains counts for neither."
    )
    every = (*front.points, *front.beaten)
    differing = [
        place for place, name in enumerate(front.workloads) if name and len({p.values[place] for p in every}) > 1
    ]
    pairs = list(islice(combinations(differing, 2), _FRONTS))
    drawn = [
        Block(
            drawing=Drawing(
                drawings.front(f"{ANCHOR}-front-{across}-{upward}", front, across, upward, virtual=virtual),
                f"{front.name(across)} and {front.name(upward)}{mark}",
            )
        )
        for across, upward in pairs
    ]
    table = front_table(front, traces, f"Candidates on the joint Pareto front{mark}")
    return [Block(heading="Joint Pareto front", lines=(said,)), *drawn, Block(grid=table)]
