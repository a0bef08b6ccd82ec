"""``stripelab crosscheck``: do fio, dd and the native engine agree on one point?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.crosscheck import Comparison


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("crosscheck")(crosscheck)


def crosscheck(
    files: Annotated[list[Path], typer.Argument(metavar="FILE…", help="Files of one size; they must exist.")],
    *,
    rw: Annotated[str, typer.Option(help="read, write, rw, randread, randwrite or randrw.")] = "randread",
    bs: Annotated[str, typer.Option(help="Block size.")] = "4k",
    iodepth: Annotated[int, typer.Option(help="I/Os in flight of each job.", min=1, max=4096)] = 1,
    numjobs: Annotated[int, typer.Option(help="Jobs.", min=1, max=1024)] = 1,
    runtime_s: Annotated[float, typer.Option(help="Measured time of each run.", min=1)] = 5.0,
    ramp_time_s: Annotated[float, typer.Option(help="Time before it that is not counted.", min=0)] = 0.0,
    rounds: Annotated[int, typer.Option(help="Runs of each engine.", min=2, max=1000)] = 5,
    ioengine: Annotated[str, typer.Option(help="io_uring, libaio or psync, for both; auto: native's pick.")] = "auto",
    rwmixread: Annotated[int | None, typer.Option(help="Share of reads of rw and randrw.", min=0, max=100)] = None,
    direct: Annotated[int, typer.Option(help="1: past the page cache.", min=0, max=1)] = 1,
    option: Annotated[list[str] | None, typer.Option(metavar="KEY=VALUE", help="A further option, for both.")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Allow writing: what the files hold is lost.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print as JSON.")] = False,
) -> None:
    """Run the engines in turn and say whether they agree; exit status 1 where they differ or it cannot be told."""
    import tempfile

    from bench import crosscheck as check
    from bench.cli.output import note
    from bench.native.options import size_bytes
    from permutations.workload import RW_MODES, Workload

    if rw not in RW_MODES:
        raise typer.BadParameter(f"{rw} is not one of {', '.join(RW_MODES)}", param_hint="--rw")
    workload = Workload(
        name="crosscheck",
        rw=rw,
        bs_bytes=size_bytes(bs),
        iodepth=iodepth,
        numjobs=numjobs,
        runtime_s=runtime_s,
        ramp_time_s=ramp_time_s,
        rwmixread=rwmixread,
        direct=bool(direct),
        options=tuple(sorted(_pair(text) for text in option or ())),
    )
    if workload.writes and not overwrite:
        raise typer.BadParameter("a load that writes destroys what the files hold: say --overwrite", param_hint="--rw")
    from dataclasses import replace

    with (
        check.opened_targets(files, writes=workload.writes) as targets,
        tempfile.TemporaryDirectory(prefix="stripelab-crosscheck-") as scratch,
    ):
        for line in check.unwritten(files, targets):
            note(f"warning: {line}")
        way = check.same_interface(files[0], iodepth, direct=workload.direct) if ioengine == "auto" else ioengine
        compared, commands = check.crosscheck(replace(workload, ioengine=way), targets, rounds, Path(scratch), note)
    conclude(compared, commands, check.differences(workload), as_json=as_json)


def _pair(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals:
        raise typer.BadParameter(f"{text} is not like KEY=VALUE", param_hint="--option")
    return key, value


def conclude(
    compared: Sequence[Comparison], commands: Sequence[str], differences: Sequence[str], *, as_json: bool
) -> None:
    """Print what was found; status 1 unless every judged figure agrees."""
    from dataclasses import asdict

    from bench.cli.output import emit_json, say

    judged = [each.agreement for each in compared if each.judged]
    agree = bool(judged) and all(found is not None and found.verdict == "agree" for found in judged)
    if as_json:
        listed = [asdict(each) for each in compared]
        emit_json({"agree": agree, "comparisons": listed, "commands": commands, "differences": differences})
    else:
        for line in (*table(compared), "", *answers(compared), ""):
            say(line)
        for line in (*(f"command: {said}" for said in commands), *(f"note: {said}" for said in differences)):
            say(line)
    if not agree:
        raise typer.Exit(1)


def table(compared: Sequence[Comparison]) -> list[str]:
    """The comparisons as lines of a table, with its head: geometric means over the rounds, and their ratio."""
    head = f"{'against':<9}{'':<6}{'figure':<14}{'native':>12}{'other':>12}{'ratio':>8}  {'90% interval':<16}verdict"
    return [head, *(_line(each) for each in compared)]


def _line(each: Comparison) -> str:
    from statistics import geometric_mean

    from stripelab.metrics import figure

    # Of geometric means alone the quotient is the mean ratio of the rounds, which stands beside them.
    means = (geometric_mean(values) if min(values) > 0 else 0.0 for values in (each.native, each.other))
    shown = "".join(f"{figure(each.figure, mean):>12}" for mean in means)
    head = f"{each.against:<9}{each.direction:<6}{each.figure:<14}{shown}"
    found = each.agreement
    if found is None:
        return f"{head}{'-':>8}  {'':<16}not enough rounds to tell"
    said = found.words if each.judged else "not judged: it is the engine's own cost"
    return f"{head}{found.ratio:>8.3f}  {f'{found.low:.3f} to {found.high:.3f}':<16}{said}"


def answers(compared: Sequence[Comparison]) -> list[str]:
    """For each engine whether native agrees with it, on what not, and what to do where it cannot be told."""
    said = []
    for against in dict.fromkeys(each.against for each in compared):
        judged = [each for each in compared if each.against == against and each.judged]
        verdicts = {each: each.agreement.verdict if each.agreement else "unclear" for each in judged}
        differ = [f"{each.direction} {each.figure}" for each in judged if verdicts[each] == "differ"]
        unclear = [f"{each.direction} {each.figure}" for each in judged if verdicts[each] == "unclear"]
        if differ:
            said.append(f"native and {against} differ in {', '.join(differ)}")
        if unclear:
            said.append(
                f"native and {against}: too few rounds, or too noisy a device, to tell of {', '.join(unclear)}; "
                "more --rounds or a longer --runtime-s narrow the interval"
            )
        if not differ and not unclear:
            said.append(f"native and {against} agree")
    return said
