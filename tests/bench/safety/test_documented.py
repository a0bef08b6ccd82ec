"""The page of the safety checks says what the code checks, and what it cannot see."""

from __future__ import annotations

import re
from pathlib import Path

from bench.safety.checks import CHECKS, CONTENT, PASSING
from bench.safety.limits import LIMITS

PAGE = (Path(__file__).parents[3] / "docs" / "safety-checks.md").read_text()


def test_every_check_has_its_row_and_every_row_its_check():
    assert re.findall(r"^\| `(\w+)` \|", PAGE, flags=re.MULTILINE) == list(CHECKS)


def test_every_limit_is_on_the_page():
    section = PAGE.partition("## What the safety checks cannot see")[2]
    assert tuple(re.findall(r"^- (.*)$", section, flags=re.MULTILINE)) == LIMITS


def test_every_check_says_what_must_hold():
    assert all(check.__doc__ for check in CHECKS.values())
    assert set(CHECKS) >= CONTENT | PASSING
