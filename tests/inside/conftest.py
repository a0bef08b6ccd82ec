"""Fixtures for tests that run inside the virtual lab, on its disks and its kernel."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from bench import content, inventory, nodes
from bench.acts import trial_folder
from bench.inventory import Disk
from bench.journal import Journal
from bench.lease import Lease, open_lease
from tests.inside.service import FOLDER

ATTEMPTS = 6


def sh(*argv: object) -> str:
    """Run a program of the test's own; its output, or the test fails with what it said."""
    finished = subprocess.run([str(word) for word in argv], capture_output=True, text=True, check=False)
    assert finished.returncode == 0, f"{argv}: {finished.stdout}{finished.stderr}"
    return finished.stdout


def assert_reaches(measure: Callable[[], Sequence[float]], limits: Sequence[float], rel: float) -> None:
    """No run is above the limits, and one is near all of them: a busy host may keep the guest from its CPU."""
    runs = []
    for _ in range(ATTEMPTS):
        runs.append(measure())
        assert all(value <= limit * (1 + rel) for value, limit in zip(runs[-1], limits, strict=True)), runs
        if all(value >= limit * (1 - rel) for value, limit in zip(runs[-1], limits, strict=True)):
            return
    pytest.fail(f"no run came near {limits}: {runs}")


@pytest.fixture
def disks() -> tuple[Disk, ...]:
    """The lab's disks, which pass for blank; a test may leave no signature on them."""
    found = tuple(disk for disk in inventory.disks() if disk.substrate == "uml")
    assert len(found) >= 4, "these tests belong into the virtual lab"
    for disk in found:
        make_blank(disk)
    return found


def make_blank(disk: Disk) -> None:
    """Write zeros wherever a disk is sampled, since each test has a store of its own, which knows nothing of others."""
    with disk.path.open("r+b") as file:
        for start, size in content.places(disk.size_bytes, disk.id or ""):
            file.seek(start)
            file.write(bytes(size))


def signatures_on(disks: Sequence[Disk]) -> tuple[content.Signature, ...]:
    """What wipefs finds on the disks."""
    with nodes.opened([(disk.path, disk.device_number, disk.diskseq) for disk in disks]) as opened:
        return content.signatures(zip((disk.name for disk in disks), opened, strict=True))


@pytest.fixture
def run_folder(tmp_path: Path) -> Iterator[Path]:
    """Where a trial of the test's own has its mount points: mounts elsewhere are not stripelab's."""
    folder = trial_folder(tmp_path, "test")
    folder.mkdir(mode=0o700, parents=True)
    yield folder
    folder.rmdir()


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
