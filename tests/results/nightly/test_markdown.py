"""Markdown, read by a CommonMark parser with tables."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from results.nightly import answer, words
from results.nightly.markdown import code, markdown, text
from results.text import plain
from tests.results.nightly import nights
from tests.results.nightly.nights import night

READER = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])


def tables(source):
    """Rows of cells of every table, each cell as the text that a reader sees."""
    found, row, inside = [], [], False
    for token in READER.parse(source):
        if token.type == "table_open":
            found.append([])
        elif token.type == "tr_open":
            row = []
        elif token.type == "tr_close":
            found[-1].append(row)
        elif token.type in {"th_open", "td_open"}:
            inside = True
        elif token.type in {"th_close", "td_close"}:
            inside = False
        elif token.type == "inline" and inside:
            row.append("".join(child.content for child in token.children))
    return found


def test_what_wants_attention_is_in_the_open_and_what_is_well_is_folded():
    source = markdown(night())
    loud, quiet = tables(source)
    assert [row[0].split(maxsplit=1)[1] for row in loud[1:]] == [
        "regression",
        "tonight only",
        "drift",
        "unconfirmed",
        "no verdict",
        "known regression",
        "recovered",
        "improvement",
    ]
    assert [row[1] for row in quiet[1:]] == ["segment-scan read, bandwidth, raid5, 4 disks, 64 KiB, xfs"]
    assert source.index("<details>") > source.index("unconfirmed")
    assert "- kernel: 6.1.0-38 \N{RIGHTWARDS ARROW} 6.1.0-40" in source


def test_a_bound_that_was_broken_is_not_folded_away():
    broken = replace(nights.OTHERS[1].watched[0], held=False)
    source = markdown(night(replace(nights.OTHERS[1], watched=(broken,))))
    assert source.index("guarantee broken") < source.index("<details>")


@settings(deadline=None, max_examples=40)
@given(nights.nights)
def test_the_tables_of_any_night_hold_its_verdicts_and_its_names(one):
    rows = [row for table in tables(markdown(one)) for row in table[1:]]
    loud = [verdict for verdict in one.ordered() if verdict.word != answer.OK]
    quiet = [verdict for verdict in one.ordered() if verdict.word == answer.OK]
    assert [row[1].strip() for row in rows] == [plain(each.metric.name).strip() for each in (*loud, *quiet)]
    assert all(len(row) == len(words.HEADERS) for row in rows)


@given(nights.texts)
def test_text_is_only_text(written):
    shown = plain(written)
    (_, inline, _) = READER.parse(text(f"x{shown}"))
    assert "".join(child.content for child in inline.children) == f"x{shown}".strip()
    kinds = {token.type for token in READER.parse(text(shown))}
    assert kinds <= {"paragraph_open", "inline", "paragraph_close"}


@given(st.text(alphabet=" `|\\ab", min_size=1, max_size=10))
def test_a_code_span_holds_anything(written):
    (_, inline, _) = READER.parse(f"x{code(written)}x")
    assert [child.content for child in inline.children if child.type == "code_inline"] == [written]
