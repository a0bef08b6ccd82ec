"""Sweep files for tests of what is wrong with one."""

from __future__ import annotations

HEAD = '[factors]\nlevel = ["raid5"]\ndisks = [4]\n'
TAIL = '[[workload]]\nname = "w"\nrw = "read"\nbs = "4k"\n'
FIVE = HEAD + TAIL
"""The workload begins on line 4."""


def factors(lines: str) -> str:
    return f"[factors]\n{lines}\n{TAIL}"


def in_workload(lines: str) -> str:
    return FIVE + lines + "\n"
