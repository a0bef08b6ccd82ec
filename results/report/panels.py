"""Throughput over time as drawings that need no script: the trials of the recommended points, for paper."""

from __future__ import annotations

import html
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from results.report.embed import unpack
from results.report.model import Drawing, ReportModel
from stripelab.metrics import scale_of
from stripelab.units import number

_WIDTH, _HEIGHT = 560, 170
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 6, 16, 30
_MOST_LINES = 5
"""Lines across a panel beside that of zero, about."""
_DASHES = ("", "6 3", "2 2", "8 2 2 2", "1 3", "10 4")
_LINES = 6
"""Colours of lines in the style sheet (--line-1 and so on); dashes tell the trials apart too."""


def panels(model: ReportModel) -> tuple[Drawing, ...]:
    """A panel for each recommended point, and for the point of the guarantee; the HTML report has every point's."""
    wanted = {(chapter.workload, verdict.label) for chapter in model.chapters for verdict in chapter.verdicts}
    runs = model.guarantee.runs if model.guarantee is not None else None
    promised = {row.cells[0].text for row in runs.rows} if runs is not None else set()
    mark = model.notice.split(":")[0] if model.notice else ""
    return tuple(_panels(json.loads(model.embedded.series), wanted, promised, mark))


def _panels(
    every: Sequence[Mapping[str, Any]], wanted: set[tuple[str, str]], promised: set[str], mark: str
) -> Iterator[Drawing]:
    """Of every series those of the ``wanted`` workloads and points, and of points with a ``promised`` trial."""
    for series in every:
        for point in series["points"]:
            counts = any(trial["id"] in promised for trial in point["trials"])
            if point["trials"] and (counts or (series["workload"], point["label"]) in wanted):
                ending = f" — {mark}" if mark else ""
                caption = f"{series['workload']}: {point['label']}, {len(point['trials'])} trials, a line each{ending}"
                yield Drawing(_drawn(series, point["trials"], caption), caption)


def _drawn(series: Mapping[str, Any], trials: Sequence[Mapping[str, Any]], caption: str) -> str:
    """One panel as SVG, from zero to the highest figure."""
    lines = [unpack(trial["top"], trial["values"]) for trial in trials]
    length = max(2, *map(len, lines))
    most = max((trial["top"] for trial in trials), default=1.0) or 1.0
    scale, unit = scale_of("bw_bytes_s" if series["binary"] else "iops", most)
    step = _step(most / scale) * scale
    highest = step * math.ceil(most / step)
    inner = _HEIGHT - _TOP - _BOTTOM
    parts = []
    for share in (step * place / highest for place in range(round(highest / step) + 1)):
        y = _TOP + inner * (1 - share)
        parts.append(
            f'<line x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}" style="stroke:var(--grid)"/>'
        )
        parts.append(_text(_LEFT - 4, y + 3, number(share * highest / scale), "end"))
    seconds = (length - 1) * series["step_s"]
    parts += [_text(_LEFT, _HEIGHT - 16, "0"), _text(_WIDTH - _RIGHT, _HEIGHT - 16, f"{seconds}", "end")]
    parts.append(_text((_LEFT + _WIDTH) / 2, _HEIGHT - 4, "seconds of the measured phase", "middle"))
    parts.append(_text(_LEFT, 9, f"{series['metric']}{', ' + unit if unit else ''}"))
    for place, line in enumerate(lines):
        path = _path(line, length, highest, inner)
        style = f"fill:none;stroke-width:1.2;stroke:var(--line-{place % _LINES + 1})"
        parts.append(f'<path d="{path}" style="{style}" stroke-dasharray="{_DASHES[place % len(_DASHES)]}"/>')
    body = "".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" viewBox="0 0 {_WIDTH} {_HEIGHT}" width="{_WIDTH}">'
        f"<title>{html.escape(caption)}</title>{body}</svg>"
    )


def _step(most: float) -> float:
    """The distance of lines that makes two to five of them up to ``most``, a round number."""
    power = 10.0 ** math.floor(math.log10(most))
    return next(each * power for each in (0.2, 0.25, 0.5, 1.0, 2.0) if most / (each * power) <= _MOST_LINES)


def _path(values: Sequence[float | None], length: int, highest: float, inner: float) -> str:
    """A line through what is known; it breaks where nothing is."""
    words, drawing = [], False
    for place, value in enumerate(values):
        if value is None:
            drawing = False
            continue
        x = _LEFT + (_WIDTH - _LEFT - _RIGHT) * place / (length - 1)
        words.append(f"{'L' if drawing else 'M'}{x:.1f} {_TOP + inner * (1 - value / highest):.1f}")
        drawing = True
    return " ".join(words)


def _text(x: float, y: float, words: str, anchor: str = "start") -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" style="font-size:10px;fill:var(--muted)">'
        f"{html.escape(words)}</text>"
    )
