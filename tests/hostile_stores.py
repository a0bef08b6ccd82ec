"""Stores in which something lies that no store has: links, special files, files of absurd sizes and contents."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from results.store.folder import Store
from tests.results import synthetic
from tests.results.synthetic import Plan

SETTINGS = {"level": "raid5", "disks": 4, "chunk_kib": 64, "filesystem": "xfs", "layout": "flat"}
TRIALS = 2
NIGHT = "2026-01-01"


def make(path: Path) -> Store:
    """A sound store with everything that a store can have."""
    synthetic.write(path, Plan([(SETTINGS, 200.0)], replicates=TRIALS))
    (path / "nights").mkdir()
    return Store.open(path)


PLACES: dict[str, Callable[[str], str]] = {
    "marker": lambda _: "stripelab.json",
    "protocol": lambda _: "protocol",
    "sweep file": lambda _: "sweep.toml",
    "lock": lambda _: ".lock",
    "lock of nights": lambda _: ".night.lock",
    "trials": lambda _: "trials",
    "summaries": lambda _: "summaries",
    "environments": lambda _: "environments",
    "nights": lambda _: "nights",
    "set-aside": lambda _: "set-aside",
    "a trial": lambda trial_id: f"trials/{trial_id}.parquet",
    "half a trial": lambda trial_id: f"trials/.{trial_id}.parquet.tmp",
    "a trial that is not there": lambda _: "trials/other.parquet",
    "a bundle": lambda _: "observations/bundle+0123456789abcdef01234567.parquet",
    "a companion": lambda trial_id: f"intervals/{trial_id}.parquet",
    "a machine": lambda _: "environments/env-disk.parquet",
    "outcome of a night": lambda _: f"nights/{NIGHT}.json",
    "beginning of a night": lambda _: f"nights/{NIGHT}.began",
    "baselines": lambda _: "baselines.jsonl",
    "acknowledgements": lambda _: "acknowledged.json",
    "task of a night": lambda _: ".night-task.json",
    "events": lambda _: ".events.jsonl",
    "a guarantee": lambda _: "guarantee.json",
}
"""Where something can lie, given the id of a trial."""


def _socket(place: Path, _: Path) -> None:
    here = os.open(place.parent, os.O_RDONLY)
    before = Path.cwd()
    try:
        os.fchdir(here)  # the path of a socket is short
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(place.name)
    finally:
        os.chdir(before)
        os.close(here)


def _sparse(place: Path, _: Path) -> None:
    with place.open("wb") as file:
        file.write(b"PAR1")
        file.truncate(1 << 40)


def _hard_link(place: Path, outside: Path) -> None:
    os.link(outside / "canary", place)


KINDS: dict[str, Callable[[Path, Path], None]] = {
    "link to a file": lambda place, outside: place.symlink_to(outside / "canary"),
    "link to nothing": lambda place, outside: place.symlink_to(outside / "made"),
    "link to a folder": lambda place, outside: place.symlink_to(outside / "folder"),
    "link to /dev/zero": lambda place, _: place.symlink_to("/dev/zero"),
    "hard link": _hard_link,
    "FIFO": lambda place, _: os.mkfifo(place),
    "socket": _socket,
    "folder": lambda place, _: (place / "inner").mkdir(parents=True),
    "1 TiB of nothing": _sparse,
}


def plant(store: Path, name: str, kind: str, outside: Path) -> None:
    """Put something of a kind at a name in the store, in place of what is there."""
    place = store / name
    place.parent.mkdir(exist_ok=True)
    if place.is_dir():
        place.rename(outside.parent / "moved-away")
    with suppress(FileNotFoundError):
        place.unlink()
    KINDS[kind](place, outside)


@contextmanager
def untouched(folder: Path) -> Iterator[Path]:
    """A folder outside of the store that must be the same afterwards: names, contents, modes."""
    outside = folder / "outside"
    (outside / "folder").mkdir(parents=True)
    for name in ("canary", "folder/canary.parquet", "folder/.canary.parquet.tmp"):
        (outside / name).write_bytes(b"untouched\n")

    def state() -> dict[str, tuple[int, bytes]]:
        return {
            str(path.relative_to(outside)): (path.lstat().st_mode, path.read_bytes() if path.is_file() else b"")
            for path in outside.rglob("*")
        }

    before = state()
    yield outside
    assert state() == before


@pytest.fixture(scope="session")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sound store, to be copied."""
    path = tmp_path_factory.mktemp("sound") / "store"
    make(path)
    return path
