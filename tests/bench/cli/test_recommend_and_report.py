"""`recommend` and `report` as a user calls them."""

from __future__ import annotations

import json
import math
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.results import synthetic
from tests.results.synthetic import Plan, raid_truth
from tests.results.test_recommend import chunks

RUN = "import sys; from bench.cli.main import main; sys.argv[0] = 'stripelab'; main()"


def stripelab(*words: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", RUN, *words], capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("verbs") / "store"
    synthetic.write(path, Plan(raid_truth(), replicates=2, substrate="uml", iops_limit=100, scans=("scan",)))
    return path


def test_recommend_prints_the_answer_the_evidence_and_the_commands(store: Path) -> None:
    done = stripelab("recommend", store)
    assert (done.returncode, done.stderr) == (0, "")
    for words in (
        "!!! NOT REAL HARDWARE",
        "== random-write: IOPS, more is better (fio-3.33)",
        "== Recommended for all 2 workloads: raid0 x4",
        "Recommended for it alone: raid0 x4",
        "Recommended among those that survive a disk failure: raid5 x4",
        "level: ",
        "    mdadm --create /dev/md/data --level=raid0",
        "    LABEL=data /data xfs noatime 0 0",
        "Measured: 40 trials of 20 points in 2 blocks",
    ):
        assert words in done.stdout, words
    assert "\x1b[" not in done.stdout


def test_full_prints_every_point_effect_caveat_and_command(store: Path) -> None:
    brief, done = stripelab("recommend", store), stripelab("recommend", store, "--full")
    assert (done.returncode, done.stderr) == (0, "")
    for words in (
        "!!! NOT REAL HARDWARE",
        "== Recommended for all 2 workloads: raid0 x4",
        "Effect of each factor:",
        "Caveats:",
        "Recommended among those that survive a disk failure, compared with each other alone:",
        "Among settings within the margin the choice is by ",
        "Not tested: Factors with one value: disks (x4)",
    ):
        assert words in done.stdout, words
    assert "raid1 x4 ext4 flat" in done.stdout
    assert "raid1 x4 ext4 flat" not in brief.stdout
    assert done.stdout.count("To apply ") > brief.stdout.count("To apply ") == 1


def test_recommend_json_is_json_alone(store: Path) -> None:
    done = stripelab("recommend", store, "--json", "--workload", "scan", "--margin-pct", "2")
    answer = json.loads(done.stdout)
    assert done.returncode == 0
    assert [each["workload"] for each in answer["answers"]] == ["scan"]
    assert answer["margin_pct"] == 2.0


def on_a_terminal(*words: str | Path, columns: int = 80) -> bytes:
    """What a terminal shows, with its escape sequences."""
    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": str(columns)}
    with subprocess.Popen([sys.executable, "-c", RUN, *words], stdout=theirs, env=environment) as process:
        os.close(theirs)
        shown = b""
        while True:
            try:
                part = os.read(ours, 65536)
            except OSError:  # the other end is closed
                break
            if not part:
                break
            shown += part
    os.close(ours)
    assert process.returncode == 0
    return shown


def test_a_terminal_gets_colours(store: Path) -> None:
    shown = on_a_terminal("recommend", store)
    assert b"\x1b[" in shown
    assert b"raid0 x4" in shown


@pytest.mark.parametrize(
    ("points", "substrate", "cv", "wishes"),
    [(8, "disk", 0.02, ()), (20, "disk", 0.2, ()), (20, "uml", 0.2, ("--require", "survives >= 1"))],
)
def test_three_workloads_fit_two_screens(
    tmp_path: Path, points: int, substrate: str, cv: float, wishes: tuple[str, ...]
) -> None:
    """100 lines of 100 columns, wrapped, on a terminal and as plain text."""
    truth = raid_truth()[:: 20 // points][:points]
    limit = 100 if substrate == "uml" else None
    plan = Plan(truth, 3, cv, substrate=substrate, iops_limit=limit, scans=("scan", "dd-read"), seconds=1)
    bad = {(3, 1): "failed"}
    synthetic.write(tmp_path / "s", plan, status=lambda point, block: bad.get((point, block), "ok"))
    words = ("recommend", tmp_path / "s", *wishes)
    shown = re.sub(r"\x1b\[[0-9;]*m", "", on_a_terminal(*words, columns=100).decode()).replace("\r", "")
    for text in (shown, stripelab(*words).stdout):
        assert text.count("== ") + text.count(" ──") >= 5
        assert sum(max(1, math.ceil(len(line) / 100)) for line in text.rstrip().split("\n")) <= 100, text
        for line in ("Next step: ", "To apply ", "Effects on average", "Basis and caveats"):
            assert line in text
    assert "\N{HORIZONTAL ELLIPSIS}" not in shown.split("rank ")[0].split("workload ")[1].split("point")[0]


def test_a_refusal_is_status_one(tmp_path: Path) -> None:
    synthetic.write(tmp_path / "s", Plan(chunks(100, 200, 300), replicates=1))
    done = stripelab("recommend", tmp_path / "s")
    assert done.returncode == 1
    assert "!!! No recommendation for random-write" in done.stdout
    done = stripelab("recommend", tmp_path / "s", "--json")
    assert done.returncode == 1
    assert "two replicates" in json.loads(done.stdout)["answers"][0]["refusal"]


@pytest.mark.parametrize("words", [("recommend",), ("report", "-o", "r.html")])
def test_no_store_is_one_clear_message(tmp_path: Path, words: tuple[str, ...]) -> None:
    done = stripelab(words[0], tmp_path / "nothing", *words[1:])
    assert done.returncode == 8
    assert "is no result store" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_torn_file_is_a_warning(tmp_path: Path) -> None:
    store = synthetic.write(tmp_path / "s", Plan(chunks(100, 200, 300), replicates=4))
    victim = store.files("observations")[0]
    victim.write_bytes(victim.read_bytes()[:200])
    done = stripelab("recommend", tmp_path / "s")
    assert done.returncode == 0
    assert "Warning: Set aside and not used" in done.stdout
    assert "11 trials" in done.stdout


def test_report_says_what_it_wrote(store: Path, tmp_path: Path) -> None:
    done = stripelab("report", store, "-o", tmp_path / "r.html")
    assert done.returncode == 0
    assert str(tmp_path / "r.html") in done.stdout
    assert "NOT REAL HARDWARE" in done.stdout
    done = stripelab("report", store, "-o", tmp_path / "r.html", "--json")
    assert json.loads(done.stdout) == {
        "report": str(tmp_path / "r.html"),
        "bytes": (tmp_path / "r.html").stat().st_size,
        "substrates": ["uml"],
        "virtual": True,
        "refused": [],
        "left_out": [],
    }
