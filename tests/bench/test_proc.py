from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import sys
import threading
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from bench import proc
from bench.errors import EngineError, HostTaintedError, MissingToolError, StackError


def gone(pid: int) -> bool:
    """Whether a process has ended (a zombie has)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in {"Z", "X"}
    except (FileNotFoundError, ProcessLookupError):
        return True


def wait_for(path: Path) -> str:
    for _ in range(2000):
        if path.exists() and path.read_text().endswith("\n"):
            return path.read_text()
        time.sleep(0.005)
    raise AssertionError(f"{path} did not appear")


def test_what_a_program_prints_and_its_status_come_back() -> None:
    finished = proc.run(["sh", "-c", "echo out; echo err >&2; exit 3"], check=False)
    assert (finished.stdout, finished.stderr, finished.status) == ("out\n", "err\n", 3)
    assert finished.duration_s > 0


def test_the_command_of_a_failure_can_be_pasted_into_a_shell(tmp_path: Path) -> None:
    missing = tmp_path / "it's a $HOME file"
    with pytest.raises(StackError) as caught:
        proc.run(["cat", missing])
    assert caught.value.command is not None
    assert shlex.split(caught.value.command) == ["cat", str(missing)]
    missing.write_text("now it is there")
    pasted = proc.run(["sh", "-c", caught.value.command])
    assert pasted.stdout == "now it is there"


def test_a_failure_says_its_status_and_the_last_lines_printed() -> None:
    with pytest.raises(EngineError, match=r"sh exited with status 5: b \| c \| d \| e") as caught:
        proc.run(["sh", "-c", "for l in a b c d e; do echo $l >&2; done; exit 5"], error=EngineError)
    assert caught.value.status == EngineError.status
    with pytest.raises(StackError, match="exited with status 1 and printed nothing"):
        proc.run(["false"])


@pytest.mark.parametrize(("number", "name"), [(signal.SIGSEGV, "SIGSEGV"), (40, "signal 40")])
def test_a_program_ended_by_a_signal_is_told_so(number: int, name: str) -> None:
    with pytest.raises(StackError, match=f"was ended by {name} and printed nothing"):
        proc.run(["sh", "-c", f"kill -{int(number)} $$"])


def test_a_missing_tool_names_its_package() -> None:
    with pytest.raises(MissingToolError, match=r"mkfs\.nosuch is not installed") as caught:
        proc.run(["mkfs.nosuch"], package="nosuch-progs")
    assert "apt-get install nosuch-progs" in caught.value.lines()[-1]


def test_the_known_package_of_a_tool_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(proc, "SYSTEM_PATH", str(tmp_path))
    with pytest.raises(MissingToolError) as caught:
        proc.run(["mkfs.btrfs", "--version"])
    assert "apt-get install btrfs-progs" in caught.value.next_step


def test_a_path_that_is_not_there_is_a_missing_tool_too() -> None:
    with pytest.raises(MissingToolError, match=r"/nowhere/mkfs\.xfs is not installed") as caught:
        proc.run(["/nowhere/mkfs.xfs"])
    assert "apt-get install xfsprogs" in caught.value.next_step


def test_what_cannot_be_started_is_an_error_of_the_caller(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="could not be started"):
        proc.run(["true"], cwd=tmp_path / "absent", error=EngineError)
    broken = tmp_path / "broken"
    broken.write_text("neither ELF nor a script")
    broken.chmod(0o755)
    # As root setpriv executes it, which takes it for a script of the shell (execvp(3)).
    with pytest.raises(StackError, match=r"could not be started: .*Exec format error|exited with status 127"):
        proc.run([broken])


DONE_WITHOUT = {"smartctl"}
"""Programs without which everything runs and says what it does not know; the set-up does not install them."""


def test_every_program_that_may_be_called_has_a_package_that_provides_it() -> None:
    for program in proc.PACKAGES.keys() - DONE_WITHOUT:
        assert shutil.which(program, path=proc.SYSTEM_PATH) is not None, program


def test_a_child_sees_a_scrubbed_environment_in_the_c_locale(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANGUAGE", "de")
    monkeypatch.setenv("LC_MESSAGES", "de_DE.UTF-8")
    monkeypatch.setenv("LD_PRELOAD_LOOKALIKE", "1")
    monkeypatch.setenv("BLKID_FILE", "/tmp/other")
    seen = dict(line.split("=", 1) for line in proc.run(["env"]).stdout.splitlines())
    assert seen["LC_ALL"] == "C"
    assert seen["PATH"] == proc.SYSTEM_PATH
    assert set(seen) <= {"HOME", "TMPDIR", "TERM", "PATH", "LANG", "LC_ALL"}


def test_a_child_has_no_standard_input_and_a_session_of_its_own() -> None:
    assert proc.run(["cat"]).stdout == ""
    said = proc.run([sys.executable, "-c", "import os; print(os.getsid(0) == os.getpid())"])
    assert said.stdout == "True\n"


def test_output_that_is_no_utf_8_is_kept_visible() -> None:
    assert proc.run(["printf", r"\377\303\244"]).stdout == r"\xff" + "ä"


def test_much_output_on_both_pipes_does_not_block() -> None:
    finished = proc.run(["sh", "-c", "head -c 3000000 /dev/zero; head -c 3000000 /dev/zero >&2"])
    assert (len(finished.stdout), len(finished.stderr)) == (3_000_000, 3_000_000)


def test_a_timeout_ends_the_whole_family(tmp_path: Path) -> None:
    """The grandchild ignores SIGTERM and SIGHUP, and its parent has gone when the time is up."""
    told = tmp_path / "pid"
    grandchild = f"trap '' TERM HUP; echo $$ > {told}; while :; do sleep 1; done"
    with pytest.raises(EngineError, match=r"sh did not end within 0\.5 s and was killed") as caught:
        proc.run(
            ["sh", "-c", f'sh -c "{grandchild.replace("$", chr(92) + "$")}" & exit 0'], timeout_s=0.5, error=EngineError
        )
    assert caught.value.command is not None
    assert gone(int(wait_for(told)))


def test_an_interrupt_ends_the_family_and_is_passed_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = tmp_path / "pid"
    returned = threading.Event()
    real_start = proc.start

    def start(*arguments: Any, **options: Any) -> subprocess.Popen[bytes]:
        child = real_start(*arguments, **options)
        returned.set()
        return child

    def interrupt() -> None:
        wait_for(told)
        returned.wait()  # the child may be quicker than the return of Popen
        time.sleep(0.3)
        os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(proc, "start", start)
    threading.Thread(target=interrupt).start()
    with pytest.raises(KeyboardInterrupt):
        proc.run(["sh", "-c", f"echo $$ > {told}; sleep 60; :"])
    assert gone(int(told.read_text()))


def test_living_members_are_those_of_the_group_that_are_no_zombies() -> None:
    child = proc.start(["sh", "-c", "sleep 60 & sleep 60; :"])
    try:
        for _ in range(1000):
            if len(proc.living_members(child.pid)) == 3:
                break
            time.sleep(0.005)
        assert len(proc.living_members(child.pid)) == 3
        os.killpg(child.pid, signal.SIGKILL)
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # a zombie until it is waited for
        assert child.pid not in proc.living_members(child.pid)
    finally:
        proc.end_family(child, ["sh"])
    assert proc.living_members(child.pid) == ()
    with proc.closing_pipes(child):
        pass


@pytest.mark.loop
def test_a_process_stuck_in_the_kernel_taints_the_host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A frozen filesystem holds its writers where no signal reaches them."""
    monkeypatch.setattr(proc, "KILL_GRACE_S", 0.3)
    started: list[subprocess.Popen[bytes]] = []

    def start(*arguments: Any, **options: Any) -> subprocess.Popen[bytes]:
        started.append(real_start(*arguments, **options))
        return started[-1]

    real_start = proc.start
    image, mount_point = tmp_path / "image", tmp_path / "mnt"
    mount_point.mkdir()
    with image.open("wb") as file:
        file.truncate(32 << 20)
    proc.run(["mkfs.ext4", "-q", "-F", image])
    with ExitStack() as undo:
        proc.run(["mount", "-o", "loop", image, mount_point])
        undo.callback(proc.run, ["umount", mount_point])
        undo.callback(lambda: [writer.wait() for writer in started])  # set free, it dies of its SIGKILL
        subprocess.run(["fsfreeze", "--freeze", mount_point], check=True)
        undo.callback(subprocess.run, ["fsfreeze", "--unfreeze", mount_point], check=True)
        monkeypatch.setattr(proc, "start", start)
        with pytest.raises(HostTaintedError, match="survives SIGKILL") as caught:
            proc.run(["dd", "if=/dev/zero", f"of={mount_point}/file", "bs=4096", "count=1"], timeout_s=0.5)
        monkeypatch.setattr(proc, "start", real_start)
    assert caught.value.command is not None
    assert caught.value.command.startswith("dd ")


def test_a_shown_command_names_what_a_descriptor_stands_for(tmp_path: Path) -> None:
    file = tmp_path / r"back\1slash"
    file.write_text("content\n")
    descriptor = os.open(file, os.O_PATH)
    try:
        words = ["cat", f"/proc/self/fd/{descriptor}", f"/proc/self/fd/{descriptor}0"]
        finished = proc.run(words, descriptors=(descriptor,), check=False)
    finally:
        os.close(descriptor)
    assert finished.stdout == "content\n"
    assert finished.argv == ("cat", str(file), f"/proc/self/fd/{descriptor}0")
