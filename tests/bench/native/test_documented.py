"""docs/native-engine.md says what the sources say."""

from __future__ import annotations

import re
from pathlib import Path

from bench.native.options import NUMBERS
from bench.native.text import LIMITS, Options

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs/native-engine.md").read_text()
SOURCE = ROOT / "bench/native/src"


def documented() -> dict[str, str]:
    """Default of every key in the table of options."""
    rows = re.findall(r"^\| (`[a-z_`, ]+`) \| [^|]+ \| (\d+) \|", PAGE, flags=re.MULTILINE)
    return {key: default for keys, default in rows for key in re.findall(r"[a-z_]+", keys)}


def test_every_option_is_in_the_table_with_its_default() -> None:
    in_c = set(re.findall(r'^    \{"(\w+)", FIELD', (SOURCE / "options.c").read_text(), flags=re.MULTILINE))
    assert set(documented()) == in_c == set(LIMITS)
    assert {key: int(default) for key, default in documented().items()} == {
        key: getattr(Options(), key) for key in LIMITS
    }


def test_every_option_is_written_for_a_load() -> None:
    assert {*NUMBERS, "exclusive"} == set(LIMITS)


def test_every_source_has_its_sentence() -> None:
    assert set(re.findall(r"^\| `(\w+\.[ch])` \|", PAGE, flags=re.MULTILINE)) == {
        path.name for path in SOURCE.iterdir() if path.suffix in {".c", ".h"}
    }
