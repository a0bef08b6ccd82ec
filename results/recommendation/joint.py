"""One stack for all workloads of a sweep: only one host is bought.

The candidates meet the requirements of every workload.  A point's share of a workload's best refers to the
points that meet this workload's own requirements; the score is the worst share, or a weighted geometric mean.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

from results.errors import ResultsError
from results.estimates import constraints, pareto
from results.estimates.joint import Joint, Share, joint, shares
from results.recommendation.answer import (
    STATISTICALLY,
    WITHIN_MARGIN,
    Answer,
    JointAnswer,
    JointPoint,
    JointShare,
    RankedPoint,
)
from results.recommendation.judging import Judgement, Sweep
from results.recommendation.preferences import choose
from results.recommendation.sentences import objective_name
from stripelab.metrics import FACTS
from stripelab.units import counted


def joint_answer(sweep: Sweep, judged: Sequence[Judgement], asked: Mapping[str, float]) -> JointAnswer | None:
    """The stack for all workloads; None where there is but one answer.

    ``asked`` are weights by workload in place of those of the sweep file; empty where those hold.

    Raises:
        ResultsError: a weight is for a workload that the sweep does not have, or some objectives have none.
    """
    answers = [each.answer for each in judged]
    if len(answers) < 2:
        return None
    weights = _weights(judged, asked)
    refusal = _refusal(answers)
    if refusal is not None:
        return _empty(answers, weights, refusal)
    level = 1 - (1 - sweep.confidence) / len(judged)
    by_answer = [_shares(each, level) for each in judged]
    scored = joint(by_answer, list(weights.values()) or None)
    if not scored:
        met = "; ".join(f"{answer.workload}: {counted(len(answer.rankings[0].points), 'point')}" for answer in answers)
        return _empty(answers, weights, f"no point is shown to meet the requirements of every workload ({met})")
    return _answer(sweep, judged, scored, by_answer, weights)


def _weights(judged: Sequence[Judgement], asked: Mapping[str, float]) -> dict[str, float]:
    """The weight of each objective, by its name; empty where the worst share decides."""
    answers = [each.answer for each in judged]
    known = list(dict.fromkeys(answer.workload for answer in answers))
    unknown = sorted(set(asked) - set(known))
    if unknown:
        what = f"{', '.join(unknown)} is not a workload of this sweep"
        raise ResultsError(f"weights: {what}", remedy=f"Give a weight for each of: {', '.join(known)}.")
    found = {
        objective_name(each.answer, answers): asked.get(each.answer.workload) if asked else each.objective.weight
        for each in judged
    }
    weights = {name: weight for name, weight in found.items() if weight is not None}
    if weights and len(weights) < len(found):
        missing = ", ".join(name for name in found if name not in weights)
        raise ResultsError(f"weights: {missing} has none", remedy="Give every objective a weight, or none of them.")
    return weights


def _refusal(answers: Sequence[Answer]) -> str | None:
    """Why no stack can be recommended for all workloads."""
    reasons = [answer.refusal or answer.unmet for answer in answers if answer.refusal or answer.unmet]
    return " ".join(reason for reason in reasons if reason) or None


def _empty(answers: Sequence[Answer], weights: Mapping[str, float], reason: str) -> JointAnswer:
    names = tuple(dict.fromkeys(answer.workload for answer in answers))
    return JointAnswer(names, f"No stack is recommended for all workloads: {reason.rstrip('.')}.", weights, ())


def _shares(judged: Judgement, level: float) -> dict[str, Share]:
    """Shares of the points that meet this workload's requirements."""
    if judged.model is None:  # a refusal, which was dealt with before
        return {}
    meeting = {point.point_id for point in judged.answer.rankings[0].points}
    among = [place for place, point in enumerate(judged.model.points) if point in meeting]
    return shares(judged.model, among, maximise=judged.answer.maximise, confidence=level)


def _answer(
    sweep: Sweep,
    judged: Sequence[Judgement],
    scored: Sequence[Joint],
    by_answer: Sequence[Mapping[str, Share]],
    weights: Mapping[str, float],
) -> JointAnswer:
    """The ranking by joint score and the choice among the points that may be the best."""
    answers = [each.answer for each in judged]
    ranked = [{point.point_id: point for point in answer.rankings[0].points} for answer in answers]
    certain = max(each.at_least_pct for each in scored)
    near = scored[0].pct * (1 - sweep.margin_pct / 100)
    points = []
    for place, each in enumerate(scored, start=1):
        own = [rows[each.point_id] for rows in ranked]
        tied = STATISTICALLY if each.at_most_pct >= certain - 1e-9 else WITHIN_MARGIN if each.pct >= near else None
        found = [
            _share(answer, row, share[each.point_id])
            for answer, row, share in zip(answers, own, by_answer, strict=True)
        ]
        points.append(_point(place, each, own, found, answers, tied))
    unreliable = sweep.unreliable
    # Few trials make wide bounds, under which a point of half the score is tied: preferences choose within the margin.
    candidates = [point for point in points if point.tied is not None and point.score_pct >= near]
    reliable = [point for point in candidates if point.point_id not in unreliable]
    prefer = next((each.objective.prefer for each in judged if each.objective.prefer), sweep.prefer)
    recommended, reason = choose(reliable or candidates, prefer, "settings within the margin of the best score")
    kept = {point.point_id for point in points}
    return JointAnswer(
        workloads=tuple(dict.fromkeys(answer.workload for answer in answers)),
        refusal=None,
        weights=dict(weights),
        requirements=_requirements(sweep, judged),
        points=tuple(points),
        excluded=tuple(sorted(label for point, label in sweep.labels.items() if point not in kept)),
        recommended=recommended.point_id,
        reason=reason,
        front=_front(sweep, judged, points),
        assumptions=tuple(
            dict.fromkeys(each.model.assumption for each in judged if each.model is not None and each.model.assumption)
        ),
    )


def _share(answer: Answer, row: RankedPoint, share: Share) -> JointShare:
    best = answer.rankings[0].points[0]
    return JointShare(
        workload=answer.workload,
        metric=answer.metric,
        value=row.value,
        low=row.low,
        high=row.high,
        share_pct=share.pct,
        at_least_pct=share.at_least_pct,
        best_value=best.value,
        best_label=best.label,
    )


def _point(
    place: int,
    score: Joint,
    own: Sequence[RankedPoint],
    found: Sequence[JointShare],
    answers: Sequence[Answer],
    tied: str | None,
) -> JointPoint:
    """A row of the joint ranking, with the facts that every workload's row has."""
    first = own[0]
    return JointPoint(
        rank=place,
        point_id=score.point_id,
        label=first.label,
        settings=first.settings,
        score_pct=score.pct,
        at_least_pct=score.at_least_pct,
        at_most_pct=score.at_most_pct,
        limited_by=objective_name(answers[score.limited_by], answers),
        shares=tuple(found),
        tied=tied,
        trials=min(row.trials for row in own),
        substrate=first.substrate,
        disk_failures_survived=first.disk_failures_survived,
        usable_bytes=first.usable_bytes,
        apply_commands=first.apply_commands,
    )


def _requirements(sweep: Sweep, judged: Sequence[Judgement]) -> tuple[str, ...]:
    """Every requirement with the workloads that state it; those of the command line hold for all."""
    found: dict[str, list[str]] = {}
    for each in judged:
        for text in each.objective.require:
            found.setdefault(constraints.parsed(text).words, []).append(each.answer.workload)
    shared = [each.words for each in sweep.require]
    lines = [
        words
        if words in shared or len(set(names)) == len({each.answer.workload for each in judged})
        else f"{words} ({', '.join(dict.fromkeys(names))})"
        for words, names in found.items()
    ]
    return (*dict.fromkeys([*lines, *shared]),)


def _front(sweep: Sweep, judged: Sequence[Judgement], points: Sequence[JointPoint]) -> pareto.Front:
    """The candidates that no other beats in every workload, capacity and redundancy together."""
    ids = [point.point_id for point in points]
    axes = [
        axis
        for each in judged
        if each.model is not None
        and (
            axis := pareto.measured_axis(
                each.answer.metric, each.model, ids, maximise=each.answer.maximise, workload=each.answer.workload
            )
        )
        is not None
    ]
    left_out = []
    for metric in FACTS[::-1]:
        values = {point.point_id: getattr(point, metric) for point in points}
        if None in values.values():
            left_out.append(f"{metric}: not known of every point")
        else:
            axes.append(pareto.Axis(metric, maximise=True, values=values))
    return pareto.front(axes, ids, sweep.labels, left_out)


def gives_up_pct(share: JointShare) -> float:
    """What the stack gives up against the workload's own best, per cent."""
    return max(0.0, 100 - share.share_pct)


def parse_weights(texts: Iterable[str]) -> dict[str, float]:
    """``scan=2`` and the like as weights by workload.

    Raises:
        ResultsError: a text is not of this form, or a weight is not a positive number.
    """
    found: dict[str, float] = {}
    for text in texts:
        name, equals, value = text.rpartition("=")
        try:
            weight = float(value)
        except ValueError:
            weight = math.nan
        if not equals or not name or not (0 < weight < math.inf) or name in found:
            raise ResultsError(
                f'weight "{text}" must be WORKLOAD=NUMBER, with a positive number and each workload once',
                remedy="Give one weight for each workload, such as --weight scan=2 --weight oltp=1.",
            )
        found[name] = weight
    return found
