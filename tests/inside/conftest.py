"""Fixtures for tests that run inside the virtual lab, on its disks and its kernel."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bench import inventory
from bench.inventory import Disk
from bench.journal import Journal
from bench.lease import Lease, open_lease
from tests.inside.service import FOLDER


def sh(*argv: object) -> str:
    """Run a program of the test's own; its output, or the test fails with what it said."""
    finished = subprocess.run([str(word) for word in argv], capture_output=True, text=True, check=False)
    assert finished.returncode == 0, f"{argv}: {finished.stdout}{finished.stderr}"
    return finished.stdout


@pytest.fixture
def disks() -> tuple[Disk, ...]:
    """The lab's disks; a test may leave nothing on them."""
    found = tuple(disk for disk in inventory.disks() if disk.substrate == "uml")
    assert len(found) >= 4, "these tests belong into the virtual lab"
    return found


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    """A journal of the test's own."""
    with Journal(tmp_path / "journal.jsonl") as opened:
        yield opened


@pytest.fixture
def lease(disks: tuple[Disk, ...], tmp_path: Path, journal: Journal) -> Iterator[Lease]:
    """A lease on every disk of the lab."""
    identities = [str(disk.id) for disk in disks]
    with open_lease(identities, store=tmp_path, journal=journal) as opened:
        yield opened


@pytest.fixture
def service_folder() -> Iterator[Path]:
    """Of the nightly service; not below /tmp, which PrivateTmp= would hide."""
    FOLDER.mkdir(parents=True)
    (FOLDER / "units").mkdir()
    yield FOLDER
    shutil.rmtree(FOLDER)


@contextmanager
def mounted(device: Path, point: Path) -> Iterator[None]:
    """A mount for as long as the context lasts."""
    point.mkdir(exist_ok=True)
    sh("mount", device, point)
    try:
        yield
    finally:
        sh("umount", point)
