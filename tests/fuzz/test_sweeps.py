"""Hostile sweeps, a few hundred of them; all 100,000 are `make fuzz`."""

from __future__ import annotations

import pytest

from tests.fuzz import oracle
from tests.fuzz.sweeps import run

UUID = "01234567-89ab-4def-8123-456789abcdef"


def test_a_hostile_sweep_is_refused_in_words_or_leads_to_nothing_foreign() -> None:
    counts = run(300, seed=7)
    assert counts["accepted"] > 10, "where nothing is accepted the oracle sees nothing"
    assert counts["refused"] > 100


@pytest.mark.parametrize(
    "words",
    [
        "mkfs.btrfs -q -f -L x -U {uuid} loop1 /dev/x",
        "mkfs.btrfs -q -f -L x -U {uuid} -O list-all /dev/x",
        "mkfs.xfs -q -f -L x -m uuid={uuid} -l logdev=vm.img /dev/x",
        "mkfs.xfs -q -f -L x -m uuid={uuid} -N /dev/x",
        "mkfs.ext4 -q -F -b 4096 -L x -U {uuid} -E offset=4096 /dev/x",
        "mkfs.ext4 -q -F -F -b 4096 -L x -U {uuid} -E discard /dev/x",
    ],
)
def test_the_oracle_sees_what_it_must(words: str) -> None:
    assert oracle.mkfs_faults(words.format(uuid=UUID).split(), "/dev/x", UUID)


def test_the_oracle_sees_hostile_mounts_and_jobs() -> None:
    assert oracle.mount_faults(["mount", "-t", "xfs", "-o", "ro,nosuid,nodev", "/dev/x", "/m"], "/dev/x", "/m")
    assert oracle.mount_faults(["mount", "-t", "xfs", "-o", "noatime", "/dev/x", "/m"], "/dev/x", "/m")
    assert oracle.fio_faults(["--filename=/etc/passwd"], ["/m/a"])
    assert oracle.fio_faults(["--exec_prerun=id"], ["/m/a"])
