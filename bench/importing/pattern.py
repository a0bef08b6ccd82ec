"""Factors from names: ``{controller}/{level}-{chunk_kib}K/{rw}-{iodepth}-{numjobs}.json``.

A pattern is matched against the end of a path, as many folders as it has slashes.  ``{name}`` stands for one
character or more and no slash, as few as will do; ``{}`` for something that is no factor.  ``OPTION=PATTERN``
is matched against the value of a job option (fio's ``jobname``, ``filename`` or ``directory``, say) instead.
What a name means:

- a factor of the store (``level``, ``chunk_kib``, …) goes to its column;
- a word of the workload (``rw``, ``bs``, ``iodepth``, …) belongs to the workload, as a job option does, and
  ``workload`` is its name;
- ``run``, ``replicate`` and ``date`` tell repetitions of the same apart, which needs no column;
- anything else is a factor of your own: it is kept as a label, and compared like the others.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bench.errors import ImportFailedError
from permutations.factors import FACTORS
from stripelab.raid import LEVELS
from stripelab.settings import FACTOR_NAMES

WORKLOAD_WORDS = frozenset(
    {"rw", "bs", "iodepth", "numjobs", "rwmixread", "ioengine", "direct", "runtime", "size", "fsync", "io_size"}
)
REPETITIONS = frozenset({"run", "replicate", "repeat", "date", "time", "night"})
WORKLOAD = "workload"
_FIELD = re.compile(r"\{([^{}]*)\}")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
_OPTION = re.compile(r"([a-z_][a-z0-9_]*)=(.+)", re.DOTALL)
_DIGITS = 12


@dataclass(frozen=True)
class Named:
    """What names told: values of factor columns, words of the workload, labels, and the workload's own name."""

    factors: Mapping[str, str | int]
    words: Mapping[str, str]
    labels: Mapping[str, str]
    workload: str | None = None

    def under(self, other: Named) -> Named:
        """Both together; where they differ, ``other`` has the last word."""
        return Named(
            {**self.factors, **other.factors},
            {**self.words, **other.words},
            {**self.labels, **other.labels},
            other.workload or self.workload,
        )


NOTHING = Named({}, {}, {})


@dataclass(frozen=True)
class Pattern:
    """A compiled pattern; ``option`` is the job option that it reads, None where it reads the path."""

    text: str
    option: str | None
    folders: int
    expression: re.Pattern[str]

    def match(self, value: str) -> Named | None:
        """What ``value`` says; None where it does not match.

        Raises:
            ImportFailedError: it matches, but a value does not fit its factor.
        """
        if self.option is None:
            value = "/".join(value.split("/")[-self.folders :])
        found = self.expression.fullmatch(value)
        return None if found is None else sorted_out(found.groupdict())


def compile_pattern(text: str) -> Pattern:
    """A pattern from its text.

    Raises:
        ImportFailedError: it names nothing, or not in a way that can be read.
    """
    option = _OPTION.fullmatch(text)
    body = option[2] if option and not _FIELD.search(option[1]) else text
    names = _FIELD.findall(body)
    remedy = "A pattern looks like '{controller}/{level}-{chunk_kib}K/{rw}-{iodepth}-{numjobs}.json'."
    if not any(names):
        raise ImportFailedError(f"--factors {text!r} names no factor", remedy=remedy)
    rest = _FIELD.sub("", body)
    wrong = [name for name in names if name and not _NAME.fullmatch(name)]
    if wrong or "{" in rest or "}" in rest:
        said = f"{wrong[0]!r} is no name" if wrong else "a brace is not closed, or not opened"
        raise ImportFailedError(f"--factors {text!r}: {said}", remedy=remedy)
    twice = sorted({name for name in names if name and names.count(name) > 1})
    if twice:
        raise ImportFailedError(f"--factors {text!r} names {twice[0]} twice", remedy="Each name stands once.")
    any_text = "[^/]+?" if body is text else ".+?"
    parts = _FIELD.split(body)
    expression = "".join(
        re.escape(part) if place % 2 == 0 else f"(?P<{part}>{any_text})" if part else any_text
        for place, part in enumerate(parts)
    )
    return Pattern(
        text, option[1] if body is not text and option else None, body.count("/") + 1, re.compile(expression)
    )


def named_by(patterns: Sequence[Pattern], path: str) -> Named:
    """What the path says by the first pattern that fits it.

    Raises:
        ImportFailedError: none fits, or a value does not fit its factor.
    """
    of_paths = [pattern for pattern in patterns if pattern.option is None]
    for pattern in of_paths:
        found = pattern.match(path)
        if found is not None:
            return found
    if of_paths:
        raise ImportFailedError(f"its path does not fit --factors {' or '.join(each.text for each in of_paths)}")
    return NOTHING


def named_by_options(patterns: Sequence[Pattern], options: Mapping[str, str], job: str) -> Named:
    """What job options say by the patterns that read them; an option that is not there says nothing.

    Raises:
        ImportFailedError: a value does not fit its factor.
    """
    found = NOTHING
    for pattern in patterns:
        if pattern.option is not None:
            value = job if pattern.option == "jobname" else options.get(pattern.option)
            said = None if value is None else pattern.match(value)
            found = found if said is None else found.under(said)
    return found


def sorted_out(values: Mapping[str, str]) -> Named:
    """Names and values by where they belong; raises ImportFailedError where a value does not fit its factor."""
    factors: dict[str, str | int] = {}
    words: dict[str, str] = {}
    labels: dict[str, str] = {}
    for name, value in values.items():
        if name in FACTOR_NAMES:
            factors[name] = _factor(name, value)
        elif name in WORKLOAD_WORDS:
            words[name] = value
        elif name not in REPETITIONS and name != WORKLOAD:
            labels[name] = value
    return Named(factors, words, labels, values.get(WORKLOAD))


def _factor(name: str, value: str) -> str | int:
    """A value of a factor column; levels in md's spelling where they can be read so."""
    if FACTORS[name].kind is int:
        if not (value.isascii() and value.isdigit() and len(value) <= _DIGITS):
            raise ImportFailedError(f"{name} is a whole number, and {value!r} is none")
        return int(value)
    if name == "level":
        plain = re.sub(r"[^a-z0-9]", "", value.lower())
        spelt = plain if plain.startswith(("raid", "jbod")) else f"raid{plain}"
        return spelt if spelt in LEVELS else value
    return value
