"""The options that a sweep may give mkfs and mount: an allow-list, checked word by word.

mkfs runs as root and writes wherever its options say: to a second device (a positional word of mkfs.btrfs), to a
file (``-l logdev=``, ``-d name=``), to an undo file (``-z``).  So every word must be a known option, its value of a
known shape, and no word may stand on its own.  Each filesystem module has the lists of its own programs.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

from bench.shapes import ALONE, Shape, alone, decimal, one_of

LONGEST_LINE = 1000
_MOUNT_LINE = re.compile(r"[a-z0-9_.:,=-]+")


class OptionRefusedError(Exception):
    """Options of mkfs or mount that a sweep may not set; the message says which and why."""


@dataclass(frozen=True)
class Keywords:
    """A comma-separated list of known words, ``NAME`` or ``NAME=VALUE``; ``off`` before a word switches it off."""

    entries: Mapping[str, Shape]
    off: str = ""

    def problem(self, text: str) -> str | None:
        """What is wrong with a list; None where it may be used."""
        seen: set[str] = set()
        for word in text.split(","):
            name, equals, value = word.partition("=")
            if self.off and not equals:
                name = name.removeprefix(self.off)
            shape = self.entries.get(name)
            if shape is None:
                return f'"{shown(word)}" is not allowed; allowed are {self.listed()}'
            if name in seen:
                return f'"{name}" is there twice'
            seen.add(name)
            if not (shape.fits(value) if equals else shape.bare):
                return f'"{shown(word)}": {name} must be {shape.description}'
        return None

    def listed(self) -> str:
        """The allowed words in one line."""
        return " ".join(
            name if shape is ALONE else f"{name}[=]" if shape.bare else f"{name}="
            for name, shape in sorted(self.entries.items())
        )


@dataclass(frozen=True)
class MkfsOptions:
    """The options of a mkfs program that a sweep may set, each with the shape of its value."""

    program: str
    options: Mapping[str, Shape | Keywords]

    def problem(self, line: str) -> str | None:
        """What is wrong with the options of a sweep file; None where they may be used."""
        try:
            self.words(line)
        except OptionRefusedError as refused:
            return str(refused)
        return None

    def words(self, line: str) -> tuple[str, ...]:
        """The options as words of a command line, a value always a word of its own.

        Raises :class:`OptionRefusedError` for anything that is not on the list.
        """
        if len(line) > LONGEST_LINE:
            raise OptionRefusedError(f"more than {LONGEST_LINE} characters")
        try:
            left = iter(shlex.split(line))
        except ValueError as unbalanced:
            raise OptionRefusedError(f"cannot be split into words: {unbalanced}") from None
        found: list[str] = []
        for word in left:
            option, value = self._split(word)
            if option in found and not isinstance(self.options[option], Keywords):
                raise OptionRefusedError(f"{self.program}: {option} is there twice")
            argument = self.options[option]
            if argument is ALONE:
                found.append(option)
                continue
            given = next(left, None) if value is None else value
            if given is None:
                raise OptionRefusedError(f"{option} needs a value")
            self._check(option, argument, given)
            found += [option, given]
        return tuple(found)

    def _split(self, word: str) -> tuple[str, str | None]:
        """An option and the value that is attached to it: ``-b4096``, ``--csum=xxhash``."""
        if word in self.options:
            return word, None
        name, equals, value = word.partition("=")
        if word.startswith("--") and equals and self.options.get(name, ALONE) is not ALONE:
            return name, value
        if word[:1] == "-" and word[1:2] != "-" and self.options.get(word[:2], ALONE) is not ALONE:
            return word[:2], word[2:]
        raise OptionRefusedError(f'{self.program}: "{shown(word)}" is not allowed; allowed are {self.listed()}')

    def _check(self, option: str, argument: Shape | Keywords, value: str) -> None:
        if isinstance(argument, Keywords):
            problem = argument.problem(value)
        else:
            problem = None if argument.fits(value) else f'"{shown(value)}": must be {argument.description}'
        if problem is not None:
            raise OptionRefusedError(f"{self.program} {option}: {problem}")

    def listed(self) -> str:
        """The allowed options in one line."""
        return ", ".join(
            f"{option} {argument.listed()}" if isinstance(argument, Keywords) else option
            for option, argument in self.options.items()
        )


@dataclass(frozen=True)
class MountOptions:
    """The options of mount that a sweep may set for one filesystem, beside those that every filesystem has."""

    own: Mapping[str, Shape]

    @property
    def keywords(self) -> Keywords:
        """All of them."""
        return Keywords({**EVERY_FILESYSTEM, **self.own})

    def problem(self, line: str) -> str | None:
        """What is wrong with the options of a sweep file; None where they may be used."""
        if len(line) > LONGEST_LINE:
            return f"more than {LONGEST_LINE} characters"
        if not _MOUNT_LINE.fullmatch(line):
            return 'must be options with commas between and without spaces, such as "noatime,nodiratime"'
        problem = self.keywords.problem(line)
        return None if problem is None else f"mount: {problem}"

    def checked(self, line: str) -> str:
        """The options; raises :class:`OptionRefusedError` for anything that is not on the list."""
        problem = self.problem(line)
        if problem is not None:
            raise OptionRefusedError(problem)
        return line


EVERY_FILESYSTEM: Mapping[str, Shape] = alone("""
    defaults rw noatime atime relatime norelatime strictatime nostrictatime nodiratime diratime lazytime nolazytime
    sync async dirsync nosuid nodev noexec
""")
"""mount(8), "filesystem-independent mount options": those that change the work that a workload makes."""

SWITCH = one_of("0", "1")
PERCENT = decimal(0, 50)


def values_of(words: tuple[str, ...], option: str) -> tuple[str, ...]:
    """Every value that ``option`` has in the words of :meth:`MkfsOptions.words`."""
    return tuple(value for word, value in pairwise(words) if word == option)


def without(words: tuple[str, ...], option: str) -> tuple[str, ...]:
    """The words of :meth:`MkfsOptions.words` without ``option`` and its values."""
    kept: list[str] = []
    left = iter(words)
    for word in left:
        if word == option:
            next(left)
        else:
            kept.append(word)
    return tuple(kept)


def names_any(words: tuple[str, ...], option: str, keys: tuple[str, ...]) -> bool:
    """Whether the lists of ``option`` have one of ``keys``."""
    given = {entry.partition("=")[0] for value in values_of(words, option) for entry in value.split(",")}
    return not given.isdisjoint(keys)


def shown(text: str) -> str:
    """A word for a message: shortened, and nothing in it that a terminal would act upon."""
    plain = "".join(char if char.isprintable() else "?" for char in text)
    return plain if len(plain) <= 60 else plain[:57] + "..."
