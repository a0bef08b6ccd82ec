"""Which folders the lab shares with its guest, and which it refuses."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bench.errors import LabError
from bench.lab import shares
from bench.lab.guest import Lab
from tests.lab.conftest import BOOT_S, SMALL

NEEDED = """/ /proc /proc/self /proc/self/root /sys /sys/fs /dev /dev/shm /run /run/lock /etc /usr /bin /lib /lib64
/usr/lib /usr/lib/uml /usr/../usr//bin/."""


@pytest.mark.parametrize("folder", NEEDED.split())
def test_a_folder_that_the_guest_needs_is_refused(folder):
    with pytest.raises(LabError, match="cannot be shared"):
        shares.checked([Path(folder)])


def test_a_link_to_a_folder_that_the_guest_needs_is_refused(tmp_path):
    (tmp_path / "link").symlink_to("/")
    with pytest.raises(LabError, match="/ cannot be shared"):
        shares.checked([tmp_path / "link"])


@pytest.mark.parametrize("name", [b"new\nline", b"\xff", b"tab\t", b"\x1b]0;title\x07", "\u202ebidi".encode()])
def test_a_name_that_cannot_be_printed_is_refused_and_shown_escaped(tmp_path, name):
    folder = os.fsencode(tmp_path) + b"/" + name
    Path(os.fsdecode(folder)).mkdir()
    with pytest.raises(LabError, match="its name has bytes") as refused:
        shares.checked([Path(os.fsdecode(folder))])
    assert str(refused.value).isprintable()


def test_a_folder_twice_or_within_another_is_refused(tmp_path):
    (tmp_path / "within").mkdir()
    (tmp_path / "link").symlink_to("within")
    for other in (tmp_path, tmp_path / ".", tmp_path / "within", tmp_path / "link"):
        with pytest.raises(LabError, match="cannot both be shared"):
            shares.checked([tmp_path, other])


@pytest.mark.parametrize("mode", [0o4755, 0o2711, 0o6000])
def test_a_folder_with_a_set_id_file_is_refused(tmp_path, mode):
    (tmp_path / "deep").mkdir(mode=0o2755)
    file = tmp_path / "deep" / "file"
    file.touch()
    (tmp_path / "link").symlink_to("/usr/bin/passwd")
    assert shares.checked([tmp_path])
    file.chmod(mode)
    with pytest.raises(LabError, match="is a set-user-ID") as refused:
        shares.checked([tmp_path])
    assert str(file) in refused.value.next_step


@contextmanager
def mounted(folder: Path) -> Iterator[None]:
    """A tmpfs of its own on a new folder."""
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "none", folder], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", folder], check=True)


@pytest.mark.loop
@pytest.mark.parametrize("name", ["plain", "a b\\c", "g\u00fcn"])
def test_a_folder_with_a_mount_below_it_is_refused(tmp_path, name):
    share = tmp_path / "share"
    (share / "deep").mkdir(parents=True)
    (tmp_path / "share2").mkdir()
    with mounted(share / "deep" / name):
        with pytest.raises(LabError, match="is mounted below it") as refused:
            shares.checked([share])
        assert "umount" in refused.value.next_step
        assert shares.checked([share / "deep" / name, tmp_path / "share2"])
    assert shares.checked([share])


@pytest.mark.loop
def test_what_was_mounted_since_the_lab_was_made_is_refused_before_a_boot(tmp_path):
    share = tmp_path / "share"
    share.mkdir()
    with (
        Lab(SMALL, shared=[share]) as lab,
        mounted(share / "new"),
        pytest.raises(LabError, match="is mounted below it"),
    ):
        lab.run(["true"], timeout_s=BOOT_S)


@pytest.mark.lab
def test_folders_with_odd_names_are_shared_each_by_itself(tmp_path):
    names = ["oct\\040al", "gr\u00fcn, #1", "a:b=c 'quoted'", "folder", "folder2"]
    folders = [tmp_path / name for name in names]
    for folder in folders:
        folder.mkdir()
    script = 'for folder; do printf "%s\\n" "$folder" >"$folder/name"; done'
    with Lab(SMALL, shared=folders) as lab:
        lab.run(["/bin/sh", "-c", script, "sh", *folders], timeout_s=BOOT_S)
    assert [(folder / "name").read_text() for folder in folders] == [f"{folder}\n" for folder in folders]


@pytest.mark.lab
def test_a_link_to_a_folder_shares_the_folder(tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("folder")
    with Lab(SMALL, shared=[tmp_path / "link"]) as lab:
        lab.run(["touch", tmp_path / "link/made"], timeout_s=BOOT_S)
    assert (tmp_path / "folder/made").exists()
