"""What a design point was set to, as trials record it, and how to name it to a person.

A null in a factor column of ``trials`` means either that the factor does not apply (a mirror has no
chunk) or that it was left to the tool.  The two are told apart here: the first stays None, the
second becomes :data:`DEFAULT`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from results.store.schema import FACTOR_COLUMNS, TrialRow

Setting = str | int | None
DEFAULT = "default"
"""A factor that applies and was left to the tool (mdadm, mkfs, the kernel)."""

_PARITY = frozenset({"raid5", "raid6"})
_STRIPED = _PARITY | {"raid0", "raid10"}
_ALWAYS_NAMED = ("level", "disks", "chunk_kib", "filesystem", "layout")
_LEVEL_ORDER = ("jbod", "raid0", "raid1", "raid10", "raid5", "raid6")


SETTING_COLUMNS = (*FACTOR_COLUMNS, "labels", "imported_from")
"""Columns of ``trials`` that :func:`settings_of` looks at."""


def settings_of(trial: TrialRow) -> dict[str, Setting]:
    """Every factor of a trial: its value, :data:`DEFAULT`, or None where it does not apply.

    The labels of an import are factors too, after the others.  What an import does not say is None: nobody
    knows whether it was left to the tool.
    """
    return {name: _setting(trial, name) for name in FACTOR_COLUMNS} | dict(map(_label, trial.labels))


def settings_by_point(trials: Iterable[TrialRow]) -> dict[str, Mapping[str, Setting]]:
    """Settings of each point, all with the same factors: a label that a point lacks is None there."""
    found: dict[str, dict[str, Setting]] = {}
    for trial in trials:
        if trial.point_id not in found:
            found[trial.point_id] = settings_of(trial)
    labels = dict.fromkeys((name for each in found.values() for name in each), None)
    return {point: {**labels, **each} for point, each in found.items()}


def _label(text: str) -> tuple[str, Setting]:
    """A label's name and value; plain whole numbers are numbers, so that they are put in their order."""
    name, _, value = text.partition("=")
    whole = value.isascii() and value.isdigit() and value == str(int(value[:18]))
    return name, int(value) if whole else value


def _setting(trial: TrialRow, name: str) -> Setting:
    value: Setting = getattr(trial, name)
    if value is not None or trial.imported_from is not None:
        return value
    return DEFAULT if _applies(trial, name) else None


def _applies(trial: TrialRow, name: str) -> bool:
    """Whether a factor means anything at this point (md(4): only striped levels have a chunk, and so on)."""
    if name == "chunk_kib":
        return trial.level in _STRIPED
    if name == "raid10_layout":
        return trial.level == "raid10"
    if name == "stripe_cache_pages":
        return trial.level in _PARITY
    if name in {"mkfs_options", "mount_options", "layout"}:
        return trial.filesystem != "raw"
    return True


def varied(points: Iterable[Mapping[str, Setting]]) -> tuple[str, ...]:
    """Factors with more than one value among those points where they apply, in the order of the stack."""
    seen: dict[str, set[Setting]] = {name: set() for name in FACTOR_COLUMNS}
    for settings in points:
        for name, value in settings.items():
            if value is not None:
                seen.setdefault(name, set()).add(value)
    return tuple(name for name, values in seen.items() if len(values) > 1)


def label(settings: Mapping[str, Setting], varied_factors: Iterable[str]) -> str:
    """Short text for a person: ``raid5 x4 64K xfs flat``, then each other factor that varies."""
    words = [value_text(name, settings[name]) for name in _ALWAYS_NAMED if settings[name] not in {None, DEFAULT}]
    named = [name for name in varied_factors if name not in _ALWAYS_NAMED or settings[name] == DEFAULT]
    words += [f"{name}={settings[name]}" for name in named if settings[name] is not None]
    return " ".join(words)


def value_text(name: str, value: Setting) -> str:
    """A factor's value as it stands in a label."""
    if name == "disks":
        return f"x{value}"
    if name == "chunk_kib" and isinstance(value, int):
        return f"{value // 1024}M" if value % 1024 == 0 else f"{value}K"
    return "n/a" if value is None else str(value)


def ordered(name: str, values: Iterable[Setting]) -> list[Setting]:
    """Values of a factor from small to large, RAID levels in their usual order; "default" and None last."""
    return sorted(set(values), key=lambda value: _rank(name, value))


def _rank(name: str, value: Setting) -> tuple[int, int, str]:
    if value is None:
        return (3, 0, "")
    if isinstance(value, int):
        return (0, value, "")
    if value == DEFAULT:
        return (2, 0, "")
    known: Sequence[str] = _LEVEL_ORDER if name == "level" else ()
    return (1, known.index(value) if value in known else len(known), value)


def complexity(settings: Mapping[str, Setting]) -> tuple[int, int, int]:
    """How much there is to set up and keep: filesystems to fill, directory layout, settings off their default."""
    disks = settings["disks"]
    filesystems = disks if settings["level"] == "jbod" and isinstance(disks, int) else 1
    layout = 0 if settings["layout"] in {None, "flat"} else 1
    tuned = sum(1 for name in FACTOR_COLUMNS if name not in _ALWAYS_NAMED and settings[name] not in {None, DEFAULT})
    return (filesystems, layout, tuned)
