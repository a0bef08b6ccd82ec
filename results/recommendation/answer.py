"""What a recommendation says: frozen values, ready for the terminal, JSON and the report."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from results.estimates.anova import AnovaRow
from results.estimates.cells import Interaction
from results.estimates.constraints import Judged
from results.estimates.defaults import OverDefault
from results.estimates.effects import Effect
from results.estimates.estimate import POOLED, IntervalChoice
from results.estimates.pareto import Front
from results.estimates.published import Published
from results.estimates.shape import Shape
from results.estimates.shares import PairEffect
from results.runs.within import Mode, Within
from results.store.schema import EnvironmentRow
from stripelab.settings import Setting

STATISTICALLY = "statistically"
WITHIN_MARGIN = "within margin"


@dataclass(frozen=True)
class RankedPoint:
    """A design point in a ranking.

    ``value`` is the geometric mean over the blocks, ``low`` to ``high`` its confidence interval;
    ``of_best_pct`` its share of the best value (best over value where less is better).  ``tied`` is
    "statistically" (it may be the best), "within margin" (it is not, but by no more than the
    practical margin), or None.  ``behind_at_most_pct`` is a bound that holds for all points at once.
    ``gain_pct`` is what the point gains over the baseline, ``gain_at_least_pct`` its lower limit, which
    holds for all points at once.  ``modes`` has two entries where the seconds of its runs fall into two
    modes: then ``value``, their mean, describes neither.  What is not known is None or empty.
    """

    rank: int
    point_id: str
    label: str
    settings: Mapping[str, Setting]
    value: float
    low: float | None
    high: float | None
    trials: int
    of_best_pct: float
    tied: str | None
    behind_at_most_pct: float | None
    substrate: str
    disk_failures_survived: int | None
    usable_bytes: int | None
    predicted: float | None
    deviation_pct: float | None
    apply_commands: tuple[str, ...]
    interval_method: str | None = None
    gain_pct: float | None = None
    gain_at_least_pct: float | None = None
    modes: tuple[Mode, ...] = ()
    tuned_commands: tuple[str, ...] = ()


@dataclass(frozen=True)
class Ranking:
    """Points from best to worst, the fastest set among them, and the one to take from the set.

    ``published`` is what to expect of that one in fresh runs; None where it cannot be said, and where the
    seconds of its runs fall into two modes.  ``over_default`` is what it gains over the same level, disks and
    filesystem as the tools make them; None where that was not measured.
    """

    title: str
    points: tuple[RankedPoint, ...]
    fastest_set: tuple[str, ...]
    recommended: str
    reason: str
    published: Published | None = None
    over_default: OverDefault | None = None

    @property
    def chosen(self) -> RankedPoint:
        """The point to take."""
        return next(point for point in self.points if point.point_id == self.recommended)

    @property
    def fastest(self) -> tuple[RankedPoint, ...]:
        """The points of the fastest set, from best to worst."""
        return tuple(point for point in self.points if point.point_id in self.fastest_set)

    @property
    def lone_best(self) -> RankedPoint | None:
        """The point that is shown to be better than every other; None where several may be the best."""
        tied = [point for point in self.points if point.tied == STATISTICALLY]
        return tied[0] if len(tied) == 1 < len(self.points) else None


@dataclass(frozen=True)
class StratumEvidence:
    """How much an array, or a filesystem, differs when it is built again alike."""

    name: str
    built: int
    noise_pct: float
    df: int


@dataclass(frozen=True)
class Evidence:
    """What an answer rests on: trials, blocks, noise of one trial, degrees of freedom of the intervals.

    ``strata`` are the errors of what trials shared in a split-plot order; empty where they shared nothing.
    ``intervals`` says how the intervals were made, and why so; ``shape`` what the noise looks like.
    """

    trials: int
    blocks: int
    noise_pct: float
    df: int
    critical_value: float
    strata: tuple[StratumEvidence, ...] = ()
    intervals: IntervalChoice = POOLED
    shape: Shape | None = None


@dataclass(frozen=True)
class NextRuns:
    """What to run next: ``blocks`` further blocks of ``points`` make ``trials``; zeros where it is no number."""

    sentence: str
    points: tuple[str, ...] = ()
    blocks: int = 0
    trials: int = 0
    estimated_s: float = 0.0


@dataclass(frozen=True)
class Answer:
    """The answer for one workload and one figure.

    Where ``refusal`` is set the evidence does not reach: ``measured`` then lists what was measured,
    without a verdict, and the rest is empty.  ``constraints`` are judged point by point; ``meeting`` ranks
    the points that meet all of them, and ``unmet`` says why there is none.
    """

    workload: str
    engine: str
    metric: str
    maximise: bool
    objective_stated: bool
    refusal: str | None
    measured: tuple[RankedPoint, ...]
    overall: Ranking | None
    surviving: Ranking | None
    evidence: Evidence | None
    effects: tuple[Effect, ...]
    interactions: tuple[Interaction, ...]
    notes: tuple[str, ...]
    meeting: Ranking | None = None
    constraints: tuple[Judged, ...] = ()
    unmet: str | None = None
    baseline: str | None = None
    pairs: tuple[PairEffect, ...] = ()
    anova: tuple[AnovaRow, ...] = ()
    front: Front | None = None
    within: Within | None = None
    next_runs: tuple[NextRuns, ...] = ()

    @property
    def rankings(self) -> tuple[Ranking, ...]:
        """Every ranking there is, that of the points which meet the constraints first."""
        return tuple(each for each in (self.meeting, self.overall, self.surviving) if each is not None)


@dataclass(frozen=True)
class JointShare:
    """What a stack reaches of one workload's best: its figure, and its share with a simultaneous lower bound.

    ``best_label`` is the point that measured best among those that meet this workload's requirements.
    """

    workload: str
    metric: str
    value: float
    low: float | None
    high: float | None
    share_pct: float
    at_least_pct: float
    best_value: float
    best_label: str


@dataclass(frozen=True)
class JointPoint:
    """A point as the one stack for all workloads.

    ``score_pct`` is its worst share, or with weights the weighted geometric mean of its shares; the bounds hold
    for all points and workloads at once.  ``limited_by`` is the workload of its worst share.  ``tied`` is as in
    :class:`RankedPoint`, and ``shares`` are in the order of the answers.
    """

    rank: int
    point_id: str
    label: str
    settings: Mapping[str, Setting]
    score_pct: float
    at_least_pct: float
    at_most_pct: float
    limited_by: str
    shares: tuple[JointShare, ...]
    tied: str | None
    trials: int
    substrate: str
    disk_failures_survived: int | None
    usable_bytes: int | None
    apply_commands: tuple[str, ...]


@dataclass(frozen=True)
class JointAnswer:
    """One stack for all workloads, or why there is none.

    ``weights`` are by objective; empty where the worst share decides.  ``requirements`` are those of any workload,
    which every one of ``points`` meets; ``excluded`` points do not, or lack a result of some workload.
    ``assumptions`` are those of the models that the bounds come from, as phrases after "assume".
    """

    workloads: tuple[str, ...]
    refusal: str | None
    weights: Mapping[str, float]
    requirements: tuple[str, ...]
    points: tuple[JointPoint, ...] = ()
    excluded: tuple[str, ...] = ()
    recommended: str = ""
    reason: str = ""
    front: Front | None = None
    assumptions: tuple[str, ...] = ()

    @property
    def chosen(self) -> JointPoint:
        """The stack to build."""
        return next(point for point in self.points if point.point_id == self.recommended)

    @property
    def tied(self) -> tuple[JointPoint, ...]:
        """The points that may be the best, from best to worst."""
        return tuple(point for point in self.points if point.tied == STATISTICALLY)

    @property
    def surviving(self) -> JointPoint | None:
        """The best score among points that survive a disk failure; None where the recommended one does, or none."""
        if self.chosen.disk_failures_survived:
            return None
        return next((point for point in self.points if point.disk_failures_survived), None)


@dataclass(frozen=True)
class TrialProblem:
    """A trial that failed or does not count."""

    trial_id: str
    label: str
    block: int
    status: str
    reason: str
    command: str | None


@dataclass(frozen=True)
class Recommendation:
    """Everything that a store says about which settings to use."""

    store: str
    sweep: str
    substrates: tuple[str, ...]
    virtual: bool
    notice: str | None
    confidence: float
    margin_pct: float
    trials_ok: int
    trials_failed: int
    trials_invalid: int
    points: int
    blocks: int
    first_trial_ns: int
    last_trial_ns: int
    busy_s: float
    disk_iops_limit: int | None
    disk_bw_bytes_s_limit: int | None
    initial_sync: tuple[str, ...]
    stripelab_versions: tuple[str, ...]
    answers: tuple[Answer, ...]
    problems: tuple[TrialProblem, ...]
    without_results: tuple[str, ...]
    warnings: tuple[str, ...]
    environments: tuple[EnvironmentRow, ...]
    varied: tuple[str, ...]
    prefer: tuple[str, ...] = ()
    not_tested: tuple[str, ...] = ()
    joint: JointAnswer | None = None

    @property
    def refused(self) -> bool:
        """Whether there is no stack to recommend: for all workloads where there are several."""
        if self.joint is not None:
            return self.joint.refusal is not None
        return all(answer.refusal is not None or answer.unmet is not None for answer in self.answers)

    def to_json(self) -> dict[str, Any]:
        """As plain values for JSON; the fields keep their names."""
        return dataclasses.asdict(self)
