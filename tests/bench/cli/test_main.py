"""The command as a whole: what every verb shares, and what becomes of every kind of failure."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import typer

from bench.cli import main
from bench.errors import DiskRefusedError, InterruptedRunError, StackError, TrialsFailedError
from permutations.errors import SweepError
from results.errors import ResultsError

STRIPELAB = (sys.executable, "-c", "from bench.cli.main import main; main()")
VERBS = ("plan", "run", "status", "recommend", "report", "disks", "doctor", "lab")
Raise = Callable[[BaseException], None]


@pytest.fixture
def failing() -> Iterator[Raise]:
    """Adds a verb ``fail`` that raises what it is told, for as long as the test lasts."""

    def add(error: BaseException) -> None:
        def fail(as_json: bool = typer.Option(False, "--json")) -> None:
            del as_json
            raise error

        main.app.command("fail")(fail)

    before = list(main.app.registered_commands)
    yield add
    main.app.registered_commands[:] = before


def stripelab(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*STRIPELAB, *words], check=False, capture_output=True, text=True, env=environment or None)


def test_help_lists_every_verb_with_a_line_of_its_own() -> None:
    done = stripelab("--help")
    assert (done.returncode, done.stderr) == (0, "")
    listed = dict(
        line.split(maxsplit=1) for line in done.stdout.partition("Commands:\n")[2].splitlines() if line.strip()
    )
    assert set(VERBS) <= set(listed)
    assert all(len(listed[verb]) > 15 for verb in VERBS)


def test_no_verb_at_all_shows_the_help_and_is_a_usage_error() -> None:
    done = stripelab()
    assert (done.returncode, done.stdout) == (2, "")
    assert "Commands:" in done.stderr


def test_the_version_is_that_of_the_distribution() -> None:
    assert stripelab("--version").stdout == "stripelab 0.1.0\n"


def test_a_misspelt_verb_is_a_usage_error_with_the_nearest_name() -> None:
    done = stripelab("recomend")
    assert (done.returncode, done.stdout) == (2, "")
    assert "Did you mean 'recommend'?" in done.stderr


def test_a_usage_error_under_json_is_an_object_on_stdout() -> None:
    done = stripelab("plan", "--json", "--nonsense")
    assert done.returncode == 2
    error = json.loads(done.stdout)["error"]
    assert (error["class"], error["status"]) == ("UsageError", 2)
    assert "--nonsense" in error["message"]
    assert "stripelab plan --help" in error["remedy"]


@pytest.mark.parametrize(
    ("error", "status", "kind"),
    [
        (StackError("mdadm failed", command="mdadm --create"), 6, "StackError"),
        (SweepError("a.toml", 3, "[factors] levle", "no such factor", "level"), 3, "SweepFileError"),
        (ResultsError("the store is empty", remedy="Run a sweep."), 8, "StoreError"),
        (DiskRefusedError("it is mounted"), 5, "DiskRefusedError"),
        (InterruptedRunError("stopped"), 130, "InterruptedRunError"),
    ],
)
def test_a_failure_has_its_status_its_lines_and_its_object(
    failing: Raise, capfd: pytest.CaptureFixture[str], error: Exception, status: int, kind: str
) -> None:
    failing(error)
    assert main.outcome(["fail", "--json"]) == status
    out, err = capfd.readouterr()
    said = json.loads(out)["error"]
    assert (said["class"], said["status"]) == (kind, status)
    lines = err.splitlines()
    assert lines[0] == f"error: {said['message']}"
    assert lines[-1] == f"next: {said['remedy']}"
    assert ("command: mdadm --create" in lines) == (kind == "StackError")


def test_a_sweep_error_keeps_its_place_and_its_suggestion(failing: Raise, capfd: pytest.CaptureFixture[str]) -> None:
    failing(SweepError("a.toml", 3, "[factors] levle", "no such factor", "level"))
    assert main.outcome(["fail"]) == 3
    out, err = capfd.readouterr()
    assert out == ""
    assert err.startswith("error: a.toml:3: [factors] levle: no such factor; did you mean level?\n")


def test_a_remedy_of_the_results_is_kept(failing: Raise, capfd: pytest.CaptureFixture[str]) -> None:
    failing(ResultsError("the store is empty", remedy="Run a sweep."))
    assert main.outcome(["fail"]) == 8
    assert capfd.readouterr().err.splitlines()[-1] == "next: Run a sweep."


def test_a_verb_that_has_answered_prints_no_second_object(failing: Raise, capfd: pytest.CaptureFixture[str]) -> None:
    failing(TrialsFailedError("2 trials failed"))
    assert main.outcome(["fail", "--json"]) == 13
    out, err = capfd.readouterr()
    assert out == ""
    assert "2 trials failed" in err


@pytest.mark.parametrize("error", [KeyboardInterrupt(), typer.Abort()])
def test_an_interrupt_is_one_line_and_130(
    failing: Raise, capfd: pytest.CaptureFixture[str], error: BaseException
) -> None:
    failing(error)
    assert main.outcome(["fail"]) == 130
    assert capfd.readouterr() == ("", "interrupted\n")


def test_a_defect_is_one_line_that_names_the_report_with_the_traceback(
    failing: Raise, capfd: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing(ZeroDivisionError("by zero"))
    with monkeypatch.context() as patch:
        patch.setattr("tempfile.tempdir", str(tmp_path))
        assert main.outcome(["fail"]) == 70
    (report,) = tmp_path.iterdir()
    (line,) = capfd.readouterr().err.splitlines()
    assert line == f"error: defect of stripelab: ZeroDivisionError: by zero; please report it with {report}"
    assert report.read_text().startswith("stripelab fail\nstripelab 0.1.0, Python 3.")
    assert "Traceback (most recent call last):" in report.read_text()


def test_a_defect_shows_its_traceback_to_who_asks(
    failing: Raise, capfd: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STRIPELAB_TRACEBACK", "1")
    failing(ZeroDivisionError("by zero"))
    with monkeypatch.context() as patch:
        patch.setattr("tempfile.tempdir", str(tmp_path / "absent"))
        assert main.outcome(["fail"]) == 70
    err = capfd.readouterr().err
    assert err.startswith("Traceback (most recent call last):")
    assert "STRIPELAB_TRACEBACK=1 shows the traceback" in err.splitlines()[-1]


def test_a_reader_that_goes_away_ends_the_command_quietly() -> None:
    ask = f"{sys.executable} -c 'from bench.cli.main import main; main()' --help"
    pipeline = f"set -o pipefail; ({ask}; echo $? >&2) | true"
    for _ in range(3):  # the reader may still be there when the first line is written
        done = subprocess.run(["bash", "-c", pipeline], check=False, capture_output=True, text=True)
        assert done.stderr in {"141\n", "0\n"}


def test_a_closed_pipe_is_no_failure(tmp_path: Path) -> None:
    """The reader has gone before the first byte: a FIFO whose reader closed it."""
    ask = f"{sys.executable} -c 'from bench.cli.main import main; main()' --help"
    pipeline = f"mkfifo {tmp_path}/pipe; exec 8<>{tmp_path}/pipe 9>{tmp_path}/pipe; exec 8>&-; {ask} >&9; echo $? >&2"
    done = subprocess.run(["bash", "-c", pipeline], check=False, capture_output=True, text=True)
    assert done.stderr == "141\n"


def test_the_json_of_another_command_line_is_not_ours() -> None:
    assert main.json_requested(["lab", "exec", "--json", "--", "lsblk"])
    assert not main.json_requested(["lab", "exec", "--", "lsblk", "--json"])
