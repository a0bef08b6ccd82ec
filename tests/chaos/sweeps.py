"""A sweep that is as small as one can be and still has several trials, levels and workloads."""

from __future__ import annotations

LAB_SWEEP = """
[sweep]
name = "chaos"
seed = 7
replicates = 2
initial_sync = "assume-clean"

[factors]
level = ["jbod", "raid5"]
disks = [3]
filesystem = ["ext4"]

[dataset]
files = 3
file_size = "4MiB"

[[workload]]
name = "random-write"
rw = "randwrite"
bs = "4k"
iodepth = 4
runtime_s = 1

[[workload]]
name = "dd"
engine = "dd"
rw = "read"
bs = "1M"

[lab]
disks = 3
disk_size = "512MiB"
"""

LOOP_SWEEP = """
[sweep]
name = "chaos-loop"
seed = 7
replicates = 3

[factors]
level = ["jbod"]
disks = [1, 2]
filesystem = ["ext4", "xfs"]
read_ahead_kib = [256]

[dataset]
files = 2
file_size = "4MiB"

[[workload]]
name = "random-write"
rw = "randwrite"
bs = "4k"
iodepth = 4
runtime_s = 1
"""

PLANNED_LAB = 4
PLANNED_LOOP = 12
