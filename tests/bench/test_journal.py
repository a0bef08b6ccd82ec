"""The journal: intent before act, recovery newest first, torn lines, one writer, and nothing but acts of ours."""

from __future__ import annotations

import json
import os
import subprocess
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench import acts
from bench.acts import ArrayAct, FilesystemAct, FolderAct, LoopAct, MountAct, QueueAct, TakenAct, ThrottleAct
from bench.errors import BusyError, StackError, StoreError
from bench.journal import COMPACT_BYTES, Entry, Journal, effect, history_of, recover

MOUNT = MountAct("/run/stripelab-stacks/trial/mnt0")
QUEUE = QueueAct("SERIAL", "queue/scheduler", "none")
UUID = "01234567-89ab-cdef-0123-456789abcdef"
ARRAY = ArrayAct("stripelab-0a1b2c3d", UUID, ("SERIAL",))
FILESYSTEM = FilesystemAct("xfs", ("SERIAL",), True, (UUID,))


def states(path: Path) -> list[str]:
    return [json.loads(line)["state"] for line in path.read_text().splitlines()]


def test_the_intent_is_on_disk_before_the_act(tmp_path):
    path = tmp_path / "j"
    seen = []
    with Journal(path) as journal, effect(journal, MOUNT, lambda: seen.extend(states(path)), lambda _: None):
        assert seen == ["begun"]
        assert states(path) == ["begun", "done"]
    assert states(path) == ["begun", "done", "undone"]


def test_an_act_that_fails_halfway_is_taken_back_and_the_error_passes(tmp_path):
    undone: list[int] = []

    def fail() -> None:
        raise StackError("mkfs failed")

    with Journal(tmp_path / "j") as journal:
        with (
            pytest.raises(StackError, match="mkfs failed"),
            effect(journal, FILESYSTEM, fail, lambda act: undone.append(act.number)),
        ):
            pytest.fail("the body must not run")
        assert undone == [1]
        assert journal.pending == ()


def test_where_undoing_fails_the_act_stays_pending(tmp_path):
    def stuck(_: Entry) -> None:
        raise StackError("target is busy")

    with Journal(tmp_path / "j") as journal:
        with pytest.raises(StackError, match="busy"), effect(journal, MOUNT, lambda: None, stuck):
            pass
        assert [entry.act for entry in journal.pending] == [MOUNT]


def test_recovery_takes_back_newest_first_and_only_what_is_pending(tmp_path):
    path = tmp_path / "j"
    with Journal(path) as journal:
        for act in (ARRAY, FILESYSTEM, MOUNT):
            journal.begin(act)
        journal.undone(journal.pending[1])
    order: list[str] = []
    with Journal(path) as journal:
        kinds = (ArrayAct, FilesystemAct, MountAct)
        lines = recover(journal, dict.fromkeys(kinds, lambda entry: order.append(entry.act.kind)))
        assert order == ["mount", "md"]
        assert len(lines) == 2
        assert journal.pending == ()
    with Journal(path) as journal:
        assert journal.pending == ()


def test_a_second_writer_is_refused(tmp_path):
    with Journal(tmp_path / "j"), pytest.raises(BusyError):
        Journal(tmp_path / "j")


@settings(max_examples=60, deadline=None)
@given(cut=st.integers(min_value=0, max_value=400))
def test_a_torn_tail_loses_at_most_the_record_that_was_being_written(tmp_path_factory, cut):
    path = tmp_path_factory.mktemp("torn") / "j"
    with Journal(path) as journal:
        first = journal.begin(MOUNT)
        journal.done(first)
        journal.begin(ARRAY)
    whole = path.read_bytes()
    kept = whole[: max(0, len(whole) - cut)]
    path.write_bytes(kept)
    expected = sum(b'"state":"begun"' in line for line in kept.split(b"\n")[:-1])
    with Journal(path) as journal:
        assert len(journal.pending) == expected
        journal.begin(QUEUE)
    with Journal(path) as journal:
        assert len(journal.pending) == expected + 1


def test_a_damaged_line_in_the_middle_is_an_error_with_its_line(tmp_path):
    path = tmp_path / "j"
    with Journal(path) as journal:
        journal.begin(MOUNT)
        journal.begin(ARRAY)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"\xff{garbage}\n" + lines[1])
    with pytest.raises(StoreError, match=r":1: the journal is damaged"):
        Journal(path)


EVERY = (ARRAY, FILESYSTEM, MOUNT, FolderAct("/run/stripelab-stacks/trial"), QUEUE, ThrottleAct(("98:0",)),
         LoopAct("disk1.img"), acts.DestroyAct("mkfs", ("SERIAL",)), TakenAct("SERIAL", "7"))  # fmt: skip


@pytest.mark.parametrize("act", EVERY, ids=lambda act: act.kind)
def test_every_act_is_read_back_as_it_was_written(tmp_path, act):
    assert set(acts.KINDS.values()) == {type(each) for each in EVERY}
    with Journal(tmp_path / "j") as journal:
        journal.begin(act)
    with Journal(tmp_path / "j") as journal:
        assert [entry.act for entry in journal.pending] == [act]
    assert [entry.act for entry in history_of(tmp_path / "j").pending.values()] == [act]


@pytest.mark.parametrize(
    ("kind", "facts"),
    [
        ("teleport", {}),
        ("queue", {"disk": "S", "attribute": "../../../etc/passwd", "before": "x"}),
        ("queue", {"disk": "S", "attribute": "queue/scheduler", "before": "none\nmore"}),
        ("queue", {"disk": "S", "attribute": "queue/scheduler", "before": "/bin/sh"}),
        ("queue", {"place": "/proc/sys/kernel/core_pattern", "before": "|/tmp/x"}),
        ("queue", {"disk": 7, "attribute": "queue/scheduler", "before": "none"}),
        ("mount", {"point": "/"}),
        ("mount", {"point": "/home"}),
        ("mount", {"point": "/run/stripelab-stacks/../../home/mnt0"}),
        ("mount", {"point": "/run/stripelab-stacks/trial/mnt0\n"}),
        ("mount", {"point": "/run/stripelab-stacks/trial/mnt0/deeper/mnt1"}),
        ("folder", {"folder": "/run/stripelab-stacks/.."}),
        ("folder", {"folder": "/run/stripelab-stacks/"}),
        ("folder", {"folder": "/etc"}),
        ("loop", {"file": "/etc/passwd"}),
        ("loop", {"file": "../journal.jsonl"}),
        ("loop", {"file": "disk1.img/../x"}),
        ("loop", {"file": ["disk1.img"]}),
        ("md", {"name": "data", "uuid": UUID, "disks": ["S"]}),
        ("md", {"name": "stripelab-mine", "uuid": UUID, "disks": ["S"]}),
        ("md", {"name": "stripelab-0a1b2c3d", "uuid": "", "disks": ["S"]}),
        ("md", {"name": "stripelab-0a1b2c3d", "uuid": UUID, "disks": "S"}),
        ("md", {"name": "stripelab-0a1b2c3d", "uuid": UUID}),
        ("md", {"name": "stripelab-0a1b2c3d", "uuid": UUID, "disks": ["S"], "more": 1}),
        ("filesystem", {"filesystem": "xfs", "disks": ["S"], "bare": 1, "uuids": [UUID]}),
        ("filesystem", {"filesystem": "xfs", "disks": [None], "bare": True, "uuids": [UUID]}),
        ("throttle", {"devices": ["8:0 1\n9:9"]}),
        ("throttle", {"devices": "8:0"}),
        ("taken", {"disk": "", "diskseq": "1"}),
        ("destroy", None),
        (None, {}),
        (["md"], {}),
    ],
)
def test_an_act_that_is_none_of_ours_is_damage_and_nothing_is_undone(tmp_path, kind, facts):
    path = tmp_path / "j"
    with Journal(path) as journal:
        journal.begin(MOUNT)
    line = json.dumps({"n": 2, "state": "begun", "kind": kind, "facts": facts, "boot": "b"}) + "\n"
    path.write_text(path.read_text() + line)
    for read in (Journal, history_of):
        with pytest.raises(StoreError, match="damaged"):
            read(path)


@pytest.mark.parametrize(
    "line",
    [
        '{"n":1e999,"state":"done"}',
        '{"n":NaN,"state":"done"}',
        '{"n":1.0,"state":"done"}',
        '{"n":true,"state":"done"}',
        '{"n":-1,"state":"done"}',
        '{"n":' + "9" * 5000 + ',"state":"done"}',
        '{"n":1,"state":"begun"}',
        '{"n":1,"state":"begun","kind":"md","facts":null,"boot":"b"}',
        '{"n":1,"state":"begun","kind":"md","facts":{},"boot":null}',
        '{"n":1,"state":"gone"}',
        '{"n":1,"state":"undone","sample":7}',
        "[1]",
        "null",
        "[" * 100_000,
        '{"n":1,"state":' + '{"a":' * 100_000,
        "\x00",
    ],
    ids=lambda line: line[:30],
)
def test_a_line_that_no_run_wrote_is_damage(tmp_path, line):
    (tmp_path / "j").write_text(line + "\n")
    with pytest.raises(StoreError, match=r":1: the journal is damaged"):
        Journal(tmp_path / "j")


def test_acts_of_an_earlier_version_that_were_taken_back_are_not_looked_at(tmp_path):
    old = '{"boot":"b","facts":{"name":"stripelab-test0001","disks":["S"]},"kind":"md","n":1,"state":"begun"}\n'
    (tmp_path / "j").write_text(old + '{"n":1,"state":"undone"}\n')
    with Journal(tmp_path / "j") as journal:
        assert journal.pending == ()
        assert journal.begin(MOUNT).number == 2


@pytest.mark.parametrize("kind", ["link", "dangling", "hard link", "folder", "pipe", "large"])
def test_a_journal_is_a_regular_file_with_one_name(tmp_path, kind):
    path, canary = tmp_path / "j", tmp_path / "canary"
    canary.write_text("as it was")
    match kind:
        case "link":
            path.symlink_to(canary)
        case "dangling":
            path.symlink_to(tmp_path / "made")
        case "hard link":
            path.hardlink_to(canary)
        case "folder":
            path.mkdir()
        case "pipe":
            os.mkfifo(path)
        case "large":
            path.touch()
            os.truncate(path, 1 << 40)
    for read in (Journal, history_of):
        with pytest.raises(StoreError):
            read(path)
    assert canary.read_text() == "as it was"
    assert not (tmp_path / "made").exists()


def test_what_is_known_of_a_disk(tmp_path):
    with Journal(tmp_path / "j") as journal:
        assert not journal.known("SERIAL").taken
        taken = journal.begin(TakenAct("SERIAL", "7"))
        array = journal.begin(ARRAY)
        known = journal.known("SERIAL")
        assert (known.taken, known.returned, known.uuids) == (True, None, {UUID})
        assert not journal.known("OTHER").taken
        journal.undone(array)
        journal.undone(taken, sample="digest")
        known = journal.known("SERIAL")
        assert (known.taken, known.returned, known.uuids) == (False, "digest", frozenset())
    assert history_of(tmp_path / "j").known("SERIAL").returned == "digest"
    with Journal(tmp_path / "j") as journal:
        again = journal.begin(TakenAct("SERIAL", "8"))
        assert journal.known("SERIAL").returned is None
        journal.undone(again)  # what it left could not be read
        assert (journal.known("SERIAL").taken, journal.known("SERIAL").returned) == (False, None)


def test_a_long_journal_is_made_short_and_says_the_same(tmp_path):
    path = tmp_path / "j"
    with Journal(path) as journal:
        journal.undone(journal.begin(TakenAct("A", "1")), sample="of A")
        journal.begin(TakenAct("B", "2"))
        journal.begin(ARRAY)
    lines = path.read_text()
    noise = '{"n":9,"state":"done"}\n' * (COMPACT_BYTES // 20)
    path.write_text(lines + noise)
    before = history_of(path)
    with Journal(path) as journal:
        assert path.stat().st_size < 4096
        assert [entry.act for entry in journal.pending] == [ARRAY, TakenAct("B", "2")]
        with pytest.raises(BusyError):
            Journal(path)
        journal.begin(MOUNT)
    after = history_of(path)
    assert after.returned == before.returned == {"A": "of A"}
    assert [entry.act for entry in after.pending.values()] == [TakenAct("B", "2"), ARRAY, MOUNT]
    assert len({entry.number for entry in after.pending.values()}) == 3
    assert [each.name for each in tmp_path.iterdir()] == ["j"]


@pytest.mark.loop
def test_a_full_disk_leaves_whole_lines(tmp_path):
    """What is written when there is room again, such as that an act was taken back, follows a whole line."""
    (tmp_path / "small").mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "none", tmp_path / "small"], check=True)
    try:
        path = tmp_path / "small" / "j"
        filler = tmp_path / "small" / "filler"
        filler.write_bytes(bytes(16384))
        with Journal(path) as journal:
            entries = []
            with suppress(StoreError):
                while True:
                    entries.append(journal.begin(MOUNT))
            filler.unlink()
            journal.undone(entries[-1])
        with Journal(path) as journal:
            assert len(journal.pending) == len(entries) - 1
    finally:
        subprocess.run(["umount", tmp_path / "small"], check=True)
