"""Settings of a design point: when a factor applies, and how a point is labelled."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from stripelab.raid import LEVELS, Level

Setting = str | int | None
"""The value of a factor at a point; None where it does not apply."""

DEFAULT = "default"
"""A factor that applies and is left to the tool (mdadm, mkfs, the kernel)."""
RAW = "raw"
"""The filesystem of a point that has none: the workload runs on the bare device."""
JBOD = "jbod"
RAID10 = "raid10"

FACTOR_NAMES = (
    "level",
    "disks",
    "chunk_kib",
    "raid10_layout",
    "stripe_cache_pages",
    "filesystem",
    "mkfs_options",
    "mount_options",
    "layout",
    "scheduler",
    "read_ahead_kib",
    "nr_requests",
)
"""Every factor of the storage stack, from the array upwards; a factor stands after the one that it depends on."""

_ALWAYS_NAMED = ("level", "disks", "chunk_kib", "filesystem", "layout")
"""Factors that a label shows by their value alone, since nobody could mistake them."""


@dataclass(frozen=True)
class Condition:
    """When a factor applies: where ``test`` is true of the value of the factor ``on``."""

    on: str
    test: Callable[[Setting], bool]
    words: str
    """Where it holds, for a person: ``on levels with a chunk``."""

    def holds(self, settings: Mapping[str, Setting]) -> bool:
        """Whether it holds; ``settings`` must have the factor ``on``."""
        return self.test(settings[self.on])


def _level_where(test: Callable[[Level], bool], words: str) -> Condition:
    """On levels of which ``test`` is true; false of a level that is not known, as an import may have."""
    return Condition("level", lambda value: isinstance(value, str) and value in LEVELS and test(LEVELS[value]), words)


_HAS_FILESYSTEM = Condition("filesystem", lambda value: value != RAW, "with a filesystem")
CONDITIONS: Mapping[str, Condition] = {
    "chunk_kib": _level_where(lambda level: level.striped, "on levels with a chunk"),
    "raid10_layout": _level_where(lambda level: level.name == RAID10, "on raid10"),
    "stripe_cache_pages": _level_where(lambda level: level.parity_disks > 0, "on levels with parity"),
    "mkfs_options": _HAS_FILESYSTEM,
    "mount_options": _HAS_FILESYSTEM,
    "layout": _HAS_FILESYSTEM,
}
"""Factors that do not apply everywhere (md(4): only striped levels have a chunk, and so on)."""


def applies(factor: str, settings: Mapping[str, Setting]) -> bool:
    """Whether a factor applies at ``settings``, which must have the factor that it depends on."""
    condition = CONDITIONS.get(factor)
    return condition is None or condition.holds(settings)


def label(settings: Mapping[str, Setting], varied: Iterable[str]) -> str:
    """Short text for a person: ``raid5 x4 64K xfs flat``, then each other factor that varies."""
    words = [value_text(name, settings[name]) for name in _ALWAYS_NAMED if settings[name] not in {None, DEFAULT}]
    named = [name for name in varied if name not in _ALWAYS_NAMED or settings[name] == DEFAULT]
    words += [f"{name}={settings[name]}" for name in named if settings[name] is not None]
    return " ".join(words)


def value_text(factor: str, value: Setting) -> str:
    """A factor's value as a label shows it."""
    if factor == "disks":
        return f"x{value}"
    if factor == "chunk_kib" and isinstance(value, int):
        return f"{value // 1024}M" if value % 1024 == 0 else f"{value}K"
    return "n/a" if value is None else str(value)


def ordered(factor: str, values: Iterable[Setting]) -> list[Setting]:
    """Values of a factor from small to large, RAID levels in their usual order; "default" and None last."""
    return sorted(set(values), key=lambda value: _rank(factor, value))


def _rank(factor: str, value: Setting) -> tuple[int, int, str]:
    if value is None:
        return (3, 0, "")
    if isinstance(value, int):
        return (0, value, "")
    if value == DEFAULT:
        return (2, 0, "")
    known: Sequence[str] = list(LEVELS) if factor == "level" else ()
    return (1, known.index(value) if value in known else len(known), value)


def complexity(settings: Mapping[str, Setting]) -> tuple[int, int, int]:
    """How much there is to set up and keep: filesystems to fill, directory layout, settings off their default."""
    disks = settings["disks"]
    filesystems = disks if settings["level"] == JBOD and isinstance(disks, int) else 1
    layout = 0 if settings["layout"] in {None, "flat"} else 1
    tuned = sum(1 for name in FACTOR_NAMES if name not in _ALWAYS_NAMED and settings[name] not in {None, DEFAULT})
    return (filesystems, layout, tuned)
