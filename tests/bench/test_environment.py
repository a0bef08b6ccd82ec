"""What the machine is: complete, or nothing is measured; identity is content without the name."""

from __future__ import annotations

import dataclasses
import itertools
import os
import platform
import time

import pytest

from bench import environment, inventory
from bench.errors import EnvironmentUnknownError
from bench.telemetry import sampling


def test_it_says_what_the_machine_itself_says():
    described = environment.describe((), "disk", ["fio", "dd"])
    assert described.kernel.startswith(platform.release())
    assert described.memory_bytes > 1 << 28
    assert [line.partition(":")[0] for line in described.tools] == ["dd", "fio"]
    assert "fio-" in described.tools[1]


def test_identity_is_content_and_not_the_name_of_the_host(monkeypatch):
    first = environment.describe((), "disk", ["dd"])
    named = platform.uname()._replace(node="another-host")
    monkeypatch.setattr(platform, "uname", lambda: named)
    second = environment.describe((), "disk", ["dd"])
    assert (first.environment_id, second.hostname) == (second.environment_id, "another-host")
    assert environment.describe((), "loop", ["dd"]).environment_id != first.environment_id


def test_what_cannot_be_found_out_stops_the_run(monkeypatch):
    monkeypatch.setattr(environment, "cpu_model", lambda: "")
    with pytest.raises(EnvironmentUnknownError, match="CPU model"):
        environment.describe((), "disk", [])


@pytest.mark.loop
def test_a_disk_without_identity_stops_the_run(make_loop):
    nameless = dataclasses.replace(make_loop(), id=None)
    with pytest.raises(EnvironmentUnknownError, match="identity"):
        environment.describe((nameless,), "loop", [])


@pytest.mark.loop
def test_telemetry_counts_what_a_disk_did(make_loop):
    disk = make_loop()
    rates = []
    with sampling((disk,), rates.append) as samples:
        time.sleep(0.2)
        with disk.path.open("r+b", buffering=0) as device:
            for _ in range(16):
                device.write(bytes(1 << 20))
            os.fsync(device.fileno())
        time.sleep(1.1)
    mine = [sample for sample in samples if sample.device == disk.name]
    spans = [mine[0].second, *(b.second - a.second for a, b in itertools.pairwise(mine))]
    written = sum((sample.write_bytes_s or 0) * span for sample, span in zip(mine, spans, strict=True))
    assert written == pytest.approx(16 << 20, rel=0.02)
    assert {sample.disk_id for sample in mine} == {disk.id}
    assert {name for each in rates for name in each} == {disk.name}
    assert inventory.read(disk.name) == disk


def test_memory_is_what_the_machine_has_and_the_same_at_every_boot(tmp_path, monkeypatch):
    """What the kernel has left of it differs between boots: resumed sweeps then seemed to have two environments."""
    usable = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    assert environment.installed_memory_bytes() >= usable
    for name, online in (("memory0", "1"), ("memory1", "0"), ("memory32", "1")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "online").write_text(f"{online}\n")
    (tmp_path / "block_size_bytes").write_text("8000000\n")
    monkeypatch.setattr(environment, "MEMORY", tmp_path)
    assert environment.installed_memory_bytes() == 2 * (128 << 20)
    monkeypatch.setattr(environment, "MEMORY", tmp_path / "absent")
    assert environment.installed_memory_bytes() == usable


def test_the_memory_of_the_lab_is_what_it_was_given(tmp_path, monkeypatch):
    (tmp_path / "cmdline").write_text("mem=1024M uml_dir=/dev/shm root=/dev/root\n")
    monkeypatch.setattr(environment, "COMMAND_LINE", tmp_path / "cmdline")
    monkeypatch.setattr(environment, "inside", lambda: True)
    assert environment.installed_memory_bytes() == 1 << 30
