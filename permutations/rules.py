"""Which combinations are left out: what md and the hardware allow, and what the sweep forbids.

A rule names the factors that it looks at, so that enumeration can ask it as soon as these are
bound and never walk a subtree that is lost anyway.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from permutations.factors import FACTORS, Setting

Settings = Mapping[str, Setting]


@dataclass(frozen=True)
class Rule:
    """One reason to leave combinations out.

    ``breaks`` is asked with at least ``factors`` bound, and says whether the combination is lost.
    """

    name: str
    reason: str
    factors: frozenset[str]
    breaks: Callable[[Settings], bool]


@dataclass(frozen=True)
class Forbid:
    """A ``[[forbid]]`` table: a combination is lost where every key matches; a list means any of.

    A factor that does not apply to a combination matches nothing, not even ``default``.
    """

    keys: tuple[tuple[str, tuple[Setting, ...]], ...]
    reason: str | None = None

    def breaks(self, settings: Settings) -> bool:
        """Whether every key matches."""
        return all(FACTORS[name].applies(settings) and settings[name] in values for name, values in self.keys)

    def rule(self, number: int) -> Rule:
        """The rule that this table is; ``number`` counts the tables of the sweep, from 1."""
        return Rule(
            name=f"forbid-{number}",
            reason=self.reason or "the sweep forbids " + self.describe(),
            factors=with_conditions(name for name, _ in self.keys),
            breaks=self.breaks,
        )

    def describe(self) -> str:
        """The table in words: ``level raid5 or raid6 with filesystem btrfs``."""
        return " with ".join(
            f"{name} " + " or ".join("default" if value is None else str(value) for value in values)
            for name, values in self.keys
        )


def with_conditions(names: Iterable[str]) -> frozenset[str]:
    """``names`` with the factors that decide whether they apply."""
    wanted = set(names)
    for name in tuple(wanted):
        condition = FACTORS[name].when
        if condition is not None:
            wanted.add(condition.on)
    return frozenset(wanted)


def _disks_rule(level: str, reason: str, allows: Callable[[int], bool]) -> Rule:
    def breaks(settings: Settings) -> bool:
        disks = settings["disks"]
        return settings["level"] == level and not (isinstance(disks, int) and allows(disks))

    return Rule(f"{level}-disks", reason, frozenset({"level", "disks"}), breaks)


HARDWARE_RULES: tuple[Rule, ...] = (
    _disks_rule("jbod", "jbod needs at least 1 disk", lambda disks: disks >= 1),
    _disks_rule("raid0", "raid0 needs at least 2 disks", lambda disks: disks >= 2),
    _disks_rule("raid1", "raid1 needs at least 2 disks", lambda disks: disks >= 2),
    _disks_rule("raid5", "raid5 needs at least 3 disks", lambda disks: disks >= 3),
    _disks_rule("raid6", "raid6 needs at least 4 disks", lambda disks: disks >= 4),
    _disks_rule(
        "raid10",
        "raid10 needs an even number of disks, at least 4",
        lambda disks: disks >= 4 and disks % 2 == 0,
    ),
)
"""What md allows, and where it allows more (raid0 on one disk, raid10 on three), what makes sense."""
