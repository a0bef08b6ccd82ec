"""What the harness itself costs: time and ratios measured side by side in one run (``make perf``)."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

import pytest

from bench import proc
from bench import trial as trial_module
from bench.fio.engine import FioEngine
from bench.places import on_loop_files
from bench.stack import layout
from bench.vocabulary import vocabulary
from permutations.design import make_plan
from permutations.sweep import Sweep
from results.store.query import load
from tests.chaos.sweeps import LOOP_SWEEP

HELP_RUNS = 15


def timed(function, spent):
    """``function``, with the time inside it added to ``spent``."""

    def call(*arguments, **options):
        started = time.perf_counter()
        try:
            return function(*arguments, **options)
        finally:
            spent.append(time.perf_counter() - started)

    return call


@pytest.mark.loop
def test_the_harness_adds_little_to_a_trial_on_loop_files(tmp_path, monkeypatch, capsys):
    """Whole trials, less the programs they called, the data set they wrote and the caches they wrote back."""
    programs, data, caches, engines = [], [], [], []
    monkeypatch.setattr(proc, "run", timed(proc.run, programs))
    monkeypatch.setattr(layout, "lay_out", timed(layout.lay_out, data))
    monkeypatch.setattr(trial_module, "drop_caches", timed(trial_module.drop_caches, caches))
    monkeypatch.setattr(FioEngine, "run", timed(FioEngine.run, engines))
    sweep = tmp_path / "sweep.toml"
    sweep.write_text(LOOP_SWEEP)
    plan = make_plan(Sweep.load(sweep, vocabulary()))
    before = len(programs)
    on_loop_files(plan, tmp_path / "store", lambda _: None, count=2, each_bytes=512 << 20)
    trials = load(tmp_path / "store").trial_rows()
    total = sum(row.duration_s for row in trials)
    inside = sum(programs[before:]) + sum(data) + sum(caches)
    own = (total - inside) / len(trials)
    with capsys.disabled():
        print(f"\ntrials {len(trials)}, {total / len(trials) * 1e3:.0f} ms each, of which (ms per trial):")
        for name, spent in (("programs", programs[before:]), ("data set", data), ("sync, caches", caches)):
            print(f"  {name:<14}{sum(spent) / len(trials) * 1e3:9.1f}")
        print(f"  {'the harness':<14}{own * 1e3:9.1f}")
    assert own < 0.1


def test_help_beside_an_empty_python(capsys):
    """``stripelab --help`` and an interpreter that does nothing, in turn, medians."""

    def once(*argv):
        started = time.perf_counter()
        subprocess.run([sys.executable, *argv], check=True, capture_output=True)
        return time.perf_counter() - started

    pairs = [(once("-m", "bench", "--help"), once("-c", "pass")) for _ in range(HELP_RUNS)]
    shown, empty = (statistics.median(each) for each in zip(*pairs, strict=True))
    with capsys.disabled():
        print(f"\nstripelab --help {shown * 1e3:.0f} ms, empty interpreter {empty * 1e3:.0f} ms")
    assert shown < 0.3
