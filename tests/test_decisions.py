"""Decision records: one format, an index that lists them all, and references by number that exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "docs" / "decisions"
RECORDS = tuple(sorted(FOLDER.glob("[0-9]*.md")))
SECTIONS = ["Status", "Context", "Decision", "Consequences"]
STATUS = re.compile(r"(Accepted|Superseded by \[?\d+)\b")


def title(path: Path) -> tuple[int, str]:
    """Number and title of a record, from its first line."""
    found = re.match(r"# (\d+)\. (.+)\n", path.read_text())
    assert found, path
    return int(found[1]), found[2]


@pytest.mark.parametrize("path", RECORDS, ids=lambda path: path.name)
def test_a_record_is_named_by_its_title_and_has_the_four_sections(path: Path) -> None:
    number, words = title(path)
    slug = re.sub(r"[^a-z0-9]+", "-", re.sub(r"['/]", "", words.lower())).strip("-")
    assert path.name == f"{number:04d}-{slug}.md"
    text = path.read_text()
    assert re.findall(r"^## (.+)$", text, flags=re.MULTILINE) == SECTIONS
    assert all(re.split(r"^## .+$", text, flags=re.MULTILINE)[1:])
    assert STATUS.match(text.partition("## Status\n\n")[2])


def test_the_index_lists_every_record_with_its_title() -> None:
    rows = re.findall(
        r"^\| [^|]+ \| (\d+) \| \[(.+)\]\((\S+)\) \| [^|]+ \|$", (FOLDER / "index.md").read_text(), re.MULTILINE
    )
    assert sorted((int(number), words, name) for number, words, name in rows) == [
        (*title(path), path.name) for path in RECORDS
    ]


def test_a_number_is_used_once_and_not_after_it_was_replaced() -> None:
    numbers = [title(path)[0] for path in RECORDS]
    assert len(set(numbers)) == len(numbers)
    for path in RECORDS:
        status = path.read_text().partition("## Status\n\n")[2].partition("\n\n")[0]
        replaced = re.search(r"Replaces ((?:\d+(?:, | and )?)+)", status)
        assert not set(map(int, re.findall(r"\d+", replaced[1] if replaced else ""))) & set(numbers), path


def test_a_decision_that_is_named_by_its_number_exists() -> None:
    numbers = {title(path)[0] for path in RECORDS}
    folders = ("bench", "permutations", "results", "scripts", "docs", "tests")
    files = [*ROOT.glob("*.md"), *(path for folder in folders for path in (ROOT / folder).rglob("*"))]
    for path in files:
        if path.suffix in {".py", ".md", ".c", ".h", ".toml", ".sh", ".jinja", ".yml"}:
            named = re.findall(r"\bdecision (\d+)\b", path.read_text(errors="replace"))
            assert set(map(int, named)) <= numbers, path
