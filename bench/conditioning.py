"""What is done before a workload is measured: writes that precondition, and rounds until the figure is steady.

Each round is a run of the workload for ``round_s``; after it the rule of :mod:`results.statistics.steady` is held
against the last five.  The measured run comes afterwards and is none of the rounds: when to stop was
decided by data that are not measured, and every run is equally long, so that runs stay exchangeable.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bench.engine import DirectionResult, Engine, Targets
from bench.errors import EngineError
from bench.events import Emit, Event
from permutations.conditioning import SteadyState
from permutations.workload import Workload
from results.statistics import steady
from stripelab.metrics import APART, COMMIT


@dataclass(frozen=True)
class Settled:
    """The rounds' figures in their order (unit of ``metric``), and the rule's verdict on the last five."""

    metric: str
    round_s: float
    rounds: tuple[float, ...]
    verdict: str
    words: str

    @property
    def warning(self) -> str | None:
        """What a reader must know; None where the workload was steady."""
        if self.verdict == steady.STEADY:
            return None
        count, each = len(self.rounds), self.round_s
        return f"{self.verdict} after {count} rounds of {each:g} s, the most that the sweep allows"


def until_steady(asked: SteadyState, run_round: Callable[[int], float]) -> Settled:
    """Run rounds, numbered from 1, until the last five are steady or ``asked.rounds_max`` are done."""
    rounds: list[float] = []
    found = None
    while len(rounds) < asked.rounds_max and (found is None or found.verdict != steady.STEADY):
        rounds.append(run_round(len(rounds) + 1))
        found = steady.latest(rounds)
    if found is None:
        raise ValueError(f"{asked.rounds_max} rounds are fewer than the rule needs")
    return Settled(asked.metric, asked.round_s, tuple(rounds), found.verdict, found.words)


@dataclass(frozen=True)
class Conditioning:
    """One workload on its way to the measured run; ``limit_s`` says after how long a run counts as hung."""

    driver: Engine
    workload: Workload
    targets: Targets
    scratch: Path
    limit_s: Callable[[Workload], float]
    emit: Emit

    def precondition(self, dataset_bytes: int) -> str | None:
        """Write what the workload asks for, once; the command, or None where it asks for nothing."""
        asked = self.workload.precondition
        if asked is None:
            return None
        self.emit(Event("workload", workload=f"{self.workload.name}: preconditioning"))
        writes = Workload(
            name=f"{self.workload.name}-precondition"[:64],
            rw=asked.rw,
            bs_bytes=asked.bs_bytes,
            iodepth=asked.iodepth,
            numjobs=asked.numjobs,
            ioengine="libaio",
            io_size_bytes=asked.io_size_bytes(dataset_bytes),
            options=tuple(pair for pair in self.workload.options if pair[0] == "clocksource"),
        )
        limit_s = self.limit_s(writes)
        return self.driver.run(writes, self.targets, scratch=self.scratch, timeout_s=limit_s).command

    def rounds(self) -> Settled | None:
        """Run rounds until they are steady; None where the workload asks for none."""
        asked = self.workload.steady_state
        if asked is None:
            return None
        each = replace(self.workload, runtime_s=asked.round_s, ramp_time_s=0.0, io_size_bytes=None)

        def run_round(number: int) -> float:
            self.emit(Event("workload", workload=f"{self.workload.name}: round {number} of at most {asked.rounds_max}"))
            measured = self.driver.run(each, self.targets, scratch=self.scratch, timeout_s=self.limit_s(each))
            return figure(measured.directions, asked.metric, measured.command)

        return until_steady(asked, run_round)


def figure(directions: Sequence[DirectionResult], metric: str, command: str) -> float:
    """The figure of a round, all directions of the data together, or the latency of its commits.

    Raises :class:`EngineError` where there is none.
    """
    commits = [each for each in directions if each.direction == COMMIT and metric == "lat_mean_ns"]
    moved = commits or [each for each in directions if each.direction not in APART]
    values = [getattr(each, metric) for each in moved]
    if not values or any(value is None for value in values):
        raise EngineError(f"a round of the workload has no {metric} to be steady", command=command)
    if metric != "lat_mean_ns":
        return float(sum(values))
    ios = sum(each.ios for each in moved)
    return float(sum(value * each.ios for value, each in zip(values, moved, strict=True)) / max(1, ios))
