"""Tables for people: nothing is broken or lost in silence, whatever the terminal."""

from __future__ import annotations

import shutil
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from bench.cli.output import wrap
from bench.cli.status_table import _block_marks
from bench.cli.terminal_table import TerminalTable, drop_optional_columns, record_lines, table_lines, wrap_headers
from tests.bench.cli.test_recommend_and_report import stripelab
from tests.results import synthetic
from tests.results.synthetic import Plan, raid_truth

ROOT = Path(__file__).parents[3]

TABLE = TerminalTable(
    ("point", "IOPS", "95 % interval", "usable", "measured on"),
    (("raid5 x4 64K xfs flat", "12,300", "12,000 to 12,600", "3.75 TiB", "uml"),),
    (False, True, True, True, False),
    optional=("usable", "IOPS"),
)


def test_a_wide_terminal_has_every_column():
    assert drop_optional_columns(TABLE, 120) == (TABLE, ())


def test_a_narrow_terminal_loses_columns_in_order_and_says_which():
    shown, left_out = drop_optional_columns(TABLE, 70)
    assert left_out == ("usable",)
    assert shown.headers == ("point", "IOPS", "95 % interval", "measured on")
    assert shown.rows[0] == ("raid5 x4 64K xfs flat", "12,300", "12,000 to 12,600", "uml")
    assert shown.right == (False, True, True, False)


def test_what_it_was_measured_on_is_never_left_out():
    shown, left_out = drop_optional_columns(TABLE, 20)
    assert left_out == ("usable", "IOPS")
    assert "measured on" in shown.headers


def test_plain_columns_line_up():
    head, row = table_lines(TABLE)
    assert head.index("IOPS") + len("IOPS") == row.index("12,300") + len("12,300")


def test_a_row_that_is_too_wide_is_a_block_of_lines():
    assert record_lines(("a", "long"), (("1", "2"),))[1:] == ["a     1", "long  2"]


def test_each_block_has_a_mark_and_many_blocks_are_counted():
    assert _block_marks({0: "ok", 1: "failed", 2: "invalid", 3: ""}) == "●✗!·"
    assert _block_marks(dict.fromkeys(range(40), "ok") | {40: "failed"}) == "40 ●, 1 ✗"


def test_status_has_a_row_a_point_and_the_mark_of_the_lab(tmp_path):
    plan = Plan(raid_truth()[2:5], replicates=3, substrate="uml")
    ended = {(0, 0): "failed", (1, 2): "invalid"}
    synthetic.write(tmp_path / "s", plan, status=lambda *at: ended.get(at, "ok"))
    shutil.copy(ROOT / "examples/first-sweep.toml", tmp_path / "s" / "sweep.toml")
    shown = stripelab("status", tmp_path / "s").stdout
    assert "!!! NOT REAL HARDWARE" in shown
    assert "random-write: IOPS, median" in shown
    rows = {line.split("  ")[1]: line for line in shown.splitlines() if line.startswith("  raid0")}
    assert "✗●●" in rows["raid0 x4 64K ext4 flat"]
    assert "●●!" in rows["raid0 x4 64K xfs flat"]
    assert "more points have no trial yet" in shown


@given(st.text(alphabet="ab -", max_size=200), st.integers(30, 120))
def test_prose_is_wrapped_between_words_and_loses_none(text, columns):
    for line in (text, f"  - {text}", f"    {text}"):
        made = wrap(line, columns)
        assert made.split() == line.split()
        assert all(len(each) <= columns or " " not in each.strip() for each in made.splitlines())


def test_what_follows_a_bullet_is_set_in_as_the_bullet_is():
    assert wrap("  - one two three four five six", 24) == "  - one two three four\n    five six"


def test_headers_are_wrapped_where_there_is_no_room_for_all_of_them_and_none_is_cut():
    headers, row = ("point", "measured on", "95 % interval"), ("raid5", "uml", "392 to 411")
    table = TerminalTable(headers, (row,), (False, False, True))
    assert wrap_headers(table, 80) == headers
    narrow = wrap_headers(table, 32)
    assert narrow[1:] == ("measured\non", "95 %\ninterval")
