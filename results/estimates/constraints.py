"""Constraints on a recommended point, and which points meet them.

What was measured is uncertain, so a measured figure meets a constraint only where its whole confidence interval does;
a fact, such as the capacity, either meets it or does not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from results.errors import ResultsError
from results.estimates.latencies import as_measured, syncs
from results.store.schema import ObservationRow
from stripelab.constraint import INCONCLUSIVE, MET, NOT_MET, UNMEASURED, Constraint, ConstraintError, parse
from stripelab.metrics import parts


@dataclass(frozen=True)
class Judged:
    """How points meet a constraint, by label: those that do, do not, of which it is not shown, and without a figure."""

    constraint: str
    met: tuple[str, ...]
    not_met: tuple[str, ...]
    not_shown: tuple[str, ...]
    not_measured: tuple[str, ...] = ()


def parsed(text: str) -> Constraint:
    """A constraint from its text.

    Raises:
        ResultsError: the text is not a constraint.
    """
    try:
        return parse(text)
    except ConstraintError as error:
        raise ResultsError(error.problem, remedy=f"{error.hint[0].upper()}{error.hint[1:]}.") from None


def of_workload(
    stated: Sequence[str], wished: Sequence[Constraint], rows: Sequence[ObservationRow], workload: str
) -> tuple[Constraint, ...]:
    """The constraints on a workload: those of the sweep file, and what the reader asks of every workload.

    A plain latency of a workload that syncs is the one of its commits.  A wish about reads, syncs or the like passes by
    the workloads that have none.  What is asked for twice counts once.
    """
    own = [row for row in rows if row.workload == workload]
    there = {row.direction for row in own} | ({"commit"} if syncs(own, workload) else set())
    asked = [each for each in wished if parts(each.metric)[0] in {None, *there}]
    every = (*(parsed(text) for text in stated), *asked)
    named = (replace(each, metric=as_measured(each.metric, own, workload)) for each in every)
    return tuple({(each.metric, each.operator, each.limit): each for each in named}.values())


def summarise(constraint: Constraint, verdicts: Mapping[str, str], labels: Mapping[str, str]) -> Judged:
    """Verdicts by point as lists of labels."""

    def named(verdict: str) -> tuple[str, ...]:
        return tuple(sorted(labels[point] for point, each in verdicts.items() if each == verdict))

    return Judged(constraint.words, named(MET), named(NOT_MET), named(INCONCLUSIVE), named(UNMEASURED))


def meeting(verdicts: Sequence[Mapping[str, str]], points: Sequence[str]) -> list[str]:
    """The points that meet every constraint."""
    return [point for point in points if all(each.get(point) == MET for each in verdicts)]
