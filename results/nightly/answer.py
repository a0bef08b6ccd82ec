"""What a night says of each metric: frozen values, ready for the terminal, CI, dashboards and mail.

The JSON form (RFC 8259) holds all of it; figures that are not finite become null, which everywhere here means
"not known".
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from results.errors import ResultsError
from results.runs.changes import Change
from results.text import encodable
from stripelab.metrics import metric_name
from stripelab.settings import Setting

OK = "ok"
REGRESSION = "regression"
UNCONFIRMED = "unconfirmed"
DRIFT = "drift: cause not separable"
IMPROVEMENT = "improvement"
NO_VERDICT = "no verdict"
KNOWN = "known regression"
TONIGHT = "tonight only"
RECOVERED = "recovered"
WORDS = (REGRESSION, TONIGHT, DRIFT, UNCONFIRMED, NO_VERDICT, KNOWN, RECOVERED, IMPROVEMENT, OK)
"""Every verdict, the one that wants attention most first."""

LAST_NS = 253_402_214_400_000_000_000
"""The last day of which a calendar can speak: 9999-12-31."""

LAST_NIGHT = "9999-12-31"

FORMAT, READ_FORMATS = 2, (1, 2)
"""Version of the JSON form that is written, and those that are read: 2 added the words of confirmed changes."""

REGRESSED_STATUS, KNOWN_STATUS = 1, 20
"""Exit status of a night with a regression, and of one whose regressions are all acknowledged."""


@dataclass(frozen=True, kw_only=True)
class Metric:
    """One figure of one workload on one design point.

    ``figure`` is a column of the observations, its unit last (``iops``, ``bw_bytes_s``, ``lat_p99_ns``);
    ``direction`` is None where directions are added up.
    """

    workload: str
    figure: str
    point_id: str
    label: str
    settings: Mapping[str, Setting]
    direction: str | None = None
    higher_is_better: bool = True

    @property
    def name(self) -> str:
        """Workload, direction, figure and point, for a heading."""
        directed = f"{self.workload} {self.direction}" if self.direction else self.workload
        return f"{directed}, {metric_name(self.figure)}, {self.label}"


@dataclass(frozen=True, kw_only=True)
class Since:
    """When a change began: the first night after it, and the interval of nights that holds it with ``confidence``."""

    night: str
    low: str
    high: str
    confidence: float | None


@dataclass(frozen=True, kw_only=True)
class Watched:
    """A stated bound and whether the night kept it; ``expected_share`` is the share of nights that may break it."""

    text: str
    bound: float | None
    value: float | None
    held: bool | None
    expected_share: float | None


@dataclass(frozen=True, kw_only=True)
class DiskHealth:
    """Temperature (degrees Celsius, the median of the night) and wear of a disk; None where it is not known.

    ``used_pct`` is the share of its rated endurance; ``not_read`` says what could not be read, and why.
    """

    disk_id: str
    temperature_c: float | None = None
    used_pct: int | None = None
    power_on_hours: int | None = None
    media_errors: int | None = None
    reallocated_sectors: int | None = None
    not_read: str | None = None


@dataclass(frozen=True, kw_only=True)
class Confirmed:
    """A change that was confirmed, kept with every later verdict until the recovery is confirmed too.

    ``night`` is the one that confirmed it, ``change_pct`` the change from the baseline then; ``disks`` are the members
    that it rests on where it rests on disks.
    """

    night: str
    change_pct: float
    improvement: bool = False
    disks: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Acknowledgement:
    """A regression that somebody knows about: why, in which ticket, and until which night it is not alerted."""

    until: str
    reason: str = ""
    ticket: str = ""
    set_at_ns: int = 0


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """The verdict on one metric, and what it rests on.

    ``value`` is tonight's figure and ``baseline_value`` the baseline's, in the figure's own unit.
    ``change_pct`` with its interval is signed as the figure moved (more is positive, whichever way is better);
    ``looked`` is the side, worse or better, on which a test was made.  ``margin_pct`` is the practical margin,
    ``screen`` the statistic of the screen, ``pairs`` how many confirmation pairs ran, ``p_value`` that of their test.
    ``disks`` are the members named as slower than their peers.  ``confirmed`` is the change that stands, or that has
    recovered tonight; ``acknowledged`` says who knows of it, also where the acknowledgement has expired.
    What is not known is None.
    """

    metric: Metric
    word: str
    reason: str
    baseline: str | None = None
    value: float | None = None
    baseline_value: float | None = None
    change_pct: float | None = None
    change_low_pct: float | None = None
    change_high_pct: float | None = None
    margin_pct: float | None = None
    screen: float | None = None
    screened: bool = False
    looked: str | None = None
    pairs: int = 0
    p_value: float | None = None
    since: Since | None = None
    disks: tuple[str, ...] = ()
    watched: tuple[Watched, ...] = ()
    confirmed: Confirmed | None = None
    acknowledged: Acknowledgement | None = None


@dataclass(frozen=True, kw_only=True)
class Baseline:
    """What nights are compared with: pinned on a date, for a reason that is kept."""

    name: str
    set_at_ns: int
    reason: str
    nights: int


@dataclass(frozen=True, kw_only=True)
class Nightly:
    """A night: its verdicts, and what changed since the baseline.

    ``health`` is that of the disks, empty in the virtual lab and on loop files, which have none.
    ``night`` is the date (ISO 8601) that names it; ``started_at_ns`` is Unix time.  ``complete`` is False where
    the time budget or a failure ended the night before all trials ran; ``problems`` says why.  ``notice`` is what
    everything starts with that was measured on a virtual or loop substrate.  ``sweep_file`` is the path that was
    given, for findings that CI shows beside a file.
    """

    night: str
    sweep: str
    store: str
    hostname: str
    started_at_ns: int
    duration_s: float | None
    verdicts: tuple[Verdict, ...]
    baseline: Baseline | None = None
    changes: tuple[Change, ...] = ()
    health: tuple[DiskHealth, ...] = ()
    substrates: tuple[str, ...] = ()
    sweep_file: str | None = None
    notice: str | None = None
    complete: bool = True
    problems: tuple[str, ...] = ()
    stripelab_version: str = ""

    @property
    def regressions(self) -> tuple[Verdict, ...]:
        """The verdicts that make the answer "no"."""
        return tuple(verdict for verdict in self.verdicts if verdict.word == REGRESSION)

    @property
    def status(self) -> int:
        """Exit status: 1 where a regression is confirmed, 20 where every one is acknowledged, else 0."""
        if self.regressions:
            return REGRESSED_STATUS
        return KNOWN_STATUS if self.count(KNOWN) else 0

    @property
    def started(self) -> datetime:
        """When the night began, UTC."""
        return datetime.fromtimestamp(self.started_at_ns // 1_000_000_000, UTC)

    def count(self, word: str) -> int:
        """How many metrics got this verdict."""
        return sum(verdict.word == word for verdict in self.verdicts)

    def ordered(self) -> tuple[Verdict, ...]:
        """The verdicts, those that want attention first; within a word as they were measured."""
        return tuple(sorted(self.verdicts, key=lambda verdict: WORDS.index(verdict.word)))

    def to_json(self) -> dict[str, Any]:
        """Plain values for ``--json``, all of which JSON can hold."""
        return {"format": FORMAT, "status": self.status, **_fit(dataclasses.asdict(self))}


def _fit(value: Any) -> Any:
    """The same value with null for figures that are not finite, and bytes of paths that are no text made visible."""
    match value:
        case float():
            return value if math.isfinite(value) else None
        case str():
            return encodable(value)
        case dict():
            return {_fit(name): _fit(inner) for name, inner in value.items()}
        case tuple() | list():
            return [_fit(inner) for inner in value]
        case _:
            return value


def from_json(text: str | bytes) -> Nightly:
    """A night from its JSON form.

    Raises:
        ResultsError: text that is not JSON, or not of this form, or of a newer format.
    """
    import msgspec  # late: `stripelab --help` does not need it

    try:
        plain = msgspec.json.decode(text)
        if not isinstance(plain, dict) or "verdicts" not in plain:
            raise ResultsError("this is no outcome of a night", remedy=_REMEDY)
        if plain.get("format") not in READ_FORMATS:
            raise ResultsError(f"format {plain.get('format')!r} of a night's outcome is not known", remedy=_REMEDY)
        night = msgspec.convert(plain, Nightly)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, OverflowError) as error:
        raise ResultsError(f"this is no outcome of a night: {error}", remedy=_REMEDY) from None
    for time_ns in (night.started_at_ns, night.baseline.set_at_ns if night.baseline else 0):
        if not 0 <= time_ns <= LAST_NS:
            raise ResultsError(f"{time_ns} ns is no time", remedy=_REMEDY)
    unknown = {verdict.word for verdict in night.verdicts} - set(WORDS)
    if unknown:
        raise ResultsError(f"unknown verdict {min(unknown)!r}", remedy=_REMEDY)
    return night


_REMEDY = "Give what `stripelab nightly … --json` printed, by this version of stripelab."
