"""The whole recommendation as text: every ranking, table, effect and note."""

from __future__ import annotations

from collections.abc import Iterable

from results.recommendation.answer import Answer, Ranking, Recommendation
from results.recommendation.blocks import BODY, CODE, HEADING, LOUD, Block, Table, Text, joint_blocks, ranking_table
from results.recommendation.sentences import (
    best_sentence,
    constraint_line,
    default_sentence,
    effect_line,
    gain_sentence,
    heading,
    published_sentence,
    sureness,
    value_sentence,
)
from results.store.schema import VIRTUAL_SUBSTRATES
from stripelab.metrics import figure
from stripelab.preference import tie_rule
from stripelab.units import counted, duration

_SHOWN = 25


def blocks(recommendation: Recommendation) -> list[Block]:
    """Everything, from the answer to what it rests on."""
    found: list[Block] = []
    if recommendation.notice:
        found.append(Text(LOUD, (recommendation.notice,)))
    if recommendation.joint is not None:
        found += joint_blocks(recommendation.joint, recommendation, _SHOWN)
        if not recommendation.joint.refusal:
            found += _commands(recommendation.joint.chosen.label, recommendation.joint.chosen.apply_commands)
    for answer in recommendation.answers:
        found += _refusal(answer) if answer.refusal else _answer(answer, recommendation)
    return [*found, *_basis(recommendation)]


def _refusal(answer: Answer) -> list[Block]:
    """Why there is no answer, and what was measured."""
    found: list[Block] = [Text(HEADING, (heading(answer),)), Text(LOUD, (answer.refusal or "",))]
    if answer.measured:
        found.append(Text(BODY, ("Measured, without a verdict:",)))
        found.append(ranking_table(answer.metric, answer.measured[:_SHOWN], ()))
    return [*found, *_next(answer)]


def _next(answer: Answer) -> list[Block]:
    """What to run next."""
    if not answer.next_runs:
        return []
    return [Text(BODY, ("Next step:", *(f"  - {each.sentence}" for each in answer.next_runs)))]


def _answer(answer: Answer, recommendation: Recommendation) -> list[Block]:
    """One answer: what to use, the rankings, effects, caveats, commands."""
    found: list[Block] = [Text(HEADING, (heading(answer),))]
    if answer.unmet:
        found.append(Text(LOUD, (answer.unmet,)))
    rankings = answer.rankings
    found += [Text(BODY, tuple(_verdict(answer, ranking, recommendation))) for ranking in rankings]
    if answer.constraints:
        found.append(
            Text(BODY, ("Requirements:", *(f"  - {line}" for line in map(constraint_line, answer.constraints))))
        )
    for place, ranking in enumerate(rankings):
        if place:
            found.append(Text(BODY, (f"{ranking.title}, compared with each other alone:",)))
        found.append(ranking_table(answer.metric, ranking.points[:_SHOWN], ranking.fastest_set))
        if len(ranking.points) > _SHOWN:
            found.append(
                Text(BODY, (f"and {len(ranking.points) - _SHOWN} more points: --json and the report list them",))
            )
    found += _front(answer)
    if answer.effects:
        lines = (f"  - {effect_line(effect)}" for effect in answer.effects)
        found.append(Text(BODY, ("Effect of each factor:", *lines)))
    shown = [pair.sentence for pair in answer.pairs if pair.significant][:_SHOWN]
    if shown:
        found.append(Text(BODY, ("Interactions:", *(f"  - {line}" for line in shown))))
    if answer.notes:
        found.append(Text(BODY, ("Caveats:", *(f"  - {note}" for note in answer.notes))))
    found += _next(answer)
    for point_id in dict.fromkeys(ranking.recommended for ranking in rankings):
        chosen = next(each for each in rankings if each.recommended == point_id).chosen
        found += _commands(chosen.label, chosen.apply_commands, chosen.tuned_commands)
    return found


def _commands(label: str, commands: tuple[str, ...], tuned: tuple[str, ...] = ()) -> list[Block]:
    found: list[Block] = [
        Text(BODY, (f"To apply {label}:",)),
        Text(CODE, commands or ("(the store has no commands for it)",)),
    ]
    if tuned:
        found += [Text(BODY, ("Or, where tuned runs, in place of the udev rules:",)), Text(CODE, tuned)]
    return found


def _verdict(answer: Answer, ranking: Ranking, recommendation: Recommendation) -> Iterable[str]:
    """What to use, its figure, why it and not another of the tied, and how sure."""
    chosen, sure = ranking.chosen, recommendation.confidence
    yield f"{ranking.title}: {chosen.label}"
    for line in (
        value_sentence(answer.metric, chosen, sure),
        published_sentence(answer, ranking, sure),
        best_sentence(answer, ranking),
        gain_sentence(answer, ranking) or default_sentence(answer, ranking),
        f"Chosen because {ranking.reason}.",
        sureness(ranking, recommendation),
    ):
        if line:
            yield f"  {line}"


def _front(answer: Answer) -> list[Block]:
    """The Pareto front over several objectives, as a table."""
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
    names = (front.name(place) for place in range(len(front.metrics)))
    headers = ("point", *names, *(("measured on",) if virtual else ()))
    kept = f"{len(front.points)} of {front.of_points} points"
    lines = [f"Pareto front: {kept} are beaten by no other point in every objective at once:"]
    lines += [f"  not among the objectives: {line}" for line in front.left_out]
    right = tuple(0 < place <= len(front.metrics) for place in range(len(headers)))
    return [Text(BODY, tuple(lines)), Table(headers, rows, right, tuple(False for _ in rows))]


def _basis(recommendation: Recommendation) -> list[Block]:
    """What all of it rests on, and what went wrong."""
    lines = [
        basis_sentence(recommendation),
        f"Among settings within the margin the choice is by {tie_rule(recommendation.prefer)}.",
    ]
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


def basis_sentence(recommendation: Recommendation) -> str:
    """How many trials of how many points, where and when."""
    found = recommendation
    without = len(found.without_results)
    lost = f" ({without} more have no result)" if without else ""
    plural = "s" if found.blocks != 1 else ""
    invalid = f"{found.trials_invalid} {'is' if found.trials_invalid == 1 else 'are'} invalid"
    bad = f"; {counted(found.trials_failed, 'trial')} failed, {invalid}" if found.problems else ""
    return (
        f"Measured: {found.trials_ok} trials of {found.points} points{lost} in {found.blocks} "
        f"block{plural}, {duration(found.busy_s)}, "
        f"substrate {', '.join(found.substrates)}{bad}."
    )
