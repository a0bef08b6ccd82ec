"""Hostile files of a store, by the thousand, through whatever reads them.

``python -m tests.bench.hostile_files --inputs 10000`` reads that many; ``make fuzz`` runs it.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from bench.claim import claim_store, sweep_text
from bench.errors import StripelabError
from bench.events import EventReader
from bench.nightly import state
from bench.nightly.task import read_task, write_task
from bench.store_lock import locked
from bench.vocabulary import vocabulary
from permutations.design import make_plan
from permutations.night import night_plan, watched_plan
from permutations.plan import Plan
from permutations.sweep import Sweep
from results.errors import ResultsError
from results.estimates.objective import stated_baseline, stated_objectives
from results.evidence.files import store_entries
from results.nightly.acknowledged import read_acknowledged
from results.nightly.baseline import read_baselines
from results.nightly.kept import outcomes
from results.nightly.watch import read_promise
from results.retention.referred import referred
from results.store import sealed
from results.store.contents import PARTS, REPLACES
from results.store.files import file_at
from results.store.folder import Store
from results.store.marker import check_marker
from results.store.query import load
from results.store.sql import run as sql
from tests.chaos.sweeps import LOOP_SWEEP
from tests.hostile_stores import KINDS, NIGHT, PLACES, make

MOST_S = 10
"""No input takes longer; the watch waits three times as long, on a machine that does other things too."""
MOST_BYTES = 1 << 30
STORES_EVERY = 40
"""Of so many inputs one is a whole store: these take longer."""

TOKENS = (
    *(b"nan", b"Infinity", b"-1", b"1e999", b"null", b"true", b"{}", b"[]", b'""', b"9" * 5000, b"9" * 400, b"1" * 19),
    *(
        b"{",
        b"}",
        b"[",
        b"]",
        b'"',
        b",",
        b":",
        b"\n",
        b"\0",
        b"\xff\xfe",
        b"\\ud800",
        b"[" * 20_000,
        b'{"a":' * 20_000,
    ),
)


def mutated(content: bytes, rng: random.Random) -> bytes:
    """A content after one to four things went wrong."""
    for _ in range(rng.choice((1, 1, 2, 4))):
        at, end = sorted((rng.randrange(len(content) + 1), rng.randrange(len(content) + 1)))
        match rng.randrange(6):
            case 0:
                content = content[:at] + bytes([rng.randrange(256)]) + content[at + 1 :]
            case 1:
                content = content[:at]
            case 2:
                content = content[:at] + rng.choice(TOKENS) + content[at + rng.choice((0, 1, 8)) :]
            case 3:
                content = content[:end] + content[at:end] + content[end:]
            case 4:
                content = _other_value(content, rng)
            case _:
                content = rng.choice(TOKENS)
    return content


def _other_value(content: bytes, rng: random.Random) -> bytes:
    """A value of the JSON becomes another."""
    try:
        plain = json.loads(content)
    except (ValueError, RecursionError):
        return content
    inside, keys = plain, []
    while isinstance(inside, dict | list) and inside and (not keys or rng.random() < 0.8):
        keys.append(rng.choice(sorted(inside)) if isinstance(inside, dict) else rng.randrange(len(inside)))
        outer, inside = inside, inside[keys[-1]]
    if keys:
        outer[keys[-1]] = rng.choice([None, True, -1, 1e308, 10**400, "x", "", [], {}, [[]], "\ud800", 10**30])
    return json.dumps(plain).encode()


class Files:
    """A sound store, and every file in it that is read, with what reads it."""

    def __init__(self, folder: Path) -> None:
        self.sound, self.folder = folder / "sound", folder
        make(self.sound)
        sweep = folder / "sweep.toml"
        sweep.write_text(LOOP_SWEEP)
        self.plan: Plan = make_plan(Sweep.load(sweep, vocabulary()))
        task = write_task(self.sound, night_plan(watched_plan(self.plan), NIGHT))
        night = {"format": 1, "night": NIGHT, "sweep": "s", "store": "s", "hostname": "h", "started_at_ns": 1}
        night |= {"duration_s": 1.0, "verdicts": [], "baseline": None}
        promise = {"granted": True, "runs": [{"trial_id": "x"}], "statement": "s", "conditions": {"point_id": "p"}}
        promise |= {"workload": "w", "metric": "iops", "direction": "read", "share": 0.9}
        promise |= {"bound": {"value": 1.0, "coverage": 0.9}}
        baseline = b'{"digest": "0", "body": {"name": "n", "set_at_ns": 1, "nights": ["x"]}}\n'
        covers = dict.fromkeys(("name", "point_id", "workload", "direction", "figure", "baseline", "confirmed"), "x")
        known = {**covers, "acknowledgement": {"until": "2026-12-31", "reason": "r", "ticket": "t", "set_at_ns": 1}}
        acknowledged = {"format": 1, "acknowledged": [known]}
        path = self.sound
        self.readers: dict[str, tuple[bytes, Callable[[], object]]] = {
            "stripelab.json": (b'{"schema": 3}\n', lambda: check_marker(path)),
            ".night-task.json": (task.read_bytes(), lambda: read_task(task, self.plan)),
            f"nights/{NIGHT}.json": (json.dumps(night).encode(), lambda: outcomes(path)),
            f"nights/{NIGHT}.began": (b"1790000000000000000\n", lambda: state.name_of(path, None)),
            "baselines.jsonl": (baseline, lambda: read_baselines(path)),
            "acknowledged.json": (json.dumps(acknowledged).encode(), lambda: read_acknowledged(path)),
            "guarantee.json": (json.dumps(promise).encode(), lambda: referred(path, [path / "guarantee.json"])),
            "promise.json": (json.dumps(promise).encode(), lambda: read_promise(path / "promise.json")),
            "sweep.toml": (LOOP_SWEEP.encode(), self._sweep),
            ".events.jsonl": (b'{"kind": "note", "done": 1, "disks": ["sda"]}\n', EventReader(path / ".events.jsonl")),
            "protocol": (self.plan.sweep.protocol_id.encode(), lambda: claim_store(path, self.plan)),
        }

    def _sweep(self) -> None:
        stated_baseline(self.sound)
        stated_objectives(self.sound)
        sweep_text(self.sound)

    def of_a_file(self, rng: random.Random) -> str:
        """Read one file with a hostile content; how that ended."""
        name = rng.choice(sorted(self.readers))
        content, reader = self.readers[name]
        place = self.sound / name
        before = place.read_bytes() if place.is_file() else None
        place.write_bytes(mutated(content, rng))
        try:
            return f"{name}: {ended(reader)}"
        finally:
            place.unlink() if before is None else place.write_bytes(before)

    def of_a_store(self, rng: random.Random) -> str:
        """Read a whole store with something odd in it; how that ended."""
        store, outside = self.folder / "store", self.folder / "outside"
        for each in (store, outside, self.folder / "moved-away"):
            shutil.rmtree(each, ignore_errors=True)
        shutil.copytree(self.sound, store)
        (outside / "folder").mkdir(parents=True)
        (outside / "canary").write_bytes(b"untouched")
        odd = rng.random() < 0.5
        if odd:
            from tests.hostile_stores import plant

            trial_id = rng.choice(sorted(Store.open(store, read_only=True).trial_ids()))
            plant(store, rng.choice(sorted(PLACES.values(), key=repr))(trial_id), rng.choice(sorted(KINDS)), outside)
        else:
            _resealed(rng.choice(sorted(store.rglob("*.parquet"))), rng)
        found = [ended(reader) for reader in self._readers_of(store)]
        assert (outside / "canary").read_bytes() == b"untouched"
        return f"store: {min(found)}"

    def _readers_of(self, store: Path) -> list[Callable[[], object]]:
        def claimed() -> None:
            with locked(store):
                claim_store(store, self.plan)

        return [
            lambda: load(store).trial_rows(),
            lambda: load(store).observation_rows(histograms=True),
            lambda: load(store).environment_rows(),
            lambda: sql(load(store), "SELECT * FROM results"),
            lambda: sql(load(store), "SELECT * FROM intervals"),
            lambda: store_entries(load(store).store),
            lambda: Store.open(store).bundle(),
            claimed,
        ]


def _resealed(path: Path, rng: random.Random) -> None:
    """A sound file with a column or its metadata changed, and sealed again as only we or an attacker would."""
    import pyarrow as pa

    table = sealed.read(*file_at(path), large=True).table
    place = rng.randrange(table.num_columns)
    name, metadata = table.column_names[place], dict(table.schema.metadata)
    match rng.randrange(5):
        case 0:
            table = table.drop_columns([name])
        case 1:
            table = table.set_column(place, name, pa.nulls(table.num_rows, table.schema.field(name).type))
        case 2:
            other = rng.choice([pa.array(["\x1b]0;x"] * table.num_rows), pa.array([-(1 << 63)] * table.num_rows)])
            table = table.set_column(place, name, other)
        case 3:
            table = pa.concat_tables([table, table])
        case _:
            key = rng.choice([PARTS, REPLACES, b"stripelab_schema", b"stripelab_table", b"stripelab_bundle"])
            metadata[key] = mutated(metadata.get(key, b"{}"), rng)
    path.write_bytes(sealed.encode(table.replace_schema_metadata(metadata))[0])


def ended(act: Callable[[], object]) -> str:
    """``read``, or ``refused`` in words; anything else is raised, a hang too."""
    signal.alarm(MOST_S * 3)
    try:
        act()
    except (ResultsError, StripelabError) as error:
        assert error.message  # noqa: PT017 - whatever failed, it has words
        return "refused"
    finally:
        signal.alarm(0)
    return "read"


def _late(*_: object) -> None:
    raise AssertionError("hangs")


def fuzz(inputs: int, seed: int) -> tuple[Counter[str], float]:
    """Read so many hostile inputs; how often each ending came, and the seconds that the slowest took."""
    rng, found, slowest_s = random.Random(seed), Counter[str](), 0.0
    before = signal.signal(signal.SIGALRM, _late)
    with tempfile.TemporaryDirectory(prefix="stripelab-hostile-") as name:
        files = Files(Path(name))
        for number in range(inputs):
            began_s = time.monotonic()
            try:
                found[files.of_a_store(rng) if number % STORES_EVERY == 0 else files.of_a_file(rng)] += 1
            except BaseException as error:
                error.add_note(f"input {number} of seed {seed}")
                raise
            slowest_s = max(slowest_s, time.monotonic() - began_s)
    signal.signal(signal.SIGALRM, before)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10 < MOST_BYTES
    return found, slowest_s


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--inputs", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    started_s = time.monotonic()
    found, slowest_s = fuzz(asked.inputs, asked.seed)
    for what, times in sorted(found.items()):
        sys.stdout.write(f"{times:8,} {what}\n")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
    took_s = time.monotonic() - started_s
    sys.stdout.write(
        f"{asked.inputs:8,} inputs in {took_s:.0f} s, the slowest in {slowest_s:.1f} s, at most {peak} MiB\n"
    )
    sys.exit(slowest_s > MOST_S)


if __name__ == "__main__":
    main()
