"""A guarantee in words: the text that goes into a contract, or the reasons why there is none."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterator, Sequence

from results.guarantee.answer import DAY, Bound, Guarantee, Needed, TwoModes
from results.guarantee.bounds import MIN_RUNS
from results.guarantee.terms import terms
from results.guarantee.wording import Section, cautious, figure_name, percent, shown_share
from results.statistics.persistence import ASSUMED
from results.text import plain
from stripelab.metrics import figure
from stripelab.units import counted, duration, pct

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
    if bound.unit == DAY:
        yield (
            f"In other words: of 1,000 such days, up to {out_of} may have a run that falls short of the figure. It is "
            f"what the worst run of the {worst} of {bound.units} days delivered in {percent(found.share)} of its "
            "seconds."
        )
        yield f"{_sampled(found)} {_counted_as(bound)}"
    else:
        yield (
            f"In other words: of 1,000 further runs on that day, up to {out_of} may fall short of the figure. It is "
            f"what the {worst} of {bound.runs} runs delivered in {percent(found.share)} of its seconds."
        )
        yield (
            f"{_sampled(found)} One day does not show how days differ, so this says nothing of any other. It holds "
            "whatever the distribution of the figures and however alike neighbouring seconds are, provided that "
            "further runs are like these (exchangeable)."
        )
    yield "A run is one execution of the workload on a stack that was built for it alone."
    if bound.of_points > 1:
        yield (
            f"The settings were chosen among {bound.of_points} with these very runs. The chance of being wrong was "
            f"divided by {bound.of_points} for that, so P is smaller than it would be for settings fixed beforehand."
        )
    yield from _asked(found)


def _sampled(found: Guarantee) -> str:
    """How many runs on how many days the figures come from."""
    days = found.days
    if len(days) == 1:
        return f"Sampled: {counted(len(found.runs), 'run')} on 1 day, {days[0].date} (UTC)."
    fewest, most = min(day.runs for day in days), max(day.runs for day in days)
    each = f"{fewest}" if fewest == most else f"{fewest} to {most}"
    left_out = f"; {counted(found.left_out, 'earlier run')} without seconds left out" if found.left_out else ""
    return (
        f"Sampled: {counted(len(found.runs), 'run')} on {len(days)} days (UTC) from {days[0].date} to {days[-1].date}, "
        f"{each} a day{left_out}."
    )


def _counted_as(bound: Bound) -> str:
    """What the days are worth, and what is assumed of them."""
    least = (
        ""
        if bound.runs == bound.units * bound.runs_a_day
        else f"All of them count; the statement is for {bound.runs_a_day} a day, as many as any sampled day has. "
    )
    counted_as = math.floor(10 * bound.effective_units + 1e-9) / 10
    return (
        f"{least}Days resemble the day before: with a correlation of {bound.correlation:.2f} from day to day "
        f"(measured, with a margin, and never less than {ASSUMED:g}), {bound.units} days count as {counted_as:g}. It "
        "holds whatever the distribution of the figures, provided that future days vary like the sampled ones, without "
        "a trend."
    )


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
    yield f"There is no guarantee for {what}, for {counted(len(found.refusals), 'reason')}:"
    for refusal in found.refusals:
        yield f"- {refusal.reason}. {refusal.remedy}"
    yield from _supported(found)
    yield from _asked(found)


def _supported(found: Guarantee) -> Iterator[str]:
    """What can be said now, where nothing but the number of days or runs is wanting."""
    bound, kinds = found.bound, {refusal.kind for refusal in found.refusals}
    if bound is None or len(kinds) != 1:
        return
    supports = f"a share P = {shown_share(bound.coverage)} of"
    figure_ = cautious(found.metric, bound.value)
    if kinds <= {"coverage-not-reached", "too-few-days"} and bound.unit == DAY:
        option = "Without --coverage these" if found.asked_coverage is not None else "These"
        runs = f", {counted(bound.runs_a_day, 'run')} a day" if bound.runs_a_day > 1 else ""
        yield f"{option} {bound.units} days support {supports} future days{runs}, with {figure_}."
    elif kinds == {"coverage-not-reached"}:
        yield f"Without --coverage these runs support {supports} further runs on {found.days[0].date}, with {figure_}."
    elif kinds == {"one-day"} and bound.runs >= MIN_RUNS:
        yield (
            f"Limited to {found.days[0].date} (--limit-to-day), these {bound.runs} runs support {supports} further "
            f"runs on that day, with {figure_}."
        )


def _evidence(found: Guarantee) -> Iterator[str]:
    """The days, the runs, the approximate bound, and how many days or runs would say more."""
    if found.runs:
        if not found.granted:
            yield _sampled(found)
        lengths = sorted({run.intervals for run in found.runs})
        seconds = f"{lengths[0]}" if len(lengths) == 1 else f"{lengths[0]} to {lengths[-1]}"
        what = f"What {percent(found.share)} of the intervals had {'at least' if found.at_least else 'at most'}"
        yield f"{counted(len(found.runs), 'run')} of {seconds} one-second intervals. {what}{_figures(found)}"
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
        f"{each.coverage:g} of further runs on that day reaches {cautious(found.metric, each.value)} with "
        f"{percent(each.confidence)} confidence (normal tolerance factor). Nothing speaks against that model; "
        "nothing proves it."
    )


def _figures(found: Guarantee) -> str:
    """The figures of the runs of one day from small to large, or the worst of each day in the order of the days."""
    if len(found.days) == 1:
        ordered = sorted(run.bound for run in found.runs)
        shown = ", ".join(figure(found.metric, value) for value in ordered[:_SHOWN_RUNS])
        more = f" and {len(ordered) - _SHOWN_RUNS} more" if len(ordered) > _SHOWN_RUNS else ""
        return f", from small to large: {shown}{more}."
    days = found.days[-_SHOWN_RUNS:]
    worst = ", ".join(f"{day.date} {figure(found.metric, day.worst)}" for day in days)
    hidden = len(found.days) - len(days)
    before = f" (the newest {len(days)}; {hidden} before them)" if hidden else ""
    of = " in the worst run of each day" if len(found.runs) > len(found.days) else ""
    return f"{of}, day by day{before}: {worst}."


def _needed(each: Needed) -> str:
    took = f", about {duration(each.more_s)}" if each.more_s is not None else ""
    more = f"{each.more:,} more{took}" if each.more else "they are there"
    return f"P = {each.coverage:g} needs {counted(each.count, each.unit)} ({more})."


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
    dates = "the dates above" if found.limited_to is None else f"{found.limited_to}, the one day that was sampled"
    yield (
        "It speaks of this machine with these disks. Other drives, also of the same model, another firmware, fill "
        "level, array state (degraded, rebuilding), kernel or workload are not covered, nor is "
        f"{'wear beyond' if found.limited_to is None else 'any day but'} {dates}."
    )
    units = "runs" if found.limited_to is not None else "days"
    yield (
        f"A share of up to {1 - float(shown_share(found.bound.coverage if found.bound else 0.0)):.3f} of {units} may "
        "fall short, and in those the figure says nothing of how far. Within a run the intervals that fall short may "
        "follow each other."
    )


def _ordinal(number: int) -> str:
    return {2: "second", 3: "third"}.get(number, f"{number}th")


def refusal_lines(found: Guarantee) -> Sequence[str]:
    """The reasons alone, one line each, for a log."""
    return tuple(f"{refusal.kind}: {refusal.reason}. {refusal.remedy}" for refusal in found.refusals)
