"""The set-up scripts: what they say where something is missing, and that they leave alone what is not theirs."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

FILESYSTEMS = Path("bench/stack/filesystems")
SCRIPTS = Path(__file__).parents[1] / "scripts"
STAND_IN = """#!/bin/sh
echo "[$*]"
[ "$1" != run ] || exit "${RUN_STATUS:-0}"
"""


def call(*argv: object, **environment: str) -> subprocess.CompletedProcess[str]:
    words = [str(word) for word in argv]
    return subprocess.run(words, check=False, capture_output=True, text=True, env={**os.environ, **environment})


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of the scripts, with a stand-in for stripelab that says how it was called."""
    shutil.copytree(SCRIPTS, tmp_path / "scripts")
    shutil.copytree(SCRIPTS.parent / FILESYSTEMS, tmp_path / FILESYSTEMS)
    (tmp_path / "stripelab").write_text(STAND_IN)
    (tmp_path / "stripelab").chmod(0o755)
    return tmp_path


def test_the_demo_runs_recommends_and_reports(checkout: Path) -> None:
    done = call(checkout / "scripts/demo.sh", checkout / "stripelab")
    assert done.returncode == 0
    assert [line for line in done.stdout.splitlines() if line] == [
        "[run examples/first-sweep.toml --store demo/store --lab]",
        "[recommend demo/store]",
        "[report demo/store -o demo/report.html]",
        f"The report: {checkout}/demo/report.html",
    ]


def test_a_second_demo_starts_afresh(checkout: Path) -> None:
    call(checkout / "scripts/demo.sh", checkout / "stripelab")
    (checkout / "demo/old").touch()
    assert call(checkout / "scripts/demo.sh", checkout / "stripelab").returncode == 0
    assert not (checkout / "demo/old").exists()


def test_a_folder_that_the_demo_did_not_make_is_left_alone(checkout: Path) -> None:
    (checkout / "demo").mkdir()
    (checkout / "demo/mine").touch()
    done = call(checkout / "scripts/demo.sh", checkout / "stripelab")
    assert (done.returncode, done.stdout) == (1, "")
    assert "left alone" in done.stderr
    assert (checkout / "demo/mine").exists()


@pytest.mark.parametrize(("status", "reports"), [("13", True), ("10", False)])
def test_a_demo_with_failed_trials_still_reports_and_passes_the_status_on(
    checkout: Path, status: str, *, reports: bool
) -> None:
    done = call(checkout / "scripts/demo.sh", checkout / "stripelab", RUN_STATUS=status)
    assert done.returncode == int(status)
    assert ("The report:" in done.stdout) == reports


def test_where_everything_is_there_nothing_is_said_and_nothing_installed() -> None:
    done = call(SCRIPTS / "system-packages.sh", "test", PYTHON=sys.executable)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_where_nothing_may_be_installed_the_packages_are_named(checkout: Path) -> None:
    script = checkout / "scripts/system-packages.sh"
    lines = script.read_text().splitlines(keepends=True)
    absent = "run    mkfs.absent        absent-progs      absent-tools\n"
    script.write_text("".join(line + absent if line.startswith("run    fio") else line for line in lines))
    programs = checkout / "bin"  # a system without apt-get
    programs.mkdir()
    for program in ("bash", "sh", "sort", "paste", "awk", "dirname", "gcc"):
        (programs / program).symlink_to(str(shutil.which(program)))
    done = call(script, "run", PYTHON=sys.executable, PATH=str(programs))
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        "error: missing: mkfs.absent (this system has no apt-get)",
        "next: Debian, Ubuntu: apt-get install absent-progs",
        "next: Fedora: dnf install absent-tools",
    ]


def test_a_python_that_is_too_old_or_none_is_said_before_anything_is_installed() -> None:
    done = call(SCRIPTS / "system-packages.sh", "build", PYTHON="/bin/false")
    assert (done.returncode, done.stderr) == (1, "error: PYTHON=/bin/false is not a Python of version 3.11 or later\n")


def test_an_unknown_set_of_packages_is_a_usage_error() -> None:
    assert call(SCRIPTS / "system-packages.sh", "everything").returncode == 2
