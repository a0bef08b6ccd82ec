"""What the lab says of a machine that lacks something; each want is real or seen through a file in place of /proc's."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from bench import proc
from bench.lab import check, modules
from bench.lab.check import problems

ROOT = Path(__file__).parents[2]


def test_nothing_is_missing_here():
    assert problems() == ()


def test_programs_that_are_not_installed(monkeypatch, tmp_path):
    monkeypatch.setattr(proc, "SYSTEM_PATH", str(tmp_path))
    bwrap, kernel = problems()
    assert "bwrap is not installed" in bwrap
    assert "apt-get install bubblewrap" in bwrap
    assert "apt-get install user-mode-linux" in kernel


def test_another_architecture(monkeypatch):
    monkeypatch.setattr(platform, "machine", lambda: "aarch64")
    assert "runs on x86_64, and this machine is aarch64" in problems()[0]


def test_modules_that_are_missing(monkeypatch, tmp_path):
    monkeypatch.setattr(modules.load_order, "__defaults__", (tmp_path,))
    (said,) = problems()
    assert str(tmp_path) in said
    assert "apt-get install --reinstall user-mode-linux" in said


def test_a_file_that_a_module_needs_is_missing(monkeypatch, tmp_path):
    kernel = modules.release()
    folder = tmp_path / kernel
    folder.mkdir()
    for name in ("modules.dep", "modules.builtin"):
        (folder / name).write_bytes((modules.ROOT / kernel / name).read_bytes())
    monkeypatch.setattr(modules.load_order, "__defaults__", (tmp_path,))
    said = problems()
    assert len(said) == len(modules.load_order(modules.loaded(kernel), kernel))
    assert any("raid456.ko is missing" in line for line in said)


def test_too_little_memory(monkeypatch, tmp_path):
    (tmp_path / "meminfo").write_text("MemTotal: 1048576 kB\nMemAvailable: 524288 kB\n")
    monkeypatch.setattr(check, "MEMINFO", tmp_path / "meminfo")
    assert problems() == ("512 MiB of memory are free, the lab wants 1280 MiB: end other programs.",)


@pytest.mark.parametrize(("scope", "count"), [("1", 0), ("2", 1), ("3", 1)])
def test_tracing_that_is_forbidden(monkeypatch, tmp_path, scope, count):
    (tmp_path / "scope").write_text(f"{scope}\n")
    monkeypatch.setattr(check, "PTRACE_SCOPE", tmp_path / "scope")
    assert len(problems()) == count


@pytest.mark.lab
def test_user_namespaces_that_are_forbidden():
    """For real: in a sandbox where no further namespace can be made."""
    inner = "from bench.lab.check import problems; print(*problems(), sep='\\n')"
    jail = ["bwrap", "--dev-bind", "/", "/", "--unshare-user", "--disable-userns", "--cap-drop", "ALL"]
    said = subprocess.run(
        [*jail, sys.executable, "-c", inner],
        cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=True,
    ).stdout.splitlines()  # fmt: skip
    assert len(said) == 1
    assert "bwrap exited with status 1" in said[0]


def test_the_load_order_has_every_module_after_what_it_needs(tmp_path):
    folder = tmp_path / "1.0"
    folder.mkdir()
    (folder / "modules.dep").write_text(
        "kernel/a.ko: kernel/b.ko kernel/c-c.ko\nkernel/b.ko: kernel/c-c.ko\nkernel/c-c.ko:\n"
    )
    (folder / "modules.builtin").write_text("kernel/fs/ext4.ko\n")
    order = modules.load_order(["ext4", "a", "c-c", "b"], "1.0", tmp_path)
    assert [path.name for path in order] == ["c-c.ko", "b.ko", "a.ko"]
