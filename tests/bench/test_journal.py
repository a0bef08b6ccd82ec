"""The journal: intent before act, recovery newest first, torn lines, one writer."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.errors import BusyError, StackError, StoreError
from bench.journal import Act, Journal, effect, recover


def states(path: Path) -> list[str]:
    return [json.loads(line)["state"] for line in path.read_text().splitlines()]


def test_the_intent_is_on_disk_before_the_act(tmp_path):
    path = tmp_path / "j"
    seen = []
    with Journal(path) as journal, effect(journal, "mount", {}, lambda: seen.extend(states(path)), lambda _: None):
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
            effect(journal, "filesystem", {}, fail, lambda act: undone.append(act.number)),
        ):
            pytest.fail("the body must not run")
        assert undone == [1]
        assert journal.pending == ()


def test_where_undoing_fails_the_act_stays_pending(tmp_path):
    def stuck(_: Act) -> None:
        raise StackError("target is busy")

    with Journal(tmp_path / "j") as journal:
        with pytest.raises(StackError, match="busy"), effect(journal, "mount", {}, lambda: None, stuck):
            pass
        assert [act.kind for act in journal.pending] == ["mount"]


def test_recovery_takes_back_newest_first_and_only_what_is_pending(tmp_path):
    path = tmp_path / "j"
    with Journal(path) as journal:
        for kind in ("md", "filesystem", "mount"):
            journal.begin(kind, {"of": kind})
        journal.undone(journal.pending[1])
    order: list[str] = []
    with Journal(path) as journal:
        lines = recover(journal, dict.fromkeys(("md", "filesystem", "mount"), lambda act: order.append(act.kind)))
        assert order == ["mount", "md"]
        assert len(lines) == 2
        assert journal.pending == ()
    with Journal(path) as journal:
        assert journal.pending == ()


def test_a_kind_that_is_not_known_is_refused_rather_than_forgotten(tmp_path):
    with Journal(tmp_path / "j") as journal:
        journal.begin("teleport", {})
        with pytest.raises(StoreError, match="teleport"):
            recover(journal, {})
        assert len(journal.pending) == 1


def test_a_second_writer_is_refused(tmp_path):
    with Journal(tmp_path / "j"), pytest.raises(BusyError):
        Journal(tmp_path / "j")


@settings(max_examples=60, deadline=None)
@given(cut=st.integers(min_value=0, max_value=400))
def test_a_torn_tail_loses_at_most_the_record_that_was_being_written(tmp_path_factory, cut):
    path = tmp_path_factory.mktemp("torn") / "j"
    with Journal(path) as journal:
        first = journal.begin("mount", {"point": "/mnt/a"})
        journal.done(first)
        journal.begin("md", {"name": "stripelab-x"})
    whole = path.read_bytes()
    kept = whole[: max(0, len(whole) - cut)]
    path.write_bytes(kept)
    expected = sum(b'"state":"begun"' in line for line in kept.split(b"\n")[:-1])
    with Journal(path) as journal:
        assert len(journal.pending) == expected
        journal.begin("queue", {})
    with Journal(path) as journal:
        assert len(journal.pending) == expected + 1


def test_a_damaged_line_in_the_middle_is_an_error_with_its_line(tmp_path):
    path = tmp_path / "j"
    with Journal(path) as journal:
        journal.begin("mount", {})
        journal.begin("md", {})
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"\xff{garbage}\n" + lines[1])
    with pytest.raises(StoreError, match=r":1: the journal is damaged"):
        Journal(path)
