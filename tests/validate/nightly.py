"""Verdicts on synthetic truth: false regressions, power and nights that are not ok, as they are printed.

Every verdict is made by the code that judges real nights (:mod:`results.nightly`), night after night with its own
past; only what is measured is made up (:mod:`tests.validate.nights_truth`).  Beside it, on the same series: a gate of
5 %, and change points as ``ruptures`` finds them.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import numpy as np
import ruptures
from scipy import stats

from results.nightly.answer import OK, RECOVERED, REGRESSION, TONIGHT
from tests.validate import nights_disks as disks
from tests.validate import nights_truth as truth
from tests.validate.guarantee import into
from tests.validate.nights_judged import Judged, first_regression, quiet, restored

GATE = 0.05
SHIFTS = (-0.05, -0.07, -0.10, -0.20)
AFTER = (0, 60, 180, 300, 360)
WITHIN = (7, 14)
COMPARED, DATED = 180, 3
"""Night of the change that a gate and ``ruptures`` are asked for too, and by how much the latter may misdate it."""
STAYS = 30
FALSE_A_YEAR, NOT_OK_A_YEAR = 0.016, 6.0
GOALS: Mapping[tuple[float, int], float] = {(-0.20, 7): 0.95, (-0.10, 14): 0.90}


@dataclass
class Cell:
    """What came of the metrics of one machine: counts over all of them."""

    metrics: int = 0
    words: Counter[str] = field(default_factory=Counter)
    false: int = 0
    looks: int = 0
    pairs: int = 0
    gate: int = 0
    ruptures: int = 0
    found: Counter[tuple[float, int, int]] = field(default_factory=Counter)
    gate_found: Counter[float] = field(default_factory=Counter)
    ruptures_found: Counter[float] = field(default_factory=Counter)

    @property
    def not_ok(self) -> float:
        """Nights a metric and year that end as anything but ok."""
        return (self.words.total() - self.words[OK]) / self.metrics


def simulated(machine: str, seeds: int, *, after: Sequence[int] = AFTER, seed: int = 7) -> Cell:
    """A year of each of so many metrics, with a change that stays at each of these nights on a branch of its own."""
    cell, last = Cell(), max(*after, truth.YEAR)
    for number in range(seeds):
        dice = np.random.default_rng([seed, number, *machine.encode()])
        values = truth.nights(dice, truth.MACHINES[machine], last + max(WITHIN))
        for night, judged in enumerate(quiet(dice, values)):
            if night in after:
                _changed(cell, dice, judged, values, night)
            if night == truth.YEAR:
                _quiet_year(cell, judged, values[: truth.BASELINE + truth.YEAR])
                break
    return cell


def _changed(cell: Cell, dice: np.random.Generator, judged: Judged, values: truth.Floats, night: int) -> None:
    begins = truth.BASELINE + night
    for change in SHIFTS:
        moved = float(np.log1p(change))
        first = first_regression(dice, judged, values, begins, moved, max(WITHIN))
        for within in WITHIN:
            cell.found[change, night, within] += first is not None and first < within
        if night == COMPARED:
            changed = values[: begins + max(WITHIN)] + moved * (np.arange(begins + max(WITHIN)) >= begins)
            beyond = changed[begins:] - values[: truth.BASELINE].mean() < np.log1p(-GATE)
            cell.gate_found[change] += bool(beyond.any())
            cell.ruptures_found[change] += any(abs(each - begins) <= DATED for each in worse_from(changed))


def _quiet_year(cell: Cell, judged: Judged, values: truth.Floats) -> None:
    words = [verdict.word for _, verdict in judged.past]
    cell.metrics += 1
    cell.words.update(words)
    cell.false += sum(word == REGRESSION != before for before, word in pairwise((OK, *words)))
    cell.looks += judged.looks
    cell.pairs += judged.pairs
    baseline, year = values[: truth.BASELINE], values[truth.BASELINE :]
    cell.gate += int((year - baseline.mean() < np.log1p(-GATE)).sum())
    cell.ruptures += len(worse_from(values))


def worse_from(values: truth.Floats) -> list[int]:
    """First nights of the changes for the worse that ``ruptures`` sees: PELT on the mean, with the penalty of BIC."""
    penalty = 2 * np.log(len(values)) * values[: truth.BASELINE].var(ddof=1)
    ends = ruptures.KernelCPD(kernel="linear", min_size=7).fit(values[:, None]).predict(pen=penalty)
    parts = np.split(values, ends[:-1])
    return [end for end, (a, b) in zip(ends, pairwise(parts), strict=False) if b.mean() < a.mean()]


@dataclass
class Stays:
    """A change that stays for :data:`STAYS` nights after it was confirmed, and is then undone."""

    metrics: int = 0
    confirmed: int = 0
    turned: int = 0
    pairs: int = 0
    recovered: int = 0


def staying(machine: str, change: float, seeds: int, *, within: int = 7) -> Stays:
    """Nights on which a confirmed change turned into anything but a regression, and recoveries told within 7 nights."""
    found, moved = Stays(), float(np.log1p(change))
    for number in range(seeds):
        dice = np.random.default_rng([13, number, *machine.encode()])
        values = truth.nights(dice, truth.MACHINES[machine], 14 + STAYS + within)
        end = truth.BASELINE + 14 + STAYS
        values[truth.BASELINE : end] += moved
        judged = Judged()
        words = [
            judged.night(values[: each + 1], restored(dice, moved if each < end else 0.0)).word
            for each in range(truth.BASELINE, len(values))
        ]
        found.metrics += 1
        if REGRESSION in words[:14]:
            found.confirmed += 1
            found.turned += sum(word != REGRESSION for word in words[14 : 14 + STAYS])
            found.recovered += RECOVERED in words[14 + STAYS :]
            found.pairs += judged.pairs
    return found


def disk_years(seeds: int) -> tuple[int, int, float]:
    """False regressions and nights "tonight only" of the disk route, and nights that are not ok in a year."""
    false = tonight = not_ok = 0
    for number in range(seeds):
        judged, array = Judged(), disks.array(number, truth.YEAR)
        for end in range(truth.BASELINE, len(array.values)):
            judged.night(array.values[: end + 1], array.measured)
        words = [verdict.word for _, verdict in judged.past]
        false += sum(word == REGRESSION != before for before, word in pairwise((OK, *words)))
        tonight += words.count(TONIGHT)
        not_ok += sum(word != OK for word in words)
    return false, tonight, not_ok / seeds


def disks_found(seeds: int, within: int = 7) -> tuple[int, int]:
    """Disks that stay 15 % slow: told of on the first night, and a regression within so many."""
    told = found = 0
    for number in range(seeds):
        judged, array = Judged(), disks.array(number, within, outliers=False, fails=0)
        words = [
            judged.night(array.values[: end + 1], array.measured).word
            for end in range(truth.BASELINE, len(array.values))
        ]
        told += words[0] == TONIGHT
        found += REGRESSION in words
    return told, found


def share(hits: int, count: int) -> str:
    """A share with its exact 95 % interval (Clopper and Pearson 1934, Biometrika 26, 404-413)."""
    low = float(stats.beta.ppf(0.025, hits, count - hits + 1)) if hits else 0.0
    high = float(stats.beta.ppf(0.975, hits + 1, count - hits)) if hits < count else 1.0
    return f"{hits / count:.3f} ({low:.3f}..{high:.3f})"


def rate(events: int, years: int) -> str:
    """A rate per metric and year with its exact 95 % interval (Garwood 1936, Biometrika 28, 437-442)."""
    low = float(stats.chi2.ppf(0.025, 2 * events)) / 2 if events else 0.0
    high = float(stats.chi2.ppf(0.975, 2 * events + 2)) / 2
    return f"{events / years:.4f} ({low / years:.4f} to {high / years:.4f})"


def wrong(machine: str, cell: Cell, after: Sequence[int] = AFTER) -> list[str]:
    """What of a cell is not as it must be, for certain: the whole interval of a share is on the wrong side."""
    found = []
    if stats.poisson.sf(cell.false - 1, FALSE_A_YEAR * cell.metrics) < 0.025:
        found.append(f"{machine}: {cell.false} false regressions in {cell.metrics} metric-years")
    if cell.not_ok > NOT_OK_A_YEAR:
        found.append(f"{machine}: {cell.not_ok:.1f} nights a year are not ok")
    for (change, within), least in GOALS.items():
        for night in after:
            hits = cell.found[change, night, within]
            if stats.binom.cdf(hits, cell.metrics, least) < 0.025:
                found.append(f"{machine}: {change:.0%} after {night} nights: {hits} of {cell.metrics} within {within}")
    return found


def quiet_table(cells: Mapping[str, Cell]) -> list[str]:
    """Years in which nothing changed."""
    lines = [
        "| Nights | **false regressions** (95 %) | nights not `ok` | looks | pairs | 5 % gate | `ruptures` |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, cell in cells.items():
        counts = (cell.looks, cell.pairs, cell.gate, cell.ruptures)
        each = " | ".join(f"{count / cell.metrics:.1f}" for count in counts)
        lines.append(f"| {name} | {rate(cell.false, cell.metrics)} | {cell.not_ok:.2f} | {each} |")
    return lines


def compared_table(cells: Mapping[str, Cell]) -> list[str]:
    """A change that stays for 14 nights, seen in three ways."""
    lines = ["| Nights | change | `regression` | 5 % gate | `ruptures` |", "|---|---|---|---|---|"]
    for name, cell in cells.items():
        for change in SHIFTS:
            counts = (cell.found[change, COMPARED, max(WITHIN)], cell.gate_found[change], cell.ruptures_found[change])
            lines.append(f"| {name} | {change:.0%} | {' | '.join(share(each, cell.metrics) for each in counts)} |")
    return lines


def power_table(cells: Mapping[str, Cell], within: int) -> list[str]:
    """A change that stays: shares that are a regression within so many nights."""
    heads = " | ".join(f"after {night} nights" for night in AFTER)
    lines = [f"| Nights | change | {heads} |", f"|---|---|{'---|' * len(AFTER)}"]
    for name, cell in cells.items():
        for change in SHIFTS:
            shown = " | ".join(share(cell.found[change, night, within], cell.metrics) for night in AFTER)
            lines.append(f"| {name} | {change:.0%} | {shown} |")
    return lines


def stays_table(seeds: int) -> list[str]:
    """A confirmed change, night after night, and its recovery."""
    lines = [
        "| Nights | change | nights that turned | pairs a night | recovery told within 7 nights |",
        "|---|---|---|---|---|",
    ]
    for name in truth.MACHINES:
        for change in (-0.10, -0.20):
            found = staying(name, change, seeds)
            nights = found.confirmed * STAYS
            spent = found.pairs / (found.confirmed * (STAYS + 21))
            lines.append(
                f"| {name} | {change:.0%} | {share(found.turned, nights)} | {spent:.1f} | "
                f"{share(found.recovered, found.confirmed)} |"
            )
    return lines


_COMPARED = (
    f"After {COMPARED} nights, within {max(WITHIN)}: the verdict, a night beyond the 5 % gate, and a change point of "
    f"`ruptures` at most {DATED} nights off; what the last two cost in a quiet year is in the first table:"
)


def _disk_words(seeds: int, quiet: tuple[int, int, float], slow: tuple[int, int]) -> str:
    false, tonight, not_ok = quiet
    told, found = slow
    return (
        f"Disks, nothing restorable, one of four {disks.SLOW:.0%} slow on {disks.SLOW_SHARE:.0%} of nights: "
        f"{rate(false, seeds)} false regressions per metric and year, {tonight / seeds:.2f} nights `tonight only`, "
        f"{not_ok:.2f} nights not `ok`. A disk that stays {disks.SLOW:.0%} slow is told of as `tonight only` on its "
        f"first night in {share(told, seeds)} and a `regression` within 7 nights in {share(found, seeds)}."
    )


def report(seeds: int) -> tuple[list[str], list[str]]:
    """Every table, as the document has them, and what is not as it must be."""
    cells = {name: simulated(name, seeds) for name in truth.MACHINES}
    problems = [each for name, cell in cells.items() for each in wrong(name, cell)]
    false, tonight, not_ok = disk_years(seeds)
    told, found = disks_found(seeds)
    if stats.poisson.sf(false - 1, FALSE_A_YEAR * seeds) < 0.025:
        problems.append(f"disks: {false} false regressions in {seeds} metric-years")
    lines = [
        f"{seeds:,} metrics a line, {truth.BASELINE} nights of baseline, the default margin of 5 %, pairs restorable.",
        "",
        "A year in which nothing changed, per metric (`ruptures`: changes for the worse; gate: nights beyond 5 %):",
        "",
        *quiet_table(cells),
    ]
    for within in WITHIN:
        lines += ["", f"A change that stays is a `regression` within {within} nights:", "", *power_table(cells, within)]
    lines += [
        "",
        _COMPARED,
        "",
        *compared_table(cells),
        "",
        f"A confirmed change stays for {STAYS} nights and is then undone:",
        "",
        *stays_table(max(1, seeds // 5)),
        "",
        _disk_words(seeds, (false, tonight, not_ok), (told, found)),
    ]
    return lines, problems


def main() -> None:
    """Print the tables; end with status 1 where a rate or a power is not what is promised."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=1000)
    parser.add_argument("--into", type=Path, help="document to put the tables into")
    chosen = parser.parse_args()
    lines, problems = report(chosen.seeds)
    print("\n".join(lines))
    if chosen.into is not None:
        into(chosen.into, lines)
    if problems:
        raise SystemExit("\n".join(problems))


if __name__ == "__main__":
    main()
