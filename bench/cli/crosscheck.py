"""``stripelab crosscheck``: do fio, dd and the native engine agree on one point?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bench.cli import common_options as common

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.crosscheck import Comparison


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("crosscheck")(crosscheck)


def crosscheck(
    files: Annotated[list[Path], typer.Argument(metavar="FILE…", help="Existing files of one size.")],
    *,
    rw: common.Rw = "randread",
    bs: Annotated[str, typer.Option(help="Block size.")] = "4k",
    iodepth: Annotated[int, typer.Option(help="Queue depth of each job.", min=1, max=4096)] = 1,
    numjobs: common.NumJobs = 1,
    runtime_s: Annotated[float, typer.Option(help="Measured time of each run in seconds.", min=1)] = 5.0,
    ramp_time_s: Annotated[
        float, typer.Option(help="Warm-up of each run in seconds, which is not measured.", min=0)
    ] = 0.0,
    rounds: Annotated[int, typer.Option(help="Number of runs of each engine.", min=2, max=1000)] = 5,
    ioengine: Annotated[
        str,
        typer.Option(help="Kernel interface of both engines: io_uring, libaio, psync or auto (the choice of native)."),
    ] = "auto",
    rwmixread: Annotated[
        int | None,
        typer.Option(help="Share of reads in rw and randrw, in per cent.", min=0, max=100, show_default="50"),
    ] = None,
    direct: common.Direct = 1,
    option: Annotated[
        list[str] | None, typer.Option(metavar="KEY=VALUE", help="Further option of both engines (repeatable).")
    ] = None,
    overwrite: common.Overwrite = False,
    as_json: common.Json = False,
) -> None:
    """Test whether the engines agree on the same files.

    They run in turn, round by round. Exit status 1: they differ, or the rounds do not suffice to tell.
    """
    import tempfile

    from bench import crosscheck as check
    from bench.cli.output import print_stderr
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
        options=tuple(sorted(_parse_option(text) for text in option or ())),
    )
    if workload.writes and not overwrite:
        raise typer.BadParameter(f"{rw} destroys the content of the files: add --overwrite", param_hint="--rw")
    from dataclasses import replace

    with (
        check.opened_targets(files, writes=workload.writes) as targets,
        tempfile.TemporaryDirectory(prefix="stripelab-crosscheck-") as scratch,
    ):
        for line in check.unwritten(files, targets):
            print_stderr(f"warning: {line}")
        interface = check.same_interface(files[0], iodepth, direct=workload.direct) if ioengine == "auto" else ioengine
        comparisons, commands = check.crosscheck(
            replace(workload, ioengine=interface), targets, rounds, Path(scratch), print_stderr
        )
    print_result(comparisons, commands, check.differences(workload), as_json=as_json)


def _parse_option(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals:
        raise typer.BadParameter(f"{text} is not of the form KEY=VALUE", param_hint="--option")
    return key, value


def print_result(
    comparisons: Sequence[Comparison], commands: Sequence[str], differences: Sequence[str], *, as_json: bool
) -> None:
    """Print the comparisons; leave with status 1 unless every judged figure agrees."""
    from dataclasses import asdict

    from bench.cli.output import emit_json, print_line

    judged = [comparison.agreement for comparison in comparisons if comparison.judged]
    agree = bool(judged) and all(agreement is not None and agreement.verdict == "agree" for agreement in judged)
    if as_json:
        rows = [asdict(comparison) for comparison in comparisons]
        emit_json({"agree": agree, "comparisons": rows, "commands": commands, "differences": differences})
    else:
        for line in (*table_lines(comparisons), "", *verdict_lines(comparisons), ""):
            print_line(line)
        for line in (*(f"command: {command}" for command in commands), *(f"note: {text}" for text in differences)):
            print_line(line)
    if not agree:
        raise typer.Exit(1)


def table_lines(comparisons: Sequence[Comparison]) -> list[str]:
    """The comparisons as a table with a header: geometric means over the rounds, and their ratio."""
    header = f"{'against':<9}{'':<6}{'figure':<14}{'native':>12}{'other':>12}{'ratio':>8}  {'90% interval':<16}verdict"
    return [header, *(_row(comparison) for comparison in comparisons)]


def _row(comparison: Comparison) -> str:
    from statistics import geometric_mean

    from stripelab.metrics import figure

    # The quotient of geometric means is the mean ratio of the rounds, which is printed beside them.
    sides = (comparison.native, comparison.other)
    means = (geometric_mean(values) if min(values) > 0 else 0.0 for values in sides)
    cells = "".join(f"{figure(comparison.figure, mean):>12}" for mean in means)
    head = f"{comparison.against:<9}{comparison.direction:<6}{comparison.figure:<14}{cells}"
    agreement = comparison.agreement
    if agreement is None:
        return f"{head}{'-':>8}  {'':<16}not enough rounds to tell"
    verdict = agreement.words if comparison.judged else "not judged: cost of the engine itself"
    return f"{head}{agreement.ratio:>8.3f}  {f'{agreement.low:.3f} to {agreement.high:.3f}':<16}{verdict}"


def verdict_lines(comparisons: Sequence[Comparison]) -> list[str]:
    """For each engine whether native agrees with it, in which figures not, and what to do where that is unclear."""
    lines = []
    for engine in dict.fromkeys(comparison.against for comparison in comparisons):
        verdicts = {
            f"{comparison.direction} {comparison.figure}": comparison.agreement.verdict
            if comparison.agreement
            else "unclear"
            for comparison in comparisons
            if comparison.against == engine and comparison.judged
        }
        differ = [name for name, verdict in verdicts.items() if verdict == "differ"]
        unclear = [name for name, verdict in verdicts.items() if verdict == "unclear"]
        if differ:
            lines.append(f"native and {engine} differ in {', '.join(differ)}")
        if unclear:
            lines.append(
                f"native and {engine}: inconclusive for {', '.join(unclear)}, because there are too few rounds or the "
                "device is too noisy; hint: increase --rounds or --runtime-s"
            )
        if not differ and not unclear:
            lines.append(f"native and {engine} agree")
    return lines
