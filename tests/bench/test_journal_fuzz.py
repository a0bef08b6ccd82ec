"""Ten thousand journals that nobody's run wrote: none ends in a traceback, and none can express an act not ours.

``python -m tests.bench.test_journal_fuzz --inputs 10000`` reads that many; the tests read some hundreds.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import signal
import stat
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

import pytest

from bench import acts
from bench.errors import BusyError, StoreError
from bench.journal import Journal, history_of, recover
from tests.bench import journal_mutations as mutations

HANG_S = 10
MEMORY_BYTES = 1 << 30
LOWER, DIGITS, HEX = "abcdefghijklmnopqrstuvwxyz", "0123456789", "0123456789abcdef"
QUEUE = ("queue/scheduler", "queue/nr_requests", "queue/read_ahead_kb", "md/stripe_cache_size")


class HungError(BaseException):
    """A journal that is not read after :data:`HANG_S`; no handler of exceptions may catch it."""


def is_ours(kind: str, facts: dict[str, Any]) -> bool:
    """Whether stripelab can have done this; written without a look at the patterns of :mod:`bench.acts`."""
    judge: dict[str, tuple[set[str], Callable[[dict[str, Any]], bool]]] = {
        "md": ({"name", "uuid", "disks"}, lambda it: _array(it["name"]) and _uuid(it["uuid"]) and _names(it["disks"])),
        "filesystem": (
            {"filesystem", "disks", "bare", "uuids"},
            lambda it: (
                _word(it["filesystem"])
                and _names(it["disks"])
                and isinstance(it["bare"], bool)
                and _list_of(_uuid, it["uuids"])
            ),
        ),
        "mount": ({"point"}, lambda it: _mount_point(it["point"])),
        "folder": ({"folder"}, lambda it: _trial_folder(it["folder"])),
        "queue": (
            {"disk", "attribute", "before"},
            lambda it: (
                it["attribute"] in QUEUE and _word(it["before"]) and (it["disk"] is None or _names([it["disk"]]))
            ),
        ),
        "throttle": ({"devices"}, lambda it: _list_of(_number, it["devices"])),
        "loop": ({"file"}, lambda it: _loop_file(it["file"])),
        "destroy": ({"what", "disks"}, lambda it: isinstance(it["what"], str) and _names(it["disks"])),
        "taken": ({"disk", "diskseq"}, lambda it: _names([it["disk"]]) and isinstance(it["diskseq"], str)),
    }
    if kind not in judge:
        return False
    keys, holds = judge[kind]
    return set(facts) == keys and holds(facts)


def _only(text: object, allowed: str) -> bool:
    return isinstance(text, str) and text != "" and set(text) <= set(allowed)


def _list_of(holds: Callable[[Any], bool], values: object) -> bool:
    return isinstance(values, list) and all(map(holds, values))


def _names(disks: object) -> bool:
    return _list_of(lambda disk: isinstance(disk, str) and disk != "", disks)


def _word(text: object) -> bool:
    return _only(text, LOWER + LOWER.upper() + DIGITS + "-_")


def _array(name: str) -> bool:
    return len(name) == 18 and name.startswith("stripelab-") and _only(name[10:], LOWER + DIGITS)


def _uuid(text: str) -> bool:
    return len(text) == 36 and _only(text, HEX + "-") and [len(part) for part in text.split("-")] == [8, 4, 4, 4, 12]


def _trial_folder(text: str) -> bool:
    parts = text.split("/")
    name = parts[-1]
    plain = _only(name, LOWER + LOWER.upper() + DIGITS + "._-") and not name.startswith((".", "-", "_"))
    return parts[:-1] == ["", "run", "stripelab-stacks"] and plain


def _mount_point(text: str) -> bool:
    folder, _, name = text.rpartition("/")
    return _trial_folder(folder) and name.startswith("mnt") and _only(name[3:], DIGITS)


def _number(text: str) -> bool:
    major, colon, minor = text.partition(":")
    return colon == ":" and _only(major, DIGITS) and _only(minor, DIGITS)


def _loop_file(text: str) -> bool:
    digits = text[4:-4]
    return text.startswith("disk") and text.endswith(".img") and _only(digits, DIGITS) and digits[0] != "0"


@contextmanager
def watched() -> Iterator[None]:
    """Raises :class:`HungError` inside where the block takes longer than :data:`HANG_S`."""

    def hung(*_: object) -> NoReturn:
        raise HungError

    before = signal.signal(signal.SIGALRM, hung)
    signal.setitimer(signal.ITIMER_REAL, HANG_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def outcome(path: Path) -> str:
    """What reading a journal and taking back what it holds came to, with every act judged; asserts what must hold."""
    undone: list[acts.Act] = []
    table = dict.fromkeys(acts.KINDS.values(), lambda entry: undone.append(entry.act))
    with watched():
        try:
            history = history_of(path)
            known = [history.known(disk) for disk in (None, "S1")]
        except StoreError:
            history = None
        try:
            with Journal(path) as journal:
                pending = [entry.act for entry in journal.pending]
                lines = recover(journal, table)
                left = [entry.act for entry in journal.pending]
        except (StoreError, BusyError):
            assert not undone
            assert history is None, "what can be read can be opened"
            return "refused"
    assert all(isinstance(each, acts.TakenAct) for each in left)
    assert sorted(map(repr, undone + left)) == sorted(map(repr, pending))
    assert len(lines) == len(undone)
    assert all(line.isprintable() for line in lines)
    for act in pending:
        facts = json.loads(json.dumps(act.facts))
        assert is_ours(act.kind, facts), f"a journal expresses {act}"
    assert history is None or all(known)
    with Journal(path) as journal:
        assert [entry.act for entry in journal.pending] == left, "what is taken back stays taken back"
    return "nothing pending" if not undone else "taken back"


def fuzz(folder: Path, inputs: int, seed: int) -> Counter[str]:
    """Read that many journals, hand-made and mutated ones by turns; the outcomes, counted."""
    dice = random.Random(seed)
    corpus = [mutations.real_journal(folder, dice) for _ in range(20)]
    by_hand = mutations.hostile()
    dice.shuffle(by_hand)
    outcomes: Counter[str] = Counter()
    path = folder / "journal.jsonl"
    for number in range(inputs):
        text = by_hand.pop() if by_hand and number % 2 else mutations.mutated(dice, corpus)
        path.write_bytes(text)
        try:
            outcomes[outcome(path)] += 1
        except BaseException:
            kept = Path(tempfile.gettempdir()) / f"journal-{seed}-{number}.jsonl"
            kept.write_bytes(text)
            sys.stderr.write(f"input {number} of seed {seed} is kept as {kept}\n")
            raise
    return outcomes


def main() -> None:
    """Fuzz in this process and print the outcomes and the peak of memory."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--inputs", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=14)
    options = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_AS, (4 * MEMORY_BYTES, 4 * MEMORY_BYTES))
    with tempfile.TemporaryDirectory() as folder:
        outcomes = fuzz(Path(folder), options.inputs, options.seed)
    peak_bytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10
    sys.stdout.write(json.dumps({**outcomes, "peak_bytes": peak_bytes}) + "\n")


def test_mutated_and_hostile_journals_express_nothing_but_our_acts():
    command = [sys.executable, "-m", "tests.bench.test_journal_fuzz", "--inputs", "600"]
    root = Path(__file__).parents[2]
    finished = subprocess.run(command, capture_output=True, text=True, check=False, cwd=root)
    assert finished.returncode == 0, finished.stderr
    result = json.loads(finished.stdout)
    assert result.pop("peak_bytes") < MEMORY_BYTES
    assert sum(result.values()) == 600
    assert min(result[kind] for kind in ("refused", "taken back", "nothing pending")) >= 10


def test_a_real_journal_is_read_and_judged_ours(tmp_path):
    for seed in range(5):
        text = mutations.real_journal(tmp_path, random.Random(seed))
        (tmp_path / "j").write_bytes(text)
        assert outcome(tmp_path / "j") in {"taken back", "nothing pending"}


def fifo(path: Path) -> None:
    os.mkfifo(path)


def device(path: Path) -> None:
    os.mknod(path, stat.S_IFCHR | 0o600, os.makedev(1, 5))


def linked(path: Path) -> None:
    path.with_name("canary").write_bytes(b"")
    path.symlink_to("canary")


def dangling(path: Path) -> None:
    path.symlink_to("nowhere")


def hard_linked(path: Path) -> None:
    path.with_name("canary").write_bytes(b"a canary without a newline")
    path.hardlink_to(path.with_name("canary"))


def too_large(path: Path) -> None:
    path.touch()
    os.truncate(path, 300 << 20)


def one_endless_line(path: Path) -> None:
    path.touch()
    os.truncate(path, 200 << 20)


@pytest.mark.parametrize("make", [fifo, device, linked, dangling, hard_linked, Path.mkdir, too_large, one_endless_line])
def test_what_is_no_plain_file_of_sane_size_is_refused(tmp_path, make):
    if make is device and os.geteuid() != 0:
        pytest.skip("only root makes device nodes")
    path = tmp_path / "journal.jsonl"
    make(path)
    before = {each.name: each.lstat() for each in tmp_path.iterdir()}
    content = {each: each.read_bytes() for each in tmp_path.glob("canary")}
    assert outcome(path) == "refused"
    now = {each.name: each.lstat() for each in tmp_path.iterdir()}
    assert {name: (found.st_mode, found.st_size) for name, found in now.items()} == {
        name: (found.st_mode, found.st_size) for name, found in before.items()
    }
    assert content == {each: each.read_bytes() for each in content}


if __name__ == "__main__":
    main()
