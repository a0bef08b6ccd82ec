"""What of a user's own fio options is passed on: an allow-list, since fio can run programs and write anywhere.

fio's options can name files and devices (``filename``, ``directory``, ``write_iolog``, ``mem=mmap:FILE``),
run commands (``exec_prerun``), load libraries (``ioengine=external:``), change the host
(``ioscheduler``, ``cgroup``) and delete (``unlink``).  An option that is not in :data:`ALLOWED` never
reaches fio, whoever wrote it; and values are held to plain words, because fio expands ``${NAME}``
and hands arithmetic with ``$`` keywords to a shell.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from bench.errors import SweepFileError


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


ALLOWED = frozenset(
    _words("""
    rw readwrite bs blocksize ba blockalign bsrange blocksize_range bssplit bs_unaligned blocksize_unaligned
    randrepeat allrandrepeat randseed norandommap softrandommap random_generator random_distribution
    percentage_random rw_sequencer
    ioengine iodepth iodepth_batch iodepth_batch_submit iodepth_batch_complete iodepth_batch_complete_min
    iodepth_batch_complete_max iodepth_low serialize_overlap io_submit_mode
    io_size io_limit offset offset_increment offset_align number_ios loops
    file_service_type openfiles fadvise_hint invalidate
    fsync fdatasync write_barrier sync_file_range end_fsync fsync_on_close sync
    direct buffered numjobs runtime timeout time_based ramp_time clocksource
    rwmixread rwmixwrite nice prio prioclass cmdprio_percentage cmdprio_class cmdprio write_hint
    thinktime thinktime_spin thinktime_blocks thinktime_blocks_type thinktime_iotime
    rate rate_min rate_process rate_cycle rate_ignore_thinktime rate_iops rate_iops_min
    max_latency latency_target latency_window latency_percentile latency_run
    cpumask cpus_allowed cpus_allowed_policy numa_cpu_nodes numa_mem_policy lockmem
    zero_buffers refill_buffers scramble_buffers buffer_compress_percentage buffer_compress_chunk
    dedupe_percentage dedupe_mode dedupe_working_set_percentage
    steadystate ss steadystate_duration ss_dur steadystate_ramp_time ss_ramp
    hipri fixedbufs registerfiles nonvectored uncached nowait force_async sqthread_poll sqthread_poll_cpu
    userspace_reap exitall
    """)
)
"""Options that shape the load and touch nothing but the targets."""

REPLACED: Mapping[str, str] = {
    **dict.fromkeys(_words("thread description new_group"), "it changes no figure"),
    **dict.fromkeys(
        _words("""
        group_reporting unified_rw_reporting clat_percentiles lat_percentiles slat_percentiles percentile_list
        significant_figures disk_util bwavgtime iopsavgtime per_job_logs write_bw_log write_iops_log write_lat_log
        log_avg_msec log_max_value log_offset log_prio log_unix_epoch
        """),
        "stripelab keeps every job, histogram and second itself",
    ),
    **dict.fromkeys(
        _words("filesize nrfiles fallocate create_serialize create_fsync create_on_open allow_file_create overwrite"),
        "the files come from the sweep's data set",
    ),
}
"""Options of a job file that are left out, with the reason; the run says so in a warning."""

NEUTRAL: Mapping[str, frozenset[str]] = {
    "unlink": frozenset({"0"}),
    "unlink_each_loop": frozenset({"0"}),
    "allow_mounted_write": frozenset({"0"}),
    "gtod_reduce": frozenset({"0"}),
    "continue_on_error": frozenset({"none", "0"}),
}
"""Values with which an option of a job file that is otherwise refused says what is so anyway."""

REASONS: Mapping[str, str] = {
    **dict.fromkeys(
        ("filename", "directory", "filename_format", "opendir"),
        "stripelab gives fio its targets; leave it out, or write it as ${TARGET}",
    ),
    **dict.fromkeys(("exec_prerun", "exec_postrun"), "it runs a command"),
    **dict.fromkeys(("unlink", "unlink_each_loop"), "it deletes the targets"),
    **dict.fromkeys(("stonewall", "wait_for_previous", "wait_for", "startdelay"), "jobs of a workload run at once"),
    **dict.fromkeys(("gtod_reduce", "disable_lat", "disable_clat", "disable_slat"), "it takes the latencies away"),
    "allow_mounted_write": "it lets fio write over a mounted disk",
    "continue_on_error": "a trial with I/O errors is a failed trial",
    "include": "put the options into the one file",
    "size": "the sweep's data set has the size; `io_size` bounds the amount of I/O",
}

ENGINES = frozenset({"libaio", "io_uring", "posixaio", "psync", "sync", "vsync", "pvsync", "pvsync2", "mmap"})
"""I/O engines of fio that do I/O on the targets, and nothing else."""

SYNCHRONOUS = frozenset({"psync", "sync", "vsync", "pvsync", "pvsync2", "mmap"})
"""I/O engines for which fio caps the queue depth at 1, with no more than a note."""

RW = frozenset(_words("read write randread randwrite rw readwrite randrw trim randtrim trimwrite randtrimwrite"))

_WORKLOAD_KEYS: Mapping[str, str] = {
    **{key: key for key in ("rw", "bs", "iodepth", "numjobs", "rwmixread", "fsync", "direct", "ioengine")},
    "readwrite": "rw",
    "blocksize": "bs",
    "buffered": "direct",
    "runtime": "runtime_s",
    "timeout": "runtime_s",
    "time_based": "runtime_s",
    "ramp_time": "ramp_time_s",
    "io_size": "io_size",
    "io_limit": "io_size",
}
"""Options of fio that a workload of a sweep file has a key of its own for."""

_PLAIN = re.compile(r"[A-Za-z0-9_.,:%/+-]*\Z")
_PLACEHOLDER = re.compile(r"\$\{[A-Za-z_][A-Za-z0-9_]*\}\Z")


def check_value(where: str, key: str, value: str) -> None:
    """Refuse a value that is more than plain words, or that names an I/O engine or direction of the wrong kind."""
    if not _PLAIN.match(value):
        raise SweepFileError(f"{where}: fio option {key} = {value!r}: it may hold only letters, digits and _.,:%/+-")
    if key == "ioengine" and value not in ENGINES:
        raise SweepFileError(f"{where}: ioengine {value!r} is not one of {', '.join(sorted(ENGINES))}")
    if key in {"rw", "readwrite"} and value.split(":", maxsplit=1)[0] not in RW:
        raise SweepFileError(f"{where}: rw {value!r} is not one of {', '.join(sorted(RW))}")
    if key == "numjobs" and not (value.isdecimal() and 1 <= int(value) <= 1024):
        raise SweepFileError(f"{where}: numjobs {value!r} is not a number from 1 to 1024")


def refusal(where: str, key: str) -> SweepFileError:
    """The error for an option that is not passed on."""
    reason = REASONS.get(key, "it is not among the options that stripelab passes on")
    return SweepFileError(f"{where}: fio option {key!r} is refused: {reason}")


def check_option(where: str, key: str, value: str) -> None:
    """Refuse an entry of a workload's ``options`` that must not reach fio."""
    if key in _WORKLOAD_KEYS:
        raise SweepFileError(f"{where}: fio option {key!r} has a key of its own: write {_WORKLOAD_KEYS[key]} = … there")
    if key in REPLACED:
        raise SweepFileError(f"{where}: fio option {key!r} cannot be set: {REPLACED[key]}")
    if key not in ALLOWED:
        raise refusal(where, key)
    check_value(where, key, value)


def keep_option(where: str, key: str, value: str) -> tuple[tuple[str, str] | None, str | None]:
    """Vet an option of a job file: the option to pass on (None for none) and a warning (None for none).

    Raises :class:`SweepFileError` where it must not be run.
    """
    if key in {"filename", "directory"} and (not value or _PLACEHOLDER.match(value)):
        return None, None
    if key == "size" and "%" not in value:
        check_value(where, key, value)
        return ("io_size", value), f"{where}: size = {value} is taken as io_size; the data set has the size"
    if key in NEUTRAL and value in NEUTRAL[key]:
        return None, None
    if key in REPLACED:
        return None, f"{where}: fio option {key} is left out: {REPLACED[key]}"
    if key not in ALLOWED:
        raise refusal(where, key)
    check_value(where, key, value)
    return (key, value), None
