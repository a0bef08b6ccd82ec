"""`recommend` and `report` as a user calls them."""

from __future__ import annotations

import json
import os
import pty
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


def test_recommend_json_is_json_alone(store: Path) -> None:
    done = stripelab("recommend", store, "--json", "--workload", "scan", "--margin-pct", "2")
    answer = json.loads(done.stdout)
    assert done.returncode == 0
    assert [each["workload"] for each in answer["answers"]] == ["scan"]
    assert answer["margin_pct"] == 2.0


def test_a_terminal_gets_colours(store: Path) -> None:
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-c", RUN, "recommend", store], stdout=theirs, env={**os.environ, "TERM": "xterm-256color"}
    ) as process:
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
    assert b"\x1b[" in shown
    assert b"raid0 x4" in shown


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
