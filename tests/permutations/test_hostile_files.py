"""Files that are not what their names say, and texts made to break a reader: one clear line, at once."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from bench.errors import SweepFileError
from bench.vocabulary import vocabulary
from permutations.errors import SweepError
from permutations.sweep import Sweep
from tests.permutations.sweep_texts import FIVE, HEAD, in_workload

JOB = HEAD + '[[workload]]\nname = "w"\njob_file = "JOB"\n'


def make(folder: Path, kind: str) -> Path:
    path = folder / kind
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    elif kind == "huge":
        path.touch()
        os.truncate(path, 10 << 30)
    elif kind == "zero":
        path.symlink_to("/dev/zero")
    elif kind == "socket":
        socket.socket(socket.AF_UNIX).bind(str(path))
    elif kind == "loop":
        path.symlink_to(path)
    return path


KINDS = ("fifo", "folder", "huge", "zero", "socket", "loop", "absent")


@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.parametrize("kind", KINDS)
def test_a_sweep_is_a_regular_file_of_bounded_size(tmp_path: Path, kind: str) -> None:
    path = make(tmp_path, kind)
    with pytest.raises(SweepError, match=r"regular|larger|cannot be read|not exist"):
        Sweep.load(path, vocabulary())


@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.parametrize("kind", KINDS)
def test_a_job_file_is_a_regular_file_of_bounded_size(tmp_path: Path, kind: str) -> None:
    path = make(tmp_path, kind)
    with pytest.raises(SweepError, match=r"regular|larger|cannot be read|not exist") as refused:
        Sweep.parse(JOB.replace("JOB", str(path)), tmp_path / "t.toml", vocabulary())
    assert refused.value.line == 6


@pytest.mark.parametrize("kind", ["fifo", "huge"])
def test_plan_ends_at_once_with_the_status_of_a_wrong_sweep(tmp_path: Path, kind: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bench", "plan", make(tmp_path, kind)],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == SweepFileError.status
    assert "Traceback" not in done.stderr


HUGE = "0x" + "f" * 5000
TEXTS = {
    "huge level": HEAD.replace('"raid5"', HUGE) + FIVE[len(HEAD) :],
    "huge disks": HEAD.replace("[4]", f"[{HUGE}]") + FIVE[len(HEAD) :],
    "huge range": FIVE.replace("[4]", "{start = 1, stop = " + HUGE + ", step = 1}"),
    "huge option of fio": in_workload("options = {randseed = " + HUGE + "}"),
    "negative huge option": in_workload("options = {randseed = -" + "9" * 4000 + "}"),
    "huge seed": FIVE + f"[sweep]\nseed = {HUGE}\n",
    "huge number": in_workload(f"runtime_s = {HUGE}"),
    "huge decimal": in_workload("runtime_s = " + "9" * 5000),
    "nan": in_workload("runtime_s = nan"),
    "inf": in_workload("options = {rate = inf}"),
    "infinite": in_workload("options = {rate = 1e999}"),
    "negative": in_workload("numjobs = -1"),
    "date": in_workload("runtime_s = 1979-05-27"),
    "time": FIVE.replace('"raid5"', "07:32:00"),
    "nested arrays": FIVE + "a = " + "[" * 5000 + "]" * 5000,
    "nested tables": FIVE + "a = " + "{a = " * 5000 + "1" + "}" * 5000,
    "just under the limit": FIVE + "a = " + "[" * 480 + "]" * 480,
    "dotted key": FIVE + "a." * 400_000 + "a = 1",
    "dotted keys": FIVE + ("a." * 400 + "a = 1\n") * 1000,
    "long key": FIVE + "a" * 900_000 + " = 1",
    "long text": FIVE.replace('"raid5"', '"' + "x" * 900_000 + '"'),
    "surrogate": FIVE.replace('"raid5"', '"\\ud800"'),
    "NUL": FIVE + "\0",
    "NUL in a name": in_workload('job_file = "a\\u0000b"'),
    "many rules": FIVE + "[[forbid]]\nnr_requests = 4\n" * 30_000,
    "many workloads": HEAD + "".join(f'[[workload]]\nname = "w{n}"\nrw = "read"\nbs = "4k"\n' for n in range(9000)),
    "long options of mkfs": FIVE.replace("[4]", '[4]\nmkfs_options = "' + "-K " * 300_000 + '"'),
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_a_text_made_to_break_the_reader_is_refused_in_a_line(text: str) -> None:
    with pytest.raises(SweepError) as refused:
        Sweep.parse(text, "t.toml", vocabulary())
    assert str(refused.value).isprintable()
    assert len(str(refused.value)) < 2000


@pytest.mark.parametrize("content", [b"\xff\xfe" + FIVE.encode("utf-16-le"), b"a = '\xed\xa0\x80'", b"\x80"])
def test_bytes_that_are_not_utf_8_are_refused_with_their_line(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "t.toml"
    path.write_bytes(content)
    with pytest.raises(SweepError, match="is not UTF-8 text"):
        Sweep.load(path, vocabulary())


@pytest.mark.parametrize("line", ["size=1e999", "rate=1e999", "filename=/etc/passwd", "bs=1P", "rw=trim"])
def test_plan_checks_the_job_file_with_its_line(tmp_path: Path, line: str) -> None:
    (tmp_path / "job.fio").write_text(f"[job]\n{line}\n")
    with pytest.raises(SweepError, match=r"rw=trim|job\.fio:2: fio option"):
        Sweep.parse(JOB.replace("JOB", "job.fio"), tmp_path / "t.toml", vocabulary())
