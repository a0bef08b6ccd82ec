"""``[factors]``, ``[[forbid]]`` and ``[[require]]`` of a sweep file."""

from __future__ import annotations

from typing import Any

from permutations.errors import nearest
from permutations.factors import FACTORS, OPTION_FACTORS, Factor
from permutations.feasible.rules import Forbid, Keys, Require, Unfit
from permutations.feasible.space import FactorValues
from permutations.reading import toml_lines
from permutations.reading.source import Source
from permutations.reading.table import Table, quoted
from permutations.vocabulary import Vocabulary
from stripelab.raid import LEVELS
from stripelab.settings import DEFAULT, RAW, Setting

MOST_VALUES = 100_000
"""Maximum values of a range; more are a mistake."""


def parse_factors(table: Table, vocabulary: Vocabulary | None, lab_disks: int | None) -> tuple[FactorValues, ...]:
    """Every factor with its values, or the default if the sweep has none.

    ``lab_disks`` is the default of ``disks``.
    """
    table.only(tuple(FACTORS))
    if not table.has("level"):
        table.source.refuse(table.at, 'level is missing: write for example level = ["raid5", "raid10"]')
    if not table.has("disks") and lab_disks is None:
        table.source.refuse(table.at, "disks is missing: write for example disks = [4] here, or disks = 4 in [lab]")
    defaults: dict[str, Setting] = {name: factor.default for name, factor in FACTORS.items()} | {"disks": lab_disks}
    return tuple(
        FactorValues(name, settings(table, name, vocabulary) if table.has(name) else (defaults[name],))
        for name in FACTORS
    )


def unfit_options(table: Table, factors: tuple[FactorValues, ...], vocabulary: Vocabulary | None) -> tuple[Unfit, ...]:
    """Options that some filesystem of the sweep does not support; raises an error if none supports an option."""
    if vocabulary is None or vocabulary.option_problem is None:
        return ()
    values = {factor.name: factor.values for factor in factors}
    swept = [str(kind) for kind in values["filesystem"] if kind != RAW]
    kinds = swept or [kind for kind in vocabulary.filesystems if kind != RAW]
    unfit = []
    for name in OPTION_FACTORS:
        left_out: dict[str, list[Setting]] = {kind: [] for kind in swept}
        for position, line in enumerate(values[name]):
            answers = {kind: vocabulary.option_problem(name, kind, str(line)) for kind in kinds if line is not None}
            problems = {kind: problem for kind, problem in answers.items() if problem is not None}
            if problems and len(problems) == len(kinds):
                if vocabulary.strict:
                    at = (*table.at, name, position) if isinstance(table.values[name], list) else (*table.at, name)
                    reasons = "; ".join(f"{kind}: {problem}" for kind, problem in problems.items())
                    table.source.refuse(at, f"{quoted(line)}: {reasons}")
                continue
            for kind in problems.keys() & left_out.keys():
                left_out[kind].append(line)
        place = table.source.line((*table.at, name))
        unfit += [Unfit(kind, name, tuple(options), place) for kind, options in left_out.items() if options]
    return tuple(unfit)


def parse_forbid(tables: tuple[Table, ...], vocabulary: Vocabulary | None) -> tuple[Forbid, ...]:
    """The ``[[forbid]]`` tables, in the order of the file."""
    return tuple(_forbid(table, vocabulary) for table in tables)


def parse_require(tables: tuple[Table, ...], vocabulary: Vocabulary | None) -> tuple[Require, ...]:
    """The ``[[require]]`` tables, in the order of the file."""
    return tuple(_require(table, vocabulary) for table in tables)


def _forbid(table: Table, vocabulary: Vocabulary | None) -> Forbid:
    table.only((*FACTORS, "reason"))
    keys = _keys(table, vocabulary, ("reason",))
    if not keys:
        table.source.refuse(table.at, "names no factor: it would forbid everything")
    return Forbid(keys, table.text("reason", None), table.source.line(table.at))


def _require(table: Table, vocabulary: Vocabulary | None) -> Require:
    table.only((*FACTORS, "when", "reason"))
    when = table.table("when")
    when.only(tuple(FACTORS))
    then = _keys(table, vocabulary, ("when", "reason"))
    if not then:
        table.source.refuse(table.at, "names no factor beside when: it would require nothing")
    keys = _keys(when, vocabulary, ())
    both = [name for name, _ in then if name in dict(keys)]
    if both:
        table.refuse(both[0], "is in when as well: say which values go together with [[forbid]]")
    return Require(keys, then, table.text("reason", None), table.source.line(table.at))


def _keys(table: Table, vocabulary: Vocabulary | None, excluded: tuple[str, ...]) -> Keys:
    return tuple((name, settings(table, name, vocabulary)) for name in table.values if name not in excluded)


def settings(table: Table, name: str, vocabulary: Vocabulary | None) -> tuple[Setting, ...]:
    """The values of a factor: a list, a single value, or a range."""
    written = table.values[name]
    if isinstance(written, dict):
        return _range(table.table(name), FACTORS[name])
    listed = table.elements(name) if isinstance(written, list) else [((*table.at, name), written)]
    distinct: dict[Setting, None] = {}
    for at, value in listed:
        setting = _setting(FACTORS[name], value, at, table.source, vocabulary)
        if setting in distinct:
            table.source.refuse(at, f"{quoted(value)} is there twice")
        distinct[setting] = None
    return tuple(distinct)


def _range(table: Table, factor: Factor) -> tuple[Setting, ...]:
    """``{start, stop, step}`` or ``{start, stop, log2 = true}``: it includes ``stop`` if a step reaches it."""
    if factor.kind is not int:
        table.source.refuse(table.at, "must be text: a range is for numbers")
    table.only(("start", "stop", "step", "log2"))
    table.require("start", "stop")
    log2 = table.flag("log2", default=False)
    if log2 == table.has("step"):
        table.source.refuse(table.at, "a range has either step or log2 = true")
    start = table.integer("start", 0, 1 if log2 else 0)
    stop = table.integer("stop", 0, start)
    if log2:
        values = [start << power for power in range((stop // start).bit_length()) if start << power <= stop]
    else:
        step = table.integer("step", 1, 1)
        if (stop - start) // step >= MOST_VALUES:
            table.source.refuse(table.at, f"the range has more than {MOST_VALUES} values")
        values = list(range(start, stop + 1, step))
    for value in values:
        problem = factor.problem(value)
        if problem is not None:
            table.source.refuse(table.at, f"{value} is in the range, but {factor.name} {problem}")
    return tuple(values)


def _words(factor: Factor, vocabulary: Vocabulary | None) -> tuple[str, ...] | None:
    """The allowed values of a text factor; None if any word is allowed."""
    if factor.name == "level":
        return tuple(LEVELS) if vocabulary is None else vocabulary.levels
    return vocabulary.filesystems if vocabulary is not None and factor.name == "filesystem" else factor.words


def _setting(factor: Factor, value: Any, at: toml_lines.Path, source: Source, vocabulary: Vocabulary | None) -> Setting:
    """One checked value; the word ``default`` becomes None if the factor allows it."""
    if value == DEFAULT and factor.optional:
        return None
    words = _words(factor, vocabulary)
    if type(value) is not factor.kind:
        expected = "a whole number" if factor.kind is int else "text"
        suggestion = nearest(quoted(value), words) if words and isinstance(value, int) else None
        source.refuse(at, f"must be {expected}, not {quoted(value)}", f'"{suggestion}"' if suggestion else None)
    if words is not None and value not in words:
        source.refuse_name(at, f"unknown {factor.name} {quoted(value)}", str(value), words)
    problem = factor.problem(value) if words is None else None
    if problem is not None:
        source.refuse(at, f"{quoted(value)}: {problem}")
    checked: Setting = value
    return checked
