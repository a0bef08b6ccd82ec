"""How a guarantee puts figures and shares: promised figures to the cautious side, P never rounded up."""

from __future__ import annotations

import math
from dataclasses import dataclass

from results.guarantee.answer import Bound
from stripelab.metrics import DIRECTED_LATENCIES, RATES, metric_name, scale_of

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
    return metric_name(directed if directed in DIRECTED_LATENCIES else metric)


def statement(bound: Bound, metric: str, share: float, direction: str | None, date: str | None) -> str:
    """The one sentence that is promised: of future days, or of further runs on the ``date`` it is limited to."""
    verb = "at least" if metric in RATES else f"a {figure_name(metric, direction)} of at most"
    of = f" ({direction}s)" if direction is not None else ""
    figure, seconds = cautious(metric, bound.value), f"in at least {percent(share)} of"
    confidence, coverage = percent(bound.confidence), shown_share(bound.coverage)
    one, many = ("delivers", "deliver") if metric in RATES else ("has", "have")
    if date is not None:
        return (
            f"With {confidence} confidence, on {date} (UTC) alone, in the conditions of that day and those below, at "
            f"least a share P = {coverage} of further runs{of} {many} {verb} {figure} {seconds} their 1-second "
            "intervals; other days are not covered."
        )
    runs = "one run" if bound.runs_a_day == 1 else f"each of {bound.runs_a_day} runs"
    return (
        f"With {confidence} confidence, on at least a share P = {coverage} of future days under the conditions below, "
        f"{runs} made that day{of} {one} {verb} {figure} {seconds} its 1-second intervals."
    )


def shown_share(share: float) -> str:
    """A share to three digits, never rounded up."""
    return f"{math.floor(1000 * share + 1e-9) / 1000:.3f}"
