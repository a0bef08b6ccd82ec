"""The reference of the sweep file, from what its reader asks for while it reads files with every table.

Types, limits, defaults and words are the reader's own; the words that say what a key means are here.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from permutations.factors import Factor

TABLE_DOCS = {
    "sweep": "What the sweep is called, and how its points are chosen and ordered.",
    "factors": "What is varied: a value, a list of values, or a range (`{ start, stop, step }` or `{ start, stop, log2 }`).",
    "baseline": "One point: what gains are counted from, and what `one-factor-at-a-time` is built on.",
    "point": "`[[point]]`: points of a list, or points that a design must have.",
    "forbid": "`[[forbid]]`: a point is left out where every key matches; a list means any of its values.",
    "require": "`[[require]]`: where `when` matches, every other key must match too.",
    "workload": "`[[workload]]`: what is run over each stack, in fio's words.",
    "workload.precondition": "Writes before the measured run.",
    "workload.steady_state": "Rounds before the measured run, until the figure is steady.",
    "dataset": "The files that every workload runs over, written before the first.",
    "disk": "What the makers of the disks say.",
    "lab": "The virtual lab.",
    "lab.profile": "A limit for each disk of the lab, in place of the name of a profile.",
    "lab.disk": "`[[lab.disk]]`: a disk of the lab with a limit of its own.",
    "objective": "`[objective]`, or `[[objective]]` for several: what a recommendation is judged by.",
    "racing": 'Of `design = "racing"`.',
}

KEY_DOCS = {
    "sweep.name": "name of the sweep",
    "sweep.seed": "seed of the run order and of designs that draw",
    "sweep.replicates": "blocks: how often every point is run",
    "sweep.design": "how points are chosen: [methodology-designs.md](methodology-designs.md)",
    "sweep.order": "`blocked`, or `split-plot`: arrays and filesystems shared by the trials of a block",
    "sweep.initial_sync": "`wait` for md's first resync, or `assume-clean`",
    "sweep.strength": "of a covering array",
    "sweep.size": "points of the design",
    "sweep.model": "of a D-optimal design",
    "sweep.resolution": "of a fraction",
    "workload.name": "name, unique in the file",
    "workload.engine": "what drives it; native where the workload syncs, unless it uses what only fio has",
    "workload.rw": "direction and order of the I/O",
    "workload.bs": "size of a block",
    "workload.iodepth": "I/Os in flight of a job",
    "workload.numjobs": "jobs at once",
    "workload.runtime_s": "measured time",
    "workload.ramp_time_s": "time before it that is not measured",
    "workload.rwmixread": "share of reads of a mixed workload, per cent",
    "workload.fsync": "an fsync after so many writes",
    "workload.direct": "past the page cache",
    "workload.ioengine": "way to the kernel",
    "workload.io_size": "bytes to move in place of a time",
    "workload.job_file": "a job file of fio in place of the keys above; `runtime_s` and `ramp_time_s` beside it replace its own",
    "workload.options": "further options of the engine, by its own names",
    "workload.precondition": "a table, below",
    "workload.steady_state": "a table, below",
    "workload.precondition.rw": "direction and order",
    "workload.precondition.bs": "size of a block",
    "workload.precondition.iodepth": "I/Os in flight of a job",
    "workload.precondition.numjobs": "jobs at once",
    "workload.precondition.passes": "how often the data set is written",
    "workload.steady_state.metric": "figure that rounds are judged by",
    "workload.steady_state.round_s": "length of a round",
    "workload.steady_state.rounds_max": "rounds after which it is measured anyway, and marked",
    "dataset.files": "number of files",
    "dataset.file_size": "size of each, a multiple of 4096",
    "disk.rated_tbw_tb": "terabytes written that a disk is rated for",
    "lab.disks": "disks; also `disks` of `[factors]` where that is left out",
    "lab.disk_size": "size of a disk",
    "lab.memory": "memory of the guest",
    "lab.profile": "name of a disk profile, or a table",
    "lab.disk": "tables, below",
    "lab.profile.iops": "I/Os per second of each disk",
    "lab.profile.bandwidth": "bytes per second of each disk",
    "lab.disk.number": "which disk, from 1",
    "lab.disk.iops": "I/Os per second",
    "lab.disk.bandwidth": "bytes per second",
    "objective.maximise": "figure of which more is better",
    "objective.minimise": (
        "figure of which less is better; `lat_*` of a workload that syncs is the latency of its commits, "
        "write plus sync; `read_`, `write_`, `sync_` or `commit_` in front of a latency names one kind"
    ),
    "objective.workload": "name of a workload",
    "objective.require": "constraints, such as `survives >= 2` or `p99 < 20 ms`; times, sizes and rates need a unit",
    "objective.prefer": "what breaks ties, in order of priority",
    "objective.weight": "weight in the recommendation for all workloads; without weights the worst share decides",
    "racing.budget_trials": "trials that the race may take",
    "racing.budget_hours": "hours that it may take, in place of trials",
    "racing.error_rate": "how often the best point that meets the requirements may be eliminated by a test",
    "racing.finalists": "points that are run afresh",
    "racing.confirmation_share": "share of the budget that is kept for them",
    "racing.sampler": "what chooses the points of a block",
    "racing.batch": "points of a block that a sampler chooses",
    "forbid.reason": "said by `stripelab plan`",
    "require.reason": "said by `stripelab plan`",
    "require.when": "the factors that must match for the rest to be asked for",
}

KEY_WORDS: dict[str, dict[str, str]] = {
    "lab.disks": {"default": "as many as the sweep uses"},
    "lab.disk_size": {"default": "`1GiB`, or more where the data set needs it"},
    "lab.profile": {"kind": "word, or a table"},
    "lab.disk.number": {"limits": "1 to the number of disks"},
    "objective.maximise": {"default": "this or `minimise`"},
    "objective.minimise": {"kind": "word", "default": "this or `maximise`"},
    "objective.workload": {"default": "the only one", "limits": "name of a workload"},
    "objective.require": {"kind": "list of text"},
    "objective.prefer": {"kind": "list of words"},
    "sweep.name": {"default": "name of the file"},
    "sweep.size": {"default": "by the model"},
    "sweep.order": {"kind": "word", "limits": "`blocked`, `split-plot`"},
    "workload.job_file": {"kind": "text"},
    "workload.options": {"kind": "table"},
    "workload.precondition": {"kind": "table"},
    "workload.steady_state": {"kind": "table"},
    "workload.name": {"default": "required"},
    "workload.ioengine": {"default": "`libaio` with fio, `auto` with native"},
}
"""What the reader does not ask for in one call, or what depends on the rest of the file."""

EVERYTHING = """
[sweep]
name = "everything"
design = "d-optimal"
size = 12
[factors]
level = ["raid5", "raid6"]
disks = [4]
chunk_kib = [64, 128, 256, 512]
filesystem = ["xfs", "ext4"]
[baseline]
level = "raid5"
disks = 4
chunk_kib = 64
filesystem = "xfs"
[[point]]
level = "raid5"
disks = 4
chunk_kib = 64
filesystem = "xfs"
[[forbid]]
level = "raid5"
chunk_kib = 512
reason = "example"
[[require]]
when = { level = "raid6" }
disks = 4
[[workload]]
name = "w"
rw = "randwrite"
bs = "4k"
options = { norandommap = 1 }
precondition = { rw = "write" }
steady_state = { round_s = 60 }
[dataset]
files = 4
[disk]
rated_tbw_tb = 600
[lab]
profile = { iops = 100, bandwidth = "10MiB" }
[[lab.disk]]
number = 1
iops = 10
bandwidth = "1MiB"
[[objective]]
maximise = "iops"
workload = "w"
require = ["survives >= 1"]
prefer = ["cost"]
weight = 2
"""
FRACTION = '[sweep]\nname="f"\ndesign="fractional"\n[factors]\nlevel=["raid0","raid5"]\ndisks=[4]\nchunk_kib=[64,256]\nscheduler=["none","kyber"]\nread_ahead_kib=[128,512]\n[[workload]]\nname="w"\nrw="read"\nbs="1M"\n'
COVERING = FRACTION.replace("fractional", "covering")
RACE = FRACTION.replace("fractional", "racing") + "[racing]\nbudget_hours = 5\n"


@dataclasses.dataclass
class Key:
    """What the reader asks for of one key."""

    kind: str = ""
    default: str = ""
    limits: str = ""


def record() -> tuple[dict[str, list[str]], dict[str, Key]]:
    """Tables with the keys that they take, and how each key is read: the reader itself is asked."""
    from bench.vocabulary import vocabulary
    from permutations.reading import table as reader
    from permutations.sweep import Sweep

    tables: dict[str, list[str]] = {}
    keys: dict[str, Key] = {}
    required: set[str] = set()
    usual = {
        name: getattr(reader.Table, name)
        for name in ("only", "require", "text", "word", "integer", "number", "flag", "size")
    }

    def where(table: reader.Table) -> str:
        return ".".join(str(each) for each in table.at if not isinstance(each, int))

    def only(table: reader.Table, known: tuple[str, ...]) -> None:
        tables.setdefault(where(table), list(known))
        usual["only"](table, known)

    def require(table: reader.Table, *wanted: str) -> None:
        required.update(f"{where(table)}.{key}" for key in wanted)
        usual["require"](table, *wanted)

    def reads(name: str) -> Any:
        def read(table: reader.Table, key: str, *given: Any, **named: Any) -> Any:
            at = f"{where(table)}.{key}".lstrip(".")
            if at not in keys:
                keys[at] = _key(name, given, named)
            return usual[name](table, key, *given, **named)

        return read

    patched = {"only": only, "require": require, **{name: reads(name) for name in usual.keys() - {"only", "require"}}}
    try:
        for name, function in patched.items():
            setattr(reader.Table, name, function)
        for text in (EVERYTHING, FRACTION, COVERING, RACE):
            Sweep.parse(text, "everything.toml", vocabulary())
    finally:
        for name, function in usual.items():
            setattr(reader.Table, name, function)
    return tables, _completed(keys, required)


def _completed(keys: dict[str, Key], required: set[str]) -> dict[str, Key]:
    """The keys with what the reader does not say in the one call that reads each of them."""
    for name in required & keys.keys():
        keys[name].default = "required"
    for name, words in (KEY_WORDS | _closed_words()).items():
        keys[name] = dataclasses.replace(keys.get(name, Key()), **words)
    return keys


def _closed_words() -> dict[str, dict[str, str]]:
    """Closed sets of words that are known elsewhere."""
    from bench.lab.profiles import DISK_PROFILES
    from stripelab.metrics import RATES, SUMMARIES
    from stripelab.preference import PREFERENCES

    sets = {
        "lab.profile": [each.name for each in DISK_PROFILES],
        "objective.maximise": RATES,
        "objective.minimise": SUMMARIES,
        "objective.prefer": PREFERENCES,
    }
    return {
        name: {**KEY_WORDS.get(name, {}), "limits": ", ".join(f"`{word}`" for word in known)}
        for name, known in sets.items()
    }


def _key(kind: str, given: tuple[Any, ...], named: dict[str, Any]) -> Key:
    """One call of a reader's method as words."""
    if kind == "word":
        return Key("word", _shown(given[1]), ", ".join(f"`{word}`" for word in given[0]))
    if kind == "flag":
        return Key("true or false", _shown(named["default"]))
    if kind == "text":
        return Key("text", _shown(given[0]) if given else "")
    words = {"integer": "whole number", "number": "number", "size": "size (`4k`, `1MiB`) or bytes"}[kind]
    bounds = [_bound(kind, each) for each in given[1:3]]
    limits = f"at least {bounds[0]}" if len(bounds) == 1 else f"{bounds[0]} to {bounds[1]}"
    default = given[0]
    if isinstance(default, (int, float)) and default < given[1]:
        default = None  # the reader asks for the key only where it is there
    elif kind == "size" and default is not None:
        default = _bound(kind, default)
    return Key(words, _shown(default), limits)


def _bound(kind: str, value: Any) -> str:
    """A number as words: sizes as a sweep file would have them."""
    from stripelab.units import format_size

    if kind == "size":
        return format_size(value).replace(" ", "")
    return f"{value:g}" if isinstance(value, float) else str(value)


def _shown(default: Any) -> str:
    if default is None or default == "":
        return ""
    return f"`{str(default).lower() if isinstance(default, bool) else f'{default:g}' if isinstance(default, float) else default}`"


def document() -> str:
    """docs/reference-sweep.md, but for its first line."""
    from permutations.designs.spec import DESIGNS
    from permutations.factors import FACTORS

    tables, keys = record()
    lines = ["# The sweep file", ""]
    lines += [
        "TOML 1.0. A key or table that is not listed is an error that names its line and the nearest known word. Sizes are",
        "numbers of bytes, or text such as `4k`, `64KiB`, `1G` (powers of 1024). Files that run as they are:",
        "[examples/](../examples/).",
        "",
    ]
    lines += ["## Factors", "", "| Factor | Value | Default | Applies | Meaning |", "|---|---|---|---|---|"]
    for factor in FACTORS.values():
        words = ", ".join(f"`{word}`" for word in factor.words) if factor.words else _values(factor)
        default = f"`{factor.default}`" if factor.default is not None else "left to the tool" if factor.optional else ""
        when = factor.when.words if factor.when is not None else "always"
        lines.append(f"| `{factor.name}` | {words} | {default} | {when} | {factor.doc} |")
    lines += ["", "The word `default` leaves an optional factor to the tool.", "", *_program_options()]
    for table, known in tables.items():
        if table in {"", "factors", "baseline", "point", "require.when"}:
            continue
        own = [key for key in known if key not in FACTORS or table == "lab"]
        heading = f"[{table}]"
        lines += [f"## `{heading}`", "", _words(TABLE_DOCS, table), ""]
        if not own:
            continue
        lines += ["| Key | Value | Default | Limits | Meaning |", "|---|---|---|---|---|"]
        for name in own:
            found = keys.get(f"{table}.{name}", Key())
            words = _words(KEY_DOCS, f"{table}.{name}")
            lines.append(f"| `{name}` | {found.kind} | {found.default} | {found.limits} | {words} |")
        lines.append("")
    lines += ["## Designs", "", "| `design` | Keys of `[sweep]` | Needs | Takes `[[point]]` |", "|---|---|---|---|"]
    for name, takes in DESIGNS.items():
        lines.append(
            f"| `{name}` | {', '.join(takes.keys) or '-'} | {', '.join(takes.needs) or '-'} | {'yes' if takes.points else 'no'} |"
        )
    return "\n".join(lines) + "\n"


def _values(factor: Factor) -> str:
    """What a factor without a closed list of words takes, in the words of its own check."""
    from bench.stack import arrays, filesystems
    from stripelab.settings import RAW

    if factor.name == "level":
        return ", ".join(f"`{name}`" for name in arrays.levels())
    if factor.name == "filesystem":
        return ", ".join(f"`{name}`" for name in (*filesystems.names(), RAW))
    if factor.name == "layout":
        return "`flat`, `per-disk`, or `hashed-AxB` with A and B from 1 to 256, such as `hashed-2x16`"
    if factor.kind is int:
        limits = (factor.problem(-1) or "").removeprefix("must be ")
        return limits if limits.startswith("a ") else f"whole number {limits}"
    return "words of the table below"


def _program_options() -> list[str]:
    """The options of mkfs and mount that each filesystem takes."""
    from bench.stack import filesystems
    from bench.stack.allowed import EVERY_FILESYSTEM, Keywords

    lines = ["## Options of mkfs and mount", ""]
    lines += [
        "Values of `mkfs_options` and `mount_options` may hold these words and no others (decision 113). `=` wants a value,",
        "`[=]` may have one. A value that one filesystem of the sweep takes and another does not is left out for the other.",
        "",
        "| Filesystem | `mkfs_options` | `mount_options` |",
        "|---|---|---|",
        f"| every one | | {' '.join(f'`{word}`' for word in EVERY_FILESYSTEM)} |",
    ]
    for name in filesystems.names():
        kind = filesystems.by_name(name)
        mkfs = [
            f"`{option} {argument.listed()}`" if isinstance(argument, Keywords) else f"`{option}`"
            for option, argument in kind.mkfs_options.options.items()
        ]
        own = Keywords(kind.mount_options.own).listed().split()
        lines.append(f"| {name} | {', '.join(mkfs)} | {' '.join(f'`{word}`' for word in own)} |")
    return [*lines, ""]


def _words(docs: dict[str, str], name: str) -> str:
    if name not in docs:
        raise SystemExit(f"scripts/reference_sweep.py has no words for {name}: add a line there")
    return docs[name]
