"""The factors: the settings of the storage stack that a sweep may vary, from the array upwards.

To add a factor, add an entry to :data:`FACTORS` (and its column to the result store); readers,
rules, enumeration, ids and labels follow from the entry.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from stripelab.raid import RAID10_LAYOUTS
from stripelab.settings import CONDITIONS, Condition, Setting, applies

SCHEDULERS = ("none", "mq-deadline", "kyber", "bfq")
OPTION_FACTORS = ("mkfs_options", "mount_options")
"""Factors whose values are program options, which differ between filesystems."""


@dataclass(frozen=True)
class Factor:
    """One setting that a sweep may vary.

    ``words`` are the allowed values of a text factor; with None, ``problem`` alone decides.  ``problem`` returns
    the error in a value of the right type, or None.  ``default`` is the value if the sweep does not
    name the factor.  ``optional`` is whether "default" is allowed.
    """

    name: str
    kind: type[str | int]
    doc: str
    words: tuple[str, ...] | None = None
    problem: Callable[[Setting], str | None] = lambda _value: None
    default: Setting = None
    optional: bool = True

    def applies(self, settings: Mapping[str, Setting]) -> bool:
        """Whether the factor applies at ``settings``, which must have the factor it depends on."""
        return applies(self.name, settings)

    @property
    def when(self) -> Condition | None:
        """Condition for the factor to apply; None if it always applies."""
        return CONDITIONS.get(self.name)


def between(low: int, high: int, *, step: int = 1) -> Callable[[Setting], str | None]:
    """A check: a whole number from ``low`` to ``high`` and a multiple of ``step``."""
    multiple = f" and a multiple of {step}" if step > 1 else ""

    def problem(value: Setting) -> str | None:
        good = isinstance(value, int) and low <= value <= high and value % step == 0
        return None if good else f"must be from {low} to {high}{multiple}"

    return problem


def power_of_two(low: int, high: int) -> Callable[[Setting], str | None]:
    """A check: a power of two from ``low`` to ``high``."""

    def problem(value: Setting) -> str | None:
        good = isinstance(value, int) and low <= value <= high and value.bit_count() == 1
        return None if good else f"must be a power of two from {low} to {high}"

    return problem


def fan_out(value: Setting) -> str | None:
    """A check: ``flat``, ``per-disk`` or ``hashed-AxB`` with A and B from 1 to 256."""
    if value in {"flat", "per-disk"}:
        return None
    match = re.fullmatch(r"hashed-([1-9]\d{0,2})x([1-9]\d{0,2})", str(value), re.ASCII)
    if match and all(int(part) <= 256 for part in match.groups()):
        return None
    return "must be flat, per-disk or hashed-AxB with A and B from 1 to 256"


def option_line(value: Setting) -> str | None:
    """A check: one line of options; ``bench`` knows which of them a filesystem supports."""
    text = str(value)
    return None if text.strip() and text.isprintable() else "must be one line of options"


def bare_word(value: Setting) -> str | None:
    """A check for words whose list only ``bench`` has."""
    return None if re.fullmatch(r"[a-z][a-z0-9_.-]{0,31}", str(value)) else "must be a word such as xfs"


FACTORS: Mapping[str, Factor] = {
    factor.name: factor
    for factor in (
        Factor("level", str, "RAID level, or jbod", problem=bare_word, optional=False),
        Factor("disks", int, "member disks", problem=between(1, 256), optional=False),
        Factor("chunk_kib", int, "md chunk, KiB", problem=power_of_two(4, 65536)),
        Factor(
            "raid10_layout",
            str,
            "where md puts the copies of raid10",
            words=RAID10_LAYOUTS,
        ),
        Factor(
            "stripe_cache_pages",
            int,
            "md stripe_cache_size, pages per disk; the range is md(4)'s",
            problem=between(17, 32768),
        ),
        Factor("filesystem", str, "filesystem, or raw", problem=bare_word, default="xfs", optional=False),
        Factor("mkfs_options", str, "further options of mkfs", problem=option_line),
        Factor("mount_options", str, "options of mount", problem=option_line),
        Factor(
            "layout",
            str,
            "directory layout",
            problem=fan_out,
            default="flat",
            optional=False,
        ),
        Factor("scheduler", str, "I/O scheduler of the member disks", words=SCHEDULERS),
        Factor("read_ahead_kib", int, "read-ahead of the top device, KiB", problem=between(0, 1 << 20, step=4)),
        Factor("nr_requests", int, "queue length of the member disks", problem=between(4, 65536)),
    )
}
"""Every factor by name.  A factor comes after the one that it depends on."""
