from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.bench.importing.mutations import outcome, recordings, run


def test_a_file_that_went_wrong_is_read_or_refused_in_words() -> None:
    """The whole, a hundred thousand of them, is `make fuzz`."""
    counts = run(800, seed=7)
    assert counts["read"] > 80, "where nothing can be read any more the mutations are too coarse to find anything"
    assert sum(counts.values()) - counts["read"] > 80


@pytest.mark.parametrize("number", range(16))
def test_every_recording_is_read_or_refused_as_it_is(number: int) -> None:
    assert {outcome(text, number) for text in recordings()[number::16]}


@given(content=st.binary(max_size=200), number=st.integers(0, 40))
def test_any_bytes_at_all_are_read_or_refused(content: bytes, number: int) -> None:
    for text in (content, b'{"fio version": "fio-3.33", "jobs": [' + content):
        words = outcome(text, number)
        assert words == "read" or len(words) > len("no"), "refused without a reason"
