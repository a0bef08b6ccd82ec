"""How a guarantee puts figures and shares: promised figures to the cautious side, P never rounded up."""

from __future__ import annotations

import math
from dataclasses import dataclass

from results.estimates.latencies import OF_ONE
from results.estimates.objective import RATES
from results.guarantee.answer import Bound
from results.units import metric_name, scale_of

WATERMARK = "DEMONSTRATION, NOT A GUARANTEE"
_DIGITS = 4


@dataclass(frozen=True)
class Section:
    """A heading and its paragraphs; ``code`` are lines to be copied as they are."""

    title: str
    paragraphs: tuple[str, ...] = ()
    code: tuple[str, ...] = ()


def cautious(metric: str, value: float) -> str:
    """A promised figure with its unit, to four digits: rates rounded down, latencies up."""
    scale, unit = scale_of(metric, value)
    scaled = value / scale
    step = 10.0 ** (math.floor(math.log10(scaled)) + 1 - _DIGITS) if scaled > 0 else 1.0
    whole = scaled / step
    rounded = step * (math.floor(whole + 1e-9) if metric in RATES else math.ceil(whole - 1e-9))
    digits = max(0, -round(math.log10(step)))
    name = "IOPS" if metric == "iops" else unit
    return f"{rounded:,.{digits}f} {name}".rstrip()


def percent(share: float) -> str:
    """``95 %``, ``99.9 %``: a share as it was asked for."""
    return f"{100 * share:.10g} %"


def figure_name(metric: str, direction: str | None) -> str:
    """What is promised, in words: ``99th percentile of commit latency``."""
    directed = f"{direction}_{metric}"
    return metric_name(directed if directed in OF_ONE else metric)


def statement(bound: Bound, metric: str, share: float, direction: str | None) -> str:
    """The one sentence that is promised."""
    verb = "deliver at least" if metric in RATES else f"have a {metric_name(metric)} of at most"
    of = f" ({direction}s)" if direction is not None else ""
    return (
        f"With {percent(bound.confidence)} confidence, in at least a share P = {shown_share(bound.coverage)} of future "
        f"runs under the conditions below, at least {percent(share)} of the 1-second intervals of a run{of} {verb} "
        f"{cautious(metric, bound.value)}."
    )


def shown_share(share: float) -> str:
    """A share to three digits, never rounded up."""
    return f"{math.floor(1000 * share + 1e-9) / 1000:.3f}"
