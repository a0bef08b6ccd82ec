"""What differs between two states of a host: machine, disks, tools, settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from results.store.schema import EnvironmentRow
from results.text import plain

UNKNOWN = "\N{EN DASH}"
_MACHINE = {
    "substrate": "substrate",
    "kernel": "kernel",
    "architecture": "architecture",
    "os_release": "distribution",
    "cpu_model": "CPU model",
    "cpus": "CPUs online",
    "cpu_governor": "frequency governor",
    "memory_bytes": "memory, bytes",
    "hostname": "host",
    "stripelab_version": "stripelab",
}
_OF_DISK = {
    "disk_models": "model",
    "disk_firmwares": "firmware",
    "disk_sizes_bytes": "size, bytes",
    "disk_logical_block_bytes": "logical block, bytes",
    "disk_rotational": "rotational",
}


@dataclass(frozen=True, kw_only=True)
class Change:
    """What differs: kernel, firmware, a tool, a setting, a disk, temperature, wear."""

    what: str
    before: str | None
    after: str | None


def environment_changes(before: EnvironmentRow, after: EnvironmentRow) -> tuple[Change, ...]:
    """Every difference between two environments: machine, disks by their identity, tools by their name."""
    found = [
        Change(what=words, before=_text(getattr(before, name)), after=_text(getattr(after, name)))
        for name, words in _MACHINE.items()
        if getattr(before, name) != getattr(after, name)
    ]
    return (*found, *_disks(before, after), *_by_name("", _tools(before), _tools(after)))


def _disks(before: EnvironmentRow, after: EnvironmentRow) -> list[Change]:
    gone = [name for name in before.disk_ids if name not in after.disk_ids]
    new = [name for name in after.disk_ids if name not in before.disk_ids]
    found = []
    for place in range(max(len(gone), len(new))):
        old, fresh = (names[place] if place < len(names) else None for names in (gone, new))
        what = "disk replaced" if old and fresh else "disk removed" if old else "disk added"
        found.append(Change(what=what, before=old, after=fresh))
    for name in (name for name in before.disk_ids if name in after.disk_ids):
        found += _by_name(f"disk {name}, ", _facts(before, name), _facts(after, name))
    return found


def _facts(row: EnvironmentRow, disk_id: str) -> dict[str, str | None]:
    """What is known of a disk; an empty firmware is one that the kernel does not tell."""
    place = row.disk_ids.index(disk_id)
    lists = {words: getattr(row, column) for column, words in _OF_DISK.items()}
    return {words: _text(values[place]) if place < len(values) else None for words, values in lists.items()}


def _tools(row: EnvironmentRow) -> dict[str, str | None]:
    return {name: version for name, _, version in (each.partition(": ") for each in row.tools)}


def _by_name(prefix: str, before: Mapping[str, str | None], after: Mapping[str, str | None]) -> list[Change]:
    """Differences between two sets of named words, those that are on one side only among them."""
    names = sorted({*before, *after})
    pairs = [(name, before.get(name), after.get(name)) for name in names]
    return [Change(what=f"{prefix}{name}", before=old, after=new) for name, old, new in pairs if old != new]


def _text(value: object) -> str | None:
    """As it is shown; what is empty is not known."""
    return None if value is None or value == "" else str(value)


def settings_changes(label: str, before: Mapping[str, object], after: Mapping[str, object]) -> tuple[Change, ...]:
    """Settings of a point that differ."""
    old, new = ({name: _text(value) for name, value in each.items()} for each in (before, after))
    return tuple(_by_name(f"{label}, ", old, new))


def changed_text(change: Change) -> str:
    """``kernel: 6.1.0 → 6.1.2``."""
    before, after = (UNKNOWN if each is None else plain(each) for each in (change.before, change.after))
    return f"{plain(change.what)}: {before} \N{RIGHTWARDS ARROW} {after}"
