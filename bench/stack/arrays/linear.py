"""md's linear: the disks one after another, without stripes.

The module was taken out of Linux 6.8 and came back in 6.14; where the kernel has none, ``plan`` and ``run`` say so.
"""

from __future__ import annotations

from bench.stack.arrays.md import Md
from stripelab.raid import Level

ARRAYS = Md({Level("linear", "Linear (disks one after another, no redundancy)", 2, spread=False): "linear"})
