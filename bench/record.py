"""The rows of one trial, filled in as it goes: whatever happens, there is a row at the end."""

from __future__ import annotations

import json
import time
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from bench import predict
from bench.conditioning import Settled
from bench.disk_health import Health
from bench.engine import DirectionResult, Measurement, Targets
from bench.errors import StripelabError
from bench.lease import Lease
from bench.reached import DiskBytes, least_bytes
from bench.stack.build import usable_bytes
from bench.stack.spec import ArrayState, Site, Volume
from bench.telemetry import Sample
from bench.version import stripelab_version
from permutations.identity import without_none
from permutations.point import PlannedTrial
from permutations.sweep import Sweep
from permutations.workload import DiskProfile, Workload
from results.store import compressed
from results.store.schema import DISK_CHECK, DISK_HEALTH, IntervalRow, ObservationRow, TelemetryRow, TrialRow


@dataclass(frozen=True)
class Conditioned:
    """What was done before the measured run: the command that preconditioned, and the rounds; None where not asked."""

    precondition_command: str | None = None
    settled: Settled | None = None


@dataclass(frozen=True)
class Moved:
    """What the member disks moved while a workload ran over ``targets``."""

    targets: Targets
    disks: DiskBytes


class Record:
    """What a trial leaves behind; ``trial`` is valid at any moment after :meth:`finish`."""

    def __init__(
        self,
        planned: PlannedTrial,
        sweep: Sweep,
        environment_id: str,
        lease: Lease,
        profile: DiskProfile | None,
        own_limits: Mapping[Path, DiskProfile],
    ) -> None:
        self.planned = planned
        self.dataset_bytes = sweep.dataset.total_bytes
        members = lease.disks[: planned.point.disks]
        own = {disk.id or "": own_limits[disk.path] for disk in members if disk.path in own_limits}
        self.predictable = None if own else profile
        """The limit that all members share; the arithmetic of RAID says nothing of unequal ones."""
        self.observations: list[ObservationRow] = []
        self.intervals: list[IntervalRow] = []
        self.telemetry: list[TelemetryRow] = []
        self._said: list[str] = []
        point = planned.point
        settings: dict[str, Any] = dict(point.settings)
        self.trial = TrialRow(
            trial_id=planned.trial_id,
            point_id=point.id,
            protocol_id=sweep.protocol_id,
            environment_id=environment_id,
            sweep=sweep.name,
            block=planned.block,
            run_order=planned.run_order,
            phase=planned.phase,
            night=planned.night,
            night_role=planned.role,
            whole_plot=planned.whole_plot,
            sub_plot=planned.sub_plot,
            status="ok",
            substrate=lease.substrate,
            started_at_ns=time.time_ns(),
            duration_s=0.0,
            initial_sync=sweep.initial_sync if point.raid.redundant else None,
            disk_failures_survived=point.raid.disk_failures_survived(point.disks),
            disk_ids=tuple(disk.id or "" for disk in members),
            disk_iops_limit=profile.iops if profile else None,
            disk_bw_bytes_s_limit=profile.bw_bytes_s if profile else None,
            disk_own_limits=tuple(f"{name}: {each.iops} IOPS, {each.bw_bytes_s} B/s" for name, each in own.items()),
            stripelab_version=stripelab_version(),
            **settings,
        )

    def stands_on(self, array: str | None, filesystem: str | None) -> None:
        """Which trials built the array and the filesystem of this one."""
        self.trial = replace(self.trial, array_built_by=array, filesystem_built_by=filesystem)

    def built(self, volume: Volume, state: ArrayState | None, build_s: float) -> None:
        """The stack stands."""
        self.trial = replace(
            self.trial,
            build_s=build_s,
            usable_bytes=usable_bytes(volume),
            dataset_bytes=self.dataset_bytes,
            stripe_width_kib=volume.geometry.stripe_width_kib if volume.geometry else None,
        )
        self._array("before", state)

    def keep(
        self,
        workload: Workload,
        measurement: Measurement,
        samples: Sequence[Sample],
        before: Conditioned | None = None,
        moved: Moved | None = None,
    ) -> None:
        """A workload was measured; the engine's raw output is kept once, on its first row."""
        names: dict[str, Any] = {"trial_id": self.trial.trial_id, "workload": workload.name}
        expected = predict.predict(self.planned.point, workload, self.predictable)
        raw: bytes | None = zlib.compress(measurement.raw)
        before = before or Conditioned()
        settled = before.settled
        if settled is not None and settled.warning is not None:
            self._said.append(f"{workload.name}: {settled.warning}")
        for result in measurement.directions:
            disk_bytes, least = self._moved(workload, result, moved)
            row = ObservationRow(
                engine=measurement.engine,
                engine_version=measurement.engine_version,
                command=measurement.command,
                predicted_iops=expected.iops,
                predicted_bw_bytes_s=expected.bw_bytes_s,
                warnings=measurement.warnings,
                workload_json=_as_json(workload),
                precondition_command=before.precondition_command,
                steady_verdict=settled.verdict if settled is not None else None,
                steady_metric=settled.metric if settled is not None else None,
                steady_rounds=settled.rounds if settled is not None else (),
                raw_zlib=raw,
                **names,
                **_fields(result),
                disk_bytes=disk_bytes,
                least_disk_bytes=least,
            )
            warning = compressed.warning(row)
            if warning is not None:
                self._said.append(f"{workload.name}: {warning}")
            self.observations.append(row)
            raw = None
        self.intervals += [IntervalRow(**names, **_fields(each)) for each in measurement.intervals]
        self.telemetry += [TelemetryRow(**names, **_fields(each)) for each in samples]

    def _moved(self, workload: Workload, result: DirectionResult, moved: Moved | None) -> tuple[int | None, int | None]:
        """Bytes that the disks moved for a direction, and the least that incompressible data would have moved."""
        found = moved.disks.of(result.direction) if moved is not None else None
        if moved is None or found is None:
            return None, None
        point = self.planned.point
        return found, least_bytes(
            workload, moved.targets, result.direction, result.total_bytes, level=point.level, disks=point.disks
        )

    def checked(self, samples: Sequence[Sample]) -> None:
        """Each leased disk was read on its own, before the stack was built."""
        names: dict[str, Any] = {"trial_id": self.trial.trial_id, "workload": DISK_CHECK}
        self.telemetry += [TelemetryRow(**names, **_fields(each)) for each in samples]

    def health(self, found: Sequence[Health]) -> None:
        """Temperature and wear of the leased disks after the trial."""
        names: dict[str, Any] = {"trial_id": self.trial.trial_id, "workload": DISK_HEALTH}
        self.telemetry += [TelemetryRow(**names, **_fields(each)) for each in found]

    def ended(self, state: ArrayState | None) -> None:
        """Every workload ran; the array's state decides whether that means anything."""
        self._array("after", state)
        if self.trial.invalid_reasons:
            self.trial = replace(self.trial, status="invalid")

    def failed(self, failure: StripelabError) -> None:
        """The stack or an engine failed."""
        self.trial = replace(
            self.trial,
            status="failed",
            error_class=type(failure).__name__,
            error=failure.message,
            error_command=failure.command,
        )

    def finish(self, sites: Sequence[Site], duration_s: float) -> None:
        """What no later trial uses is taken down again; ``sites`` are those of the layers, lowest first."""
        self.trial = replace(
            self.trial,
            duration_s=duration_s,
            build_commands=tuple(line for site in sites for line in site.commands),
            apply_commands=tuple(line for site in sites for line in site.apply),
            warnings=(*(line for site in sites for line in site.warnings), *self._said),
        )

    def _array(self, when: str, state: ArrayState | None) -> None:
        """Note the array's state; an engine does not notice that a member of a RAID 5 died."""
        if state is None:
            return
        reasons = list(self.trial.invalid_reasons)
        if state.degraded:
            reasons.append(f"array degraded {when} the workloads: {state.degraded} member(s) missing")
        if state.sync_action not in {None, "idle"}:
            reasons.append(f"array busy with {state.sync_action} {when} the workloads")
        columns: dict[str, Any] = {f"{key}_{when}": value for key, value in asdict(state).items()}
        self.trial = replace(self.trial, invalid_reasons=tuple(reasons), **columns)


def _as_json(workload: Workload) -> str:
    """The workload with every default written out; the place of a job file is left out, its content's digest is in."""
    words = {**workload.content, "options": dict(workload.options)}
    return json.dumps(without_none(words), sort_keys=True)


def _fields(value: Any) -> dict[str, Any]:
    """The fields of a flat frozen dataclass by name."""
    return {name: getattr(value, name) for name in value.__dataclass_fields__}
