"""The native engine: an O_DIRECT load generator that measures what fio does, at less cost.

>>> from bench import native
>>> result = native.run("/data/file", rw="randread", bs=4096, iodepth=32, runtime_s=5)
>>> result.iops, result.direction("read").lat.percentile_ns(99)

Useful without the rest of stripelab.  docs/native-engine.md says what is measured and how.
"""

from __future__ import annotations

from bench.native.api import NativeRunError, RunInterrupted, probe, run, run_jobs
from bench.native.buckets import BUCKETS, bucket_midpoint_ns
from bench.native.library import IMPLEMENTATION, LIBRARY, Library
from bench.native.options import Job, Load, Part, Split, Verify
from bench.native.result import Result

bucket_index = LIBRARY.bucket_index

__all__ = [
    "BUCKETS",
    "IMPLEMENTATION",
    "Job",
    "Library",
    "Load",
    "NativeRunError",
    "Part",
    "Result",
    "RunInterrupted",
    "Split",
    "Verify",
    "bucket_index",
    "bucket_midpoint_ns",
    "probe",
    "run",
    "run_jobs",
]
