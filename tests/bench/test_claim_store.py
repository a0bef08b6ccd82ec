"""A store is claimed for a sweep whole or not at all: what cannot be written to its end leaves what was there."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bench.claim import PROTOCOL_FILE, SWEEP_FILE, claim_store
from bench.vocabulary import vocabulary
from permutations.design import make_plan
from permutations.plan import Plan
from permutations.sweep import Sweep
from results.errors import ResultsError
from tests.results import synthetic

SWEEP = """
[sweep]
name = "claimed"
seed = 7
[factors]
level = ["jbod"]
disks = [1]
filesystem = ["raw"]
[[workload]]
name = "scan"
rw = "read"
bs = "1M"
runtime_s = 1
"""


@contextmanager
def no_file_may_grow() -> Iterator[None]:
    """Every write to a file fails after its truncation, as on a full disk or where a kill falls between the two."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def planned(folder: Path, text: str) -> Plan:
    path = folder / "asked.toml"
    path.write_text(text)
    return make_plan(Sweep.load(path, vocabulary()))


def test_a_claim_that_is_cut_off_leaves_the_store_as_it_was(tmp_path: Path) -> None:
    store = tmp_path / "store"
    synthetic.write(store, synthetic.Plan([({"level": "jbod", "disks": 1}, 100.0)]))
    first = planned(tmp_path, SWEEP)
    (store / PROTOCOL_FILE).write_text(f"{first.sweep.protocol_id}\n")
    claim_store(store, first)
    changed = planned(tmp_path, f"# more disks are to come\n{SWEEP}")
    with no_file_may_grow(), pytest.raises(ResultsError, match="no space left"):
        claim_store(store, changed)
    assert (store / PROTOCOL_FILE).read_text() == f"{first.sweep.protocol_id}\n"
    assert (store / SWEEP_FILE).read_text() == SWEEP
    claim_store(store, changed)
    assert (store / SWEEP_FILE).read_text() == changed.sweep.text
