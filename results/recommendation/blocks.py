"""A recommendation as text: blocks of lines and tables, which the terminal shows as it likes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from results.recommendation.answer import JointAnswer, JointPoint, RankedPoint, Recommendation
from results.recommendation.sentences import joint_lines, joint_title, objective_name, value_text
from results.store.schema import VIRTUAL_SUBSTRATES
from stripelab.metrics import metric_name, scale_of
from stripelab.units import capacity, number, pct, signed_pct

Number = TypeVar("Number", int, float)
LOUD = "loud"
HEADING = "heading"
BODY = "body"
CODE = "code"


@dataclass(frozen=True)
class Text:
    """Lines in one style: loud, heading, body or code."""

    style: str
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Table:
    """Cells of text; ``right`` says which columns are numbers, ``marked`` which rows are the answer."""

    headers: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    right: tuple[bool, ...]
    marked: tuple[bool, ...]


Block = Text | Table


def ranking_table(metric: str, points: Sequence[RankedPoint], fastest_set: Sequence[str]) -> Table:
    """A ranking as a table; columns that nobody filled are left out."""
    scale, unit = scale_of(metric, max((point.value for point in points), default=1.0))
    name = f"{metric_name(metric)}, {unit}" if unit else metric_name(metric)
    columns: list[tuple[str, bool, list[str]]] = [
        ("rank", True, [str(point.rank) for point in points]),
        ("point", False, [point.label for point in points]),
        (name, True, [number(point.value / scale) for point in points]),
        ("95 % interval", True, [_interval(point, scale) for point in points]),
        ("of best", True, [pct(point.of_best_pct) for point in points]),
        ("tied", False, [point.tied or "" for point in points]),
        ("trials", True, [str(point.trials) for point in points]),
        ("survives", True, [_or_blank(point.disk_failures_survived, str) for point in points]),
        ("usable", True, [_or_blank(point.usable_bytes, capacity) for point in points]),
        ("measured on", False, [point.substrate if point.substrate in VIRTUAL_SUBSTRATES else "" for point in points]),
        ("predicted", True, [_or_blank(point.predicted, lambda value: number(value / scale)) for point in points]),
        ("off by", True, [_or_blank(point.deviation_pct, signed_pct) for point in points]),
    ]
    kept = [column for column in columns if any(column[2])]
    return Table(
        headers=tuple(column[0] for column in kept),
        rows=tuple(zip(*(column[2] for column in kept), strict=True)),
        right=tuple(column[1] for column in kept),
        marked=tuple(point.point_id in fastest_set for point in points),
    )


def _or_blank(value: Number | None, text: Callable[[Number], str]) -> str:
    return "" if value is None else text(value)


def _interval(point: RankedPoint, scale: float) -> str:
    if point.low is None or point.high is None:
        return ""
    return f"{number(point.low / scale)} to {number(point.high / scale)}"


def joint_blocks(joint: JointAnswer, recommendation: Recommendation, shown: int) -> list[Block]:
    """The answer for all workloads: the stack, what it reaches of each workload, and the best candidates."""
    if joint.refusal:
        return [Text(LOUD, (joint.refusal,))]
    found: list[Block] = [
        Text(HEADING, (f"{joint_title(joint)}: {joint.chosen.label}",)),
        Text(BODY, tuple(joint_lines(joint, recommendation))),
        shares_table(joint, recommendation),
    ]
    if len(joint.points) > 1:
        found.append(candidates_table(joint, shown))
    left_out = len(joint.points) - shown
    notes = [f"Ranked below these: {left_out} more."] if left_out > 0 else []
    if joint.excluded:
        notes.append(
            f"Not candidates, for want of a requirement or of a workload's result: {len(joint.excluded)} of "
            f"{len(joint.points) + len(joint.excluded)} points."
        )
    return [*found, Text(BODY, (" ".join(notes),))] if notes else found


def shares_table(joint: JointAnswer, recommendation: Recommendation) -> Table:
    """A row per workload: the stack's figure, and what it gives up against the workload's own best."""
    answers = recommendation.answers
    rows = []
    for answer, share in zip(answers, joint.chosen.shares, strict=True):
        scale, _ = scale_of(share.metric, share.value)
        ends = (
            ""
            if share.low is None or share.high is None
            else f"{number(share.low / scale)} to {number(share.high / scale)}"
        )
        rows.append(
            (
                objective_name(answer, answers),
                value_text(share.metric, share.value),
                ends,
                pct(share.share_pct),
                pct(share.at_least_pct),
                f"{share.best_label}, {value_text(share.metric, share.best_value)}",
            )
        )
    headers = ("workload", "this stack", "95 % interval", "of its best", "at least", "best for it alone")
    right = (False, True, True, True, True, False)
    return Table(headers, tuple(rows), right, tuple(False for _ in rows))


def candidates_table(joint: JointAnswer, shown: int) -> Table:
    """The candidates by joint score, the chosen one among them."""
    points = listed(joint.points, joint.recommended, shown)
    virtual = any(point.substrate in VIRTUAL_SUBSTRATES for point in points)
    names = [share.workload for share in joint.chosen.shares]
    rows = tuple(
        (
            str(point.rank),
            point.label,
            pct(point.score_pct),
            pct(point.at_least_pct),
            *(pct(share.share_pct) for share in point.shares),
            point.tied or "",
            *((point.substrate,) if virtual else ()),
        )
        for point in points
    )
    score = "weighted share" if joint.weights else "worst share"
    headers = ("rank", "point", score, "at least", *names, "tied", *(("measured on",) if virtual else ()))
    right = (True, False, *(True for _ in range(2 + len(names))), False, *((False,) if virtual else ()))
    return Table(headers, rows, right, tuple(point.point_id == joint.recommended for point in points))


Listed = TypeVar("Listed", RankedPoint, JointPoint)


def listed(points: Sequence[Listed], chosen: str, shown: int) -> list[Listed]:
    """The first points, and the chosen one where it ranks below them."""
    found = list(points[:shown])
    if all(point.point_id != chosen for point in found):
        found += [point for point in points if point.point_id == chosen]
    return found
