"""The sentences of a recommendation, the same on a terminal and in a report."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from results.estimates.constraints import Judged
from results.estimates.effects import Effect
from results.recommendation.answer import STATISTICALLY, Answer, JointAnswer, RankedPoint, Ranking, Recommendation
from stripelab.metrics import figure, metric_name, scale_of
from stripelab.units import capacity, counted, number, pct, signed_pct

_MOST_NAMED = 4
_WORTH_A_WORD_PCT = 0.5
"""Standard deviation between blocks from which it is stated."""


def heading(answer: Answer) -> str:
    """``random-write: IOPS, more is better (fio fio-3.33)``."""
    way = "more is better" if answer.maximise else "less is better"
    return f"{answer.workload}: {metric_name(answer.metric)}, {way} ({answer.engine})"


def objective_name(answer: Answer, answers: Sequence[Answer]) -> str:
    """The workload, with the metric where the workload has several objectives."""
    several = sum(1 for other in answers if other.workload == answer.workload) > 1
    return f"{answer.workload} ({metric_name(answer.metric)})" if several else answer.workload


def value_text(metric: str, value: float) -> str:
    """A figure with its unit; IOPS named."""
    return f"{figure(metric, value)} IOPS" if metric == "iops" else figure(metric, value)


def value_sentence(metric: str, point: RankedPoint, confidence: float) -> str:
    """A point's figure with its interval, and the prediction where there is one; two modes instead of their mean."""
    if point.modes:
        modes = " and ".join(f"{value_text(metric, each.value)} in {pct(each.share_pct)}" for each in point.modes)
        return f"Two modes: {modes} of the seconds; no single figure describes them."
    text = value_text(metric, point.value)
    if point.low is not None and point.high is not None:
        scale, unit = scale_of(metric, point.value)
        ends = f"{number(point.low / scale)} to {number(point.high / scale)} {unit}".rstrip()
        text += f" ({confidence * 100:.0f} % interval {ends}; {point.trials} trials)"
    if point.predicted is not None and point.deviation_pct is not None:
        text += f"; predicted {figure(metric, point.predicted)}, measured {signed_pct(point.deviation_pct)}"
    return f"{text}."


def published_sentence(answer: Answer, ranking: Ranking, confidence: float) -> str:
    """What the choice delivers in the measured blocks, adjusted for selection; empty where that is not known."""
    found = ranking.published
    if found is None:
        return ""
    least = "at least" if answer.maximise else "at most"
    bound = (
        f"{least} {value_text(answer.metric, found.bound)} with {confidence * 100:.0f} % confidence {found.scope} "
        "(adjusted for selection)"
    )
    if found.block_sd_pct >= _WORTH_A_WORD_PCT:
        bound += f"; blocks differ by {pct(found.block_sd_pct)} (standard deviation)"
    value = value_text(answer.metric, found.value)
    if found.same_point:
        return f"Expected: {value}; {bound}."
    return f"{bound[0].upper()}{bound[1:]}. A choice made without one block reached {value} in it."


def best_sentence(answer: Answer, ranking: Ranking) -> str:
    """The point that measured best, where it is not the recommended one; empty else."""
    best, chosen = ranking.points[0], ranking.chosen
    if best.point_id == chosen.point_id or best.modes or chosen.modes:
        return ""
    return (
        f"Best measured: {best.label}, {value_text(answer.metric, best.value)}; the recommended setting measured "
        f"{pct(chosen.of_best_pct)} of that."
    )


def gain_sentence(answer: Answer, ranking: Ranking) -> str:
    """What is gained over the baseline; empty where there is none."""
    chosen = ranking.chosen
    if answer.baseline is None or chosen.gain_pct is None or chosen.gain_at_least_pct is None:
        return ""
    way = "more" if answer.maximise else "less"
    return (
        f"Against the baseline ({answer.baseline}): {signed_pct(chosen.gain_pct)} {way}, at least "
        f"{signed_pct(chosen.gain_at_least_pct)} (for all points at once)."
    )


def default_sentence(answer: Answer, ranking: Ranking) -> str:
    """What is gained over the tools' defaults; empty where that is not known."""
    found = ranking.over_default
    if found is None:
        return ""
    if found.gain_pct is None or found.at_least_pct is None:
        level = ranking.chosen.settings["level"]
        tried = sum(point.settings["level"] == level for point in ranking.points) > 1
        others = "gains more than chance and the margin" if tried else "was tried"
        return f"These are the defaults of mdadm and mkfs for this RAID level: no other setting of it {others}."
    way = "more" if answer.maximise else "less"
    sure = (
        f"at least {signed_pct(found.at_least_pct)}" if found.at_least_pct > 0 else "not shown to be more than chance"
    )
    return f"Against the defaults of mdadm and mkfs ({found.label}): {signed_pct(found.gain_pct)} {way}, {sure}."


def constraint_line(judged: Judged) -> str:
    """How many points meet a requirement, for which that is inconclusive, and which have no figure for it."""
    text = f"{judged.constraint}: met by {counted(len(judged.met), 'point')}, not met by {len(judged.not_met)}"
    for words, labels in (("inconclusive for", judged.not_shown), ("not measured for", judged.not_measured)):
        if labels:
            more = ", ..." if len(labels) > _MOST_NAMED else ""
            text += f", {words} {len(labels)} ({', '.join(labels[:_MOST_NAMED])}{more})"
    return f"{text}."


def sureness(ranking: Ranking, recommendation: Recommendation) -> str:
    """What is known of the tied set, in one sentence or two."""
    statistically = sum(1 for point in ranking.points if point.tied == STATISTICALLY)
    near = len(ranking.fastest_set) - statistically
    sure = f"With {recommendation.confidence * 100:.0f} % confidence"
    of = f"of the {len(ranking.points)} points"
    if len(ranking.points) == 1:
        return "It is the only point, so there is no choice to be sure of."
    if statistically == 1:
        text = f"{sure} {ranking.points[0].label} is the best {of}."
    else:
        text = f"{sure} the best {of} is among {statistically} that are statistically tied."
    if near:
        are = "are" if near > 1 else "is"
        text += f" {near} more {are} behind by no more than {pct(recommendation.margin_pct)}, the practical margin."
    return text


def effect_line(effect: Effect) -> str:
    """A factor's sentence with its share of the variance."""
    if effect.share_pct is None or not effect.significant:
        return effect.sentence
    share = f"{effect.share_pct:.0f} %" if effect.share_pct >= 0.5 else "under 1 %"
    if effect.share is not None:
        share += f" (95 % interval {effect.share.low_pct:.0f} to {effect.share.high_pct:.0f} %)"
    return f"{effect.sentence} Share of the variance among {effect.points} points: {share}."


def safety(disk_failures_survived: int | None, usable_bytes: int | None) -> str:
    """``survives 1 disk failure, 3.0 TiB usable``; empty where neither is known."""
    parts = []
    if disk_failures_survived is not None:
        count = disk_failures_survived
        parts.append(f"survives {count or 'no'} disk failure{'s' if count > 1 else ''}")
    if usable_bytes is not None:
        parts.append(f"{capacity(usable_bytes)} usable")
    return ", ".join(parts)


def joint_lines(joint: JointAnswer, recommendation: Recommendation) -> Iterable[str]:
    """What the stack for all workloads reaches, how sure that is, and why it was chosen."""
    chosen = joint.chosen
    sure = f"{recommendation.confidence * 100:.0f} % confidence, all points and workloads at once"
    if joint.weights:
        weights = ", ".join(f"{name} {weight:g}" for name, weight in joint.weights.items())
        yield (
            f"Weighted mean of its shares of each workload's best: {pct(chosen.score_pct)}; at least "
            f"{pct(chosen.at_least_pct)} ({sure}). Weights: {weights}."
        )
    else:
        yield (
            f"It measured {pct(chosen.score_pct)} or more of every workload's best; at least "
            f"{pct(chosen.at_least_pct)} with {sure}. Its worst workload is {chosen.limited_by}."
        )
    yield from joint_choice(joint, recommendation)
    if joint.assumptions:
        yield f"Bounds and ties assume {'; '.join(joint.assumptions)}."
    safe = safety(chosen.disk_failures_survived, chosen.usable_bytes)
    if safe:
        yield f"It {safe}."
    other = joint.surviving
    if other is not None:
        yield (
            f"Best score among those that survive a disk failure: {other.label}, {pct(other.score_pct)}; add "
            "--require 'survives >= 1' to ask for it."
        )


def joint_choice(joint: JointAnswer, recommendation: Recommendation) -> Iterable[str]:
    """Among how many it was chosen, and which one has the best score where that is another one."""
    best, chosen = joint.points[0], joint.chosen
    tied, of = len(joint.tied), f"of {len(joint.points)} candidates"
    if len(joint.points) == 1:
        yield "It is the only candidate."
        return
    if tied == 1:
        text = f"With {recommendation.confidence * 100:.0f} % confidence {best.label} is the best compromise {of}"
    else:
        text = (
            f"With {recommendation.confidence * 100:.0f} % confidence the best compromise {of} is among {tied} that "
            "are statistically tied"
        )
    yield f"{text}. Chosen because {joint.reason}."
    if best.point_id != chosen.point_id:
        yield f"Best score: {best.label}, {pct(best.score_pct)}."


def joint_title(joint: JointAnswer) -> str:
    """``Recommended for all 3 workloads (survives >= 1): raid10 x4``."""
    named = f" with {'; '.join(joint.requirements)}" if joint.requirements else ""
    return f"Recommended for all {len(joint.workloads)} workloads{named}"
