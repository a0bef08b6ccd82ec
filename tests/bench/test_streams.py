"""What reaches a terminal by whatever way: a library that prints, a verb that forgets, a view that is live."""

from __future__ import annotations

import io
import subprocess
import sys
from collections.abc import Callable

import pytest

from bench.cli import output, slides
from bench.console import Screen, text
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
    for speak in (output.say, output.note, output.prose):
        speak(ALL)
    slides.show(slides.Slide((ALL, "b"), ((ALL, ALL), ("short", "x")), (False, True), title=ALL))
    for line in slides.records((ALL,), ((ALL,),)):
        output.say(line)
    output.emit_json({ALL: [ALL]})
    said = capsys.readouterr()
    assert not driving(said.out)
    assert not driving(said.err)


def test_the_columns_of_a_table_are_as_wide_as_what_is_shown() -> None:
    slide = slides.Slide(("name", "figure"), (("\x1b[31mred", "1"), ("x", "22")), (False, True))
    assert slides.lines(slide, "") == ["name         figure", r"\x1b[31mred       1", "x                22"]


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
