"""Disk profiles of the virtual lab: limits per disk that make the right answer known beforehand."""

from __future__ import annotations

from permutations.workload import DiskProfile

DISK_PROFILES = (DiskProfile(name="hdd", iops=200, bw_bytes_s=20 << 20),)
"""``hdd`` has random IOPS of the order of a rotating disk with a full command queue, and a bandwidth
scaled down to what a guest can drive.  It is not slower still because a queue of 32 drains for a
noticeable part of a workload of four seconds then (4 % at 100 IOPS), and fio counts that time."""
