"""What of a user's own fio options is passed on: an allow-list, since fio can run programs and write anywhere.

fio's options can name files and devices (``filename``, ``directory``, ``write_iolog``, ``mem=mmap:FILE``),
run commands (``exec_prerun``), load libraries (``ioengine=external:``), change the host
(``ioscheduler``, ``cgroup``) and delete (``unlink``).  An option that is not in :data:`ALLOWED` never
reaches fio, whoever wrote it; and every value has a closed shape, because fio expands ``${NAME}``,
hands arithmetic with ``$`` keywords to a shell, and takes numbers that mean nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from bench.errors import SweepFileError
from bench.shapes import Shape, decimal, either, fio_size, matching, one_of, optional, several, whole


def shown(text: str) -> str:
    """A word of a file in a message: quoted, and not longer than a line."""
    return repr(text if len(text) <= 60 else text[:57] + "...")


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


ENGINES = frozenset({"libaio", "io_uring", "posixaio", "psync", "sync", "vsync", "pvsync", "pvsync2", "mmap"})
"""I/O engines of fio that do I/O on the targets, and nothing else."""

MOST_JOBS = 1024
"""Most jobs of one workload, clones included."""

_PERCENT = matching("a share such as 50%", r"(100|[0-9]{1,2})%")
_FLAG = optional(one_of("0", "1"))
_COUNT = whole(0, 1 << 31)
_SIZE = several(fio_size(0, 1 << 50), 3, gaps=True)
_BLOCK = several(fio_size(1, 1 << 30), 3, gaps=True)
_TIME = matching("a time such as 500ms or 2h", r"[0-9]{1,12}(us|usec|ms|msec|s|sec|m|min|h|hour|d)?")
_SHARE = matching("a share from 0 to 100", r"100|[0-9]{1,2}")
_CPUS = matching("a list such as 0,2-3", r"[0-9]{1,5}(-[0-9]{1,5})?([,:][0-9]{1,5}(-[0-9]{1,5})?){0,127}")
_RANGE = r"[0-9]{1,12}[kKmMgG]?[-:][0-9]{1,12}[kKmMgG]?"
_SPLIT = r"[0-9]{1,12}[kKmMgG]?(/[0-9]{0,3})?(:[0-9]{1,12}[kKmMgG]?(/[0-9]{0,3})?){0,63}"
_NUMBER = r"[0-9]{1,9}(\.[0-9]{1,9})?"
_ZONES = r"[0-9]{1,3}/[0-9]{1,6}[kKmMgGtT]?(:[0-9]{1,3}/[0-9]{1,6}[kKmMgGtT]?){0,255}"
RW = frozenset(_words("read write randread randwrite rw readwrite randrw"))
_DIRECTION = matching(" or ".join(sorted(RW)), rf"({'|'.join(sorted(RW))})(:[0-9]{{1,9}}[kKmM]?)?")


def _each(words: str, shape: Shape) -> dict[str, Shape]:
    return dict.fromkeys(_words(words), shape)


ALLOWED: Mapping[str, Shape] = {
    **_each("rw readwrite", _DIRECTION),
    **_each("bs blocksize ba blockalign", _BLOCK),
    **_each("bsrange blocksize_range", matching("ranges such as 4k-64k", rf"{_RANGE}([,/]{_RANGE}){{0,2}}")),
    "bssplit": matching("sizes with shares such as 4k/60:64k/40", rf"{_SPLIT}(,({_SPLIT})?){{0,2}}"),
    **_each(
        """
        bs_unaligned blocksize_unaligned randrepeat allrandrepeat norandommap softrandommap serialize_overlap invalidate
        end_fsync fsync_on_close direct buffered time_based rate_ignore_thinktime latency_run zero_buffers
        refill_buffers scramble_buffers hipri fixedbufs registerfiles nonvectored uncached nowait sqthread_poll
        userspace_reap exitall
        """,
        _FLAG,
    ),
    "randseed": whole(0, (1 << 63) - 1),
    "random_generator": one_of("tausworthe", "tausworthe64", "lfsr"),
    "random_distribution": matching(
        "random, zipf:THETA, pareto:H, normal:SHARE, zoned:… or zoned_abs:…",
        rf"random|(zipf|pareto|normal)(:{_NUMBER}(:{_NUMBER})?)?|zoned(_abs)?:{_ZONES}(,({_ZONES})?){{0,2}}",
    ),
    "percentage_random": several(_SHARE, 3, gaps=True),
    "rw_sequencer": one_of("sequential", "identical"),
    "ioengine": one_of(*sorted(ENGINES)),
    "iodepth": whole(1, 65536),
    **_each("iodepth_batch iodepth_batch_submit iodepth_batch_complete iodepth_batch_complete_min", whole(0, 65536)),
    **_each("iodepth_batch_complete_max iodepth_low", whole(0, 65536)),
    "io_submit_mode": one_of("inline", "offload"),
    **_each("io_size io_limit offset", either(fio_size(0, 1 << 50), _PERCENT)),
    "offset_increment": either(fio_size(0, 1 << 50), _PERCENT),
    "offset_align": fio_size(0, 1 << 40),
    **_each("number_ios thinktime_blocks write_barrier", _COUNT),
    "loops": whole(1, 1 << 31),
    "file_service_type": matching(
        "random, roundrobin, sequential or a distribution",
        rf"(random|roundrobin|sequential|(zipf|pareto|gauss|normal)(:{_NUMBER})?)(:[0-9]{{1,9}})?",
    ),
    "openfiles": whole(1, 1 << 20),
    "fadvise_hint": one_of("0", "1", "none", "random", "sequential", "noreuse"),
    **_each("fsync fdatasync", _COUNT),
    "sync_file_range": matching(
        "such as wait_before,write:8", r"(wait_before|write|wait_after)(,(write|wait_after)){0,2}:[0-9]{1,9}"
    ),
    "sync": one_of("none", "0", "sync", "1", "dsync"),
    "numjobs": whole(1, MOST_JOBS),
    **_each("runtime timeout ramp_time thinktime thinktime_spin thinktime_iotime rate_cycle", _TIME),
    **_each(
        "max_latency latency_target latency_window steadystate_duration ss_dur steadystate_ramp_time ss_ramp", _TIME
    ),
    "clocksource": one_of("gettimeofday", "clock_gettime", "cpu"),
    **_each("rwmixread rwmixwrite cmdprio_percentage buffer_compress_percentage dedupe_percentage", _SHARE),
    "dedupe_working_set_percentage": _SHARE,
    "nice": whole(-20, 19),
    **_each("prio cmdprio", whole(0, 7)),
    **_each("prioclass cmdprio_class", whole(0, 3)),
    "write_hint": one_of("none", "short", "medium", "long", "extreme"),
    "thinktime_blocks_type": one_of("complete", "issue"),
    **_each("rate rate_min", _SIZE),
    **_each("rate_iops rate_iops_min", several(whole(0, 1 << 31), 3, gaps=True)),
    "rate_process": one_of("linear", "poisson"),
    "latency_percentile": decimal(0, 100),
    "cpumask": whole(0, (1 << 63) - 1),
    **_each("cpus_allowed numa_cpu_nodes", _CPUS),
    "cpus_allowed_policy": one_of("shared", "split"),
    "numa_mem_policy": matching(
        "default, local, or prefer, bind or interleave with nodes",
        r"default|local|(prefer|bind|interleave):[0-9]{1,4}([,-][0-9]{1,4}){0,31}",
    ),
    "lockmem": fio_size(0, 1 << 50),
    "buffer_compress_chunk": fio_size(0, 1 << 30),
    "dedupe_mode": one_of("repeat", "working_set"),
    **_each("steadystate ss", matching("such as iops:0.3%", rf"(iops|bw)(_slope)?:{_NUMBER}%?")),
    **_each("force_async", whole(0, 65536)),
    "sqthread_poll_cpu": whole(0, 65535),
}
"""Options that shape the load and touch nothing but the targets, each with the shape of its values."""

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

SYNCHRONOUS = frozenset({"psync", "sync", "vsync", "pvsync", "pvsync2", "mmap"})
"""I/O engines for which fio caps the queue depth at 1, with no more than a note."""

DEFAULT_ENGINE = "psync"
"""What fio takes on Linux where a job names no I/O engine (fio(1), ``ioengine``)."""

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

_PLACEHOLDER = re.compile(r"\$\{[A-Za-z_][A-Za-z0-9_]*\}\Z")


def check_value(where: str, key: str, value: str) -> None:
    """Refuse a value that is not of the shape that the option has."""
    shape = ALLOWED[key]
    if not shape.fits(value):
        raise SweepFileError(f"{where}: fio option {key} = {shown(value)}: must be {shape.description}")


def refusal(where: str, key: str) -> SweepFileError:
    """The error for an option that is not passed on."""
    reason = REASONS.get(key, "it is not among the options that stripelab passes on")
    return SweepFileError(f"{where}: fio option {shown(key)} is refused: {reason}")


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
        check_value(where, "io_size", value)
        return ("io_size", value), f"{where}: size = {value} is taken as io_size; the data set has the size"
    if key in NEUTRAL and value in NEUTRAL[key]:
        return None, None
    if key in REPLACED:
        return None, f"{where}: fio option {key} is left out: {REPLACED[key]}"
    if key not in ALLOWED:
        raise refusal(where, key)
    if not value and ALLOWED[key].bare:
        return (key, "1"), None  # a bare flag is switched on
    check_value(where, key, value)
    return (key, value), None
