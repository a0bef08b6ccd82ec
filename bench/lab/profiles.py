"""Disk profiles of the virtual lab: limits per disk that make the right answer known beforehand."""

from __future__ import annotations

from permutations.workload import DiskProfile

DISK_PROFILES = (DiskProfile(name="hdd", iops=100, bw_bytes_s=20 << 20),)
"""``hdd`` has the random IOPS of a 7200 rpm disk (half a turn takes 4.2 ms, an average seek about as
long again) and a bandwidth scaled down to what a guest can drive."""
