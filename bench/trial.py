"""One trial: build the stack of a point, run every workload over it, and describe what happened."""

from __future__ import annotations

import os
import shutil
import stat
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from bench import conditioning, engines, probes
from bench.acts import FolderAct, of_store, trial_folder
from bench.engine import Targets
from bench.errors import EngineError, EnvironmentUnknownError, MissingToolError, StackError
from bench.events import Emit, Event, throughput
from bench.inventory import Disk
from bench.journal import Entry, Journal, effect
from bench.lab import images
from bench.lease import Lease
from bench.reached import disk_bytes, measured_bytes
from bench.record import Conditioned, Moved, Record
from bench.stack.build import dressed
from bench.stack.spec import Site, StackRequest, StackSpec, Volume
from bench.stack.standing import Standing
from bench.stack.throttle import throttled
from bench.telemetry import sampling
from permutations.point import PlannedTrial
from permutations.sweep import Sweep
from permutations.workload import DiskProfile, Workload

DROP_CACHES = Path("/proc/sys/vm/drop_caches")
GRACE_S = 120.0
SLOWEST_BYTES_S = 256 << 10
"""A workload of a given size may take as long as at this rate before it counts as hung."""

TRIAL_FAILURES = (StackError, EngineError, MissingToolError)
"""What fails one trial and not the campaign."""


@dataclass(frozen=True)
class Bench:
    """What every trial of a campaign shares."""

    sweep: Sweep
    lease: Lease
    journal: Journal
    environment_id: str
    emit: Emit

    @property
    def profile(self) -> DiskProfile | None:
        """The limit per disk, which only the virtual lab enforces."""
        return self.sweep.lab.profile if self.lease.substrate == "uml" else None

    @property
    def own_limits(self) -> Mapping[Path, DiskProfile]:
        """Disks of the lab that are limited otherwise than the profile says."""
        if self.profile is None:
            return {}
        by_serial = {images.serial(number): limit for number, limit in self.sweep.lab.own_limits}
        return {disk.path: by_serial[disk.serial] for disk in self.lease.disks if disk.serial in by_serial}

    def throttled(self, disks: Sequence[Disk]) -> AbstractContextManager[None]:
        """The limits of the lab on these disks; nothing elsewhere."""
        if self.profile is None:
            return nullcontext()
        return throttled([disk.path for disk in disks], self.profile, self.journal, self.own_limits)


def run_trial(bench: Bench, planned: PlannedTrial, standing: Standing) -> Record:
    """Run one trial; a failure of the stack or of an engine becomes a row, anything else is raised.

    What of the stack stays for the next trial is in ``standing``: nothing unless both are of one plot,
    and nothing after a trial that is not ok.
    """
    started_s = time.monotonic()
    site = Site(bench.lease, bench.journal, trial_folder(bench.lease.store, planned.trial_id), planned.trial_id[:8])
    record = Record(planned, bench.sweep, bench.environment_id, bench.lease, bench.profile, bench.own_limits)
    request = StackRequest(StackSpec.of(planned.point, bench.sweep.initial_sync), bench.sweep.dataset)
    try:
        volume = standing.take(planned, request.spec)
        record.stands_on(*standing.built_by)
        with own_folder(bench.lease, site.folder), dressed(site, request, volume) as targets:
            record.built(volume, volume.state(), time.monotonic() - started_s)
            for workload in bench.sweep.workloads:
                bench.emit(Event("workload", workload=workload.name))
                run_workload(bench, workload, record, volume, targets=targets, scratch=site.folder / "scratch")
            record.ended(volume.state())
        sites = (*standing.sites, site)
        if planned.whole_plot is None or record.trial.status != "ok":
            standing.close()
    except TRIAL_FAILURES as failure:
        record.failed(failure)
        sites = (*standing.sites, site)
        with suppress(*TRIAL_FAILURES):  # the first failure is the one to tell
            standing.close()
    record.finish(sites, time.monotonic() - started_s)
    return record


def run_workload(
    bench: Bench, workload: Workload, record: Record, volume: Volume, *, targets: Targets, scratch: Path
) -> None:
    """One workload: preconditioned, cold caches, rounds until it is steady, then measured with telemetry beside it.

    The throttle is on from the first round to the end, and no longer.
    """
    driver = engines.by_name(workload.engine)
    asked = as_run_in_the_lab(workload) if bench.lease.substrate == "uml" else workload
    scratch.mkdir(parents=True, exist_ok=True)
    limit_s = partial(timeout_s, targets=targets)
    settle = conditioning.Conditioning(driver, asked, targets, scratch, limit_s, bench.emit)
    precondition_command = settle.precondition(bench.sweep.dataset.total_bytes)
    drop_caches()
    with bench.throttled(volume.members):
        settled = settle.rounds()
        before = disk_bytes(volume.members)
        with sampling(volume.members, lambda rates: bench.emit(throughput(rates))) as samples:
            measurement = driver.run(asked, targets, scratch=scratch, timeout_s=timeout_s(workload, targets))
    if workload.writes:
        os.sync()  # what is still in memory reaches the disks as well
    moved = measured_bytes(disk_bytes(volume.members).since(before), samples, asked)
    shutil.rmtree(scratch)
    record.keep(workload, measurement, samples, Conditioned(precondition_command, settled), Moved(targets, moved))


def as_run_in_the_lab(workload: Workload) -> Workload:
    """The workload with fio's clock set: calibrating the CPU's own takes it 0.6 s a run in the guest."""
    if workload.engine != "fio" or workload.job_file is not None or "clocksource" in dict(workload.options):
        return workload
    return replace(workload, options=(*workload.options, ("clocksource", "clock_gettime")))


def timeout_s(workload: Workload, targets: Targets) -> float:
    """How long a workload may take before it counts as hung."""
    if workload.engine != "dd" and workload.io_size_bytes is None and workload.runtime_s > 0:
        return workload.ramp_time_s + workload.runtime_s + GRACE_S
    size_bytes = workload.io_size_bytes or targets.size_bytes * len(targets.paths)
    return GRACE_S + size_bytes * workload.numjobs / SLOWEST_BYTES_S


def drop_caches() -> None:
    """Write back and drop every clean page, dentry and inode; proc_sys_vm(5)."""
    os.sync()
    try:
        DROP_CACHES.write_text("3\n", encoding="ascii")
    except OSError as failure:
        raise EnvironmentUnknownError(
            f"{DROP_CACHES}: {failure.strerror}: with warm caches a figure would say nothing of the disks",
            remedy="Run as root, or in the virtual lab with --lab.",
        ) from failure


@contextmanager
def own_folder(lease: Lease, folder: Path) -> Iterator[None]:
    """A folder for mount points and scratch files, which no other user can rename or look into."""

    def make() -> None:
        try:
            folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            _refuse_shared(folder.parent)
            folder.mkdir(mode=0o700)
        except OSError as failure:
            raise StackError(f"{failure.filename}: {failure.strerror}") from failure

    with effect(lease.journal, FolderAct(str(folder)), make, lambda entry: undo_folder(entry, lease.store)):
        yield


def _refuse_shared(folder: Path) -> None:
    """Raise StackError where another user could put something else in the place of what lies in a folder."""
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o022:
        raise StackError(
            f"{folder} must be a folder that only its owner, this user, may write to",
            remedy="Remove it; the next run makes it anew.",
        )


def undo_folder(entry: Entry, store: Path) -> None:
    """Remove the folder's scratch files, then the folder: never through a link or a mount that still stands."""
    assert isinstance(entry.act, FolderAct)  # noqa: S101 - the table of undos is by type
    folder = Path(entry.act.folder)
    if not of_store(folder, store) or not (folder.is_symlink() or folder.exists()):
        return  # another store's, or gone
    if folder.is_symlink() or any(Path(each.mount_point).is_relative_to(folder) for each in probes.mounts()):
        raise StackError(
            f"{folder} is a link, or something is mounted in it: it was left alone",
            remedy="Unmount what lies in it, or remove the link; then run the same command again.",
        )
    shutil.rmtree(folder / "scratch", ignore_errors=True)
    try:
        folder.rmdir()
    except OSError as failure:
        raise StackError(
            f"{folder} cannot be removed: {failure.strerror}", remedy="Look what lies in it, and remove it by hand."
        ) from failure
