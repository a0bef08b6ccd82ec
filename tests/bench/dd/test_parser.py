from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.dd.parser import parse, parse_version
from bench.errors import EngineError

RECORDED = Path(__file__).parents[2] / "data" / "dd" / "9.1"


def recording(name: str) -> str:
    return (RECORDED / f"{name}.txt").read_bytes().decode()


@pytest.mark.parametrize(
    ("name", "total_bytes", "records"),
    [
        ("one-byte", 1, (1, 0)),
        ("999-bytes", 999, (1, 0)),
        ("1001-bytes", 1001, (1, 0)),
        ("10-mib", 10 << 20, (10, 0)),
        ("direct", 8 << 20, (8, 0)),
        ("progress", 60000 << 20, (60000, 0)),
        ("short-reads", 5, (0, 2)),
        ("nothing", 0, (0, 0)),
        ("unaligned", 0, (0, 0)),
    ],
)
def test_every_form_is_read(name: str, total_bytes: int, records: tuple[int, int]) -> None:
    text = recording(name)
    found = parse(text)
    assert found.total_bytes == total_bytes
    assert (found.full_records, found.partial_records) == records
    last = text.strip().splitlines()[-1]
    assert found.seconds == float(last.split("copied, ")[1].split(" s")[0])


def test_of_progress_lines_the_last_counts() -> None:
    text = recording("progress")
    assert "\r" in text
    assert parse(text).seconds > 1


def test_the_rate_is_bytes_by_seconds_and_not_the_rounded_one() -> None:
    found = parse("1+0 records in\n1+0 records out\n1001 bytes (1.0 kB) copied, 8.2835e-05 s, 12.1 MB/s\n")
    assert found.bw_bytes_s == pytest.approx(1001 / 8.2835e-05)


def test_no_time_has_no_rate() -> None:
    """Synthetic: a clock that did not move; dd prints ``Infinity B/s``."""
    assert parse("1+0 records in\n1+0 records out\n1 byte copied, 0 s, Infinity B/s\n").bw_bytes_s is None


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (recording("none"), "printed nothing"),
        (recording("noxfer"), "no line of bytes"),
        # Synthetic: other locales and other programs called dd.
        ("1+0 records in\n1+0 records out\n10 bytes copied, 0,0512609 s, 1,6 GB/s\n", "decimal comma"),
        ("1+0 records in\n1+0 records out\n1048576 bytes transferred in 0.000270 secs (3883611259 bytes/sec)\n", "BSD"),
        ("1+0 records in\n1+0 records out\n1048576 bytes (1.0MB) copied, 0.000632 seconds, 1.5GB/s\n", "BusyBox"),
        ("1+0 Datensätze ein\n1+0 Datensätze aus\n10 Bytes kopiert, 0,05 s, 1,6 GB/s\n", "Datensätze"),
    ],
)
def test_what_has_no_figures_says_why(text: str, reason: str) -> None:
    with pytest.raises(EngineError, match=reason):
        parse(text)


def test_the_version_of_gnu_dd() -> None:
    assert parse_version(recording("version")) == "9.1"


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("dd (uutils coreutils) 0.0.30\n", "uutils"),
        ("BusyBox v1.35.0 multi-call binary.\n", "BusyBox"),
        ("dd: unknown operand --version\n", "some other system's"),
        ("", "some other system's"),
    ],
)
def test_another_dd_is_named(text: str, name: str) -> None:
    """Synthetic: what other programs called dd answer to --version."""
    with pytest.raises(EngineError, match=name):
        parse_version(text)


@given(st.text(), st.sampled_from(["10-mib", "progress", "one-byte"]), st.integers(0, 200))
def test_mutations_raise_nothing_but_engine_errors(filler: str, name: str, at: int) -> None:
    text = recording(name)
    try:
        parse(text[:at] + filler + text[at + len(filler) :])
    except EngineError:
        return
