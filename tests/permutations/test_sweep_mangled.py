"""Whatever is done to a sweep file, the answer is a sweep or one clear line."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from permutations.errors import SweepError

FIVE = '[factors]\nlevel = ["raid5"]\ndisks = [4]\n[[workload]]\nname = "w"\nrw = "read"\nbs = "4k"\n'
PIECES = (
    FIVE + '[sweep]\nseed = 3\n[[forbid]]\nlevel = "raid6"\n[dataset]\nfiles = 8\n[objective]\nmaximise = "iops"\n'
).split(" ")
STRAYS = [
    '"', "'", "[", "]", "[[", "]]", "{", "}", "=", ",", "\n", "#", "-1", "0", "true", "nan", "inf", "1e400", "[]", "{}",
    '""', '"x"', '"default"', "[factors]", "[lab]", "[[workload]]", "[[objective]]", "1979-05-27", "0x10", "9" * 30,
    "options = {a = 1}", 'job_file = "/"', 'profile = {iops = 1, bandwidth = "1M"}', "\x1b", "\u2028", "level.x = 1",
]  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.integers(0, len(PIECES) - 1),
            st.sampled_from(["drop", "insert", "replace", "repeat"]),
            st.sampled_from(STRAYS),
        ),
        min_size=1,
        max_size=3,
    )
)
def test_mangled_sweeps_are_refused_in_words(sweep_of, edits):
    pieces = list(PIECES)
    for place, how, stray in edits:
        at = min(place, len(pieces) - 1)
        pieces[at : at + 1] = {
            "drop": [],
            "insert": [stray, pieces[at]],
            "replace": [stray],
            "repeat": [pieces[at], pieces[at]],
        }[how]
    error = refusal(sweep_of, " ".join(pieces))
    assert error is None or str(error).startswith("t.toml")
    assert error is None or str(error).isprintable()
    assert error is None or error.line is None or error.line >= 1


def refusal(sweep_of, text: str) -> SweepError | None:
    try:
        sweep_of(text)
    except SweepError as error:
        return error
    return None
