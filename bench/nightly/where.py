"""Where the trials of a night run: in the virtual lab, on disks, or on loop files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from bench import places
from bench.campaign import Conduct, Summary
from bench.events import Emit
from bench.nightly.task import write_task
from permutations.plan import Plan


@dataclass(frozen=True, kw_only=True)
class Where:
    """One of three: the lab, disks by their identity (``consented``: typed once more), or ``loop`` files."""

    sweep: Path
    store: Path
    lab: bool = False
    disks: tuple[str, ...] = ()
    consented: tuple[str, ...] = ()
    loop: int = 0
    loop_bytes: int = 0

    def run(self, plan: Plan, emit: Emit, conduct: Conduct) -> Summary:
        """Run what is left of the plan; what ``bench.places`` raises is let through."""
        if self.lab:
            task = write_task(self.store, plan)
            budget_s = conduct.budget_s
            return places.in_the_lab(plan, self.sweep, self.store, emit, task=task, budget_s=budget_s)
        if self.loop:
            count, each = self.loop, self.loop_bytes
            return places.on_loop_files(plan, self.store, emit, count=count, each_bytes=each, conduct=conduct)
        return places.on_disks(plan, self.store, emit, self.disks, consented=self.consented, conduct=conduct)
