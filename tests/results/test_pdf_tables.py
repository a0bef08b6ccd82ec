"""Tables on paper: what is asked to stand in one line does, and nothing leaves the page for it."""

from __future__ import annotations

import subprocess
import xml.etree.ElementTree as ET
from collections import defaultdict
from pathlib import Path

import pytest
import weasyprint

from results.report.render import read, template_of
from results.report.tables import Cell, Column, Grid, Row

RIGHT_MARGIN_PT = 15 / 25.4 * 72
"""As in paged.css."""

_NAME = "raid10 x4 128K ext4 flat scheduler=mq-deadline"
_RANKING: dict[Column, str] = {
    Column("rank", right=True): "200",
    Column("bandwidth, MiB/s", right=True): "77.4",
    Column("95 % interval", right=True): "76.1 to 78.7",
    Column("of best", right=True): "100 %",
    Column("tied for best"): "statistically",
    Column("trials, by block"): "1, 2",
    Column("disk failures survived", right=True): "0",
    Column("usable", right=True): "4.00 GiB",
}


def grid(name: str, columns: dict[Column, str]) -> Grid:
    cells = (Cell(name, name), *(Cell(text, text) for text in columns.values()))
    return Grid("a ranking", (Column("point"), *columns), (Row(cells),) * 3)


def words(table: Grid, folder: Path) -> list[tuple[float, float, str]]:
    """Bottom and right edge of each word on paper, in points, and the word."""
    body = template_of("parts.html.jinja").module.grid(table)  # type: ignore[attr-defined]
    page = f"<style>{read('paged.css')}</style><section id=ranking>{body}</section>"
    weasyprint.HTML(string=page, media_type="print").write_pdf(folder / "table.pdf")
    subprocess.run(["pdftotext", "-bbox", "table.pdf", "words.xml"], cwd=folder, check=True)
    found = ET.parse(folder / "words.xml").iter("{http://www.w3.org/1999/xhtml}word")
    return [(float(each.get("yMax", "0")), float(each.get("xMax", "0")), each.text or "") for each in found]


def lines_of_names(found: list[tuple[float, float, str]], name: str) -> int:
    """The most lines that the words of a name stand in, of three rows."""
    parts, lines = set(name.split()), defaultdict(set)
    for bottom, _, word in found:
        if word in parts:
            lines[round(bottom)].add(word)
    return len(lines) // 3


def test_a_ranking_of_bandwidth_has_its_points_in_one_line_within_the_page(tmp_path):
    table = grid(_NAME, _RANKING)
    assert table.one_line
    found = words(table, tmp_path)
    assert lines_of_names(found, _NAME) == 1
    assert max(right for _, right, _ in found) <= 595.3 - RIGHT_MARGIN_PT + 1


def test_the_longest_name_that_may_stand_in_one_line_stays_within_the_page(tmp_path):
    """Wide letters, as an engineer's own labels may have them."""
    longest = max((length for length in range(150) if grid("w" * length, _RANKING).one_line), default=0)
    assert 45 < longest < 60
    name = ("raid6 x24 512K NVMe-9460 " * 9)[:longest].strip()
    found = words(grid(name, _RANKING), tmp_path)
    assert max(right for _, right, _ in found) <= 595.3 - RIGHT_MARGIN_PT + 1


@pytest.mark.parametrize(
    "more", [{Column("predicted", right=True): "77.4", Column("measured on", whole=True): "VIRTUAL LAB"}]
)
def test_where_more_stands_beside_them_names_wrap(more, tmp_path):
    table = grid(_NAME, _RANKING | more)
    assert not table.one_line
    found = words(table, tmp_path)
    assert lines_of_names(found, _NAME) > 1
    assert max(right for _, right, _ in found) <= 595.3 - RIGHT_MARGIN_PT + 1
