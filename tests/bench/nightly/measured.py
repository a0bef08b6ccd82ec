"""Nights whose trials are written with a known truth in place of being measured; everything else is the real night."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np

from bench.campaign import Conduct, Summary
from bench.claim import PROTOCOL_FILE
from bench.nightly.confirm import Hooks
from bench.nightly.night import Asked, run_night
from bench.nightly.where import Where
from bench.vocabulary import vocabulary
from permutations.design import make_plan
from permutations.night import PAIR_BASELINE
from permutations.plan import Plan
from permutations.sweep import Sweep
from results.nightly.answer import Nightly
from results.store.folder import Store
from results.store.marker import MARKER
from results.store.schema import DISK_CHECK, TelemetryRow
from tests.results import synthetic

SWEEP = """
[sweep]
name = "one-array"
seed = 7
replicates = 3
[factors]
level = ["raid5"]
disks = [4]
chunk_kib = [64]
filesystem = ["xfs"]
[[workload]]
name = "scan"
rw = "read"
bs = "1M"
iodepth = 1
runtime_s = 2
[dataset]
files = 4
file_size = "4MiB"
"""
FIRST, BASELINE = date(2026, 1, 1), 10
DISKS = tuple(f"SERIAL-{number}" for number in range(4))


def night_name(number: int) -> str:
    return (FIRST + timedelta(days=number)).isoformat()


@dataclass(frozen=True, kw_only=True)
class Written(Where):
    """A place where figures are drawn: ``truth`` has the level of tonight, which the baseline's half lacks."""

    truth: dict[str, float] = field(default_factory=dict)
    ran: list[str] = field(default_factory=list)

    def run(self, plan: Plan, emit, conduct: Conduct) -> Summary:
        if not (self.store / MARKER).exists():
            Store.create(self.store).put_environment(synthetic.environment())
            (self.store / "sweep.toml").write_text(self.sweep.read_text())
            (self.store / PROTOCOL_FILE).write_text(f"{plan.sweep.protocol_id}\n")
        opened = Store.open(self.store, verify=False)
        for planned in plan.trials:
            if planned.trial_id not in opened.trial_ids():
                self._write(opened, plan, planned)
                self.ran.append(planned.role or "")
        return Summary(planned=len(plan.trials), ok=len(plan.trials), failed=0, invalid=0)

    def _write(self, opened: Store, plan: Plan, planned) -> None:
        dice = np.random.default_rng(int.from_bytes(planned.trial_id.encode()[:7]))
        named = synthetic.Plan([], workload=plan.sweep.workloads[0].name)
        row = synthetic.trial(named, dict(planned.point.settings), planned.block, planned.run_order)
        row = replace(
            row,
            trial_id=planned.trial_id,
            point_id=planned.point.id,
            night=planned.night,
            night_role=planned.role,
            disk_ids=DISKS,
        )
        level = self.truth.get("machine", 0.0) + self.truth.get("disk", 0.0)
        level += 0.0 if planned.role == PAIR_BASELINE else self.truth.get("change", 0.0)
        iops = 1000.0 * float(np.exp(level + dice.normal(0, 0.01)))
        checks = planned.disk_checks if planned.disk_checks is not None else 1
        telemetry = [reading for check in range(checks) for reading in self._readings(row.trial_id, check, dice)]
        opened.append(row, [synthetic.observation(named, row, iops, "read", None)], telemetry=telemetry)

    def _readings(self, trial_id: str, check: int, dice) -> list[TelemetryRow]:
        """Every disk on its own beside its peers; the third may be slow."""
        empty = {each.name: None for each in fields(TelemetryRow)}
        known = {"trial_id": trial_id, "workload": DISK_CHECK, "second": float(check), "device": "vda"}
        slow = {DISKS[2]: self.truth.get("disk", 0.0)}
        logs = {disk: dice.normal(0, 0.01) + slow.get(disk, 0.0) for disk in DISKS}
        return [
            TelemetryRow(**{**empty, **known, "disk_id": disk, "read_iops": 100.0 * float(np.exp(log))})
            for disk, log in logs.items()
        ]


@dataclass
class Nights:
    """Nights one after the other in a store; ``truth`` may be changed between them."""

    store: Path
    hooks: Hooks = field(default_factory=lambda: Hooks("true", "true"))
    truth: dict[str, float] = field(default_factory=dict)
    count: int = 0
    ran: list[str] = field(default_factory=list)

    def next(self) -> Nightly:
        """Another night; ``ran`` has the roles of its trials."""
        self.ran.clear()
        sweep = self.store.with_suffix(".toml")
        sweep.write_text(SWEEP)
        where = Written(sweep=sweep, store=self.store, lab=True, truth=self.truth, ran=self.ran)
        asked = Asked(where=where, night=night_name(self.count), hooks=self.hooks, baseline_nights=BASELINE)
        self.count += 1
        found = run_night(make_plan(Sweep.load(sweep, vocabulary())), asked, lambda _: None)
        assert found.problems == ()
        return found

    def baseline(self) -> Nights:
        """The nights that the first baseline takes, and a quiet one."""
        for _ in range(BASELINE):
            self.next()
        assert self.word() == "ok"
        return self

    def word(self) -> str:
        """The verdict of another night on every metric of the sweep, which is one word."""
        found = self.next()
        (word,) = {each.word for each in found.verdicts if each.metric.figure == "iops"}
        return word
