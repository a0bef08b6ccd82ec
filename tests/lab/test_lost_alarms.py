"""A guest whose timer was not armed again goes on (bench/lab/preload.c)."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from bench.lab import boot, preload
from bench.lab.guest import Lab
from bench.lab.inside import HERE
from tests.lab.conftest import BOOT_S, SMALL

pytestmark = pytest.mark.lab

SLEEPS = 100
LOSSY = "lossy.so"


@pytest.fixture
def lost_alarms(monkeypatch, tmp_path):
    """Each fiftieth time that a guest's kernel arms its timer, it stays unarmed."""
    library = tmp_path / LOSSY
    source = Path(__file__).with_name("lost_alarms.c")
    subprocess.run(["gcc", "-O2", "-Wall", "-shared", "-fPIC", "-o", library, source], check=True)
    files, command = boot.files, boot.kernel_command
    ours = f"LD_PRELOAD={HERE}/{preload.NAME}"
    monkeypatch.setattr(boot, "files", lambda *given: (*files(*given), (LOSSY, library.read_bytes())))
    monkeypatch.setattr(
        boot,
        "kernel_command",
        lambda *given: [f"{ours}:{HERE}/{LOSSY}" if word == ours else word for word in command(*given)],
    )


def test_a_guest_that_loses_alarms_goes_on(lost_alarms, tmp_path):
    script = f"for i in $(seq {SLEEPS}); do sleep 0.05; done; echo awake"
    with Lab(SMALL, shared=(tmp_path,)) as lab:
        ended = lab.run(["/bin/sh", "-c", script], timeout_s=BOOT_S)
    assert (ended.status, ended.console.strip()) == (0, "awake")
