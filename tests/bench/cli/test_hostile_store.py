"""Stores whose names mean harm, through every verb that prints: no terminal is driven, and every answer is JSON."""

from __future__ import annotations

import csv
import io
import json
import os
import pty
import re
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import msgspec
import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from results.export.csv_text import cell_text
from results.text import encodable, plain_lines
from tests.hostile import TEXTS, driving, without_own_colours
from tests.results import synthetic
from tests.results.nightly import nights

RECORDED = Path(__file__).parents[2] / "data" / "fio" / "3.33" / "stages.json"
ALL = " ".join(TEXTS.values())
DEFECT = 70


def environment(**more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("LC_", "LANG", "PYTHONIO"))}
    return {**kept, "TERM": "xterm-256color", "COLUMNS": "200", **more}


def piped(*words: object, **more: str) -> tuple[int, bytes, bytes]:
    argv = [sys.executable, "-m", "bench", *map(str, words)]
    done = subprocess.run(argv, capture_output=True, check=False, timeout=240, env=environment(**more))
    return done.returncode, done.stdout, done.stderr


MANY = """
import json, sys
from pathlib import Path
from bench.cli.main import outcome
from bench.streams import clean_standard_streams
clean_standard_streams()
for words in json.loads(Path(sys.argv[1]).read_text()):
    status = outcome(words)
    print(f"\\n<<{status}>>", flush=True)  # before a verb writes bytes past the buffer of the text
"""
"""Command lines one after the other in one process, as ``main`` runs each: most of a verb's time is its start."""


def many(commands: Sequence[Sequence[str]], file: Path) -> tuple[list[tuple[int, str]], str]:
    """Status and standard output of each command line, and the standard error of all."""
    file.write_text(json.dumps(commands))
    argv = [sys.executable, "-c", MANY, str(file)]
    done = subprocess.run(argv, capture_output=True, check=False, timeout=280, env=environment())
    assert done.returncode == 0, done.stderr.decode()
    found = re.findall(r"(.*?)\n<<(\d+)>>\n", clean(done.stdout), flags=re.DOTALL)
    return [(int(status), out) for out, status in found], clean(done.stderr)


def many_on_a_terminal(commands: Sequence[Sequence[str]], file: Path) -> str:
    """What a terminal got of both streams, with colours on; no styles of our own are left in it."""
    file.write_text(json.dumps(commands))
    ours, theirs = pty.openpty()
    got: list[bytes] = []

    def read() -> None:
        try:
            while piece := os.read(ours, 65536):
                got.append(piece)
        except OSError:
            pass  # how the end of a terminal reads

    reader = threading.Thread(target=read)
    reader.start()
    argv = [sys.executable, "-c", MANY, str(file)]
    try:
        with subprocess.Popen(argv, stdin=theirs, stdout=theirs, stderr=theirs, env=environment()) as process:
            os.close(theirs)
            assert process.wait(280) == 0
    finally:
        reader.join()
        os.close(ours)
    text = b"".join(got).decode()
    assert "\x1b[" in text, "colours are on"
    return without_own_colours(text)


def clean(content: bytes) -> str:
    text = content.decode()
    assert not driving(text), text
    assert "Traceback" not in text
    return text


def is_json(text: str) -> None:
    json.loads(text)
    msgspec.json.decode(text.encode())


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files of fio below folders with each name that a file can have; its jobs, host and files have it too."""
    root: Path = tmp_path_factory.mktemp("tree")
    recorded = json.loads(RECORDED.read_text())
    for place, text in enumerate(TEXTS.values()):
        try:
            name = os.fsencode(text).decode("utf-8", "surrogateescape")
        except UnicodeEncodeError:
            continue
        if "/" in name:
            continue
        inside = encodable(text)
        for again in range(2):
            content = json.loads(json.dumps(recorded))
            content["timestamp_ms"] += 1000 * (2 * place + again)
            for job in content["jobs"]:
                job |= {"jobname": inside, "hostname": inside}
                job["job options"] |= {"filename": inside, "description": inside}
            path = root / name / f"{name}-{again}.json"
            path.parent.mkdir(exist_ok=True)
            path.write_text(json.dumps(content))
        (root / name / f"{name}-broken.json").write_text('{"fio version": "\x1b]0;owned\x07')
    return root


@pytest.fixture(scope="module")
def imported(tree: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    store: Path = tmp_path_factory.mktemp("imported") / "S"
    status, out, err = piped("import", tree, "--store", store, "--factors", "{site}/{}.json")
    assert status == 0
    clean(out)
    assert "caf\\xe9-broken.json" in clean(err)
    return store


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of our own whose every free column was written by somebody who means harm."""
    store: Path = tmp_path_factory.mktemp("measured") / f"S{encodable(TEXTS['title'])}"
    text, few = ALL, (ALL, TEXTS["clipboard"])
    with pytest.MonkeyPatch.context() as patch:
        observed, machine = synthetic.observation, synthetic.environment
        patch.setattr(
            synthetic,
            "observation",
            lambda *words: replace(observed(*words), engine_version=text, command=text, warnings=few),
        )
        patch.setattr(
            synthetic,
            "environment",
            lambda substrate: replace(
                machine(substrate),
                hostname=text,
                kernel=text,
                os_release=text,
                cpu_model=text,
                disk_models=few * 2,
                tools=few,
            ),
        )
        points = [{"level": "raid5", "disks": 4, "chunk_kib": chunk, "filesystem": "xfs"} for chunk in (64, 512)]
        synthetic.write(
            store,
            synthetic.Plan([(points[0], 100.0), (points[1], 150.0)], replicates=5, workload=f"w{encodable(text)}"),
            status=lambda point, block: "failed" if (point, block) == (0, 4) else "ok",
            change=lambda row: replace(
                row,
                sweep=text,
                scheduler=text,
                mkfs_options=text,
                error=text,
                error_command=text,
                build_commands=few,
                apply_commands=few,
                warnings=few,
            ),
        )
    return store


VERBS: Mapping[str, Sequence[str]] = {
    "recommend": ("recommend", "S"),
    "compare": ("compare", "S", "S"),
    "status": ("status", "S"),
    "guarantee": ("guarantee", "S"),
    "point": ("guarantee", "S", "--point", ALL),
    "workload": ("recommend", "S", "--workload", ALL),
    "requirement": ("recommend", "S", "--require", ALL),
    "compact": ("compact", "S", "--dry-run"),
    "trials": ("sql", "S", "SELECT * FROM trials LIMIT 40"),
    "observations": ("sql", "S", "SELECT * FROM observations LIMIT 40"),
    "environments": ("sql", "S", "SELECT * FROM environments LIMIT 40"),
    "results": ("sql", "S", f"""SELECT workload AS "{TEXTS["title"] + TEXTS["formula"]}" FROM results LIMIT 40"""),
    "query": ("sql", "S", f"SELECT '{TEXTS['clipboard']}"),
    "csv": ("sql", "S", "SELECT * FROM trials LIMIT 40", "--format", "csv"),
    "json": ("sql", "S", "SELECT * FROM trials LIMIT 40", "--format", "json"),
    "verify": ("verify", "S"),
    "nobody": ("status", f"S {ALL}"),
    "option": ("status", f"--{ALL}"),
    "verb": (ALL,),
    "sweep": ("plan", f"S {ALL}"),
}


def commands(store: Path) -> list[list[str]]:
    """The command lines of :data:`VERBS` over a store."""
    found = []
    for verb in VERBS.values():
        words = [f"{store}{word[1:]}" if word == "S" or word.startswith("S ") else word for word in verb]
        found.append(words)
    return found


@pytest.mark.parametrize("store", ["imported", "measured"])
def test_a_verb_shows_what_a_store_has_and_is_not_driven_by_it(
    store: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    every = commands(request.getfixturevalue(store))
    found, _ = many(every, tmp_path / "plain")
    assert len(found) == len(every)
    for words, (status, _) in zip(every, found, strict=True):
        assert status != DEFECT, words
    assert not driving(many_on_a_terminal(every, tmp_path / "terminal"))


@pytest.mark.parametrize("store", ["imported", "measured"])
def test_a_verb_answers_in_json_whatever_a_store_has(
    store: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    every = [[*words, "--json"] for words in commands(request.getfixturevalue(store))]
    found, _ = many(every, tmp_path / "json")
    for words, (status, out) in zip(every, found, strict=True):
        assert status != DEFECT, words
        is_json(out)


@pytest.mark.parametrize("locale", [{"PYTHONIOENCODING": "ascii"}, {"PYTHONIOENCODING": "latin-1"}, {"LC_ALL": "C"}])
def test_an_output_that_holds_ascii_alone_gets_the_rest_escaped(locale: dict[str, str], measured: Path) -> None:
    for words in (("status", measured), ("recommend", "--help"), ("recommend", measured, "--json")):
        status, out, err = piped(*words, **locale)
        assert status in {0, 1}, err
        if locale.get("PYTHONIOENCODING") == "ascii" and "--help" not in words:
            assert out.isascii()
            assert err.isascii()
        if "--json" in words:
            is_json(out.decode("latin-1" if "latin-1" in locale.values() else "utf-8"))


@pytest.mark.parametrize("store", ["imported", "measured"])
@pytest.mark.parametrize("form", ["csv", "jsonl", "openmetrics"])
def test_an_export_is_clean(store: str, form: str, request: pytest.FixtureRequest) -> None:
    path = request.getfixturevalue(store)
    status, out, err = piped("export", path, "--format", form)
    assert status == 0, err.decode()
    text = clean(out.replace(b"\r\n", b"\n"))
    if form == "csv":
        header, *cells = csv.reader(io.StringIO(out.decode(), newline=""))
        assert cells
        assert not any(cell[:1] in set("=+@\t\n") for row in (header, *cells) for cell in row)
        if store == "imported":
            column = header.index("label_site")
            named = {cell_text(row[column]) for row in cells}
            assert {"=cmd|' &C calc'!A0", "+1+1", "-2+3+cmd", "@SUM(A1)"} <= named
    elif form == "jsonl":
        for line in text.splitlines():
            is_json(line)
        rows = [json.loads(line) for line in text.splitlines()]
        if store == "imported":
            assert {TEXTS["title"], r"caf\xe9"} <= {row["label_site"] for row in rows}, "the text as it was"
        else:
            assert {row["sweep"] for row in rows} == {encodable(ALL)}
    else:
        assert list(text_string_to_metric_families(text))


@pytest.mark.parametrize("store", ["imported", "measured"])
def test_what_is_written_for_people_is_clean(store: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    path = request.getfixturevalue(store)
    written = {
        tmp_path / "report.html": ("report", path, "-o"),
        tmp_path / "ranking.svg": ("plot", path, "--kind", "ranking", "-o"),
        tmp_path / "ranking.png": ("plot", path, "--kind", "ranking", "-o"),
        tmp_path / "series.svg": ("plot", path, "--kind", "series", "-o"),
        tmp_path / "evidence": ("evidence", path, "--no-pdf", "-o"),
    }
    for target, words in written.items():
        status, out, err = piped(*words, target)
        assert status != DEFECT, err.decode()
        clean(out), clean(err)
        if target.suffix in {".html", ".svg"} and target.exists():
            text = clean(target.read_bytes())
            if target.suffix == ".svg":
                ET.fromstring(text)
    assert (tmp_path / "report.html").exists()
    assert (tmp_path / "ranking.svg").exists()


def _hostile(value: Any) -> Any:
    """The same JSON with every name in it made hostile."""
    kept = {"format", "word", "figure", "since", "night", "low", "high", "settings"}
    match value:
        case str():
            return encodable(ALL)
        case dict():
            return {name: inner if name in kept else _hostile(inner) for name, inner in value.items()}
        case list():
            return [_hostile(inner) for inner in value]
        case _:
            return value


def test_a_night_is_clean_in_every_form(tmp_path: Path) -> None:
    outcome = tmp_path / "night.json"
    names = ("junit", "openmetrics", "markdown", "code-quality", "html", "mail")
    outputs = [word for name in names for word in (f"--{name}", tmp_path / name)]
    source = encodable(json.dumps(_hostile(json.loads(json.dumps(nights.night().to_json()))), ensure_ascii=False))
    outcome.write_text(source, encoding="utf-8")
    status, out, err = piped("nightly", "show", outcome, *outputs, "--annotations", "github")
    assert status == 1, err.decode()
    clean(out), clean(err)
    for name in names:
        text = (tmp_path / name).read_bytes().replace(b"\r\n", b"\n").decode()
        assert {*driving(text)} <= {"\N{ZERO WIDTH NON-JOINER}"}, name
    assert not driving(many_on_a_terminal([["nightly", "show", str(outcome)]], tmp_path / "terminal"))
    _, out, _ = piped("nightly", "show", outcome, "--json")
    is_json(clean(out))
    nobody = [["nightly", "show", str(tmp_path), "--night", ALL], ["nightly", "trend", str(tmp_path), "-o", ALL]]
    found, _ = many(nobody, tmp_path / "nobody")
    assert not {0, DEFECT} & {status for status, _ in found}


def test_what_is_clean_stays_as_it_was() -> None:
    assert plain_lines("raid5, 4 disks, 64 KiB, xfs: 1,234 IOPS ± 3 %\n  ▁▂▃ ● ✗ → µs") == (
        "raid5, 4 disks, 64 KiB, xfs: 1,234 IOPS ± 3 %\n  ▁▂▃ ● ✗ → µs"
    )
