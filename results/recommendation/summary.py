"""A recommendation as text: paragraphs and tables, which the terminal shows as it likes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from results.estimates.constraints import Judged
from results.estimates.effects import Effect
from results.estimates.preference_words import tie_rule
from results.recommendation.answer import STATISTICALLY, Answer, RankedPoint, Ranking, Recommendation
from results.store.schema import VIRTUAL_SUBSTRATES
from results.units import capacity, duration, figure, metric_name, number, pct, scale_of, signed_pct

Number = TypeVar("Number", int, float)
_SHOWN = 25
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


def blocks(recommendation: Recommendation) -> list[Block]:
    """The whole recommendation, from the answer to the small print."""
    found: list[Block] = []
    if recommendation.notice:
        found.append(Text(LOUD, (recommendation.notice,)))
    for answer in recommendation.answers:
        found += _refusal(answer) if answer.refusal else _answer(answer, recommendation)
    found += _store(recommendation)
    if recommendation.notice:
        found.append(Text(LOUD, (recommendation.notice,)))
    return found


def _refusal(answer: Answer) -> list[Block]:
    """Why there is no answer, and what was measured."""
    found: list[Block] = [Text(HEADING, (heading(answer),)), Text(LOUD, (answer.refusal or "",))]
    if answer.measured:
        found.append(Text(BODY, ("What was measured, without a verdict:",)))
        found.append(_table(answer.metric, answer.measured[:_SHOWN], ()))
    return [*found, *_next(answer)]


def _next(answer: Answer) -> list[Block]:
    """What to run next."""
    if not answer.next_runs:
        return []
    return [Text(BODY, ("What to run next:", *(f"  - {each.sentence}" for each in answer.next_runs)))]


def _answer(answer: Answer, recommendation: Recommendation) -> list[Block]:
    """One answer: what to use, the ranking, effects, notes, commands."""
    found: list[Block] = [Text(HEADING, (heading(answer),))]
    if answer.unmet:
        found.append(Text(LOUD, (answer.unmet,)))
    rankings = answer.rankings
    found += [Text(BODY, tuple(verdict(answer, ranking, recommendation))) for ranking in rankings]
    overall = rankings[0]
    if answer.constraints:
        found.append(
            Text(BODY, ("Constraints:", *(f"  - {line}" for line in map(constraint_line, answer.constraints))))
        )
    found.append(_table(answer.metric, overall.points[:_SHOWN], overall.fastest_set))
    if len(overall.points) > _SHOWN:
        found.append(Text(BODY, (f"and {len(overall.points) - _SHOWN} more points, which --json and the report list",)))
    for ranking in rankings[1:]:
        found.append(Text(BODY, (f"{ranking.title}, compared with each other alone:",)))
        found.append(_table(answer.metric, ranking.points[:_SHOWN], ranking.fastest_set))
    found += further(answer)
    if answer.effects:
        lines = (f"  - {effect_line(effect)}" for effect in answer.effects)
        found.append(Text(BODY, ("What each factor does:", *lines)))
    shown = [pair.sentence for pair in answer.pairs if pair.significant][:_SHOWN]
    if shown:
        found.append(Text(BODY, ("What factors do together:", *(f"  - {line}" for line in shown))))
    if answer.notes:
        found.append(Text(BODY, ("Mind:", *(f"  - {note}" for note in answer.notes))))
    found += _next(answer)
    titles: dict[str, list[str]] = {}
    for ranking in rankings:
        titles.setdefault(ranking.recommended, []).append(ranking.title.lower())
    firsts = {name: next(each for each in rankings if each.recommended == name) for name in titles}
    for ranking in firsts.values():
        words = " and ".join(titles[ranking.recommended])
        found.append(Text(BODY, (f"To apply {ranking.chosen.label} ({words}):",)))
        found.append(Text(CODE, ranking.chosen.apply_commands or ("(the store has no commands for it)",)))
    return found


def heading(answer: Answer) -> str:
    """``random-write: IOPS, more is better (fio fio-3.33)``."""
    way = "more is better" if answer.maximise else "less is better"
    return f"{answer.workload}: {metric_name(answer.metric)}, {way} ({answer.engine})"


def verdict(answer: Answer, ranking: Ranking, recommendation: Recommendation) -> Iterable[str]:
    """What to use, its figure, why it and not another of the set, and how sure."""
    chosen = ranking.chosen
    yield f"{ranking.title}: {chosen.label}"
    yield f"  {value_sentence(answer.metric, chosen, recommendation.confidence)}"
    for line in (published_sentence(answer, ranking, recommendation.confidence), gain_sentence(answer, ranking)):
        if line:
            yield f"  {line}"
    yield f"  Chosen because {ranking.reason}."
    yield f"  {sureness(ranking, recommendation)}"


def value_sentence(metric: str, point: RankedPoint, confidence: float) -> str:
    """A point's figure with its interval, and the prediction where there is one; two modes instead of their mean."""
    if point.modes:
        modes = " and ".join(f"{_named(metric, each.value)} in {pct(each.share_pct)}" for each in point.modes)
        return f"Two modes: {modes} of the seconds; no single figure describes them."
    text = f"{_named(metric, point.value)}"
    if point.low is not None and point.high is not None:
        scale, unit = scale_of(metric, point.value)
        ends = f"{number(point.low / scale)} to {number(point.high / scale)} {unit}".rstrip()
        text += f" ({confidence * 100:.0f} % interval {ends}; {point.trials} trials)"
    if point.predicted is not None and point.deviation_pct is not None:
        text += f"; predicted {figure(metric, point.predicted)}, measured {signed_pct(point.deviation_pct)}"
    return f"{text}."


def published_sentence(answer: Answer, ranking: Ranking, confidence: float) -> str:
    """What to expect in fresh runs, free of the luck of having been picked; empty where it cannot be said."""
    if ranking.published is None:
        return ""
    least = "at least" if answer.maximise else "at most"
    return (
        f"Expect {_named(answer.metric, ranking.published.value)} in fresh runs, {least} "
        f"{figure(answer.metric, ranking.published.bound)} ({confidence * 100:.0f} % confidence, whichever was picked)."
    )


def gain_sentence(answer: Answer, ranking: Ranking) -> str:
    """What is gained over the baseline; empty where there is none."""
    chosen = ranking.chosen
    if answer.baseline is None or chosen.gain_pct is None or chosen.gain_at_least_pct is None:
        return ""
    way = "more" if answer.maximise else "less"
    return (
        f"Against the baseline ({answer.baseline}): {signed_pct(chosen.gain_pct)} {way}, at least "
        f"{signed_pct(chosen.gain_at_least_pct)} (all points at once)."
    )


def default_sentence(answer: Answer, ranking: Ranking) -> str:
    """What is gained over the tools' defaults; empty where that is not known."""
    found = ranking.over_default
    if found is None:
        return ""
    if found.gain_pct is None or found.at_least_pct is None:
        return (
            "These are the defaults of mdadm and mkfs for this RAID level: nothing else that was tried gains more than "
            "chance and the margin."
        )
    way = "more" if answer.maximise else "less"
    sure = (
        f"at least {signed_pct(found.at_least_pct)}" if found.at_least_pct > 0 else "not shown to be more than chance"
    )
    return f"Against the defaults of mdadm and mkfs ({found.label}): {signed_pct(found.gain_pct)} {way}, {sure}."


def constraint_line(judged: Judged) -> str:
    """How many points meet a constraint, and which are not shown to."""
    text = f"{judged.constraint}: met by {len(judged.met)} points, not met by {len(judged.not_met)}"
    if judged.not_shown:
        text += f", not shown of {len(judged.not_shown)} ({', '.join(judged.not_shown[:4])})"
    return f"{text}."


def further(answer: Answer) -> list[Block]:
    """The front over several objectives, as a table."""
    front = answer.front
    if front is None or len(front.metrics) < 2 or not front.points or answer.overall is None:
        return []
    marks = {point.point_id: point.substrate for point in answer.overall.points}
    virtual = any(mark in VIRTUAL_SUBSTRATES for mark in marks.values())
    rows = tuple(
        (
            point.label,
            *(figure(metric, value) for metric, value in zip(front.metrics, point.values, strict=True)),
            *((marks[point.point_id],) if virtual else ()),
        )
        for point in front.points[:_SHOWN]
    )
    headers = ("point", *(metric_name(metric) for metric in front.metrics), *(("measured on",) if virtual else ()))
    kept = f"{len(front.points)} of {front.of_points} points"
    lines = [f"Several objectives at once: {kept} are beaten by no other in everything (Pareto front):"]
    lines += [f"  not among the objectives: {line}" for line in front.left_out]
    right = tuple(0 < place <= len(front.metrics) for place in range(len(headers)))
    return [Text(BODY, tuple(lines)), Table(headers, rows, right, tuple(False for _ in rows))]


def _named(metric: str, value: float) -> str:
    return f"{figure(metric, value)} IOPS" if metric == "iops" else figure(metric, value)


def sureness(ranking: Ranking, recommendation: Recommendation) -> str:
    """What is known of the fastest set, in one sentence or two."""
    statistically = sum(1 for point in ranking.points if point.tied == STATISTICALLY)
    near = len(ranking.fastest_set) - statistically
    sure = f"With {recommendation.confidence * 100:.0f} % confidence"
    of = f"of the {len(ranking.points)} points"
    if statistically == 1:
        text = f"{sure} {ranking.points[0].label} is truly the fastest {of}."
    else:
        text = f"{sure} the truly fastest {of} is among {statistically} that are statistically tied."
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


def _table(metric: str, points: Sequence[RankedPoint], fastest_set: Sequence[str]) -> Table:
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


def _store(recommendation: Recommendation) -> list[Block]:
    """What all of it rests on, and what went wrong."""
    substrates = ", ".join(recommendation.substrates)
    measured = (
        f"Measured: {recommendation.trials_ok} trials of {recommendation.points} points in {recommendation.blocks} "
        f"blocks, {duration(recommendation.busy_s)}, substrate {substrates}; {recommendation.trials_failed} failed, "
        f"{recommendation.trials_invalid} invalid."
    )
    leader = (
        "The leader of a ranking is measured a little too well, since it was picked for that: what to expect in fresh "
        "runs is said beside it. Confirm it before you promise a figure."
    )
    lines = [measured, f"Ties are broken by: {tie_rule(recommendation.prefer)}.", leader]
    lines += [f"Warning: {warning}" for warning in recommendation.warnings]
    lines += [f"Not tested: {line}" for line in recommendation.not_tested]
    lines += [f"Without any result: {label}" for label in recommendation.without_results]
    lines += [
        f"{problem.status}: {problem.label}, block {problem.block + 1} ({problem.trial_id}): {problem.reason}"
        for problem in recommendation.problems[:_SHOWN]
    ]
    if len(recommendation.problems) > _SHOWN:
        lines.append(f"and {len(recommendation.problems) - _SHOWN} more, which --json and the report list")
    return [Text(HEADING, ("What this rests on",)), Text(BODY, tuple(lines))]
