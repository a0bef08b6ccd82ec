"""A file that a user names for output: replaced whole, and nothing but a file is overwritten."""

from __future__ import annotations

import os
import pty
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from results import outfile
from results.errors import ResultsError
from results.store.marker import MARKER, write_marker

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")


def test_a_reader_sees_the_old_file_or_the_new_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "stripelab.prom"
    path.write_text("old")
    path.chmod(0o640)
    with monkeypatch.context() as patched:
        patched.setattr(outfile.os, "fsync", lambda _: (_ for _ in ()).throw(OSError(28, "No space left on device")))
        with pytest.raises(ResultsError, match="no space left"):
            outfile.write(path, b"new")
    with pytest.raises(ZeroDivisionError), outfile.writing(path) as stream:
        stream.write(b"half of it" * (1 // 0))
    assert (path.read_text(), list(tmp_path.iterdir())) == ("old", [path])
    outfile.write(path, b"new")
    assert path.read_text() == "new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_a_half_written_file_is_never_one_that_a_collector_reads(tmp_path: Path) -> None:
    with outfile.writing(tmp_path / "stripelab.prom"):
        (name,) = (path.name for path in tmp_path.iterdir())
    assert name.startswith(".")
    assert name.endswith(".tmp")


def test_a_new_file_keeps_to_the_umask_unless_it_is_public(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        outfile.write(tmp_path / "own", b"x")
        outfile.write(tmp_path / "all", b"x", public=True)
    finally:
        os.umask(before)
    assert [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("own", "all")] == [0o600, 0o644]


@as_root
def test_an_old_file_stays_its_owners(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("old")
    os.chown(tmp_path / "x", 1234, 1234)
    outfile.write(tmp_path / "x", b"new")
    assert ((tmp_path / "x").stat().st_uid, (tmp_path / "x").read_text()) == (1234, "new")


def test_a_link_is_followed_to_a_file_and_another_hard_link_keeps_the_old_content(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "file").write_text("old")
    (tmp_path / "hard").hardlink_to(folder / "file")
    (tmp_path / "link").symlink_to("folder/file")
    outfile.write(tmp_path / "link", b"new")
    assert ((folder / "file").read_text(), (tmp_path / "hard").read_text()) == ("new", "old")
    assert (tmp_path / "link").is_symlink()


@as_root
def test_a_link_of_another_user_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("old")
    (tmp_path / "link").symlink_to("file")
    os.chown(tmp_path / "link", 1234, 1234, follow_symlinks=False)
    with pytest.raises(ResultsError, match="link of user 1234"):
        outfile.write(tmp_path / "link", b"new")
    assert (tmp_path / "file").read_text() == "old"


def test_links_in_a_circle_and_names_too_long_are_said(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("link")
    for path, why in (
        (tmp_path / "link", "Too many levels of symbolic links"),
        (tmp_path / ("x" * 300), "File name too long"),
        (tmp_path / "none" / "x", "No such file"),
        (tmp_path / "link" / "x", "Too many levels"),
    ):
        with pytest.raises(ResultsError, match=why):
            outfile.write(path, b"x")
    with pytest.raises(ResultsError, match="File name too long"):
        outfile.check(tmp_path / ("x" * 300))


@pytest.mark.parametrize("name", ["", ".", "..", "folder"])
def test_a_folder_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder").mkdir()
    for act in (outfile.check, lambda path: outfile.write(path, b"x")):
        with pytest.raises(ResultsError, match="is a folder"):
            act(tmp_path / name)
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


def test_a_socket_is_refused(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(str(tmp_path / "socket"))
        with pytest.raises(ResultsError, match="is a socket"):
            outfile.write(tmp_path / "socket", b"x")


@as_root
@pytest.mark.parametrize("minor", [1, 11])
def test_a_device_that_does_something_with_what_it_is_given_is_refused(tmp_path: Path, minor: int) -> None:
    """/dev/mem and /dev/kmsg by their numbers; neither is ever opened."""
    os.mknod(tmp_path / "device", 0o600 | stat.S_IFCHR, os.makedev(1, minor))
    with pytest.raises(ResultsError, match="is a device"):
        outfile.write(tmp_path / "device", b"x")


def test_a_fifo_is_written_to_where_it_is_read_and_nobody_waits_where_it_is_not(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    with pytest.raises(ResultsError, match="no program reads from it"):
        outfile.write(tmp_path / "fifo", b"x")
    both = os.open(tmp_path / "fifo", os.O_RDWR)  # without a writer a reader would see an end at once
    descriptor = os.open(tmp_path / "fifo", os.O_RDONLY)
    content = os.urandom(1 << 20)
    with (tmp_path / "read").open("wb") as read, subprocess.Popen(["cat"], stdin=descriptor, stdout=read) as cat:
        os.close(descriptor)
        outfile.write(tmp_path / "fifo", content)
        os.close(both)
    assert (cat.returncode, (tmp_path / "read").read_bytes()) == (0, content)
    assert stat.S_ISFIFO((tmp_path / "fifo").stat().st_mode)


def test_a_terminal_and_what_drops_everything_are_written_to() -> None:
    outfile.write(Path("/dev/null"), b"x")
    with pytest.raises(ResultsError, match="no space left"):
        outfile.write(Path("/dev/full"), b"x")
    ours, theirs = pty.openpty()
    try:
        outfile.write(Path(os.ttyname(theirs)), b"to the terminal")
        assert os.read(ours, 100) == b"to the terminal"
    finally:
        os.close(ours)
        os.close(theirs)


@pytest.mark.parametrize("name", ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"])
def test_an_open_descriptor_is_written_to_where_it_stands(tmp_path: Path, name: str) -> None:
    (tmp_path / "log").write_text("before\n")
    ask = f"from pathlib import Path; from results import outfile; outfile.write(Path({name!r}), b'after')"
    with (tmp_path / "log").open("a") as log:
        subprocess.run([sys.executable, "-c", ask], stdout=log, check=True)
    assert (tmp_path / "log").read_text() == "before\nafter"
    assert subprocess.run([sys.executable, "-c", ask], capture_output=True, check=True).stdout == b"after"


@pytest.mark.parametrize("name", [MARKER, ".lock", "new", "trials/t.parquet", "trials/new", "out/../journal.jsonl"])
def test_nothing_is_written_within_a_store(tmp_path: Path, name: str) -> None:
    store = tmp_path / "S"
    (store / "trials").mkdir(parents=True)
    (store / "out").mkdir()
    write_marker(store)
    for measured in (".lock", "journal.jsonl", "trials/t.parquet"):
        (store / measured).write_text("measured")
    (tmp_path / "elsewhere").symlink_to(store / name)
    before = {path: path.read_bytes() for path in store.rglob("*") if path.is_file()}
    for path in (store / name, tmp_path / "elsewhere"):
        for act in (outfile.check, lambda path: outfile.write(path, b"x")):
            with pytest.raises(ResultsError, match="lies in the result store"):
                act(path)
    assert {path: path.read_bytes() for path in store.rglob("*") if path.is_file()} == before
