"""What a guarantee says, or why there is none: frozen values, ready for the text, the terminal and JSON."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from results.statistics.steady import Course
from results.store.schema import EnvironmentRow
from stripelab.settings import Setting

DAY, RUN = "day", "run"
"""What a bound counts."""


@dataclass(frozen=True)
class Question:
    """What is asked of a store.

    ``share`` is the share of a run's 1-second intervals, ``confidence`` that of the statement, both
    from 0 to 1; ``coverage`` the share P of future days that is wanted (None: what the days give);
    ``bound`` the figure that must hold, in the metric's own unit (None: the best there is).  ``point``
    names a design point by its id or the beginning of it, None is the recommended one;
    ``chosen_beforehand`` declares that it was fixed before its runs were seen; ``limit_to_day`` asks for a
    statement on the one day on which all runs were made, where ``coverage`` is a share of that day's runs.
    """

    workload: str | None = None
    point: str | None = None
    metric: str | None = None
    direction: str | None = None
    share: float = 0.99
    coverage: float | None = None
    confidence: float = 0.95
    bound: float | None = None
    chosen_beforehand: bool = False
    limit_to_day: bool = False
    demonstration: bool = False


@dataclass(frozen=True)
class Refusal:
    """Why there is no guarantee, and what to do about it; ``kind`` is one word for programs."""

    kind: str
    reason: str
    remedy: str


@dataclass(frozen=True)
class RunFigure:
    """One run: ``bound`` is what the share of its intervals deliver, ``mean`` the mean of all of them."""

    trial_id: str
    block: int
    run_order: int
    started_at_ns: int
    intervals: int
    bound: float
    mean: float
    steady_verdict: str | None


@dataclass(frozen=True)
class DayFigure:
    """One day (a date in UTC): how many runs it has, the worst of their figures, and the mean of their means."""

    date: str
    runs: int
    worst: float
    mean: float


@dataclass(frozen=True)
class Bound:
    """The exact bound: the ``rank``-th worst of ``units`` figures, and the share of future ones that it covers.

    ``unit`` is DAY (each day counts with its worst run; the bound is for ``runs_a_day`` runs of a day) or RUN (all of
    one day).  The units count as ``effective_units`` independent ones, since days resemble the day before with the
    ``correlation``.  ``of_points`` is among how many points the choice was made with these very runs; the chance of
    being wrong was divided by it (Bonferroni).
    """

    value: float
    rank: int
    unit: str
    units: int
    effective_units: float
    correlation: float
    runs: int
    runs_a_day: int
    coverage: float
    confidence: float
    of_points: int


@dataclass(frozen=True)
class Approximate:
    """The normal tolerance bound for ``coverage`` of one day's runs; None where its gate is shut (``refusal``)."""

    coverage: float
    confidence: float
    value: float | None
    refusal: str | None


@dataclass(frozen=True)
class TwoModes:
    """Two groups found over ``runs`` or over the ``seconds`` within them (there as shares of the run's median).

    ``trial_ids`` are the runs of the smaller group, where the groups are of runs.
    """

    where: str
    low: float
    high: float
    low_share: float
    high_share: float
    apart: float
    members: int
    trial_ids: tuple[str, ...]


@dataclass(frozen=True)
class Needed:
    """How many days or runs (``unit``) a ``coverage`` needs, how many more; of runs, about how long those take."""

    coverage: float
    unit: str
    count: int
    more: int
    more_s: float | None


@dataclass(frozen=True)
class Conditions:
    """Under what the statement holds.  None is "not recorded", which a guarantee does not pass.

    ``fill_pct`` is the share of the usable capacity that the data set takes.  ``workload_asked`` is
    the workload with every default; ``warm_up`` what was left out, by a rule fixed in the sweep file.
    """

    point_id: str
    label: str
    settings: Mapping[str, Setting]
    environment: EnvironmentRow | None
    disk_ids: tuple[str, ...]
    build_commands: tuple[str, ...]
    apply_commands: tuple[str, ...]
    initial_sync: str | None
    array_state: str
    workload_asked: Mapping[str, Any] | None
    engine: str
    command: str
    precondition_command: str | None
    warm_up: str
    steady_rule: str
    steady_verdict: str
    course: Course | None
    usable_bytes: int | None
    dataset_bytes: int | None
    fill_pct: float | None
    disk_iops_limit: int | None
    protocol_id: str
    first_run_ns: int
    last_run_ns: int
    stripelab_versions: tuple[str, ...]
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class Guarantee:
    """A statement about future days, or about one day (``limited_to``, its date), or the reasons why there is none.

    ``granted`` says that the statement stands; under a ``watermark`` it is a demonstration and no
    guarantee.  ``met`` answers an asked bound (None: none was asked), and ``misses`` counts the runs
    below it; ``left_out`` the runs of old nights whose seconds were dropped.  Figures are in the unit of
    ``metric``; ``at_least`` says that more is better.
    """

    store: str
    granted: bool
    demonstration: bool
    watermark: str | None
    statement: str | None
    refusals: tuple[Refusal, ...]
    workload: str
    metric: str
    direction: str | None
    at_least: bool
    share: float
    confidence: float
    asked_coverage: float | None
    asked_bound: float | None
    met: bool | None
    misses: int | None
    bound: Bound | None
    approximate: Approximate | None
    modes: tuple[TwoModes, ...]
    conditions: Conditions | None
    runs: tuple[RunFigure, ...]
    days: tuple[DayFigure, ...]
    limited_to: str | None
    left_out: int
    needed: tuple[Needed, ...]

    @property
    def holds(self) -> bool:
        """Whether the answer is yes: granted, and an asked bound is met."""
        return self.granted and self.met is not False

    def to_json(self) -> dict[str, Any]:
        """As plain values for JSON; the fields keep their names, and what is not finite becomes null."""
        plain: dict[str, Any] = _finite(dataclasses.asdict(self))
        return {**plain, "holds": self.holds}


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
