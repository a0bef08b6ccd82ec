from __future__ import annotations

import json
import re

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from results.text import encodable, json_text, plain, plain_lines
from tests.hostile import TEXTS, driving

any_text = st.text(st.characters(exclude_categories=())) | st.binary().map(
    lambda content: content.decode("utf-8", "surrogateescape")
)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b]8;;x\x07", r"\x1b]8;;x\x07"),
        ("\x9b31m", r"\u009b31m"),
        ("caf\udce9", r"caf\xe9"),
        ("\ud800", r"\ud800"),
        ("a\u202eb", r"a\u202eb"),
        ("\U000e0041", r"\U000e0041"),
        ("a\r\n\tb\x7f", r"a\r\n\tb\x7f"),
        ("Größe 4 µs ▁█ 🙂 \xa0", "Größe 4 µs ▁█ 🙂 \xa0"),
        (r"C:\x1b", r"C:\x1b"),
    ],
)
def test_what_is_not_visible_is_an_escape(text: str, shown: str) -> None:
    assert plain(text) == shown


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_no_hostile_name_gets_through(text: str) -> None:
    assert not driving(plain(text), kept="")
    assert not driving(plain_lines(text))
    assert not driving(json_text({text: [text]}))
    plain(text).encode()


@given(any_text)
def test_any_text_becomes_one_line_that_utf8_holds_and_no_terminal_obeys(text: str) -> None:
    shown = plain(text)
    assert not driving(shown, kept="")
    assert len(shown.splitlines()) <= 1
    assert shown.encode().decode() == shown
    assert plain(shown) == shown


@given(any_text)
def test_any_text_of_lines_keeps_its_lines(text: str) -> None:
    shown = plain_lines(text)
    assert not driving(shown)
    assert shown.count("\n") == text.count("\n")
    assert plain_lines(shown) == shown
    assert plain("\n".join(shown.split("\n"))) == plain(text)


@given(any_text.filter(lambda text: "\\" not in text))
def test_without_a_backslash_the_text_can_be_had_back(text: str) -> None:
    """Only a backslash of its own can be taken for an escape: that is why the answer in JSON has the text itself."""

    def meant(escape: re.Match[str]) -> str:
        code = int(escape[1] or escape[2] or escape[3] or "0", 16)
        byte = 0xDC00 if escape[1] and code > 127 else 0
        return {r"\n": "\n", r"\r": "\r", r"\t": "\t"}.get(escape[0]) or chr(byte + code)

    escapes = r"\\(?:x(\w\w)|u(\w{4})|U(\w{8})|[nrt])"
    assert re.sub(escapes, meant, plain(text), flags=re.ASCII) == text


@given(any_text)
def test_text_without_surrogates_comes_back_from_json(text: str) -> None:
    for ascii_only in (False, True):
        for indent in (None, 2):
            written = json_text({text: [text]}, indent=indent, ascii_only=ascii_only)
            assert not driving(written, kept="\n")
            assert written.isascii() or not ascii_only
            kept = encodable(text)
            assert json.loads(written) == {kept: [kept]}
            assert msgspec.json.decode(written.encode()) == {kept: [kept]}, "a parser that refuses lone surrogates"
            assert kept == text or any("\ud800" <= character <= "\udfff" for character in text)


def test_a_figure_that_json_has_no_word_for_is_null() -> None:
    value = {"a": float("nan"), "b": [float("inf"), (1.5, -float("inf"))]}
    assert json.loads(json_text(value)) == {"a": None, "b": [None, [1.5, None]]}


@given(any_text)
def test_text_that_utf8_cannot_hold_is_escaped_and_all_other_stays(text: str) -> None:
    kept = encodable(text)
    kept.encode()
    try:
        text.encode()
    except UnicodeEncodeError:
        assert kept != text
    else:
        assert kept == text
