"""Hostile journals taken back on real loop devices: what the run was not given survives byte for byte."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from bench import probes
from bench.acts import RUN_FOLDER, trial_folder
from bench.campaign import clear_leftovers
from bench.errors import StripelabError
from bench.inventory import Disk
from bench.journal import Journal, boot_id
from bench.openers import thing_of
from tests.bench.conftest import sh

pytestmark = pytest.mark.loop
UUID = "11111111-2222-3333-4444-555555555555"
MISSING = "stripelab-00000000"


@dataclass
class Scene:
    """A store whose journal is hostile, beside things that the run was not given.

    ``given`` is the disk that the user names, and holds a filesystem of somebody else; so does ``foreign``, which
    nobody names, and which is mounted at ``mount``.
    """

    store: Path
    other: Path
    given: Disk
    foreign: Disk
    mount: Path

    def state(self) -> dict[str, object]:
        """All that has to survive."""
        files = [each for each in self.other.rglob("*") if each.is_file() and not each.is_relative_to(self.mount)]
        backings = {each.loop: each.thing for each in probes.loops()[0]}
        devices = [self.given, self.foreign]
        mounted = [each.device_number for each in probes.mounts() if each.mount_point == str(self.mount)]
        return {
            **{str(file): hashlib.sha256(file.read_bytes()).hexdigest() for file in files},
            **{f"bytes of {each.name}": digest(each) for each in devices},
            **{f"backing of {each.name}": backings.get(each.name) for each in devices},
            **{f"read-ahead of {each.name}": (each.sys / "queue/read_ahead_kb").read_text() for each in devices},
            "mounted": mounted,
            "in the mount": [each.read_bytes() for each in sorted(self.mount.glob("*.txt"))],
        }

    def loop_folder(self) -> Path:
        """The folder of the store's loop files."""
        folder = self.store / "loop-disks"
        folder.mkdir()
        return folder


def digest(disk: Disk) -> str:
    with disk.path.open("rb") as device:
        return hashlib.file_digest(device, "sha256").hexdigest()


@pytest.fixture
def scene(tmp_path: Path, make_loop: Callable[..., Disk]) -> Iterator[Scene]:
    store, other, mount = tmp_path / "store", tmp_path / "other", tmp_path / "other/mnt"
    for folder in (store, other / "loop-disks", mount):
        folder.mkdir(parents=True)
    (other / "canary").write_bytes(os.urandom(4096))
    (other / "loop-disks/disk1.img").write_bytes(os.urandom(4096))
    given, foreign = make_loop(16), make_loop(16)
    for disk in (given, foreign):
        sh("mkfs.ext4", "-q", "-F", disk.path)
    sh("mount", foreign.path, mount)
    try:
        (mount / "canary.txt").write_bytes(os.urandom(4096))
    finally:
        sh("umount", mount)
    sh("mount", "-o", "ro,noload", foreign.path, mount)  # the filesystem itself writes nothing from now on
    try:
        yield Scene(store, other, given, foreign, mount)
    finally:
        sh("umount", mount)


def nothing(_: Scene) -> None:
    """No more than the journal."""


def loop_folder_is_a_link(scene: Scene) -> None:
    (scene.store / "loop-disks").symlink_to(scene.other / "loop-disks")


def loop_file_is_a_link(scene: Scene) -> None:
    (scene.loop_folder() / "disk1.img").symlink_to(scene.other / "canary")


def loop_file_is_a_device(scene: Scene) -> None:
    os.mknod(scene.loop_folder() / "disk1.img", 0o600 | 0o060000, scene.foreign.path.stat().st_rdev)


def loop_file_is_a_folder(scene: Scene) -> None:
    (scene.loop_folder() / "disk1.img").mkdir()


def act(kind: str, **facts: Any) -> Callable[[Scene], tuple[str, dict[str, Any]]]:
    """An act whose facts may name what is in the scene: ``{foreign.id}``."""

    def filled(value: Any, scene: Scene) -> Any:
        if isinstance(value, list):
            return [filled(each, scene) for each in value]
        return value.format(**vars(scene)) if isinstance(value, str) else value

    return lambda scene: (kind, {name: filled(value, scene) for name, value in facts.items()})


BARE = {"filesystem": "ext4", "bare": True, "uuids": [UUID]}
HOSTILE = {
    "a loop file of another store": (act("loop", file="../../other/loop-disks/disk1.img"), nothing),
    "a loop file by its path": (act("loop", file="{other}/canary"), nothing),
    "a linked folder of loop files": (act("loop", file="disk1.img"), loop_folder_is_a_link),
    "a loop file that is a link": (act("loop", file="disk1.img"), loop_file_is_a_link),
    "a loop file that is a device": (act("loop", file="disk1.img"), loop_file_is_a_device),
    "a loop file that is a folder": (act("loop", file="disk1.img"), loop_file_is_a_folder),
    "an array on a disk that is not leased": (act("md", name=MISSING, uuid=UUID, disks=["{foreign.id}"]), nothing),
    "an array that is not on the disk": (act("md", name=MISSING, uuid=UUID, disks=["{given.id}"]), nothing),
    "an array by a path": (act("md", name="../../{other}/canary", uuid=UUID, disks=["{given.id}"]), nothing),
    "a filesystem on a disk that is not leased": (act("filesystem", disks=["{foreign.id}"], **BARE), nothing),
    "a filesystem that is not on the disk": (act("filesystem", disks=["{given.id}"], **BARE), nothing),
    "a filesystem on a kernel name": (act("filesystem", disks=["{foreign.path}"], **BARE), nothing),
    "a mount elsewhere": (act("mount", point="{mount}"), nothing),
    "a mount through the folder of trials": (act("mount", point=f"{RUN_FOLDER}/../..{{mount}}"), nothing),
    "a folder elsewhere": (act("folder", folder="{other}"), nothing),
    "a folder through the folder of trials": (act("folder", folder=f"{RUN_FOLDER}/../..{{other}}"), nothing),
    "a setting of a disk that is not leased": (
        act("queue", disk="{foreign.id}", attribute="queue/read_ahead_kb", before="64"),
        nothing,
    ),
    "a setting that is a file": (act("queue", disk="{given.id}", attribute="{other}/canary", before="0"), nothing),
    "a value no setting has": (
        act("queue", disk="{given.id}", attribute="queue/read_ahead_kb", before="garbage"),
        nothing,
    ),
    "limits on a disk that is not leased": (act("throttle", devices=["{foreign.device_number}"]), nothing),
    "destruction of a disk that is not leased": (act("destroy", what="wipefs", disks=["{foreign.id}"]), nothing),
    "a disk that is not leased as taken": (act("taken", disk="{foreign.id}", diskseq="{foreign.diskseq}"), nothing),
    "a leased disk as taken": (act("taken", disk="{given.id}", diskseq="{given.diskseq}"), nothing),
}


def take_back(scene: Scene, kind: str, facts: dict[str, Any]) -> None:
    """What a run does with the journal of its store before anything else; it may refuse, but in order."""
    line = {"n": 1, "state": "begun", "boot": boot_id(), "kind": kind, "facts": facts}
    path = scene.store / "journal.jsonl"
    path.write_text(json.dumps(line) + "\n", encoding="ascii")
    with suppress(StripelabError), Journal(path) as journal:
        clear_leftovers([scene.given.id or ""], scene.store, journal, lambda _: None)


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_journal_reaches_nothing_that_was_not_given(scene, name):
    hostile, prepare = HOSTILE[name]
    prepare(scene)
    before = scene.state()
    take_back(scene, *hostile(scene))
    assert scene.state() == before


def test_a_loop_file_with_a_second_name_stays_attached(scene, make_loop):
    loop = make_loop(16)
    backing = Path(loop.id.removeprefix("loop:"))
    (scene.loop_folder() / "disk1.img").hardlink_to(backing)
    take_back(scene, "loop", {"file": "disk1.img"})
    assert backing.exists()
    assert thing_of(backing.stat()) in [each.thing for each in probes.loops()[0]]


def test_a_folder_of_a_trial_with_foreign_files_is_an_error_in_order(scene):
    folder = trial_folder(scene.store, uuid4().hex)
    folder.mkdir(parents=True)
    (folder / "canary").write_bytes(b"")
    try:
        take_back(scene, "folder", {"folder": str(folder)})
        assert (folder / "canary").exists()
    finally:
        (folder / "canary").unlink()
        folder.rmdir()
        with suppress(OSError):
            RUN_FOLDER.rmdir()


def test_the_node_of_an_array_that_is_another_one_stays(scene):
    name = f"stripelab-{uuid4().hex[:8]}"
    node = Path("/dev/md") / name
    made = not node.parent.exists()
    node.parent.mkdir(exist_ok=True)
    node.symlink_to("../null")
    try:
        take_back(scene, "md", {"name": name, "uuid": UUID, "disks": [scene.given.id]})
        assert node.is_symlink()
    finally:
        node.unlink(missing_ok=True)
        if made:
            node.parent.rmdir()


def test_a_mount_point_with_foreign_files_is_an_error_in_order(scene):
    folder = trial_folder(scene.store, uuid4().hex)
    point = folder / "mnt0"
    point.mkdir(parents=True)
    (point / "canary").write_bytes(b"")
    try:
        take_back(scene, "mount", {"point": str(point)})
        assert (point / "canary").exists()
    finally:
        (point / "canary").unlink()
        point.rmdir()
        folder.rmdir()
        with suppress(OSError):
            RUN_FOLDER.rmdir()


def test_the_mount_of_another_stores_run_stays(scene):
    folder = RUN_FOLDER / f"test-{uuid4().hex}"
    point = folder / "mnt0"
    point.mkdir(parents=True)
    sh("mount", "--bind", scene.mount, point)
    try:
        take_back(scene, "mount", {"point": str(point)})
        assert any(each.mount_point == str(point) for each in probes.mounts())
    finally:
        subprocess.run(["umount", point], check=False, capture_output=True)
        for each in (point, folder, RUN_FOLDER):
            with suppress(OSError):
                each.rmdir()


def test_the_scratch_files_of_another_stores_run_stay(scene):
    folder = RUN_FOLDER / f"test-{uuid4().hex}"
    scratch = folder / "scratch"
    scratch.mkdir(parents=True)
    (scratch / "canary").write_bytes(b"")
    try:
        take_back(scene, "folder", {"folder": str(folder)})
        assert (scratch / "canary").exists()
    finally:
        with suppress(OSError):
            (scratch / "canary").unlink()
        for each in (scratch, folder, RUN_FOLDER):
            with suppress(OSError):
                each.rmdir()


def test_a_journal_of_60_mib_takes_less_than_a_gib(tmp_path):
    path = tmp_path / "journal.jsonl"
    with path.open("wb") as file:
        for number in range(1, 61):
            file.write(b'{"n":%d,"state":"begun","boot":"","kind":"","facts":[%s[]]}\n' % (number, b"[]," * 340_000))
    code = (
        "import resource, sys\nfrom pathlib import Path\nfrom bench.errors import StoreError\n"
        "from bench.journal import history_of\ntry:\n    history_of(Path(sys.argv[1]))\nexcept StoreError:\n    pass\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10)"
    )
    finished = subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True, check=True)
    assert int(finished.stdout) < 1 << 30
