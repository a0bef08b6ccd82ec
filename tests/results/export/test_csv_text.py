from __future__ import annotations

import csv
import io
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from results.export.csv_text import cell_text, csv_cell
from results.text import plain_lines
from tests.hostile import TEXTS, driving

any_text = st.text(st.characters(exclude_categories=()))
formulas = st.builds("".join, st.tuples(st.text("'=+-@\t\n\r\uff1d", max_size=4), any_text))


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("=1+1", "'=1+1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("+x", "'+x"),
        ("-x", "'-x"),
        ("\t=1", "'\t=1"),
        ("\n=1", "'\n=1"),
        ("\r=1", "\\r=1"),
        ("\uff1d1", "'\uff1d1"),
        ("'=1", "''=1"),
        ("'tis", "'tis"),
        ("-1.5", "-1.5"),
        ("+2e-3", "+2e-3"),
        ("-", "-"),
        ("-1.5+cmd", "'-1.5+cmd"),
        ("raid5", "raid5"),
        (-1.5, -1.5),
        (None, None),
        (True, True),
    ],
)
def test_a_cell_that_a_spreadsheet_would_run_has_an_apostrophe(text: object, cell: object) -> None:
    assert csv_cell(text) == cell


@given(any_text | formulas | st.sampled_from(list(TEXTS.values())))
def test_any_cell_is_clean_runs_nothing_and_gives_its_text_back(text: str) -> None:
    cell = csv_cell(text)
    assert not driving(cell)
    assert cell[:1] not in set("=@\t\n\uff1d\uff0b\uff0d\uff20")
    if cell[:1] in set("+-"):
        assert cell == "-" or float(cell) is not None
    assert cell_text(cell) == plain_lines(text)
    documented = re.sub("^'(?='*[=+@\\t\\n\uff1d\uff0b\uff0d\uff20-])", "", cell)
    assert documented == plain_lines(text)


@given(st.lists(any_text | formulas, min_size=1, max_size=5))
def test_any_row_comes_back_from_the_file(texts: list[str]) -> None:
    sink = io.StringIO(newline="")
    csv.writer(sink, lineterminator="\r\n").writerow(map(csv_cell, texts))
    ((*cells,),) = csv.reader(io.StringIO(sink.getvalue(), newline=""))
    assert [cell_text(cell) for cell in cells] == [plain_lines(text) for text in texts]
