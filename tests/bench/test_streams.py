"""What reaches a terminal by whatever way: a library that prints, a verb that forgets, a view that is live."""

from __future__ import annotations

import io
import subprocess
import sys
from collections.abc import Callable

import pytest

from bench.cli import output
from bench.cli.terminal_table import TerminalTable, print_table, record_lines, table_lines
from bench.console import Screen, text
from bench.errors import StreamError
from bench.events import Event
from bench.live import Tally, render
from bench.streams import CleanStream
from tests.hostile import TEXTS, driving, without_own_colours

ALL = "|".join(TEXTS.values())


def sink(encoding: str = "utf-8") -> tuple[CleanStream, io.BytesIO]:
    content = io.BytesIO()
    return CleanStream(io.TextIOWrapper(content, encoding=encoding, write_through=True)), content


@pytest.mark.parametrize("hostile", TEXTS.values(), ids=TEXTS)
@pytest.mark.parametrize("encoding", ["utf-8", "ascii", "latin-1"])
def test_a_stream_shows_any_text_in_any_encoding(hostile: str, encoding: str) -> None:
    stream, content = sink(encoding)
    print(hostile, file=stream)  # type: ignore[call-overload]
    stream.writelines([hostile, "\n"])
    assert not driving(content.getvalue().decode(encoding))


def colourful(monkeypatch: pytest.MonkeyPatch) -> tuple[Screen, Callable[[], str]]:
    """A console of a terminal with colours over a clean stream, and what it wrote."""
    stream, content = sink()
    monkeypatch.setattr(sys, "stdout", stream)
    monkeypatch.setattr(sys, "stderr", stream)
    for name, value in {"FORCE_COLOR": "1", "TERM": "xterm-256color", "COLUMNS": "150"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("NO_COLOR", raising=False)
    return Screen(), lambda: content.getvalue().decode()


@pytest.mark.parametrize("hostile", TEXTS.values(), ids=TEXTS)
def test_only_our_styles_reach_a_terminal(monkeypatch: pytest.MonkeyPatch, hostile: str) -> None:
    from rich.panel import Panel
    from rich.table import Table
    from rich.text import Text

    screen, shown = colourful(monkeypatch)
    table = Table(title=hostile)  # each by a caller that forgot
    table.add_column(hostile)
    table.add_row(hostile, style="bold red")
    screen.print(Text(hostile, style="bold"))
    screen.print(hostile)
    screen.print(Text("linked", style="link http://evil.example"))
    screen.print(Panel(hostile))
    screen.print(table)
    screen.print(text(hostile, "yellow"))
    written = shown()
    assert "\x1b[" in written, "our own styles are there"
    assert not driving(without_own_colours(written))


def test_the_door_of_each_verb_cleans_before_it_lays_out(capsys: pytest.CaptureFixture[str]) -> None:
    for speak in (output.print_line, output.print_stderr, output.print_paragraph):
        speak(ALL)
    print_table(TerminalTable((ALL, "b"), ((ALL, ALL), ("short", "x")), (False, True), title=ALL))
    for line in record_lines((ALL,), ((ALL,),)):
        output.print_line(line)
    output.emit_json({ALL: [ALL]})
    said = capsys.readouterr()
    assert not driving(said.out)
    assert not driving(said.err)


def test_the_columns_of_a_table_are_as_wide_as_what_is_shown() -> None:
    table = TerminalTable(("name", "figure"), (("\x1b[31mred", "1"), ("x", "22")), (False, True))
    assert table_lines(table, "") == ["name         figure", r"\x1b[31mred       1", "x                22"]


def test_a_running_campaign_is_shown_without_what_its_labels_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    screen, shown = colourful(monkeypatch)
    tally = Tally()
    for event in (
        Event("started", total=3),
        Event("trial", label=ALL),
        Event("workload", workload=ALL),
        Event("throughput", bw_bytes_s=1e6, disks=(ALL,), disks_bw_bytes_s=(1e6,)),
    ):
        tally.take(event)
    screen.print(render(tally))
    assert not driving(without_own_colours(shown()))


def test_an_unforeseen_failure_shows_and_keeps_clean_words() -> None:
    code = (
        "import sys\n"
        "from bench import defect\n"
        "from bench.cli import main\n"
        f"def broken(_arguments): raise RuntimeError({ALL!r})\n"
        "main.invoke = broken\n"
        f"sys.argv = ['stripelab', {ALL!r}]\n"
        "main.main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        check=False,
        timeout=60,
        env={"STRIPELAB_TRACEBACK": "1", "TMPDIR": "/nowhere", "PATH": "/usr/bin:/bin"},
    )
    assert done.returncode == 70
    assert not driving(done.stderr.decode())
    assert b"RuntimeError" in done.stderr


STRIPELAB = (sys.executable, "-m", "bench")
ANSWERS = ("disks", "disks --json", "--version", "--help", "run nothing --store nowhere", "doctor --nonsense")


def by_shell(command: str, redirections: str) -> subprocess.CompletedProcess[str]:
    words = ["sh", "-c", f'exec "$@" {redirections}', "sh", *STRIPELAB, *command.split()]
    return subprocess.run(words, capture_output=True, text=True, check=False, timeout=60)


@pytest.mark.parametrize("command", ANSWERS)
@pytest.mark.parametrize("redirections", [">&-", "2>&-", "<&-", "<&- >&- 2>&-"])
def test_a_closed_standard_stream_changes_no_status(command: str, redirections: str) -> None:
    usual, closed = by_shell(command, ""), by_shell(command, redirections)
    assert closed.returncode == usual.returncode
    assert "Traceback" not in closed.stderr
    if redirections == "<&-":
        assert (closed.stdout, closed.stderr) == (usual.stdout, usual.stderr)


@pytest.mark.parametrize("command", ANSWERS[:4])
def test_a_full_standard_output_is_one_message_and_a_status(command: str) -> None:
    full = by_shell(command, ">/dev/full")
    assert full.returncode == StreamError.status
    assert full.stderr == (
        f"error: standard output cannot be written: No space left on device\nnext: {StreamError.remedy}\n"
    )


def test_nothing_is_said_where_both_streams_are_full() -> None:
    assert by_shell("disks --json", ">/dev/full 2>&1").returncode == StreamError.status
    assert by_shell("run nothing --store nowhere", ">/dev/full 2>&1").returncode == 2


def test_a_file_never_gets_the_number_of_a_standard_stream() -> None:
    code = (
        "import os, sys\n"
        "from bench.streams import clean_standard_streams\n"
        "clean_standard_streams()\n"
        "with open('/dev/zero') as file: number = file.fileno()\n"
        "assert number > 3 and sys.stdin.read() == '' and print('x') is None\n"
        "for each in range(3):\n"
        "    assert os.get_inheritable(each)\n"
        "    os.write(3, os.readlink(f'/proc/self/fd/{each}').encode() + b'\\n')\n"
    )
    words = ["sh", "-c", 'exec "$@" 3>&1 <&- >&- 2>&-', "sh", sys.executable, "-c", code]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stdout) == (0, "/dev/null\n" * 3)
