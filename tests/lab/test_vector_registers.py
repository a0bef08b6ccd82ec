"""The guest's programs keep their vector registers, on every CPU (bench/lab/preload.c)."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from bench.lab import check, preload
from bench.lab.guest import Lab
from tests.lab.conftest import BOOT_S, SMALL

pytestmark = pytest.mark.lab

ROUNDS = 200


def test_threads_of_the_guest_keep_their_vector_registers(tmp_path):
    program = tmp_path / "vector_registers"
    source = Path(__file__).with_name("vector_registers.c")
    subprocess.run(["gcc", "-O2", "-Wall", "-pthread", "-o", program, source], check=True)
    with Lab(SMALL, shared=(tmp_path,)) as lab:
        ended = lab.run([program, str(ROUNDS)], timeout_s=BOOT_S)
    assert (ended.status, ended.console.strip()) == (0, "0 of 4 threads lost a register")


def test_a_cpu_with_amx_and_no_library_is_reported(monkeypatch, tmp_path):
    flags = tmp_path / "cpuinfo"
    flags.write_text("flags\t\t: fpu avx512f amx_bf16 amx_tile amx_int8\n")
    monkeypatch.setattr(check, "CPUINFO", flags)
    assert not [line for line in check.problems() if "AMX" in line]
    monkeypatch.setattr(preload, "library", lambda: None)
    assert [line for line in check.problems() if "AMX" in line]
