"""Processes of our own: what they are made from, and that none outlives the one that it works for."""

from __future__ import annotations

import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

from bench import proc

PATIENCE_S = 60.0


def test_workers_are_copies_of_a_process_that_has_loaded_arrow_and_runs_one_thread(tmp_path: Path) -> None:
    """In a process of its own, since the one that workers are made from is started once."""
    script = """
        import os
        from pathlib import Path
        from bench import proc

        if __name__ == "__main__":
            proc.expect_workers(["pyarrow.parquet"])
            with proc.workers(2) as pool:
                origin = pool.submit(os.getppid).result()
                assert origin != os.getpid()
                libraries = Path(f"/proc/{origin}/maps").read_text()
                print("libparquet" in libraries, len(os.listdir(f"/proc/{origin}/task")))
            assert "OPENBLAS_NUM_THREADS" not in os.environ
    """
    done = subprocess.run([sys.executable, write(script, tmp_path)], check=True, capture_output=True, text=True)
    assert done.stdout.split() == ["True", "1"]


def test_workers_end_when_the_process_that_they_work_for_is_killed(tmp_path: Path) -> None:
    script = """
        import os, signal
        from bench import proc

        if __name__ == "__main__":
            with proc.workers(2) as pool:
                print(pool.submit(os.getpid).result(), pool.submit(os.getppid).result(), flush=True)
                signal.pause()
    """
    argv = [sys.executable, str(write(script, tmp_path))]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as started:
        assert started.stdout is not None
        pids = [int(word) for word in started.stdout.readline().split()]
        started.send_signal(signal.SIGKILL)
    assert len(pids) == 2, "a worker, and what it was made from"
    began = time.monotonic()
    while any(alive(pid) for pid in pids):
        assert time.monotonic() < began + PATIENCE_S, f"still there: {pids}"
        time.sleep(0.05)


def test_what_workers_do_comes_back_in_order_and_an_error_as_itself() -> None:
    with proc.workers(2) as pool:
        assert list(pool.map(abs, range(-20, 0))) == list(range(20, 0, -1))
        assert isinstance(pool.submit(int, "x").exception(), ValueError)


def alive(pid: int) -> bool:
    """Whether a process is there and no mere entry for whoever started it."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def write(script: str, folder: Path) -> Path:
    """A script in a file: workers have to find it again."""
    path = folder / "script.py"
    path.write_text(textwrap.dedent(script))
    return path
