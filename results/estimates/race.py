"""A race in a store: which of its trials count for estimates, and what must be said about it.

Screening picks who goes on by their figures, so those figures are too good (the winner's curse: of 32
configurations with a true spread of 3 % under 5 % noise, the winner of three runs each claims 4.1 % too
much).  Estimates come from the fresh runs of the finalists alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from results.estimates.estimate import NoEvidenceError
from results.estimates.responses import Response
from results.store.schema import TrialRow

SCREENING = "screening"
CONFIRMATION = "confirmation"


def judged(trials: Sequence[TrialRow]) -> tuple[TrialRow, ...]:
    """The trials that estimates are made from: those of confirmation where there is one that is ok."""
    fresh = tuple(trial for trial in trials if trial.phase == CONFIRMATION)
    return fresh if any(trial.status == "ok" for trial in fresh) else tuple(trials)


def refuse_unfinished(trials: Sequence[TrialRow], measured: Sequence[Response], labels: Mapping[str, str]) -> None:
    """Refuse a race that left no two points to compare: the others have results, but no fresh runs.

    Raises:
        NoEvidenceError: a single finalist, or screening alone in which no two points have replicates.
    """
    phases = {trial.phase for trial in judged(trials)}
    raced = len({trial.point_id for trial in trials if trial.status == "ok"})
    runs = Counter(response.point_id for response in measured)
    if phases == {CONFIRMATION} and len(runs) == 1 < raced:
        raise NoEvidenceError(
            f"{labels[measured[0].point_id]} alone of {raced} points was left for the fresh runs of the race, so there "
            "is nothing to compare it with; the others were eliminated, ran out of budget or miss a requirement"
        )
    if SCREENING in phases and sum(1 for count in runs.values() if count > 1) < 2:
        raise NoEvidenceError(
            f"no point of {raced} has fresh runs of the race: either it has not ended, or no point met its "
            "requirements; `stripelab status` says which"
        )


def warnings(trials: Sequence[TrialRow]) -> tuple[str, ...]:
    """What a reader must know of a race; nothing where there was none."""
    screened = [trial for trial in trials if trial.phase == SCREENING]
    fresh = [trial for trial in judged(trials) if trial.phase == CONFIRMATION and trial.status == "ok"]
    if not screened and not fresh:
        return ()
    points = len({trial.point_id for trial in screened})
    if not fresh:
        return (_not_ended(len(screened)),)
    finalists = len({trial.point_id for trial in fresh})
    said = (
        f"A race: {points} points were screened in {len(screened)} trials; every estimate here comes from the "
        f"{len(fresh)} fresh trials of the {finalists} finalists alone, and what is said of the fastest concerns "
        "these. The test that eliminates points loses the best with at most the error rate of the sweep file (5 % "
        "where it says nothing); most of the others dropped out after a few trials for want of budget, which no "
        "error rate covers."
    )
    return (said,)


def _not_ended(screened: int) -> str:
    return (
        f"A RACE WITHOUT FRESH RUNS OF FINALISTS: these are {screened} screening trials, in which points dropped out "
        "for their figures. The estimates of those that are left are too good, and nothing here is a result. Either "
        "the race has not ended, or no point met its requirements: `stripelab status` says which."
    )
