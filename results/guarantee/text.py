"""A guarantee in words: the text that goes into a contract, or the reasons why there is none."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterator, Sequence

from results.guarantee.answer import Guarantee, Needed, TwoModes
from results.guarantee.terms import terms
from results.guarantee.wording import Section, cautious, figure_name, percent, shown_share
from results.text import plain
from results.units import duration, figure, pct

WIDTH = 100
"""Columns of the text as it is written to a file."""
PAGE_LINES = 50
"""Lines of the text on a page of paper."""
_SHOWN_RUNS = 60


def sections(found: Guarantee) -> list[Section]:
    """The whole answer, the statement or the refusals first."""
    made = []
    if found.granted and found.statement is not None:
        made.append(Section("Statement", tuple(_statement(found))))
    else:
        made.append(Section("No guarantee", tuple(_refusals(found))))
    made.append(Section("Evidence", tuple(_evidence(found))))
    if found.modes:
        made.append(Section("Two modes", tuple(_modes(found, each) for each in found.modes)))
    if found.conditions is not None:
        made += terms(found.conditions)
    if found.granted:
        made.append(Section("What this does not say", tuple(_limits(found))))
    return made


def contract(found: Guarantee, width: int = WIDTH) -> str:
    """The text that goes into a contract, ``width`` columns wide; a watermark stands on every page of it."""
    title = "Performance statement" if found.granted else "No performance statement"
    title = title if found.watermark is None else f"{title}: {found.watermark}"
    blocks = [[title, "=" * len(title), ""]]
    for number, section in enumerate(sections(found), start=1):
        blocks.append([f"{number}. {section.title}", ""])
        blocks += [[*textwrap.wrap(plain(each), width, break_on_hyphens=False), ""] for each in section.paragraphs]
        blocks += [[f"    {plain(line)}"] for line in section.code]
        if section.code:
            blocks.append([""])
    return "\n".join(_paged(blocks, found.watermark)).rstrip() + "\n"


def _paged(blocks: Sequence[Sequence[str]], watermark: str | None) -> list[str]:
    """Blocks of lines, with the watermark before the first block of every page; the title has it on the first."""
    lines: list[str] = []
    page = 1
    for block in blocks:
        if watermark is not None and len(lines) + len(block) > page * PAGE_LINES:
            lines += [f"[{watermark}]", ""]
            page = len(lines) // PAGE_LINES + 1
        lines += block
    return lines


def _statement(found: Guarantee) -> Iterator[str]:
    """The sentence, and how to read it."""
    bound = found.bound
    if bound is None:
        return
    yield found.statement or ""
    out_of = 1000 - math.floor(1000 * bound.coverage + 1e-9)
    worst = "worst" if bound.rank == 1 else f"{_ordinal(bound.rank)} worst"
    yield (
        f"In other words: of 1,000 such runs, up to {out_of} may fall short of the figure. It is what the {worst} of "
        f"{bound.runs} runs delivered in {percent(found.share)} of its seconds. It holds whatever the distribution of "
        "the figures and however alike neighbouring seconds are, provided that future runs are like these "
        "(exchangeable). A run is one execution of the workload on a stack that was built for it alone."
    )
    if bound.of_points > 1:
        yield (
            f"The settings were chosen among {bound.of_points} with these very runs. The chance of being wrong was "
            f"divided by {bound.of_points} for that, so P is smaller than it would be for settings fixed beforehand."
        )
    yield from _asked(found)


def _asked(found: Guarantee) -> Iterator[str]:
    """The bound that was asked for, and whether it is met."""
    if found.asked_bound is None:
        return
    verdict = "met" if found.met else "NOT MET"
    yield (
        f"Asked for: {cautious(found.metric, found.asked_bound)}. It is {verdict}: "
        f"{len(found.runs) - (found.misses or 0)} of {len(found.runs)} runs are as good."
    )


def _refusals(found: Guarantee) -> Iterator[str]:
    """Every reason with what to do, and what the runs would support where only their number is wanting."""
    what = f"{found.workload} ({figure_name(found.metric, found.direction)})"
    yield f"There is no guarantee for {what}, for {len(found.refusals)} reason(s):"
    for refusal in found.refusals:
        yield f"- {refusal.reason}. {refusal.remedy}"
    if found.bound is not None and {refusal.kind for refusal in found.refusals} == {"coverage-not-reached"}:
        yield (
            f"Without --coverage these runs support a share P = {shown_share(found.bound.coverage)} of future runs, "
            f"with {cautious(found.metric, found.bound.value)}."
        )
    yield from _asked(found)


def _evidence(found: Guarantee) -> Iterator[str]:
    """The runs, the approximate bound, and how many runs would say more."""
    figures = [run.bound for run in found.runs]
    if figures:
        shown = ", ".join(figure(found.metric, value) for value in sorted(figures)[:_SHOWN_RUNS])
        more = f" and {len(figures) - _SHOWN_RUNS} more" if len(figures) > _SHOWN_RUNS else ""
        lengths = sorted({run.intervals for run in found.runs})
        seconds = f"{lengths[0]}" if len(lengths) == 1 else f"{lengths[0]} to {lengths[-1]}"
        what = "at least" if found.at_least else "at most"
        yield (
            f"{len(figures)} runs of {seconds} one-second intervals. What {percent(found.share)} of the intervals "
            f"of each had {what}, from small to large: {shown}{more}."
        )
    if found.approximate is not None:
        yield _approximate(found)
    yield " ".join(_needed(each) for each in found.needed)


def _approximate(found: Guarantee) -> str:
    """The normal bound, labelled; or why there is none."""
    each = found.approximate
    if each is None:
        return ""
    if each.value is None:
        return f"An approximate bound (normal tolerance factor) is not given: {each.refusal}."
    return (
        f"APPROXIMATE, and no part of the statement: if the logarithms of the runs' figures are normal, a share of "
        f"{each.coverage:g} of future runs reaches {cautious(found.metric, each.value)} with "
        f"{percent(each.confidence)} confidence (normal tolerance factor). Nothing speaks against that model; "
        "nothing proves it."
    )


def _needed(each: Needed) -> str:
    more = f"{each.more} more, about {duration(each.more_s)}" if each.more else "they are there"
    return f"P = {each.coverage:g} needs {each.runs} runs ({more})."


def _modes(found: Guarantee, each: TwoModes) -> str:
    """Both modes, and that no mean stands for them."""
    if each.where == "runs":
        low, high = (figure(found.metric, value) for value in (each.low, each.high))
        total = len(found.runs)
        named = f" ({', '.join(each.trial_ids[:6])})"
        if each.members == 1:
            return (
                f"One run of {total} stands apart{named}: the groups' means are {low} and {high}. It may be the first "
                "of a second mode; find its cause. The statement counts it like every other run."
            )
        return (
            f"The runs fall into two modes: {pct(100 * each.low_share)} of them around {low}, "
            f"{pct(100 * each.high_share)} around {high}; the smaller mode is {each.members} runs{named}. No mean "
            "stands for both, so nothing here is computed from one. The statement counts the runs of both as they came."
        )
    return (
        f"The seconds within runs fall into two modes: {pct(100 * each.low_share)} of them around "
        f"{pct(100 * each.low)} of the run's median, {pct(100 * each.high_share)} around {pct(100 * each.high)}."
    )


def _limits(found: Guarantee) -> Iterator[str]:
    yield (
        "It speaks of this machine with these disks. Other drives, also of the same model, another firmware, fill "
        "level, array state (degraded, rebuilding), kernel or workload are not covered, nor is wear beyond the dates "
        "above."
    )
    yield (
        f"A share of up to {1 - float(shown_share(found.bound.coverage if found.bound else 0.0)):.3f} of runs may fall "
        "short, and in those the figure says nothing of how far. Within a run the intervals that fall short may follow "
        "each other."
    )


def _ordinal(number: int) -> str:
    return {2: "second", 3: "third"}.get(number, f"{number}th")


def refusal_lines(found: Guarantee) -> Sequence[str]:
    """The reasons alone, one line each, for a log."""
    return tuple(f"{refusal.kind}: {refusal.reason}. {refusal.remedy}" for refusal in found.refusals)
