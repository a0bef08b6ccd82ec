"""What a workload is called, so that like is compared with like and with nothing else.

The name is made from everything that shapes the load: mode, block size, depth and jobs in words that people
use, then each other option with its value.  Where the load lies (files, devices, folders) and what is written
about it (logs, percentiles) does not belong to it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from functools import lru_cache

from bench.fio.model import Options
from stripelab.units import parse_size

UNKNOWN = "unknown"
_LONGEST = 72
_HEAD = ("rw", "bs", "iodepth", "numjobs")
_SPELT = {"readwrite": "rw", "blocksize": "bs", "timeout": "runtime", "io_limit": "io_size"}


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_NOT_THE_LOAD = _words(
    """
    name description filename directory filename_format opendir unique_filename create_on_open create_serialize
    create_fsync create_only allow_file_create allow_mounted_write overwrite unlink unlink_each_loop fallocate
    group_reporting new_group stonewall wait_for_previous thread exitall kb_base unit_base per_job_logs
    write_bw_log write_lat_log write_iops_log write_hist_log write_iolog log_avg_msec log_max_value log_offset
    log_hist_msec log_hist_coarseness log_unix_epoch log_prio log_issue_time log_window_value log_entries
    bwavgtime iopsavgtime clat_percentiles lat_percentiles slat_percentiles percentile_list
    significant_figures disk_util unified_rw_reporting status_interval output output-format minimal eta
    exec_prerun exec_postrun uid gid startdelay randseed randrepeat allrandrepeat invalidate
    """
)


def canonical(options: Mapping[str, str]) -> dict[str, str]:
    """Options of a load by fio's own names, those left out that do not shape it."""
    found = {}
    for name, value in options.items():
        spelt = _SPELT.get(name, name)
        if spelt not in _NOT_THE_LOAD:
            found[spelt] = _size(value) if spelt == "bs" else value
    return found


# A tree of ten thousand files has a few dozen different loads.


@lru_cache(maxsize=1024)
def canonical_text(options: Options) -> str:
    """The same as JSON."""
    return json.dumps(canonical(options), sort_keys=True)


def _size(value: str) -> str:
    """A block size as people write it, whatever way it was written; as it is where it is no single size."""
    size = parse_size(value)
    if not size:
        return value
    for unit, power in (("m", 20), ("k", 10)):
        if size % (1 << power) == 0:
            return f"{size >> power}{unit}"
    return str(size)


@lru_cache(maxsize=1024)
def workload_name(options: Options, job: str) -> str:
    """``randread 4k qd16 j4 direct=1``; from the job's name where nothing says what it does."""
    load = canonical(options)
    mode = load.get("rw")
    words = [mode or job or UNKNOWN]
    if "bs" in load:
        words.append(load["bs"])
    if "iodepth" in load:
        words.append(f"qd{load['iodepth']}")
    if "numjobs" in load:
        words.append(f"j{load['numjobs']}")
    rest = " ".join(f"{name}={value}" for name, value in sorted(load.items()) if name not in _HEAD)
    if len(rest) > _LONGEST:  # a name has to fit a heading; the options stand in workload_json
        further = sum(name not in _HEAD for name in load)
        rest = f"+{further} options {hashlib.sha256(rest.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"
    return " ".join([*words, rest] if rest else words)
