"""A recommendation on two screens: the answer, the best points, effects, caveats, the next step, the commands."""

from __future__ import annotations

import textwrap
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
from results.recommendation.notes import ASSUMED
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
from stripelab.units import counted

_POINTS = 5
_EFFECTS, _CAVEATS, _STEPS = 4, 6, 2
"""Most of each where there is one workload."""

_EFFECTS_OF_EACH, _CAVEATS_OF_ALL, _STEPS_OF_ALL = 2, 4, 1
"""Most of each where there are several: three workloads fit two screens of 50 lines and 100 columns."""

_ADJUSTED = ", adjusted for all comparisons"
_ON_AVERAGE = " on average"
_NOT_TESTED = 120
"""Most characters of the first limit of what was tested."""


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
    effects = _effects(answer, _EFFECTS if alone else _EFFECTS_OF_EACH)
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
    """For this workload alone, in two lines; the table below has the interval."""
    chosen = ranking.chosen
    value = f"{value_text(answer.metric, chosen.value)}."
    if chosen.modes:
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


def _effects(answer: Answer, most: int) -> list[str]:
    """The significant effects, the largest first, and the names of the others; of a lone factor its sentence."""
    if len(answer.effects) == 1:
        return ["Effects:", f"  - {answer.effects[0].sentence}"]
    significant = [each for each in answer.effects if each.significant]
    separable = [each for each in answer.effects if each.comparisons]
    names = [each.factor for each in separable if each not in significant]
    confounded = [each.factor for each in answer.effects if each not in separable]
    lines = [
        f"  - {each.sentence.replace(_ON_AVERAGE, '').replace(_ADJUSTED + ')', ')')}" for each in significant[:most]
    ]
    rest = len(significant) - most
    if rest > 0:
        lines.append(f"  - and {counted(rest, 'more significant effect')}, shown by --full")
    if names:
        lines.append(f"  - no significant effect: {', '.join(names)}")
    if confounded:
        lines.append(f"  - cannot be separated from other factors: {', '.join(confounded)}")
    return [f"Effects{_ON_AVERAGE}{_ADJUSTED}:", *lines] if lines else []


def _caveats(recommendation: Recommendation) -> list[Block]:
    """What qualifies the answer, each line once, the warnings of the whole store first."""
    answers = recommendation.answers
    lines: dict[str, list[str]] = {}
    for warning in recommendation.warnings:
        lines.setdefault(f"Warning: {warning}", [])
    joint = recommendation.joint
    stated = joint is not None and bool(joint.assumptions)
    for answer in answers:
        for note in answer.notes:
            if stated and note.startswith(ASSUMED):
                continue
            lines.setdefault(note, []).append(objective_name(answer, answers))
    named = [
        text if not names or len(names) == len(answers) else f"{', '.join(names)}: {text}"
        for text, names in lines.items()
    ]
    if recommendation.problems:
        first = recommendation.problems[0]
        named.insert(0, f"The first trial that failed or is invalid: {first.label}: {first.reason}")
    most = _CAVEATS if joint is None else _CAVEATS_OF_ALL
    shown = named[:most]
    if len(named) > most:
        shown.append(f"and {len(named) - most} more, shown by --full")
    if recommendation.not_tested:
        first_limit = textwrap.shorten(recommendation.not_tested[0], _NOT_TESTED, placeholder=" ...")
        shown.append(f"Not tested: {first_limit} ({counted(len(recommendation.not_tested), 'limit')}, shown by --full)")
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
    most = _STEPS if recommendation.joint is None else _STEPS_OF_ALL
    return [Text(BODY, tuple(f"Next step: {line}" for line in named[:most]))]


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
