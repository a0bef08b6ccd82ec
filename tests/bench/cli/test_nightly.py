"""``stripelab nightly``: its verbs as they are called, and what they print where."""

from __future__ import annotations

import io
import json
import re
import shlex
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import pytest
import typer
from hypothesis import given, settings
from rich.console import Console

from bench.cli import main, nightly_run, nightly_terminal
from bench.cli.groups import DefaultVerb
from bench.nightly import outputs, state
from results.nightly import words
from results.text import plain
from tests.results.nightly import nights, stored
from tests.results.nightly.nights import night

SWEEP = Path(__file__).parents[3] / "examples" / "first-sweep.toml"


@dataclass(frozen=True)
class Done:
    returncode: int
    stdout: str
    stderr: str


def stripelab(*arguments, given=""):
    """The command in this process: a process of its own would take a second for each."""
    out, err = io.StringIO(), io.StringIO()
    before = sys.stdin
    sys.stdin = io.TextIOWrapper(io.BytesIO(given.encode()))
    try:
        with redirect_stdout(out), redirect_stderr(err):
            status = main.outcome(["nightly", *map(str, arguments)])
    finally:
        sys.stdin = before
    return Done(status, out.getvalue(), err.getvalue())


@pytest.fixture
def outcome(tmp_path):
    file = tmp_path / "night.json"
    file.write_text(json.dumps(night().to_json()))
    return file


def test_a_night_is_shown_with_its_status_and_written_in_every_form(outcome, tmp_path):
    files = {name: tmp_path / name for name in ("junit", "openmetrics", "markdown", "code-quality", "html", "mail")}
    asked = [word for name, path in files.items() for word in (f"--{name}", path)]
    done = stripelab("show", outcome, *asked, "--annotations", "github")
    assert done.returncode == 1, "a regression was confirmed"
    first, *rest = done.stdout.splitlines()
    assert first == words.headline(night())
    assert re.search(r"^verdict +metric", done.stdout, flags=re.MULTILINE)
    assert rest[-1].startswith("::")
    assert all(path.stat().st_size for path in files.values())
    assert [line.split(":")[0] for line in done.stderr.splitlines()] == [f"--{name}" for name in files]


def test_json_is_alone_on_stdout_and_can_be_shown_again(outcome):
    done = stripelab("show", outcome, "--json", "--annotations", "github")
    assert json.loads(done.stdout) == night().to_json()
    assert done.stderr.startswith("::error title=regression")
    again = stripelab("show", "-", "--json", given=done.stdout)
    assert again.stdout == done.stdout


def test_the_newest_night_of_a_store_is_shown_unless_another_is_asked_for(tmp_path):
    empty = stripelab("show", tmp_path)
    assert (empty.returncode, "has no outcome of a night" in empty.stderr) == (8, True)
    for date, verdicts in (("2026-11-23", (nights.REGRESSED,)), ("2026-11-24", nights.OTHERS)):
        state.begin(tmp_path, date)
        state.keep(tmp_path, night(*verdicts, night=date))
    assert stripelab("show", tmp_path).stdout.startswith("four-disks, night of 2026-11-24: ")
    assert stripelab("show", tmp_path, "--night", "2026-11-23").returncode == 1
    missing = stripelab("show", tmp_path, "--night", "../2026-11-23")
    assert (missing.returncode, "it has 2026-11-23 to 2026-11-24" in missing.stderr) == (8, True)


def test_the_trend_is_a_page_and_a_store_without_nights_is_told(tmp_path):
    stored.write(tmp_path / "S", stored.Nights(count=3))
    page = tmp_path / "nights.html"
    done = stripelab("trend", tmp_path / "S", "-o", page, "--json")
    found = json.loads(done.stdout)
    assert done.returncode == 0, done.stderr
    assert (found["bytes"], found["metrics"], found["nights"]) == (page.stat().st_size, 4, 3)
    assert "4 metrics, 3 nights" in stripelab("trend", tmp_path / "S", "-o", page).stdout
    missing = stripelab("trend", tmp_path, "-o", page)
    assert missing.returncode not in {0, 1}
    assert "Traceback" not in missing.stderr


def test_a_quiet_night_has_status_zero(tmp_path):
    file = tmp_path / "night.json"
    file.write_text(json.dumps(night(*nights.OTHERS).to_json()))
    assert stripelab("show", file).returncode == 0


def test_a_secret_of_no_use_is_the_failure_before_anything_is_shown(outcome):
    taken = stripelab("show", outcome, "--webhook", "http://127.0.0.1:9/", "--webhook-secret", "/none")
    assert taken.returncode == 14
    assert "the secret cannot be read" in taken.stderr
    assert taken.stdout == "", "nothing is shown where the options are of no use"


def test_an_output_that_fails_is_the_failure_where_nothing_else_was_to_be_done(outcome, tmp_path, monkeypatch):
    monkeypatch.setattr("results.nightly.junit.junit", lambda _: 1 / 0)
    done = stripelab("show", outcome, "--junit", tmp_path / "x", "--markdown", tmp_path / "y")
    assert done.returncode == 14
    assert "warning: --junit" in done.stderr
    assert done.stdout.startswith(words.headline(night()))
    assert (tmp_path / "y").exists()


@pytest.mark.parametrize(("verdicts", "status"), [((nights.REGRESSED,), 1), (nights.OTHERS, 0)])
def test_a_delivery_that_fails_neither_changes_the_status_of_a_night_nor_hides_its_verdict(
    tmp_path, monkeypatch, verdicts, status
):
    one = night(*verdicts)
    monkeypatch.setattr(nightly_run, "_run", lambda _: one)
    monkeypatch.setattr("bench.nightly.webhook.FIRST_PAUSE_S", 0.0)
    monkeypatch.setenv("STRIPELAB_WEBHOOK_SECRET", "whsec_" + "A" * 32)
    monkeypatch.setattr("results.nightly.junit.junit", lambda _: 1 / 0)
    asked = ("--junit", tmp_path / "x", "--markdown", tmp_path / "y", "--webhook", "http://127.0.0.1:9/")
    done = stripelab(SWEEP, "--store", tmp_path / "S", "--lab", *asked)
    assert done.returncode == status
    assert done.stdout.startswith(words.headline(one))
    assert "warning: --junit" in done.stderr
    assert "did not take the outcome in 5 attempts" in done.stderr
    assert (tmp_path / "y").read_text().startswith("### ")


@pytest.mark.parametrize("content", ["", "{}", "\x00", '{"verdicts": 1, "format": 1}'])
def test_a_file_that_is_no_outcome_is_said_without_a_traceback(tmp_path, content):
    file = tmp_path / "night.json"
    file.write_text(content)
    done = stripelab("show", file)
    assert (done.returncode, done.stdout) == (8, "")
    assert done.stderr.startswith("error: ")
    assert "next: Give what `stripelab nightly" in done.stderr


def install(*arguments):
    return stripelab("install", SWEEP, *arguments)


def test_a_dry_run_prints_both_units_and_writes_nothing(tmp_path):
    folder = tmp_path / "units"
    asked = ("--store", tmp_path / "S", "--lab", "--directory", folder, "--openmetrics", tmp_path / "x.prom")
    done = install(*asked, "--budget", "2.5", "--at", "Sun 03:30", "--dry-run", "--", "--margin-pct", "3")
    assert done.returncode == 0, done.stderr
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("ExecStart=")]
    for word in ("nightly", str(SWEEP), str(tmp_path / "S"), "--lab", "2.5", str(tmp_path / "x.prom"), "3"):
        assert f'"{word}"' in line
    assert "RuntimeMaxSec=9900" in done.stdout
    assert "OnCalendar=Sun 03:30" in done.stdout
    assert done.stderr.endswith("systemd accepts these units\n")
    assert f"note: {tmp_path / 'S'} is in a folder for temporary files" in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("where", [("--lab",), ("--disks", "SERIAL1,SERIAL2")])
def test_the_command_of_the_unit_is_one_that_the_night_takes(tmp_path, where):
    files = [word for name in outputs.FILES for word in (outputs.option(name), tmp_path / name)]
    more = ("--mail-from", "lab@example.org", "--mail-to", "a@example.org", "--mail-to", "b@example.org")
    store = ("--store", tmp_path / "S")
    done = install(*store, *where, *files, *more, "--budget", "2.5", "--cron", "--", "--margin", "3")
    words_ = shlex.split(done.stdout.replace("\\%", "%"))
    verb = typer.main.get_command(main.app).commands["nightly"].commands["run"]
    with verb.make_context("run", words_[words_.index("nightly") + 1 :]) as context:
        taken = context.params
    assert (taken["sweep"], taken["store"], taken["budget"], taken["margin"]) == (SWEEP, tmp_path / "S", 2.5, 3.0)
    assert (taken["lab"], taken["disks"]) == ((True, "") if where == ("--lab",) else (False, where[1]))
    assert {name: taken[name] for name in outputs.FILES} == {name: tmp_path / name for name in outputs.FILES}
    assert list(taken["mail_to"]) == ["a@example.org", "b@example.org"]


def test_units_are_installed_into_a_folder_and_taken_away_again(tmp_path):
    folder = tmp_path / "units"
    done = install("--store", tmp_path / "S", "--lab", "--user", "--directory", folder, "--json")
    answer = json.loads(done.stdout)
    assert (answer["verified"], answer["started"], len(answer["files"])) == (True, False, 2)
    assert answer["next"][1].endswith("systemctl --user enable --now stripelab-nightly-first-sweep.timer")
    assert answer["next"][2].startswith("loginctl enable-linger")
    gone = stripelab("uninstall", "first-sweep", "--directory", folder, "--user")
    assert gone.returncode == 0
    assert list(folder.iterdir()) == []


def test_a_line_for_cron_needs_no_systemd(tmp_path):
    done = install("--store", tmp_path / "S", "--disks", "SERIAL1,SERIAL2", "--cron")
    minute, hour, *_ = done.stdout.split()
    assert int(minute) < 60
    assert int(hour) == 2
    assert "--disks SERIAL1,SERIAL2" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        ((), 2, "exactly one of --lab, --disks"),
        (("--disks", "X", "--user"), 2, "because disks need root"),
        (("--lab", "--junit", "/none/x.xml"), 8, "folder does not exist"),
        (("--lab", "--webhook", "http://x"), 14, "without a secret"),
        (("--lab", "--at", "at night"), 15, "systemd does not accept"),
        (("--lab", "--at", "Sun 03:30", "--cron"), 2, "cannot be combined with --cron"),
        (("--lab", "--budget", "1e308"), 2, "must be at most 8784 hours"),
        (("--lab", "--budget", "inf"), 2, "must be at most 8784 hours"),
        (("--lab", "--budget", "nan"), 2, "greater than or equal"),
        (("--lab", "--store", "store-\udcff"), 15, "store-\\xff” cannot be scheduled"),
        (("--lab", "--junit", "a\nb"), 15, "cannot be scheduled"),
        (("--lab", "--junit", "a\nb", "--cron"), 15, "cannot be scheduled"),
        (("--lab", "--at", "*-*-* 02:00\udcff"), 15, "cannot be scheduled"),
    ],
)
def test_what_cannot_work_is_said_at_once(tmp_path, arguments, status, said):
    done = install("--store", tmp_path / "S", "--directory", tmp_path / "units", *arguments)
    assert done.returncode == status
    assert said in done.stderr
    assert not (tmp_path / "units").exists()


def test_a_store_that_cannot_be_made_is_said(tmp_path):
    (tmp_path / "file").write_text("")
    done = install("--store", tmp_path / "file" / "S", "--lab", "--directory", tmp_path / "units")
    assert (done.returncode, "Not a directory" in done.stderr) == (8, True)


def test_a_sweep_that_cannot_be_read_is_found_by_install_and_not_at_night(tmp_path):
    sweep = tmp_path / "sweep.toml"
    sweep.write_text("[sweeep]\n")
    done = stripelab("install", sweep, "--store", tmp_path / "S", "--lab", "--dry-run")
    assert done.returncode == 3


def test_dashboard_and_rules_are_written(tmp_path):
    done = stripelab("dashboard", "--into", tmp_path)
    assert done.returncode == 0
    assert {path.name for path in tmp_path.iterdir()} == {"grafana-dashboard.json", "prometheus-rules.yml"}
    assert json.loads(stripelab("dashboard", "--json").stdout)["uid"] == "stripelab-nightly"


def test_the_verb_of_a_group_is_meant_where_none_is_named():
    app = typer.Typer(cls=DefaultVerb, rich_markup_mode=None)
    said = []
    app.command("show")(lambda what: said.append(("show", what)))
    app.command("run")(lambda sweep, quiet=False: said.append(("run", sweep, quiet)))
    command = typer.main.get_command(app)
    for arguments in (["show", "x"], ["sweep.toml"], ["--quiet", "sweep.toml"], ["run", "show"], ["./show"]):
        with command.make_context("nightly", list(arguments)) as context:
            command.invoke(context)
    assert said == [
        ("show", "x"),
        ("run", "sweep.toml", False),
        ("run", "sweep.toml", True),
        ("run", "show", False),
        ("run", "./show", False),
    ]


def test_without_a_verb_the_group_shows_its_help():
    assert {"show", "install", "uninstall", "dashboard"} <= set(stripelab().stderr.split())
    assert main.app.registered_groups


@settings(deadline=None, max_examples=30)
@given(nights.nights)
def test_any_night_is_shown_with_colours_and_without(one):
    sink = io.StringIO()
    nightly_terminal.print_rich_night(one, Console(file=sink, width=120, force_terminal=True, color_system="truecolor"))
    assert "\x1b[31mred" not in sink.getvalue(), "a name that holds a terminal's codes is shown, not obeyed"
    lines = nightly_terminal.night_lines(one)
    assert all(len(line.splitlines()) <= 1 for line in lines)
    for verdict in one.verdicts:
        name = plain(verdict.metric.name).strip()
        assert any(name in line for line in lines)
