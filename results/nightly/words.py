"""A night in words: the sentences and cells that every form of it shares."""

from __future__ import annotations

import math
from typing import TypeGuard

from results.nightly.answer import (
    DRIFT,
    IMPROVEMENT,
    KNOWN,
    NO_VERDICT,
    OK,
    RECOVERED,
    REGRESSION,
    TONIGHT,
    UNCONFIRMED,
    WORDS,
    Acknowledgement,
    Baseline,
    Nightly,
    Since,
    Verdict,
    Watched,
)
from results.nightly.health import not_read
from results.text import plain
from stripelab.metrics import figure
from stripelab.units import date, duration, pct, signed_pct

UNKNOWN = "\N{EN DASH}"

PLURALS = {
    REGRESSION: "regressions",
    TONIGHT: "slow tonight only",
    DRIFT: "drifts whose cause is not separable",
    UNCONFIRMED: "unconfirmed",
    NO_VERDICT: "without a verdict",
    KNOWN: "known regressions",
    RECOVERED: "recovered",
    IMPROVEMENT: "improvements",
    OK: "ok",
}
SHORT = {DRIFT: "drift"}
"""Where a cell is narrow; every other word is short as it is."""


def headline(night: Nightly) -> str:
    """The whole night in a line, fit for a subject."""
    return f"{plain(night.sweep)}, night of {plain(night.night)}: {outcome(night)}{mark(night)}"


def mark(night: Nightly) -> str:
    """What stands beside every figure that was not measured on real disks; nothing where it was."""
    return " [not real hardware]" if night.notice else ""


def outcome(night: Nightly) -> str:
    """What came of it: ``1 regression, 2 unconfirmed, 5 ok``."""
    if not night.verdicts:
        said = "no metric was judged"
    else:
        said = ", ".join(f"{count} {counted(word, count)}" for word, count in counts(night))
    return said if night.complete else f"{said}; the night is incomplete"


def counted(word: str, count: int) -> str:
    """A verdict after a number."""
    return PLURALS[word] if count != 1 else "drift whose cause is not separable" if word == DRIFT else word


def counts(night: Nightly) -> tuple[tuple[str, int], ...]:
    """How often each verdict was given, those never given left out."""
    return tuple((word, night.count(word)) for word in WORDS if night.count(word))


def known(value: float | None) -> TypeGuard[float]:
    """Whether there is a figure."""
    return value is not None and math.isfinite(value)


def value_text(figure_name: str, value: float | None) -> str:
    """A figure with its unit, or a dash."""
    return plain(figure(figure_name, value)) if known(value) else UNKNOWN


def change_text(verdict: Verdict) -> str:
    """The change with its interval: ``+20 % (+18 % to +22 %)``."""
    if not known(verdict.change_pct):
        return UNKNOWN
    low, high = verdict.change_low_pct, verdict.change_high_pct
    if not known(low) or not known(high):
        return signed_pct(verdict.change_pct)
    return f"{signed_pct(verdict.change_pct)} ({signed_pct(low)} to {signed_pct(high)})"


def figures(verdict: Verdict) -> str:
    """Tonight, baseline, change and margin in one line."""
    name = verdict.metric.figure
    said = (
        f"tonight {value_text(name, verdict.value)}, "
        f"baseline {value_text(name, verdict.baseline_value)}, change {change_text(verdict)}"
    )
    if not known(verdict.margin_pct):
        return said
    return f"{said}, practical margin {pct(verdict.margin_pct)}"


def since_text(since: Since) -> str:
    """Since when, with the interval."""
    between = "" if since.low == since.high else f"between {plain(since.low)} and {plain(since.high)}"
    sure = f"with {pct(since.confidence * 100)} confidence" if known(since.confidence) else ""
    beside = " ".join(part for part in (between, sure) if part)
    return f"since {plain(since.night)}{f' ({beside})' if beside else ''}"


def watched_text(metric_figure: str, watched: Watched) -> str:
    """A stated bound, whether it held, and how often it may be broken."""
    said = {True: "held", False: "broken", None: "not judged"}[watched.held]
    often = f"expected in {pct(watched.expected_share * 100)} of nights" if known(watched.expected_share) else ""
    value = f"tonight {value_text(metric_figure, watched.value)}"
    return f"guarantee {said}: {plain(watched.text)}; {value}{f'; a break is {often}' if often else ''}"


def broken(night: Nightly) -> tuple[tuple[Verdict, Watched], ...]:
    """Every stated bound that the night did not keep."""
    return tuple((each, bound) for each in night.verdicts for bound in each.watched if bound.held is False)


def noteworthy(verdict: Verdict) -> bool:
    """Whether a reader should see more than the figures: every verdict but ok, and ok after a look."""
    return verdict.word != OK or verdict.screened


def acknowledged_text(known_by: Acknowledgement) -> str:
    """Who knows of a regression: ``acknowledged until 2026-12-31: new firmware is ordered (OPS-17)``."""
    why = plain(known_by.reason.strip())
    ticket = plain(known_by.ticket.strip())
    beside = f"{why} ({ticket})" if why and ticket else why or ticket
    return f"acknowledged until {plain(known_by.until)}{f': {beside}' if beside else ''}"


def details(verdict: Verdict) -> tuple[str, ...]:
    """Everything beside the figures, a sentence a line."""
    lines = [plain(verdict.reason)] if verdict.reason else []
    if verdict.acknowledged is not None:
        lines.append(acknowledged_text(verdict.acknowledged))
    if verdict.since is not None:
        lines.append(since_text(verdict.since))
    if verdict.disks:
        lines.append(f"slower than their peers: {', '.join(map(plain, verdict.disks))}")
    return (*lines, *(watched_text(verdict.metric.figure, each) for each in verdict.watched))


def baseline_text(baseline: Baseline) -> str:
    """What nights are compared with, since when, and why."""
    nights = f"{baseline.nights} night{'' if baseline.nights == 1 else 's'}"
    return f"{plain(baseline.name)}, {nights}, set {date(baseline.set_at_ns)}: {plain(baseline.reason)}"


def facts(night: Nightly) -> tuple[tuple[str, str], ...]:
    """What the night was, as names and values."""
    found = [
        ("sweep", plain(night.sweep)),
        ("night", plain(night.night)),
        ("host", plain(night.hostname)),
        ("store", plain(night.store)),
        ("started", date(night.started_at_ns)),
    ]
    if known(night.duration_s):
        found.append(("took", duration(night.duration_s)))
    if night.baseline is not None:
        found.append(("baseline", baseline_text(night.baseline)))
    if night.substrates:
        found.append(("measured on", ", ".join(map(plain, night.substrates))))
    warm = [each.temperature_c for each in night.health if known(each.temperature_c)]
    if warm:
        found.append(
            ("disk temperature", " to ".join(dict.fromkeys(f"{each:.0f} °C" for each in (min(warm), max(warm)))))
        )
    return (*found, *(("not known", plain(line)) for line in not_read(night.health)))


def rows(verdicts: tuple[Verdict, ...]) -> tuple[tuple[str, ...], ...]:
    """A table of verdicts; the columns are those of :data:`HEADERS`."""
    return tuple(
        (
            SHORT.get(verdict.word, verdict.word),
            plain(verdict.metric.name),
            value_text(verdict.metric.figure, verdict.value),
            value_text(verdict.metric.figure, verdict.baseline_value),
            change_text(verdict),
        )
        for verdict in verdicts
    )


HEADERS = ("verdict", "metric", "tonight", "baseline", "change (interval)")
RIGHT = (False, False, True, True, True)
"""Which columns are figures."""
