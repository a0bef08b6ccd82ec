"""A store of 80 nights with a known truth: ``python -m tests.results.nightly.watched_store DIR`` makes it.

Four metrics.  From the night 45 on random writes of the first point are a fifth slower (regression), from 50 on the
kernel is another one (without effect), 55 is a false alarm, at 62 the baseline is moved, and at 70 a disk is replaced.
Verdicts are those of the code that judges real nights; only what would be measured to confirm is made up.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from results.nightly import answer
from results.nightly.answer import Baseline, Nightly, Verdict
from results.nightly.baseline import Pinned, pin, read_baselines
from results.nightly.courses import Night, courses
from results.nightly.evidence import CHECK_PAIRS, MANY_PAIRS
from results.nightly.history import History, read_history
from results.nightly.judge import Course, Fresh, verdict
from results.runs.changes import environment_changes
from results.store.folder import Store
from results.store.query import load
from results.store.schema import EnvironmentRow
from tests.results import synthetic
from tests.results.nightly import stored
from tests.results.nightly.stored import Nights, night_name

FELL, KERNEL, ALARM, MOVED, REPLACED = 45, 50, 55, 62, 70
REASON = "the new workload is to stay: change 4711 <b>&"
WORKLOADS = ("random-write", "scan")


@dataclass(frozen=True)
class Truth:
    """How long, and how wide: the first point's first workload is the one that falls."""

    nights: int = 80
    baseline: int = 20
    points: int = 1
    replicates: int = 2
    workloads: tuple[str, ...] = WORKLOADS

    def effect(self, night: int, point: int, workload: str) -> float:
        if (point, workload) != (0, self.workloads[0]):
            return 0.12 if night == ALARM and point == 0 else 0.0
        return math.log1p(-0.2) if night >= FELL else 0.0


def environments() -> list[tuple[int, EnvironmentRow]]:
    """From which night on a machine is so."""
    first = synthetic.environment()
    kernel = replace(first, environment_id="env-kernel", kernel="6.1.0-50-amd64")
    disk = replace(kernel, environment_id="env-disk-replaced", disk_ids=(*kernel.disk_ids[:3], "SERIAL-9"))
    return [(0, first), (KERNEL, kernel), (REPLACED, disk)]


def make(path: Path, truth: Truth | None = None) -> Store:
    """The store with its outcomes and baselines."""
    truth = truth or Truth()
    machines = [each for each in environments() if each[0] < truth.nights]
    for place, (first, machine) in enumerate(machines):
        end = machines[place + 1][0] if place + 1 < len(machines) else truth.nights
        stored.write(path, _nights(truth, first, end - first, machine))
        Store.open(path, verify=False).put_environment(machine)
    history = read_history(load(path, verify=False))
    (path / "nights").mkdir()
    outcomes: list[Nightly] = []
    for number in range(truth.nights):
        _pin(path, truth, number)
        outcomes.append(_outcome(path, truth, history, number, outcomes))
        content = json.dumps(outcomes[-1].to_json())
        (path / "nights" / f"{night_name(number)}.json").write_text(content)
    return Store.open(path, verify=False)


def _nights(truth: Truth, first: int, count: int, machine: EnvironmentRow) -> Nights:
    return Nights(
        count=count,
        first=first,
        points=truth.points,
        replicates=truth.replicates,
        workloads=truth.workloads,
        seed=first + 1,
        effect=truth.effect,
        change=lambda row: replace(row, environment_id=machine.environment_id),
    )


def _pin(path: Path, truth: Truth, number: int) -> None:
    """The first baseline from the first nights; another one from the nights since the fall."""
    if number not in {truth.baseline, MOVED}:
        return
    name, reason, first = ("first", "the first nights", 0) if number == truth.baseline else ("slower", REASON, FELL)
    new = Pinned(
        name=name,
        set_at_ns=synthetic.START_NS + number * 86_400 * 10**9,
        reason=reason,
        nights=tuple(night_name(each) for each in range(first, number)),
        sweep_text="",
        environment_id="env-disk" if number == truth.baseline else "env-kernel",
        previous=None,
    )
    pin(path, read_baselines(path), new)


def _outcome(path: Path, truth: Truth, history: History, number: int, before: Sequence[Nightly]) -> Nightly:
    pinned = read_baselines(path)[-1] if number >= truth.baseline else None
    points = [synthetic.point_id(stored.settings(each)) for each in range(truth.points)]
    asked = Night(night_name(number), dict(zip(points, points, strict=True)), pinned, truth.baseline)
    ready, silent = courses(history, asked, before)
    rows = {row.environment_id: row for _, row in environments()}
    now = rows[history.environment_of(night_name(number)) or ""]
    return Nightly(
        night=night_name(number),
        sweep="synthetic",
        store="S",
        hostname="bench-01",
        started_at_ns=synthetic.START_NS + number * 86_400 * 10**9,
        duration_s=3600.0,
        verdicts=(*(_verdict(each, truth, number, pinned) for each in ready), *silent),
        baseline=_baseline(pinned),
        changes=environment_changes(rows[pinned.environment_id], now) if pinned else (),
        substrates=("disk",),
    )


def _baseline(pinned: Pinned | None) -> Baseline | None:
    if pinned is None:
        return None
    return Baseline(name=pinned.name, set_at_ns=pinned.set_at_ns, reason=pinned.reason, nights=len(pinned.nights))


def _verdict(course: Course, truth: Truth, number: int, pinned: Pinned | None) -> Verdict:
    """Pairs that show the truth: the fall until the baseline is moved, and else nothing."""
    falls = course.metric.workload == truth.workloads[0] and course.metric.settings["chunk_kib"] == 64
    fell = falls and number >= FELL and pinned is not None and pinned.name == "first"
    noise = np.random.default_rng(number).normal(0, 0.1 if number == ALARM else 0.01, MANY_PAIRS)
    shift = course.sign * math.log1p(-0.2) if fell else 0.0
    seen = course.screened()
    count = CHECK_PAIRS if course.confirmed is not None else course.look(seen).pairs
    fresh = Fresh(differences=shift + noise[:count])
    return verdict(course, seen, fresh, 0.05)


def words_of(store: Path, night: int) -> set[str]:
    """The verdicts of a night, as they were kept."""
    plain = json.loads((store / "nights" / f"{night_name(night)}.json").read_text())
    return {each["word"] for each in plain["verdicts"]} & set(answer.WORDS)


if __name__ == "__main__":
    make(Path(sys.argv[1]))
