"""A night as text for Prometheus, by way of node_exporter's textfile collector.

The collector reads the older text format (prometheus.io, "Exposition formats") and other scrapers OpenMetrics 1.0
(RFC draft, prometheus/OpenMetrics), so this is both at once: gauges only, base units, no time stamps (the collector
refuses them), ``# EOF`` at the end, which the older format takes for a comment.  What is not known is left out
rather than made zero.

Every series says on which substrate it was measured.  Names and units are those of :data:`FAMILIES`, labels those of
:func:`labels_of`; the dashboard and the alert rules use nothing else.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from results.nightly.answer import WORDS, Metric, Nightly, Verdict
from results.text import plain

PREFIX = "stripelab_nightly"


@dataclass(frozen=True)
class Family:
    """A metric family: its name after the prefix, its unit (the end of the name, or nothing), and its help."""

    name: str
    help: str
    unit: str = ""

    @property
    def full(self) -> str:
        """Name as Prometheus has it."""
        return f"{PREFIX}_{self.name}"


@dataclass
class _Samples:
    """Samples by family, in the order in which they came; a label set that comes twice is kept once."""

    lines: dict[str, dict[str, str]] = field(default_factory=dict)

    def add(self, family: str, labels: Mapping[str, str], value: float | None) -> None:
        if value is None:
            return
        inner = ",".join(f'{name}="{_label(text)}"' for name, text in labels.items())
        self.lines.setdefault(family, {}).setdefault(f"{{{inner}}}", _number(value))


FAMILIES = tuple(
    Family(*each)
    for each in (
        ("started_timestamp_seconds", "When the newest night began, Unix time.", "seconds"),
        ("duration_seconds", "How long the newest night took.", "seconds"),
        ("complete", "1 where every trial of the night ran, 0 where it ended before."),
        ("metrics", "How many metrics got this verdict in the newest night."),
        ("verdict", "1 for the verdict of the metric in the newest night, 0 for every other verdict."),
        ("iops", "I/Os per second in the newest night."),
        ("baseline_iops", "I/Os per second of the baseline."),
        ("bandwidth_bytes_per_second", "Bandwidth in the newest night.", "bytes_per_second"),
        ("baseline_bandwidth_bytes_per_second", "Bandwidth of the baseline.", "bytes_per_second"),
        ("latency_seconds", "Latency in the newest night; the label figure says which.", "seconds"),
        ("baseline_latency_seconds", "Latency of the baseline.", "seconds"),
        ("figure", "Any other figure in the newest night, in the unit its name ends with."),
        ("baseline_figure", "Any other figure of the baseline."),
        ("change_ratio", "Change from the baseline, signed; 0.1 is 10 % more.", "ratio"),
        ("change_low_ratio", "Lower limit of the change.", "ratio"),
        ("change_high_ratio", "Upper limit of the change.", "ratio"),
        ("margin_ratio", "The practical margin: smaller changes are not worth acting on.", "ratio"),
        ("higher_is_better", "1 where more of the figure is better, 0 where less is."),
        ("screen", "Statistic of the screen, without a unit."),
        ("confirmation_pairs", "Interleaved pairs of baseline and tonight that ran."),
        ("p_value", "p value of the confirmation."),
        ("guarantee_held", "1 where the night kept the stated bound, 0 where it broke it."),
        ("guarantee_expected_ratio", "Share of nights that are expected to break the bound.", "ratio"),
        ("changes", "How many things differ from the baseline: kernel, firmware, tools, settings, disks."),
        ("baseline_set_timestamp_seconds", "When the baseline was pinned, Unix time.", "seconds"),
    )
)


def openmetrics(night: Nightly) -> str:
    """The whole text, UTF-8 when it is encoded, ending in ``# EOF``."""
    samples = _Samples()
    _night(samples, night)
    for verdict in night.ordered():
        _verdict(samples, night, verdict)
    return "".join(_written(samples)) + "# EOF\n"


def _written(samples: _Samples) -> Iterator[str]:
    for family in FAMILIES:
        lines = samples.lines.get(family.name)
        if not lines:
            continue
        yield f"# HELP {family.full} {family.help}\n# TYPE {family.full} gauge\n"
        if family.unit:
            yield f"# UNIT {family.full} {family.unit}\n"
        yield from (f"{family.full}{labels} {value}\n" for labels, value in lines.items())


def _night(samples: _Samples, night: Nightly) -> None:
    own = {"sweep": plain(night.sweep), "substrate": substrate(night)}
    samples.add("started_timestamp_seconds", own, night.started_at_ns / 1e9)
    samples.add("duration_seconds", own, night.duration_s)
    samples.add("complete", own, float(night.complete))
    samples.add("changes", own, float(len(night.changes)))
    for word in WORDS:
        samples.add("metrics", {**own, "verdict": word}, float(night.count(word)))
    if night.baseline is not None:
        labels = {**own, "baseline": plain(night.baseline.name)}
        samples.add("baseline_set_timestamp_seconds", labels, night.baseline.set_at_ns / 1e9)


def _verdict(samples: _Samples, night: Nightly, verdict: Verdict) -> None:
    labels = labels_of(night, verdict.metric)
    for word in WORDS:
        samples.add("verdict", {**labels, "verdict": word}, float(verdict.word == word))
    family, scale = _family(verdict.metric.figure)
    samples.add(family, labels, _scaled(verdict.value, scale))
    samples.add(f"baseline_{family}", labels, _scaled(verdict.baseline_value, scale))
    samples.add("change_ratio", labels, _scaled(verdict.change_pct, 100))
    samples.add("change_low_ratio", labels, _scaled(verdict.change_low_pct, 100))
    samples.add("change_high_ratio", labels, _scaled(verdict.change_high_pct, 100))
    samples.add("margin_ratio", labels, _scaled(verdict.margin_pct, 100))
    samples.add("higher_is_better", labels, float(verdict.metric.higher_is_better))
    samples.add("screen", labels, verdict.screen)
    samples.add("confirmation_pairs", labels, float(verdict.pairs))
    samples.add("p_value", labels, verdict.p_value)
    for bound in verdict.watched:
        named = {**labels, "guarantee": plain(bound.text)}
        samples.add("guarantee_held", named, None if bound.held is None else float(bound.held))
        samples.add("guarantee_expected_ratio", named, bound.expected_share)


def labels_of(night: Nightly, metric: Metric) -> dict[str, str]:
    """What tells a metric from every other, of other sweeps too; the same names for each family."""
    return {
        "sweep": plain(night.sweep),
        "substrate": substrate(night),
        "workload": plain(metric.workload),
        "direction": plain(metric.direction or "all"),
        "figure": plain(metric.figure),
        "point": plain(metric.label),
        "point_id": plain(metric.point_id),
    }


def substrate(night: Nightly) -> str:
    """On what it was measured: ``disk``, ``loop``, ``uml``, or several; it is a label of every series."""
    return "+".join(map(plain, night.substrates)) or "unknown"


def _family(figure: str) -> tuple[str, float]:
    """Family of a figure, and by what its unit must be divided for the base unit."""
    if figure == "iops":
        return "iops", 1
    if figure == "bw_bytes_s":
        return "bandwidth_bytes_per_second", 1
    if figure.endswith("_ns") and "lat_" in figure:
        return "latency_seconds", 1e9
    return "figure", 1


def _scaled(value: float | None, scale: float) -> float | None:
    return None if value is None else value / scale


def _number(value: float) -> str:
    """A value as both formats write it."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return repr(float(value))


def _label(text: str) -> str:
    r"""A label's value: backslash, quote and newline are escaped in either format."""
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
