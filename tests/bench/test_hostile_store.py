"""A store in which links and special files lie: nothing elsewhere changes, nothing hangs, failures have words."""

from __future__ import annotations

import json
import os
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bench.claim import SWEEP_FILE, claim_store
from bench.cli.main import attempt
from bench.errors import ImportFailedError, StoreError, StripelabError
from bench.events import Event, EventFile, EventReader
from bench.importing.campaign import import_files
from bench.nightly import state
from bench.nightly.retain import retain
from bench.nightly.task import write_task
from bench.store_lock import locked
from bench.vocabulary import vocabulary
from permutations.design import make_plan
from permutations.night import night_plan, watched_plan
from permutations.plan import Plan
from permutations.sweep import Sweep
from results.errors import ResultsError
from results.nightly.acknowledged import read_acknowledged
from results.nightly.answer import LAST_NS
from results.nightly.baseline import Pinned, pin, read_baselines
from results.nightly.kept import outcomes
from results.store.folder import Store
from results.store.query import load
from results.store.schema import TrialRow
from tests.bench.hostile_files import fuzz
from tests.chaos.sweeps import LOOP_SWEEP
from tests.hostile_stores import KINDS, NIGHT, PLACES, SETTINGS, plant, sound, untouched
from tests.results import synthetic

__all__ = ["sound"]

TOO_LONG_S = 10


@contextmanager
def in_time() -> Iterator[None]:
    """Fail what hangs."""

    def late(*_: object) -> None:
        raise AssertionError("hangs")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(TOO_LONG_S * 3)  # of a machine that does other things too
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


@pytest.fixture
def store(sound: Path, tmp_path: Path) -> Path:
    shutil.copytree(sound, tmp_path / "store")
    return tmp_path / "store"


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    path = tmp_path_factory.mktemp("sweep") / "sweep.toml"
    path.write_text(LOOP_SWEEP)
    return make_plan(Sweep.load(path, vocabulary()))


def in_words(act: Callable[[], object]) -> None:
    """Do it; a failure must be one that a user is told in words."""
    try:
        act()
    except (ResultsError, StripelabError) as error:
        assert len(error.message) > 10  # noqa: PT017 - whatever failed, it has words


def everything(path: Path, plan: Plan) -> Iterator[Callable[[], object]]:
    """What verbs do with a store, readers first."""
    yield lambda: load(path).trial_rows()
    yield lambda: load(path).observation_rows()
    yield lambda: outcomes(path)
    yield lambda: read_baselines(path)
    yield lambda: read_acknowledged(path)
    yield EventReader(path / ".events.jsonl")
    for verb in ("status", "recommend", "sql"):
        words = [verb, str(path), *(["SELECT count(*) FROM observations"] if verb == "sql" else [])]
        yield lambda words=words: fine(attempt(words))
    yield lambda: retain(path, 1, ())
    yield lambda: EventFile(path / ".events.jsonl")(Event("note"))
    yield lambda: write_task(path, night_plan(watched_plan(plan), NIGHT))
    yield lambda: of_a_night(path)
    yield lambda: of_a_run(path, plan)


def fine(status: int) -> None:
    assert status in {0, 1, 3, 8}, status


def of_a_run(path: Path, plan: Plan) -> None:
    with locked(path):
        store = claim_store(path, plan)
        store.append(synthetic.trial(synthetic.Plan([(SETTINGS, 1.0)]), SETTINGS, 7, 7, status="failed"))
        store.bundle()


def of_a_night(path: Path) -> None:
    with locked(path, ".night.lock"):
        night = state.name_of(path, None)
        state.begin(path, night)
        pin(path, read_baselines(path), baseline())
        state.ended(path, night)


def baseline() -> Pinned:
    return Pinned(
        name="b", set_at_ns=1, reason="why", nights=(NIGHT,), sweep_text="", environment_id="e", previous=None
    )


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("place", PLACES)
def test_what_lies_in_a_store_leads_nowhere(place: str, kind: str, store: Path, tmp_path: Path, plan: Plan) -> None:
    trial_id = min(Store.open(store).trial_ids())
    with untouched(tmp_path) as outside:
        plant(store, PLACES[place](trial_id), kind, outside)
        for act in everything(store, plan):
            with in_time():
                in_words(act)


def test_an_id_that_leads_elsewhere_removes_nothing(store: Path, tmp_path: Path) -> None:
    """A trial that lies in two bundles was removed by its id, wherever that led."""
    from results.store import bundles
    from results.store.contents import PARTS
    from results.store.rows import to_table

    victim = tmp_path / "victim.parquet"
    victim.write_bytes(b"untouched")
    row = synthetic.trial(synthetic.Plan([(SETTINGS, 1.0)]), SETTINGS, 5, 5, status="failed")
    row = TrialRow(**{**vars(row), "trial_id": "../../victim"})
    for name in ("bundle+0", "bundle+1"):
        told = {PARTS: b"{}"}
        content, _ = bundles.encode("trials", [(row.trial_id, to_table("trials", [row]))], told)
        (store / "trials" / f"{name}.parquet").write_bytes(content)
    opened = Store.open(store)
    assert row.trial_id not in opened.trial_ids()
    assert "no name of a file" in opened.set_aside[0].reason
    assert victim.read_bytes() == b"untouched"


@pytest.mark.parametrize(
    "marker",
    [
        *('{"schema": 1e999}', '{"schema": null}', '{"schema": "x"}', '{"schema": true}', '{"schema": -1}', "null"),
        *('{"schema": ' + "9" * 5000 + "}", '{"schema": ' + "9" * 4000 + "}", " " * (2 << 20), "[" * 100_000, "\xff"),
    ],
    ids=lambda text: f"{text[:16]!r} of {len(text)}",
)
def test_a_marker_that_says_nothing(store: Path, marker: str, capsys: pytest.CaptureFixture[str]) -> None:
    (store / "stripelab.json").write_bytes(marker.encode("latin-1"))
    for words in (["status"], ["recommend"], ["compact"]):
        assert attempt([*words, str(store)]) == StoreError.status
    assert "Traceback" not in capsys.readouterr().err


def test_a_protocol_that_is_no_text(store: Path, plan: Plan) -> None:
    (store / "protocol").write_bytes(b"\xff\xfe\n")
    with pytest.raises(StoreError, match="other workloads"):
        claim_store(store, plan)


@pytest.mark.parametrize("started_at_ns", [-(10**18), -1, -(1 << 63), (1 << 63) - 1])
def test_a_trial_of_a_clock_that_was_wrong_counts(store: Path, started_at_ns: int) -> None:
    trials = synthetic.Plan([(SETTINGS, 1.0)])
    row = synthetic.trial(trials, SETTINGS, 5, 5, status="failed")
    Store.open(store).append(TrialRow(**{**vars(row), "started_at_ns": started_at_ns}))
    assert row.trial_id in load(store).store.trial_ids()
    for verb in ("status", "recommend", "sql", "report"):
        more = {
            "sql": ["SELECT to_timestamp(started_at_ns / 1e9) FROM trials"],
            "report": ["-o", f"{store}.html"],
        }.get(verb, [])
        assert attempt([verb, str(store), *more]) in {0, 1}, verb


@pytest.mark.parametrize("value", ["DATE '20000-01-01'", "TIMESTAMP '20000-01-01'", "DATE '0044-03-15 (BC)'"])
@pytest.mark.parametrize("wanted", ["table", "csv", "json", "parquet"])
def test_dates_that_python_has_not(store: Path, value: str, wanted: str) -> None:
    assert attempt(["sql", str(store), f"SELECT {value} AS t", "--format", wanted, "-o", f"{store}.out"]) == 0
    assert Path(f"{store}.out").stat().st_size


@pytest.mark.parametrize("kind", ["FIFO", "socket", "link to /dev/zero", "/dev/zero"])
def test_an_import_reads_files_alone(kind: str, tmp_path: Path) -> None:
    place = tmp_path / "named.json"
    if kind == "/dev/zero":
        place = Path(kind)
    else:
        KINDS[kind](place, tmp_path)
    with in_time(), pytest.raises(ImportFailedError, match="not a regular file"):
        import_files([place], tmp_path / "store", [])
    assert not (tmp_path / "store").exists()


def test_what_killed_writers_left_is_removed(store: Path, plan: Plan) -> None:
    left = [store / "trials" / ".abc.parquet.tmp", store / "observations" / ".abc.parquet.0123.tmp"]
    for path in left:
        path.write_bytes(b"half")
    (store / "protocol").write_text(f"{plan.sweep.protocol_id}\n")
    with locked(store):
        claim_store(store, plan)
    assert [path for path in left if path.exists()] == []
    assert (store / SWEEP_FILE).read_text() == plan.sweep.text


def test_temporary_names_cannot_be_foreseen(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    rename = os.rename
    monkeypatch.setattr(os, "rename", lambda old, new, **more: (seen.append(old), rename(old, new, **more)))
    trials = synthetic.Plan([(SETTINGS, 1.0)])
    for _ in range(2):
        Store.open(store).append(synthetic.trial(trials, SETTINGS, 9, 9, status="failed"))
    assert len(set(seen)) == len(seen) == 2


def test_a_guest_that_writes_no_events_is_not_believed(tmp_path: Path) -> None:
    path = tmp_path / "events"
    lines = (
        b"\xff",
        b"[]",
        b"1",
        b'{"kind": 1}',
        b"[" * 100_000,
        b'{"kind": "note", "done": 1e999}',
        b'{"kind": "note"}',
    )
    path.write_bytes(
        b"\n".join(lines) + b"\n" + b"x" * (3 << 20) + b"\n" + json.dumps({"kind": "trial"}).encode() + b"\n"
    )
    reader = EventReader(path)
    found = [event.kind for _ in range(8) for event in reader()]
    assert found == ["note", "trial"]


def test_a_night_that_began_when_no_clock_says(store: Path) -> None:
    for content in (b"", b"x", b"-5", b"9" * 5000, str(LAST_NS * 2).encode(), str(time.time_ns() + 10**13).encode()):
        (store / "nights" / f"{NIGHT}.began").write_bytes(content)
        assert state.name_of(store, None) != NIGHT
        assert 0 <= state.begin(store, NIGHT) <= LAST_NS


def test_hostile_files_by_the_hundred() -> None:
    """A sample of what ``make fuzz`` reads."""
    found, _ = fuzz(300, seed=7)
    assert found.total() == 300
