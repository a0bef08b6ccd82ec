"""What a guest cannot do to the host, as root and as an ordinary user."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from bench import proc
from bench.errors import LabError
from bench.lab.guest import Lab
from tests.lab.conftest import BOOT_S, LAB_SCRIPT, SMALL, USER, by_user

ROOT = Path(__file__).parents[2]


def print_of(path: str) -> str:
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


@pytest.mark.lab
def test_the_overlay_is_writable_and_nothing_of_it_reaches_the_host(in_guest, tmp_path):
    before = print_of("/etc/passwd")
    there = tmp_path / "made-in-the-guest"
    ended = in_guest(
        f"echo more >>/etc/passwd && tail -1 /etc/passwd && touch {there} /usr/made-in-the-guest "
        f"&& ls {there} /usr/made-in-the-guest && rm -r /usr/share/doc && ls /usr/share"
    )
    assert ended.status == 0
    assert ended.console.startswith("more\n")
    assert "doc" not in ended.console.split()
    assert print_of("/etc/passwd") == before
    assert Path("/usr/share/doc").is_dir()
    assert not there.exists()
    assert not Path("/usr/made-in-the-guest").exists()


@pytest.mark.lab
def test_the_host_mounted_read_write_is_still_read_only(in_guest, tmp_path):
    target = tmp_path / "target"
    target.write_text("as it was")
    ended = in_guest(
        "mkdir -p /run/host && mount -t hostfs -o / none /run/host && echo mounted; "
        f"echo changed >/run/host{target}; touch /run/host/etc/made-in-the-guest; rm /run/host{target}; true"
    )
    assert ended.console.startswith("mounted\n")
    # /etc does not belong to an ordinary user, who is refused for that before the mount is asked.
    assert len(re.findall("Read-only file system|Permission denied", ended.console)) == 3
    assert target.read_text() == "as it was"
    assert not Path("/etc/made-in-the-guest").exists()


@pytest.mark.lab
def test_the_guest_sees_no_disk_and_no_process_of_the_host(in_guest):
    said = in_guest(
        "mkdir -p /run/host && mount -t hostfs -o / none /run/host; find /run/host/dev -type b; ls /run/host/dev; "
        "readlink /run/host/proc/[0-9]*/exe"
    ).console.split()
    assert "null" in said
    assert not {"kmsg", "mem", "loop-control", "mapper", "kvm", "fuse"} & set(said)
    assert {word for word in said if word.startswith("/")} <= {"/usr/bin/bwrap", "/usr/bin/bash", "/usr/bin/linux.uml"}


@pytest.mark.lab
def test_the_guest_has_no_capability_no_network_and_no_way_to_more(harness):
    kernels = [child for child in harness().family if Path(child.exe()).name == "linux.uml"]
    assert kernels
    for kernel in kernels:
        status = dict(
            line.split(":\t", 1)
            for line in Path(f"/proc/{kernel.pid}/status").read_text().splitlines()
            if ":\t" in line
        )
        assert {status[f"Cap{kind}"] for kind in ("Inh", "Prm", "Eff", "Amb")} == {"0" * 16}
        assert status["NoNewPrivs"] == "1"
        for kind in ("net", "pid", "ipc", "uts", "mnt"):
            assert Path(f"/proc/{kernel.pid}/ns/{kind}").readlink() != Path(f"/proc/self/ns/{kind}").readlink()


@pytest.mark.lab
def test_the_shared_folder_is_read_and_written(in_guest, share):
    (share / "from the host").write_text("good morning")
    ended = in_guest(
        'cat "from the host"; mkdir -p deep/er; echo evening >deep/er/new; mv "from the host" moved; '
        "dd if=/dev/zero of=large bs=1M count=20 2>/dev/null"
    )
    assert ended.console == "good morning"
    assert (share / "moved").read_text() == "good morning"
    assert (share / "deep/er/new").read_text() == "evening\n"
    assert (share / "large").stat().st_size == 20 << 20


def test_a_shared_folder_that_is_not_there(tmp_path):
    with pytest.raises(LabError, match="is not a folder"), Lab(SMALL, shared=[tmp_path / "missing"]):
        pytest.fail("the lab must not be there")


@pytest.mark.loop
def test_root_is_told_that_it_cannot_write_a_folder_of_another_user(tmp_path):
    folder = tmp_path / "theirs"
    folder.mkdir()
    os.chown(folder, USER, USER)
    with pytest.raises(LabError, match="does not allow it to this user"), Lab(SMALL, shared=[folder]):
        pytest.fail("the lab must not be there")


@pytest.mark.loop
def test_root_is_told_that_it_cannot_reach_a_program_of_another_user(tmp_path, share):
    folder = tmp_path / "theirs"
    folder.mkdir(mode=0o700)
    os.chown(folder, USER, USER)
    with Lab(SMALL, shared=[share]) as lab, pytest.raises(LabError, match="closed to others"):
        lab.run([folder / "program"], timeout_s=BOOT_S)


@pytest.mark.lab
@pytest.mark.loop
def test_an_ordinary_user_builds_an_array(public):
    ended = by_user(
        public,
        "id -u; mdadm --create /dev/md0 --run --level=5 --raid-devices=4 --metadata=1.2 --assume-clean --bitmap=none "
        "/dev/ubd[a-d] 2>/dev/null && mkfs.ext4 -q /dev/md0 && mkdir /run/m && mount /dev/md0 /run/m "
        "&& findmnt -no FSTYPE /run/m && echo written >result && umount /run/m && mdadm --stop /dev/md0 2>/dev/null",
    )
    assert (ended.returncode, ended.stdout) == (0, "0\next4\n"), ended.stderr
    assert (public / "share/result").read_text() == "written\n"
    assert (public / "share/result").stat().st_uid == USER


@pytest.mark.lab
@pytest.mark.loop
def test_an_ordinary_user_reads_no_secret_and_writes_only_the_share(public):
    own = public / "own"
    own.write_text("as it was\n")
    os.chown(own, USER, USER)
    ended = by_user(
        public,
        "cat /etc/shadow; mkdir /run/host && mount -t hostfs -o / none /run/host; cat /run/host/etc/shadow; "
        f"echo changed >>/run/host{own}; exit 0",
    )
    assert ended.stdout.count("Permission denied") == 2
    assert "Read-only file system" in ended.stdout
    assert "root:" not in ended.stdout
    assert own.read_text() == "as it was\n"


@pytest.mark.lab
def test_a_checkout_in_tmp(tmp_path):
    """The guest mounts nothing over a folder where the project may be."""
    project = Path("/tmp") / f"stripelab test {os.getpid()}"
    project.mkdir()
    try:
        for package in ("bench", "permutations", "results", "stripelab"):
            shutil.copytree(ROOT / package, project / package)
        (project / "share").mkdir()
        script = "/usr/bin/python3 -c 'import bench.lab.inside as g; print(g.__file__, g.inside())'; echo x >y"
        ended = subprocess.run(
            ["/usr/bin/python3", "-c", LAB_SCRIPT, f"cd '{project}' && {script} && cp y share"],
            cwd=project, env={"PATH": proc.SYSTEM_PATH}, capture_output=True, text=True, check=False, timeout=120,
        )  # fmt: skip
        assert ended.stdout == f"{project}/bench/lab/inside.py True\n", ended.stderr
        assert (project / "share/y").read_text() == "x\n"
        assert not (project / "y").exists()
    finally:
        shutil.rmtree(project)
