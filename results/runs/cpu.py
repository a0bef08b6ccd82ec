"""CPU time per I/O, from the telemetry of the CPUs: what a stack costs beside its throughput.

CPU time of the whole host in user space and kernel while the workload ran, over the I/Os of that time.
(Utilisation law: Denning and Buzen, Computing Surveys 10, 1978.)  Whatever else the host did is in it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from results.estimates.responses import Response, group
from results.store.pieces import by_trial
from results.store.query import StoreFrames
from results.store.sampling import evenly
from results.store.schema import ObservationRow, TrialRow

if TYPE_CHECKING:
    import pyarrow as pa

METRIC = "cpu_ns_per_io"


def cpu_per_io(
    frames: StoreFrames, trials: Sequence[TrialRow], observations: Sequence[ObservationRow], workloads: Sequence[str]
) -> Mapping[str, list[Response]]:
    """CPU time per I/O, ns, of each trial that has the telemetry for it, by workload."""
    cpus = {row.environment_id: row.cpus for row in frames.environment_rows()}
    rows = {workload: group(observations, workload) for workload in workloads}
    found: dict[str, list[Response]] = {workload: [] for workload in workloads}
    measured = [trial for trial in trials if trial.status == "ok" and trial.environment_id in cpus]
    sample = {trial.trial_id: trial for trial in evenly(frames, "telemetry", measured)}
    columns = ("workload", "device", "user_pct", "system_pct")
    for trial_id, table in by_trial(frames.store, "telemetry", columns, sample):
        trial = sample[trial_id]
        for workload in workloads:
            busy = _busy_share(table, workload)
            iops = _iops(rows[workload].get(trial.trial_id, ()))
            if busy and iops:
                value = busy * cpus[trial.environment_id] * 1e9 / iops
                plots = (trial.array_built_by, trial.filesystem_built_by)
                found[workload].append(
                    Response(trial.trial_id, trial.point_id, trial.block, trial.run_order, value, plots)
                )
    # The order of files depends on how trials were bundled, and sums depend on the order of their terms.
    return {workload: sorted(each, key=lambda one: (one.run_order, one.trial_id)) for workload, each in found.items()}


def _busy_share(table: pa.Table, workload: str) -> float | None:
    """Share of all CPUs in user space and kernel, over the samples of a workload."""
    import pyarrow.compute as pc

    rows = table.filter(pc.and_(pc.equal(table["workload"], workload), pc.equal(table["device"], "cpu")))
    busy = pc.mean(pc.add(pc.fill_null(rows["user_pct"], 0.0), pc.fill_null(rows["system_pct"], 0.0))).as_py()
    return None if busy is None else float(busy) / 100


def _iops(rows: Sequence[ObservationRow]) -> float | None:
    """I/Os per second of all directions; None where the engine reports none."""
    values = [row.iops for row in rows]
    return sum(value for value in values if value is not None) if values and None not in values else None
