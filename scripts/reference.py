"""Writes the reference documents from the code: ``python scripts/reference.py [--check]``.

docs/data-dictionary.md comes from results/store/schema.py; docs/reference-sweep.md from what the reader of sweep files asks
for (keys, types, limits, defaults, words) while it reads a file with every table; docs/reference-verbs.md from
the command line's own options; docs/reference-plots.md from the kinds of plots.  ``--check`` writes nothing and says what is out of date.
"""

from __future__ import annotations

import dataclasses
import re
import sys
import types
import typing
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "scripts")]

import reference_sweep  # noqa: E402 - the path is set above

UNITS = (
    ("bw_bytes_s", "bytes per second"),
    ("bytes_s", "bytes per second"),
    ("bytes_s_limit", "bytes per second"),
    ("iops_limit", "I/Os per second"),
    ("iops", "I/Os per second"),
    ("_ns", "nanoseconds"),
    ("_kib", "KiB"),
    ("_bytes", "bytes"),
    ("_pct", "per cent"),
    ("_pages", "pages"),
    ("_hours", "hours"),
    ("_c", "degrees Celsius"),
    ("_s", "seconds"),
)
HEAD = "<!-- made by scripts/reference.py from the code: change that, and run `make reference` -->\n\n"


def sweep_document() -> str:
    """docs/reference-sweep.md."""
    return f"{HEAD}{reference_sweep.document()}"


def unit(name: str) -> str:
    """The unit that a column's name ends in."""
    return next((words for suffix, words in UNITS if name.endswith(suffix)), "")


def data_document() -> str:
    """docs/data-dictionary.md."""
    from results.store import sql
    from results.store.schema import SCHEMA_VERSION, TABLES

    lines = [HEAD.rstrip(), "", "# Data dictionary", ""]
    lines += [
        f'The columns of a result store, schema {SCHEMA_VERSION}. Names carry their unit as a suffix. Null means "does not apply"',
        'or "not known", never zero. `stripelab sql STORE "…"` has each table as a view; `results.load(STORE)` has it as a',
        "pandas frame: [howto-sql-and-frames.md](howto-sql-and-frames.md).",
        "",
    ]
    for table, row in TABLES.items():
        hints = typing.get_type_hints(row)
        lines += [f"## {table}", "", " ".join((row.__doc__ or "").split("\n\n")[0].split()), ""]
        lines += ["| Column | Type | Unit | Null | Meaning |", "|---|---|---|---|---|"]
        for spec in dataclasses.fields(row):
            kind, null = _type(hints[spec.name])
            doc = spec.metadata["doc"].replace("|", "\\|")
            lines.append(f"| `{spec.name}` | {kind} | {unit(spec.name)} | {'yes' if null else ''} | {doc} |")
        lines.append("")
    lines += [
        "## results",
        "",
        "A view of `stripelab sql`: each observation with the factors of its trial and its machine.",
        "",
    ]
    lines += [
        "From `trials`: " + ", ".join(f"`{name}`" for name in sql.OF_TRIALS) + ".",
        "From `environments`: " + ", ".join(f"`{name}`" for name in sql.OF_ENVIRONMENTS) + ".",
        "From `observations`: every column but `raw_zlib`.",
    ]
    return "\n".join(lines) + "\n"


def _type(hint: Any) -> tuple[str, bool]:
    if typing.get_origin(hint) is types.UnionType:
        (inner,) = (each for each in typing.get_args(hint) if each is not types.NoneType)
        return _type(inner)[0], True
    names = {str: "text", int: "int64", float: "float64", bytes: "bytes", bool: "boolean"}
    if typing.get_origin(hint) is tuple:
        return f"list of {names[typing.get_args(hint)[0]]}", False
    return names[hint], False


def verbs_document() -> str:
    """docs/reference-verbs.md."""
    import typer

    from bench.cli.main import app

    lines = [HEAD.rstrip(), "", "# Verbs", "", "Exit statuses: [exit-statuses.md](exit-statuses.md).", ""]
    for path, command in _commands(typer.main.get_command(app), "stripelab"):
        words = [path, *(_name(each) for each in command.params if each.param_type_name == "argument")]
        lines += [f"## `{path}`", "", f"`{' '.join(words)}`", "", _paragraphs(command.help or ""), ""]
        rows = [_option(parameter) for parameter in command.params]
        lines += ["| | Default | |", "|---|---|---|", *(row for row in rows if row), ""]
    return "\n".join(lines).rstrip() + "\n"


def _commands(command: Any, path: str) -> Iterator[tuple[str, Any]]:
    below = getattr(command, "commands", None)
    if below is None:
        yield path, command
        return
    for word, sub in below.items():
        yield from _commands(sub, f"{path} {word}")


def _option(parameter: Any) -> str:
    if parameter.name == "help":
        return ""
    names = ", ".join(f"`{name}`" for name in (*parameter.opts, *parameter.secondary_opts))
    if parameter.param_type_name == "argument":
        names = f"`{_name(parameter)}`"
    default = parameter.default
    if default is None or default == [] or callable(default) or default is False or parameter.required:
        shown = ""
    else:
        shown = f"`{getattr(default, 'value', default)}`"
    kind = getattr(getattr(parameter, "type_descriptor", None), "annotation", None)
    choices = list(kind) if isinstance(kind, type) and issubclass(kind, Enum) else []
    words = [parameter.help or ""]
    if choices:
        words.append("One of " + ", ".join(f"`{getattr(each, 'value', each)}`" for each in choices) + ".")
    return f"| {names} | {shown} | {' '.join(words).replace('|', chr(92) + '|').strip()} |"


def _name(argument: Any) -> str:
    """An argument as the usage line has it."""
    name = (argument.metavar or argument.name).upper()
    return name if argument.required else f"[{name}]"


def _paragraphs(text: str) -> str:
    return "\n\n".join(" ".join(part.split()) for part in re.split(r"\n\s*\n", text.replace("\f", "")))


def plots_document() -> str:
    """docs/reference-plots.md."""
    from results.plotting import KINDS

    lines = [HEAD.rstrip(), "", "# Plots", ""]
    lines += [
        "`stripelab plot STORE --kind KIND -o FILE.svg -o FILE.png`. The same store gives the same bytes; what was not",
        "measured on real disks is marked in every plot.",
        "",
        "| Kind | Shows |",
        "|---|---|",
    ]
    lines += [f"| `{name}` | {(function.__doc__ or '').strip()} |" for name, function in KINDS.items()]
    return "\n".join(lines) + "\n"


DOCUMENTS = {
    "docs/data-dictionary.md": data_document,
    "docs/reference-sweep.md": sweep_document,
    "docs/reference-verbs.md": verbs_document,
    "docs/reference-plots.md": plots_document,
}


def main() -> int:
    """Write the documents, or with ``--check`` say which are out of date."""
    stale = [
        name for name, make in DOCUMENTS.items() if not (ROOT / name).exists() or (ROOT / name).read_text() != make()
    ]
    if "--check" in sys.argv[1:]:
        for name in stale:
            print(f"{name} is out of date: run `make reference`", file=sys.stderr)
        return 1 if stale else 0
    for name in stale:
        (ROOT / name).write_text(DOCUMENTS[name]())
        print(name)
    return 0


if __name__ == "__main__":
    sys.exit(main())
