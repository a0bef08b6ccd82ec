"""A recommendation on two screens: the answer, the best points, effects, caveats, the next step, the commands."""

from __future__ import annotations

from collections.abc import Sequence

from results.recommendation.answer import Answer, Ranking, Recommendation
from results.recommendation.blocks import (
    BODY,
    CODE,
    HEADING,
    LOUD,
    Block,
    Table,
    Text,
    joint_blocks,
    listed,
    ranking_table,
)
from results.recommendation.full import basis_sentence
from results.recommendation.sentences import (
    best_sentence,
    constraint_line,
    default_sentence,
    gain_sentence,
    heading,
    objective_name,
    published_sentence,
    sureness,
    value_sentence,
    value_text,
)

_POINTS = 5
_EFFECTS = 4
_CAVEATS = 6
_STEPS = 2


def blocks(recommendation: Recommendation) -> list[Block]:
    """What a reader needs first; :mod:`results.recommendation.full` has the rest."""
    joint = recommendation.joint
    found: list[Block] = []
    if recommendation.notice:
        found.append(Text(LOUD, (recommendation.notice,)))
    if joint is not None:
        found += joint_blocks(joint, recommendation, _POINTS)
    for answer in recommendation.answers:
        found += _answer(answer, recommendation, alone=joint is None)
    found += _caveats(recommendation)
    found += _next_step(recommendation)
    return [*found, *_commands(recommendation)]


def _answer(answer: Answer, recommendation: Recommendation, *, alone: bool) -> list[Block]:
    """One workload: what to use for it alone, the best points, the effects."""
    found: list[Block] = [Text(HEADING, (heading(answer),))]
    if answer.refusal or answer.unmet:
        found.append(Text(LOUD, (answer.refusal or answer.unmet or "",)))
    if answer.refusal:
        return [*found, ranking_table(answer.metric, answer.measured[:_POINTS], ())] if answer.measured else found
    first, *others = answer.rankings
    lines = _verdict(answer, first, recommendation) if alone else _short(answer, first, recommendation)
    lines += [
        f"{ranking.title}: {ranking.chosen.label}, {value_text(answer.metric, ranking.chosen.value)}."
        for ranking in others
        if ranking.recommended != first.recommended
    ]
    if alone:
        lines += [f"Requirement {constraint_line(each)}" for each in answer.constraints]
    shown = listed(first.points, first.recommended, _POINTS)
    found += [Text(BODY, tuple(lines)), _narrow(ranking_table(answer.metric, shown, first.fastest_set))]
    effects = _effects(answer)
    return [*found, Text(BODY, tuple(effects))] if effects else found


def _verdict(answer: Answer, ranking: Ranking, recommendation: Recommendation) -> list[str]:
    """The choice, its figure, and how sure."""
    chosen, sure = ranking.chosen, recommendation.confidence
    lines = (
        f"{ranking.title}: {chosen.label}",
        value_sentence(answer.metric, chosen, sure),
        published_sentence(answer, ranking, sure),
        best_sentence(answer, ranking),
        gain_sentence(answer, ranking) or default_sentence(answer, ranking),
        f"Chosen because {ranking.reason}. {sureness(ranking, recommendation)}",
    )
    return [line for line in lines if line]


def _short(answer: Answer, ranking: Ranking, recommendation: Recommendation) -> list[str]:
    """For this workload alone, in two lines."""
    chosen = ranking.chosen
    value = value_sentence(answer.metric, chosen, recommendation.confidence)
    return [f"{ranking.title} for it alone: {chosen.label}, {value}", sureness(ranking, recommendation)]


def _narrow(table: Table) -> Table:
    """Without the columns that say nothing new of the best points: facts and predictions are in --full."""
    dropped = {"trials", "survives", "usable", "predicted", "off by"}
    kept = [place for place, name in enumerate(table.headers) if name not in dropped]
    return Table(
        tuple(table.headers[place] for place in kept),
        tuple(tuple(row[place] for place in kept) for row in table.rows),
        tuple(table.right[place] for place in kept),
        table.marked,
    )


def _effects(answer: Answer) -> list[str]:
    """The significant effects, the largest first, and the names of the others."""
    significant = [each for each in answer.effects if each.significant]
    names = [each.factor for each in answer.effects if each not in significant]
    lines = [f"  - {each.sentence}" for each in significant[:_EFFECTS]]
    rest = len(significant) - _EFFECTS
    if rest > 0:
        lines.append(f"  - and {rest} more significant effects")
    if names:
        lines.append(f"  - no significant effect shown: {', '.join(names)}")
    return ["Effects:", *lines] if lines else []


def _caveats(recommendation: Recommendation) -> list[Block]:
    """What qualifies the answer, each line once, the warnings of the whole store first."""
    answers = recommendation.answers
    lines: dict[str, list[str]] = {}
    for warning in recommendation.warnings:
        lines.setdefault(f"Warning: {warning}", [])
    for answer in answers:
        for note in answer.notes:
            lines.setdefault(note, []).append(objective_name(answer, answers))
    named = [
        text if not names or len(names) == len(answers) else f"{', '.join(names)}: {text}"
        for text, names in lines.items()
    ]
    if recommendation.problems:
        first = recommendation.problems[0]
        named.insert(
            0, f"{len(recommendation.problems)} trials failed or are invalid; the first: {first.label}: {first.reason}"
        )
    shown = named[:_CAVEATS]
    if len(named) > _CAVEATS:
        shown.append(f"and {len(named) - _CAVEATS} more, shown by --full")
    if recommendation.not_tested:
        more = len(recommendation.not_tested) - 1
        rest = f" And {more} more limits of what was tested, shown by --full." if more else ""
        shown.append(f"Not tested: {recommendation.not_tested[0]}{rest}")
    lines_shown = [basis_sentence(recommendation), *(f"  - {line}" for line in shown)]
    return [Text(HEADING, ("Basis and caveats",)), Text(BODY, tuple(lines_shown))]


def _next_step(recommendation: Recommendation) -> list[Block]:
    """The first thing to run, for each workload that has one."""
    answers = recommendation.answers
    steps: dict[str, list[str]] = {}
    for answer in answers:
        for each in answer.next_runs[:1]:
            steps.setdefault(each.sentence, []).append(objective_name(answer, answers))
    if not steps:
        return []
    named = [text if len(names) == len(answers) else f"{', '.join(names)}: {text}" for text, names in steps.items()]
    return [Text(BODY, tuple(f"Next step: {line}" for line in named[:_STEPS]))]


def _commands(recommendation: Recommendation) -> list[Block]:
    """The commands of the one recommendation; where there is none for all workloads, where to find the others."""
    chosen = _chosen(recommendation)
    if not chosen:
        return []
    label, commands = chosen[0]
    lines = [f"To apply {label}:"]
    found: list[Block] = [Text(BODY, tuple(lines)), Text(CODE, commands or ("(the store has no commands for it)",))]
    return [*found, Text(BODY, ("More: --full (all points, notes and commands), --json, `stripelab report`.",))]


def _chosen(recommendation: Recommendation) -> Sequence[tuple[str, tuple[str, ...]]]:
    """Label and commands of what is recommended, the joint recommendation first."""
    joint = recommendation.joint
    if joint is not None:
        return [] if joint.refusal else [(joint.chosen.label, joint.chosen.apply_commands)]
    return [
        (answer.rankings[0].chosen.label, answer.rankings[0].chosen.apply_commands)
        for answer in recommendation.answers
        if answer.rankings and not answer.unmet
    ]
