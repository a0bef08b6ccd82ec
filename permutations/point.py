"""A design point: one combination of settings, with an identity made from its content."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType

from permutations.factors import FACTORS
from permutations.identity import digest
from stripelab.raid import LEVELS, Level
from stripelab.settings import DEFAULT, Setting, applies, label


@dataclass(frozen=True)
class DesignPoint:
    """One combination of settings.

    ``values`` are in the order of :data:`FACTORS`.  ``varied`` names the factors that vary in the
    sweep; it is used for the label only and is not part of the identity.
    """

    values: tuple[Setting, ...]
    varied: frozenset[str] = field(default=frozenset(), compare=False)

    @cached_property
    def settings(self) -> Mapping[str, Setting]:
        """Every factor by name; None if it does not apply or the tool chooses it."""
        return MappingProxyType(dict(zip(FACTORS, self.values, strict=True)))

    @cached_property
    def id(self) -> str:
        """Twelve hex digits made from the settings alone: the same in every sweep."""
        return digest(self.settings, 12)

    def __getitem__(self, factor: str) -> Setting:
        return self.settings[factor]

    def text(self, factor: str) -> str | None:
        """The setting of a text factor."""
        value = self.settings[factor]
        return None if value is None else str(value)

    def number(self, factor: str) -> int | None:
        """The setting of a number factor."""
        value = self.settings[factor]
        return None if value is None else int(value)

    @property
    def level(self) -> str:
        """RAID level, or jbod."""
        return str(self.settings["level"])

    @property
    def raid(self) -> Level:
        """Facts of the RAID level."""
        return LEVELS[self.level]

    @property
    def disks(self) -> int:
        """Member disks."""
        return int(self.settings["disks"] or 0)

    @property
    def filesystem(self) -> str:
        """Filesystem, or raw."""
        return str(self.settings["filesystem"])

    @property
    def chunk_kib(self) -> int | None:
        """Chunk of md; None if the level has none, or if mdadm chooses it."""
        return self.number("chunk_kib")

    @property
    def raid10_layout(self) -> str | None:
        """Layout of raid10; None for other levels, or if mdadm chooses it."""
        return self.text("raid10_layout")

    def label(self) -> str:
        """Short text for users: ``raid5 x4 64K xfs flat``, then any other factor that varies."""
        shown = {
            name: DEFAULT if value is None and applies(name, self.settings) else value
            for name, value in self.settings.items()
        }
        return label(shown, [name for name in FACTORS if name in self.varied])


@dataclass(frozen=True)
class PlannedTrial:
    """One execution of a point: in ``block`` (from 0), at ``run_order`` (from 0) of the whole plan.

    ``whole_plot`` and ``sub_plot`` number the arrays and the filesystems of a split-plot order: trials
    with the same number run on the same one.  ``phase`` is that of a race.  ``night`` (ISO 8601 date) and
    ``role`` are those of a nightly run; ``disk_checks`` is how often every disk is read alone before the
    trial, None if that depends on the block.
    """

    trial_id: str
    point: DesignPoint
    block: int
    run_order: int
    whole_plot: int | None = None
    sub_plot: int | None = None
    phase: str | None = None
    night: str | None = None
    role: str | None = None
    disk_checks: int | None = None


def trial_id(
    point_id: str,
    protocol_id: str,
    block: int,
    phase: str | None = None,
    *,
    night: str | None = None,
    role: str | None = None,
) -> str:
    """Sixteen hex digits made from the point, the protocol, the block, and the night if there is one."""
    content = {"point": point_id, "protocol": protocol_id, "block": block, "phase": phase}
    return digest({**content, "night": night, "role": role}, 16)
