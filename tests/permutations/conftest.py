from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from permutations.sweep import Sweep
from permutations.vocabulary import Vocabulary
from permutations.workload import DiskProfile

WORDS = Vocabulary(
    levels=("jbod", "raid0", "raid1", "raid10", "raid5", "raid6"),
    filesystems=("raw", "xfs", "ext4", "btrfs", "f2fs"),
    engines=("fio", "dd", "native"),
    disk_profiles=(DiskProfile("hdd", 100, 20 << 20),),
    fio_options=("norandommap", "random_distribution", "rate", "rate_iops", "thinktime"),
    ioengines=("libaio", "io_uring", "psync"),
    native_options=("bssplit", "rate_iops", "rate_process"),
    native_ioengines=("auto", "io_uring", "libaio", "psync"),
)

SMALL = """\
[sweep]
seed = 7
replicates = 2

[factors]
level = ["jbod", "raid5"]
disks = [4]

[[workload]]
name = "w"
rw = "randwrite"
bs = "4k"
"""


@pytest.fixture(scope="session")
def words() -> Vocabulary:
    return WORDS


@pytest.fixture(scope="session")
def sweep_of() -> Callable[[str], Sweep]:
    """A sweep from its text."""
    return lambda text: Sweep.parse(text, Path("t.toml"), WORDS)


@pytest.fixture(scope="session")
def small(sweep_of) -> Sweep:
    return sweep_of(SMALL)
