"""The disks of the lab: their number, size and serials, anonymous or with a name."""

from __future__ import annotations

import os
import subprocess

import pytest

from bench.errors import BusyError, DiskRefusedError, LabError
from bench.lab import images
from bench.lab.guest import Lab
from permutations.workload import LabSpec
from tests.lab.conftest import BOOT_S, MIB, SMALL

LIST = "for disk in /sys/block/ubd*; do cat $disk/serial; echo; cat $disk/size; done"


@pytest.mark.lab
@pytest.mark.parametrize("count", [0, 1, 16])
def test_the_disks_have_their_serials_and_sizes(in_guest, count):
    said = in_guest(LIST, LabSpec(disks=count, disk_bytes=32 * MIB, memory_bytes=256 * MIB)).console
    if count == 0:
        assert "No such file" in said
        return
    lines = said.split()
    found = dict(zip(lines[::2], map(int, lines[1::2]), strict=True))
    assert found == {f"LAB{number:07d}": 32 * MIB // 512 for number in range(1, count + 1)}


def test_a_seventeenth_disk_is_an_error(share):
    with pytest.raises(LabError, match="16 disks at most, and 17"), Lab(LabSpec(disks=17), shared=[share]):
        pytest.fail("the lab must not be there")


def test_there_is_no_room(share):
    with pytest.raises(LabError, match="no room for 2 disks"), Lab(LabSpec(disks=2, disk_bytes=1 << 43), [share]):
        pytest.fail("the lab must not be there")
    assert list(share.iterdir()) == []


@pytest.mark.lab
def test_anonymous_disks_keep_their_content_from_run_to_run_and_have_no_name(share):
    with Lab(SMALL, shared=[share]) as lab:
        assert list(share.iterdir()) == []
        written = lab.run(["sh", "-c", "printf remember >/dev/ubdb"], timeout_s=BOOT_S)
        read = lab.run(["head", "--bytes=8", "/dev/ubdb"], timeout_s=BOOT_S)
    assert (written.status, read.console) == (0, "remember")
    assert list(share.iterdir()) == []


@pytest.mark.lab
def test_named_disks_keep_their_content_from_lab_to_lab(share, tmp_path):
    folder = tmp_path / "images"
    with Lab(SMALL, shared=[share], images_dir=folder) as lab:
        lab.run(["sh", "-c", "printf remember >/dev/ubdb"], timeout_s=BOOT_S)
    assert sorted(path.name for path in folder.iterdir()) == ["LAB0000001.img", "LAB0000002.img"]
    assert (folder / "LAB0000002.img").read_bytes()[:8] == b"remember"
    assert (folder / "LAB0000002.img").stat().st_size == SMALL.disk_bytes
    with Lab(SMALL, shared=[share], images_dir=folder) as lab:
        assert lab.run(["head", "--bytes=8", "/dev/ubdb"], timeout_s=BOOT_S).console == "remember"


@pytest.mark.parametrize("header", [b"OOOM\0\0\0\x02/etc/hostname", b"OOOM\0\0\0\x03", b"MOOO\x01\0\0\0"])
def test_a_named_disk_that_pretends_to_be_layered_is_refused_before_the_boot(share, tmp_path, header):
    """The third version of that header (cow_user.c of the kernel: magic, version, file) is a panic at the boot."""
    folder = tmp_path / "images"
    with Lab(SMALL, images_dir=folder):
        pass
    with (folder / "LAB0000002.img").open("r+b") as image:
        image.write(header)
    with (
        Lab(SMALL, shared=[share], images_dir=folder) as lab,
        pytest.raises(LabError, match="disk LAB0000002 begins with the header of a layered image"),
    ):
        lab.run(["true"], timeout_s=BOOT_S)
    with (folder / "LAB0000002.img").open("rb") as image:
        assert image.read(len(header)) == header


@pytest.mark.lab
def test_a_guest_that_writes_the_header_of_a_layered_disk_cannot_boot_with_it_again(share):
    with Lab(SMALL, shared=[share]) as lab:
        assert lab.run(["sh", "-c", r"printf 'OOOM\0\0\0\003' >/dev/ubda"], timeout_s=BOOT_S).status == 0
        with pytest.raises(LabError, match="disk LAB0000001 begins with the header"):
            lab.run(["true"], timeout_s=BOOT_S)


def test_two_labs_on_the_same_images(share, tmp_path):
    with (
        Lab(SMALL, shared=[share], images_dir=tmp_path),
        pytest.raises(BusyError, match=r"LAB0000001\.img is the disk of another lab"),
        Lab(SMALL, shared=[share], images_dir=tmp_path),
    ):
        pytest.fail("the second lab must not be there")
    with Lab(SMALL, shared=[share], images_dir=tmp_path):
        pass


def test_an_image_of_another_size_is_left_alone(share, tmp_path):
    (tmp_path / "LAB0000001.img").write_bytes(b"something else")
    with pytest.raises(LabError, match="has 14 bytes"), Lab(SMALL, shared=[share], images_dir=tmp_path):
        pytest.fail("the lab must not be there")
    assert (tmp_path / "LAB0000001.img").read_bytes() == b"something else"


def test_an_image_behind_a_symbolic_link_is_refused(share, tmp_path):
    (tmp_path / "precious").write_bytes(b"")
    (tmp_path / "LAB0000001.img").symlink_to(tmp_path / "precious")
    with pytest.raises(LabError, match="cannot make a disk image"), Lab(SMALL, shared=[share], images_dir=tmp_path):
        pytest.fail("the lab must not be there")
    assert (tmp_path / "precious").stat().st_size == 0


def test_an_image_with_another_name_is_refused(share, tmp_path):
    (tmp_path / "precious").write_bytes(b"")
    (tmp_path / "LAB0000001.img").hardlink_to(tmp_path / "precious")
    with pytest.raises(LabError, match="another hard link"), Lab(SMALL, shared=[share], images_dir=tmp_path):
        pytest.fail("the lab must not be there")
    assert (tmp_path / "precious").stat().st_size == 0


@pytest.mark.loop
def test_an_image_under_a_loop_device_is_refused(share, tmp_path):
    image = tmp_path / "LAB0000001.img"
    image.write_bytes(bytes(SMALL.disk_bytes))
    words = ["losetup", "--find", "--show", image]
    device = subprocess.run(words, check=True, capture_output=True, text=True).stdout.strip()
    try:
        with pytest.raises(DiskRefusedError, match="loop device"), Lab(SMALL, shared=[share], images_dir=tmp_path):
            pytest.fail("the lab must not be there")
    finally:
        subprocess.run(["losetup", "--detach", device], check=True)


def test_an_image_that_another_program_has_open_is_refused(share, tmp_path):
    image = tmp_path / "LAB0000001.img"
    image.write_bytes(bytes(SMALL.disk_bytes))
    with image.open("rb") as file, subprocess.Popen(["cat"], stdin=subprocess.PIPE, pass_fds=[file.fileno()]) as other:
        with pytest.raises(DiskRefusedError, match=rf"process {other.pid} "), Lab(SMALL, images_dir=tmp_path):
            pytest.fail("the lab must not be there")
        other.kill()


def test_a_file_system_without_anonymous_files(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "O_TMPFILE", os.O_DIRECTORY)  # as on one that does not know the flag: open(2), EISDIR
    with images.opened(2, MIB, images_dir=None, scratch=tmp_path) as descriptors:
        assert [os.fstat(descriptor).st_size for descriptor in descriptors] == [MIB, MIB]
        assert [os.fstat(descriptor).st_nlink for descriptor in descriptors] == [0, 0]
        assert list(tmp_path.iterdir()) == []
