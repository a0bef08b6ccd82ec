"""What a guest brings back, and how it ends."""

from __future__ import annotations

import itertools
import os
import resource
import subprocess
import sys

import pytest

from bench.errors import LabError
from bench.lab.guest import Lab
from bench.lab.watch import Line, Watch
from permutations.workload import LabSpec
from tests.lab.conftest import BOOT_S, MIB, ROOT, SMALL

pytestmark = pytest.mark.lab


@pytest.mark.parametrize(("ending", "status"), [("exit 0", 0), ("exit 3", 3), ("exit 255", 255), ("kill -9 $$", 137)])
def test_the_exit_status_is_brought_back(in_guest, ending, status):
    assert in_guest(ending).status == status


def test_the_console_is_brought_back(in_guest):
    ended = in_guest(r"echo out; echo err >&2; printf 'gr\303\274n \377\n'; printf 'no line end'")
    assert ended.console == "out\nerr\ngrün \\xff\nno line end"
    assert not ended.crashed


def test_a_long_console_comes_whole(in_guest):
    ended = in_guest("seq 1 30000")
    assert ended.console == "".join(f"{number}\n" for number in range(1, 30001))


FLOOD = """
import sys
from bench.lab.guest import Lab
from permutations.workload import LabSpec
pass_on = (lambda text: None) if sys.argv[2] else None
with Lab(LabSpec(disks=0, memory_bytes=192 << 20)) as lab:
    ended = lab.run(["sh", "-c", sys.argv[1]], timeout_s=600, on_console=pass_on, check=False)
peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(ended.cut, ended.status, int(peak.split()[1]) >> 10)
"""


@pytest.mark.parametrize(
    ("device", "ends", "passed_on"),
    [
        ("/dev/tty1", "True 0", ""),
        ("/dev/tty1", "True 0", "yes"),
        ("/dev/console", "False 0", ""),
        ("/dev/ttyS0", "False None", ""),
    ],
)
def test_a_guest_that_writes_much_takes_little_memory_of_the_host(device, ends, passed_on):
    words = [sys.executable, "-c", FLOOD, f"head -c 128M /dev/zero >{device}", passed_on]
    ended = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True)
    said, _, peak_mib = ended.stdout.rpartition(" ")
    assert said == ends
    assert int(peak_mib) < 120


def test_a_line_keeps_the_end_of_what_came():
    line, pieces = Line(10), ("12345", "\u20ac678", "9", "\u20ac" * 30, "abcd")
    line.close_write()
    for piece in pieces:
        line._keep(piece)
    assert line.cut
    assert line.text == "\u20ac\u20acabcd"
    line.close()


def test_a_status_line_of_more_than_a_status_is_a_crash():
    for text, status in (("0\n" * 9, None), ("\n" * 30 + "0", None), ("0\n", 0), ("255\r\n", 255), ("256", None)):
        with Watch() as watch:
            os.write(watch.status.write, text.encode())
            watch.drain()
            assert watch.exit_status == status, text


def test_the_console_comes_while_the_program_runs(share):
    pieces, ticks = [], itertools.count()
    with Lab(SMALL, shared=[share]) as lab:
        lab.run(
            ["/bin/sh", "-c", f'echo one; until [ -e "{share}/go" ]; do sleep 0.1; done; echo two'],
            timeout_s=BOOT_S,
            on_console=lambda text: (pieces.append(text), (share / "go").touch()),
            on_tick=lambda: next(ticks),
        )
    assert "".join(pieces) == "one\ntwo\n"
    assert len(pieces) > 1
    assert next(ticks) > 1


def test_arguments_folder_and_environment_reach_the_program(share):
    words = ["two words", "$HOME", "'quotes\"", "*", "", "line\nbreak"]
    with Lab(SMALL, shared=[share]) as lab:
        ended = lab.run(
            ["/bin/sh", "-c", 'pwd; echo "$EXTRA"; printf "<%s>" "$@"', "sh", *words],
            timeout_s=BOOT_S,
            cwd=share,
            env={"EXTRA": "a 'b' $c"},
        )
    assert ended.console == f"{share}\na 'b' $c\n" + "".join(f"<{word}>" for word in words)


def test_the_guest_may_look_at_more_files_than_the_usual_soft_limit(in_guest):
    """An ordinary user's limit is 1,024; hostfs holds every file open that the guest knows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
    try:
        ended = in_guest("find /usr/lib/python3* /usr/share/perl* -type f | head -1500 | xargs cat | wc -c; echo $?")
        assert resource.getrlimit(resource.RLIMIT_NOFILE) == (256, hard)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert "Too many open files" not in ended.console
    assert ended.console.endswith("\n0\n")


def test_a_panic_is_told_with_the_last_lines(share):
    crash = ["/bin/sh", "-c", "echo the last words; echo c >/proc/sysrq-trigger; sleep 10"]
    with Lab(SMALL, shared=[share]) as lab:
        with pytest.raises(LabError, match=r"crashed(?s:.*)the last words(?s:.*)Kernel panic"):
            lab.run(crash, timeout_s=BOOT_S)
        ended = lab.run(crash, timeout_s=BOOT_S, check=False)
        assert (ended.status, ended.crashed) == (None, True)
        assert lab.run(["/bin/true"], timeout_s=BOOT_S).status == 0


def test_a_guest_that_powers_itself_off_has_crashed(in_guest):
    assert in_guest("echo o >/proc/sysrq-trigger; sleep 10").crashed


def test_a_guest_that_does_not_end_is_ended(share):
    with Lab(SMALL, shared=[share]) as lab, pytest.raises(LabError, match=r"not ended after 8 s(?s:.*)still here"):
        lab.run(["/bin/sh", "-c", "echo still here; sleep 1000"], timeout_s=8)


def test_a_program_that_is_not_there(in_guest, share):
    with Lab(SMALL, shared=[share]) as lab:
        ended = lab.run(["/no/such/program"], timeout_s=BOOT_S)
    assert ended.status == 127
    assert "/no/such/program" in ended.console


def test_too_little_memory_is_an_error():
    with pytest.raises(LabError, match="too little"), Lab(LabSpec(memory_bytes=16 * MIB)):
        pytest.fail("the lab must not be there")


def test_more_memory_than_there_is_is_an_error():
    with pytest.raises(LabError, match="MiB are free"), Lab(LabSpec(memory_bytes=1 << 60)):
        pytest.fail("the lab must not be there")


def test_the_personalities_of_md_are_loaded(in_guest):
    said = in_guest("cat /proc/mdstat").console
    assert {"[raid0]", "[raid1]", "[raid4]", "[raid5]", "[raid6]", "[raid10]"} <= set(said.split())


def test_a_further_module_is_loaded(share):
    with Lab(SMALL, shared=[share], modules=["dm-flakey"]) as lab:
        assert "dm_flakey" in lab.run(["cat", "/proc/modules"], timeout_s=BOOT_S).console


def test_an_unknown_module_is_an_error(share):
    with Lab(SMALL, shared=[share], modules=["raid7"]) as lab, pytest.raises(LabError, match="no module raid7"):
        lab.run(["true"], timeout_s=BOOT_S)


@pytest.mark.parametrize("line", ["\u00b2", "256", "9" * 5000, "-1", "0x0", "", "1 2"])
def test_a_line_that_is_not_an_exit_status_is_a_crash(line):
    with Watch() as watch:
        os.write(watch.status.write, f"{line}\n".encode())
        watch.status.close_write()
        while watch.status.take():
            pass
        assert watch.exit_status is None
