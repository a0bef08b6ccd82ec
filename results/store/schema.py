"""The columns of the result store: one place, from which files, docs and checks are made.

Each table is a frozen dataclass; a field is a column, its annotation the type, its metadata the
documentation.  Names carry their unit as a suffix (``lat_p99_ns``, ``bw_bytes_s``, ``chunk_kib``).
``None`` means "does not apply" or "not known", never zero.
"""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from results.store.filled import filled_at_once

if TYPE_CHECKING:
    import pyarrow as pa

SCHEMA_VERSION = 3  # 2: files of many trials in bundles; 3: imported trials
VIRTUAL_SUBSTRATES = frozenset({"uml", "loop"})
"""Substrates on which nothing measured may become a guarantee."""
NIGHT, FRESH, PAIR_BASELINE, PAIR_TONIGHT = "night", "fresh", "pair-baseline", "pair-tonight"
"""What a trial of a nightly run is for (``night_role``)."""
IMPORTED = "imported"
"""Substrate of what stripelab read from files and did not measure: nobody knows the hardware behind them."""
DISK_CHECK = "(disk check)"
"""Name, in telemetry, of the reading of each disk on its own; no workload can be called so."""
DISK_HEALTH = "(disk health)"
"""Name, in telemetry, of the reading of each disk's temperature and wear after a trial."""


def column(doc: str) -> Any:
    """A required column with its documentation."""
    return dataclasses.field(metadata={"doc": doc})


def optional(doc: str) -> Any:
    """A column that may be null, with its documentation."""
    return dataclasses.field(default=None, metadata={"doc": doc})


def many(doc: str) -> Any:
    """A column that holds a list, with its documentation."""
    return dataclasses.field(default=(), metadata={"doc": doc})


@filled_at_once
@dataclass(frozen=True, kw_only=True)
class TrialRow:
    """One execution of one design point in one block; its outcome, whatever that was."""

    trial_id: str = column("sha256 over point, protocol and block; joins every table")
    point_id: str = column("sha256 over the settings of the design point")
    protocol_id: str = column("sha256 over workloads, data set, array initialisation and lab profile")
    environment_id: str = column("joins environments")
    sweep: str = column("name of the sweep; (imported) where there was none")
    block: int = column("block (replicate) number, from 0; counted when read where the trial was imported")
    run_order: int = column("position in the planned run order, from 0; where imported that of the starts, when read")
    phase: str | None = optional("screening or confirmation in a race; null in every other design")
    night: str | None = optional("night that the trial belongs to (ISO 8601 date); null outside of nightly runs")
    night_role: str | None = optional(
        "night (measured every night), fresh (measured again, the same night), pair-baseline or pair-tonight"
    )
    whole_plot: int | None = optional("planned array of a split-plot order, from 0; null in every other order")
    sub_plot: int | None = optional("planned filesystem of a split-plot order, from 0; null in every other order")
    array_built_by: str | None = optional(
        "trial_id of the trial that built the array (on jbod: took the bare disks) that this trial ran on"
    )
    filesystem_built_by: str | None = optional(
        "trial_id of the trial that made the filesystem that this trial ran on; null on raw"
    )
    status: str = column("ok, failed or invalid")
    substrate: str = column("disk, loop, uml, or imported (not measured by stripelab); only disk is real hardware")
    started_at_ns: int = column("wall clock at the start, nanoseconds since the epoch, UTC")
    duration_s: float = column("whole trial, monotonic clock")
    build_s: float | None = optional("building the stack and its data set, monotonic clock")
    error_class: str | None = optional("class of the error of a failed trial")
    error: str | None = optional("message of the error of a failed trial")
    error_command: str | None = optional("command that failed, ready to paste")
    invalid_reasons: tuple[str, ...] = many("why an invalid trial does not count")
    level: str | None = optional("jbod, raid0, raid1, raid5, raid6 or raid10")
    disks: int | None = optional("member disks")
    chunk_kib: int | None = optional("md chunk; null where the level has none")
    raid10_layout: str | None = optional("md layout of raid10 (n2, f2, o2)")
    stripe_cache_pages: int | None = optional("md stripe_cache_size of raid5 and raid6, pages per disk")
    filesystem: str | None = optional("filesystem, or raw for the bare device")
    mkfs_options: str | None = optional("further options of mkfs")
    mount_options: str | None = optional("options of mount")
    layout: str | None = optional("directory layout: flat, hashed-AxB or per-disk; null on raw")
    scheduler: str | None = optional("I/O scheduler of the member disks")
    read_ahead_kib: int | None = optional("read-ahead of the top device")
    nr_requests: int | None = optional("queue length of the member disks")
    initial_sync: str | None = optional("wait (resync awaited) or assume-clean (declared by the sweep)")
    array_state_before: str | None = optional("md array_state before the first workload")
    array_state_after: str | None = optional("md array_state after the last workload")
    sync_action_before: str | None = optional("md sync_action before the first workload")
    sync_action_after: str | None = optional("md sync_action after the last workload")
    degraded_before: int | None = optional("members missing before the first workload")
    degraded_after: int | None = optional("members missing after the last workload")
    stripe_width_kib: int | None = optional("chunk x data disks")
    usable_bytes: int | None = optional("capacity of the array, all filesystems together")
    dataset_bytes: int | None = optional("bytes of the files laid out before the first workload: the fill level")
    disk_failures_survived: int | None = optional("disk failures survived in the worst case")
    disk_ids: tuple[str, ...] = many("identity (serial or WWN) of each member, in order")
    disk_iops_limit: int | None = optional("IOPS that the lab's throttle allows each disk; null where there is none")
    disk_bw_bytes_s_limit: int | None = optional("bytes per second that the lab's throttle allows each disk")
    disk_own_limits: tuple[str, ...] = many("members that the lab limits otherwise than the others, and how")
    build_commands: tuple[str, ...] = many("every command that built the stack, as it was run")
    apply_commands: tuple[str, ...] = many("commands and configuration lines that apply these settings for good")
    warnings: tuple[str, ...] = many("what the tools warned of; does not invalidate the trial")
    stripelab_version: str = column("version of stripelab that measured, or imported")
    imported_from: str | None = optional("file that the trial was read from; null where stripelab measured")
    labels: tuple[str, ...] = many("name=value of each factor of an import that is no column of its own")
    dropped_at_ns: int | None = optional(
        "when seconds, telemetry and raw output were dropped on purpose (summaries has what is left), Unix time"
    )


@filled_at_once
@dataclass(frozen=True, kw_only=True)
class ObservationRow:
    """A trial's figures for one workload and one direction."""

    trial_id: str = column("joins trials")
    workload: str = column("name of the workload in the sweep file")
    direction: str = column(
        "read, write, trim, sync, or commit (a sync with the writes that it makes durable); mixed where the engine "
        "told none of them apart"
    )
    engine: str = column("fio, dd or native; also gpcheckperf and elbencho where imported")
    engine_version: str = column("version that the engine printed of itself")
    command: str = column("command line of the engine, ready to paste")
    ios: int = column("I/Os completed")
    total_bytes: int = column("bytes moved")
    runtime_ns: int = column("duration of this direction")
    iops: float | None = optional("I/Os per second; null where the engine reports none")
    bw_bytes_s: float = column("bytes per second")
    errors: int = column("I/O errors counted by the engine")
    predicted_iops: float | None = optional("IOPS predicted before the run from throttle and RAID arithmetic")
    predicted_bw_bytes_s: float | None = optional(
        "bandwidth predicted before the run from throttle and RAID arithmetic"
    )
    slat_mean_ns: float | None = optional("submission latency, mean, as fio defines it")
    clat_mean_ns: float | None = optional("completion latency, mean, as fio defines it")
    clat_p50_ns: int | None = optional("completion latency, median; null where the engine kept that of total latency")
    clat_p95_ns: int | None = optional("completion latency, 95th percentile")
    clat_p99_ns: int | None = optional("completion latency, 99th percentile")
    clat_p999_ns: int | None = optional("completion latency, 99.9th percentile")
    lat_min_ns: int | None = optional("total latency (submission + completion), minimum")
    lat_mean_ns: float | None = optional("total latency, mean")
    lat_stddev_ns: float | None = optional("total latency, standard deviation")
    lat_p50_ns: int | None = optional("total latency, median")
    lat_p95_ns: int | None = optional("total latency, 95th percentile")
    lat_p99_ns: int | None = optional(
        "total latency, 99th percentile; 17112760320 (the last bucket, as in all percentiles) is at least that"
    )
    lat_p999_ns: int | None = optional("total latency, 99.9th percentile")
    lat_max_ns: int | None = optional("total latency, maximum")
    lat_bins_ns: tuple[int, ...] = many("full histogram of total latency: midpoint of each bucket that is not empty")
    lat_counts: tuple[int, ...] = many("full histogram of total latency: I/Os in each of lat_bins_ns")
    disk_bytes: int | None = optional(
        "bytes that the member disks moved in this direction meanwhile, with what a sync after it wrote"
    )
    least_disk_bytes: int | None = optional(
        "least of disk_bytes for data that cannot be compressed, with copies and parity, without what a cache may "
        "hold; null where that is not known"
    )
    warnings: tuple[str, ...] = many("what the engine printed beside its result")
    workload_json: str | None = optional("the workload as it was asked for, defaults written out, as JSON")
    precondition_command: str | None = optional("command that preconditioned the data set; null where none was asked")
    steady_verdict: str | None = optional(
        "steady, drift not excluded or not steady, after the last round before the measured run; null: not asked"
    )
    steady_metric: str | None = optional("the figure that the rounds were judged by")
    steady_rounds: tuple[float, ...] = many("that figure in each round before the measured run, directions together")
    raw_zlib: bytes | None = optional("the engine's own output, zlib-compressed (on the first direction's row)")


@filled_at_once
@dataclass(frozen=True, kw_only=True)
class IntervalRow:
    """One second of one workload in one direction; a second with no I/O is a row of zeros."""

    trial_id: str = column("joins trials")
    workload: str = column("name of the workload")
    direction: str = column("read, write, trim, sync or commit")
    second: int = column("second of the measured phase, from 0")
    iops: float | None = optional("I/Os per second")
    bw_bytes_s: float | None = optional("bytes per second")
    lat_mean_ns: float | None = optional("total latency, mean; null in a second without I/O")
    lat_p50_ns: int | None = optional("total latency, median; null where the engine keeps no histogram per second")
    lat_p99_ns: int | None = optional("total latency, 99th percentile of the second")
    lat_p999_ns: int | None = optional("total latency, 99.9th percentile of the second")
    lat_max_ns: int | None = optional("total latency, maximum of the second")


@filled_at_once
@dataclass(frozen=True, kw_only=True)
class TelemetryRow:
    """What one device (or the CPUs, device = 'cpu') did in one sample while a workload ran.

    Rows of the workload :data:`DISK_CHECK` are what each disk read on its own before a stack was built, those of
    :data:`DISK_HEALTH` its temperature and wear after the trial.
    """

    trial_id: str = column("joins trials")
    workload: str = column("name of the workload")
    second: float = column("time since the workload was started, at the end of the sample")
    device: str = column("kernel name of the disk, or cpu")
    disk_id: str | None = optional("identity of the disk")
    read_bytes_s: float | None = optional("bytes read per second")
    write_bytes_s: float | None = optional("bytes written per second")
    read_iops: float | None = optional("reads completed per second")
    write_iops: float | None = optional("writes completed per second")
    util_pct: float | None = optional("share of time with I/O in flight (disk)")
    user_pct: float | None = optional("CPU time in user space, all CPUs = 100")
    system_pct: float | None = optional("CPU time in the kernel, all CPUs = 100")
    iowait_pct: float | None = optional("CPU time waiting for I/O, all CPUs = 100")
    temperature_c: float | None = optional("temperature of the disk after the trial, degrees Celsius")
    used_pct: int | None = optional("share of its rated endurance that the disk says is used; may exceed 100")
    power_on_hours: int | None = optional("hours that the disk was powered on")
    media_errors: int | None = optional("errors that the disk could not correct, as it counts them")
    reallocated_sectors: int | None = optional("sectors that the disk replaced (SCSI: its grown defect list)")
    not_read: str | None = optional("which of the five above could not be read, and why")


@filled_at_once
@dataclass(frozen=True, kw_only=True)
class SummaryRow:
    """One figure of the seconds or the telemetry of an old night's trial, which were dropped: what is left for ever.

    Figures are in the unit that the name of ``figure`` carries.  A quantile is the smallest value at or below which
    that share of the values lies.
    """

    trial_id: str = column("joins trials")
    source: str = column("table that the values were in: intervals or telemetry")
    workload: str = column("name of the workload")
    direction: str | None = optional("read, write, trim, sync or commit; null where the source is telemetry")
    device: str | None = optional("kernel name of the disk, or cpu; null where the source is intervals")
    disk_id: str | None = optional("identity of the disk")
    figure: str = column("column that the values were in")
    count: int = column("values, one a second (one a sample of telemetry)")
    missing: int = column("seconds (samples) without a value")
    mean: float = column("mean")
    sd: float | None = optional("standard deviation; null of a single value")
    lag_one: float | None = optional("autocorrelation of neighbouring values; null of fewer than three")
    minimum: float = column("smallest value")
    p01: float = column("1st percentile")
    p05: float = column("5th percentile")
    p50: float = column("median")
    p95: float = column("95th percentile")
    p99: float = column("99th percentile")
    maximum: float = column("largest value")
    first_third: float = column("mean of the first third: far from that of the last it tells of a warm-up or a decline")
    last_third: float = column("mean of the last third")


@filled_at_once
@dataclass(frozen=True, kw_only=True)
class EnvironmentRow:
    """The machine on which trials ran; identity is its content, the host's name left out."""

    environment_id: str = column("sha256 over every other column but hostname")
    hostname: str = column("name of the host")
    substrate: str = column("disk, loop or uml; imported where nobody knows")
    kernel: str = column("kernel release and version")
    architecture: str = column("machine architecture")
    os_release: str = column("distribution")
    cpu_model: str = column("CPU model")
    cpus: int = column("CPUs online")
    cpu_governor: str | None = optional("frequency governor of CPU 0")
    memory_bytes: int = column("physical memory")
    disk_ids: tuple[str, ...] = many("identity of each leased disk")
    disk_models: tuple[str, ...] = many("model of each leased disk")
    disk_firmwares: tuple[str, ...] = many("firmware of each leased disk")
    disk_sizes_bytes: tuple[int, ...] = many("size of each leased disk")
    disk_logical_block_bytes: tuple[int, ...] = many("logical block size of each leased disk")
    disk_rotational: tuple[bool, ...] = many("whether the kernel calls each leased disk rotational")
    tools: tuple[str, ...] = many("name and version of each program used, sorted")
    stripelab_version: str = column("version of stripelab")


Row = TrialRow | ObservationRow | IntervalRow | TelemetryRow | SummaryRow | EnvironmentRow

TABLES: Mapping[str, type[Row]] = {
    "trials": TrialRow,
    "observations": ObservationRow,
    "intervals": IntervalRow,
    "telemetry": TelemetryRow,
    "summaries": SummaryRow,
    "environments": EnvironmentRow,
}


@cache
def arrow_schema(table: str) -> pa.Schema:
    """Arrow schema of a table, made from its row class; carries SCHEMA_VERSION as metadata."""
    import pyarrow as pa  # late: it costs a tenth of a second

    row = TABLES[table]
    hints = typing.get_type_hints(row)
    fields = []
    for spec in dataclasses.fields(row):
        kind, nullable = _arrow_type(hints[spec.name])
        fields.append(pa.field(spec.name, kind, nullable=nullable, metadata={"doc": spec.metadata["doc"]}))
    return pa.schema(fields, metadata={"stripelab_schema": str(SCHEMA_VERSION), "stripelab_table": table})


def _arrow_type(hint: Any) -> tuple[pa.DataType, bool]:
    """Arrow type of an annotation, and whether it may be null."""
    import pyarrow as pa

    scalars = {str: pa.string(), int: pa.int64(), float: pa.float64(), bytes: pa.binary(), bool: pa.bool_()}
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is types.UnionType:
        (inner,) = (argument for argument in arguments if argument is not types.NoneType)
        return _arrow_type(inner)[0], True
    if origin is tuple:
        return pa.list_(scalars[arguments[0]]), False
    return scalars[hint], False
