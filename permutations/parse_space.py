"""``[factors]`` and ``[[forbid]]`` of a sweep file."""

from __future__ import annotations

from typing import Any

from permutations import toml_lines
from permutations.errors import nearest
from permutations.factors import DEFAULT_WORD, FACTORS, Factor, Setting
from permutations.reader import Table, quoted
from permutations.rules import Forbid
from permutations.source import Source
from permutations.space import FactorValues
from permutations.vocabulary import Vocabulary


def parse_factors(table: Table, vocabulary: Vocabulary | None, lab_disks: int | None) -> tuple[FactorValues, ...]:
    """Every factor with its values, the defaults where the sweep names none.

    ``lab_disks`` is what ``disks`` is where the sweep does not say.
    """
    table.only(tuple(FACTORS))
    if not table.has("level"):
        table.source.refuse(table.at, 'level is missing: write for example level = ["raid5", "raid10"]')
    if not table.has("disks") and lab_disks is None:
        table.source.refuse(table.at, "disks is missing: write for example disks = [4] here, or disks = 4 in [lab]")
    defaults: dict[str, Setting] = {name: factor.default for name, factor in FACTORS.items()} | {"disks": lab_disks}
    return tuple(
        FactorValues(name, _settings(table, name, vocabulary) if table.has(name) else (defaults[name],))
        for name in FACTORS
    )


def parse_forbid(tables: tuple[Table, ...], vocabulary: Vocabulary | None) -> tuple[Forbid, ...]:
    """The rules of the sweep's own, in the order of the file."""
    return tuple(_forbid(table, vocabulary) for table in tables)


def _forbid(table: Table, vocabulary: Vocabulary | None) -> Forbid:
    table.only((*FACTORS, "reason"))
    names = [name for name in table.values if name != "reason"]
    if not names:
        table.source.refuse(table.at, "names no factor: it would forbid everything")
    return Forbid(tuple((name, _settings(table, name, vocabulary)) for name in names), table.text("reason", None))


def _settings(table: Table, name: str, vocabulary: Vocabulary | None) -> tuple[Setting, ...]:
    """The values under a factor's name: a list of them, or one alone."""
    written = table.values[name]
    listed = table.elements(name) if isinstance(written, list) else [((*table.at, name), written)]
    settings: list[Setting] = []
    for at, value in listed:
        setting = _setting(FACTORS[name], value, at, table.source, vocabulary)
        if setting in settings:
            table.source.refuse(at, f"{quoted(value)} is there twice")
        settings.append(setting)
    return tuple(settings)


def _setting(factor: Factor, value: Any, at: toml_lines.Path, source: Source, vocabulary: Vocabulary | None) -> Setting:
    """One checked value; the word ``default`` becomes None where the factor has such a thing."""
    if value == DEFAULT_WORD and factor.optional:
        return None
    words = vocabulary.filesystems if vocabulary is not None and factor.name == "filesystem" else factor.words
    if type(value) is not factor.kind:
        said = "a whole number" if factor.kind is int else "text"
        meant = nearest(str(value), words) if words and isinstance(value, int) else None
        source.refuse(at, f"must be {said}, not {quoted(value)}", f'"{meant}"' if meant else None)
    if words is not None and value not in words:
        source.refuse_name(at, f"unknown {factor.name} {quoted(value)}", str(value), words)
    problem = factor.problem(value) if words is None else None
    if problem is not None:
        source.refuse(at, f"{quoted(value)}: {problem}")
    checked: Setting = value
    return checked
