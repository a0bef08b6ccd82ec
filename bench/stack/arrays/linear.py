"""md's linear: the disks one after another, without stripes.

Some kernels are built without it; ``run`` then says so before it touches a disk.
"""

from __future__ import annotations

from bench.stack.arrays.md import Md
from stripelab.raid import Level

ARRAYS = Md({Level("linear", "Linear (disks one after another, no redundancy)", 2, spread=False): "linear"})
