"""``stripelab nightly install`` and ``uninstall``: the timer that runs a sweep every night."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bench.cli import common_options as common
from bench.cli import nightly_options as options
from bench.cli.option_checks import hours_to_seconds, require_exactly_one
from bench.cli.output import emit_json, print_line, print_stderr
from bench.errors import StoreError

if TYPE_CHECKING:
    from bench.nightly.install import Installed
    from bench.nightly.timer import Schedule
    from permutations.sweep import Sweep

AT = "*-*-* 02:00:00"

User = Annotated[
    bool, typer.Option("--user", help="Use the systemd instance of your user, which needs no root (lab only).")
]
InstallFolder = Annotated[
    Path | None,
    typer.Option(
        metavar="FOLDER",
        help="Folder to write the units to, without starting the timer.",
        show_default="unit folder of systemd",
        file_okay=False,
    ),
]
UninstallFolder = Annotated[
    Path | None,
    typer.Option(
        metavar="FOLDER",
        help="Folder to remove the units from, without stopping the timer.",
        show_default="unit folder of systemd",
        file_okay=False,
    ),
]
RunOptions = Annotated[
    list[str] | None,
    typer.Argument(help="Further options of `stripelab nightly run`, after --.", metavar="[-- OPTION…]"),
]
At = Annotated[str, typer.Option(metavar="EVENT", help="Start time, as calendar event of systemd.time(7).")]
Delay = Annotated[int, typer.Option(metavar="N", help="Largest delay of the start, in minutes.", min=0)]
Budget = Annotated[float, typer.Option(metavar="HOURS", help=options.BUDGET_HELP, min=0.1)]
Name = Annotated[str | None, typer.Option(help="Name of the units.", show_default="name of the sweep")]


def register(group: typer.Typer) -> None:
    """Add the verbs."""
    group.command("install")(install)
    group.command("uninstall")(uninstall)


def install(
    sweep: common.SweepFile,
    store: common.OutputStore,
    run_options: RunOptions = None,
    lab: common.Lab = False,
    disks: common.Disks = "",
    at: At = AT,
    delay_min: Delay = 30,
    budget: Budget = 6.0,
    name: Name = None,
    user: User = False,
    directory: InstallFolder = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the units without writing anything.")] = False,
    cron: Annotated[bool, typer.Option("--cron", help="Print a crontab line instead of using systemd.")] = False,
    junit: options.Junit = None,
    openmetrics: options.OpenMetrics = None,
    markdown: options.Markdown = None,
    code_quality: options.CodeQuality = None,
    html: options.Html = None,
    mail: options.Mail = None,
    mail_from: options.MailFrom = None,
    mail_to: options.MailTo = None,
    webhook: options.Webhook = None,
    webhook_secret: options.WebhookSecret = None,
    as_json: common.Json = False,
) -> None:
    """Install a systemd timer that runs a sweep every night.

    systemd verifies the units before they are written, and the timer is started.
    """
    require_exactly_one({"--lab": lab, "--disks": bool(disks)})
    if cron and at != AT:
        raise typer.BadParameter(
            "cannot be combined with --cron; hint: edit the first five fields of the crontab line", param_hint="--at"
        )
    if user and not lab:
        raise typer.BadParameter("needs --lab, because disks need root", param_hint="--user")
    outputs = options.parse_outputs(
        junit, openmetrics, markdown, code_quality, html, mail, mail_from, mail_to, None, webhook, webhook_secret
    )
    outputs.check(store)
    where = ("--lab",) if lab else ("--disks", disks)
    command = (
        *_program(),
        "nightly",
        str(sweep.absolute()),
        "--store",
        str(store.absolute()),
        *where,
        "--budget",
        f"{budget:g}",
        *outputs.arguments(),
        *(run_options or ()),
    )
    from bench.nightly.timer import Schedule, unit_name

    loaded = _load_sweep(sweep)
    writes = _output_folders(store, [path for _, path in outputs.files()])
    schedule = Schedule(
        name=unit_name(name or loaded.name),
        command=command,
        at=at,
        delay_s=delay_min * 60,
        budget_s=round(hours_to_seconds(budget)),
        user=user,
        writes=writes,
        reads=_input_paths(loaded, [*writes, sweep], command),
    )
    _install(schedule, directory, dry_run=dry_run, cron=cron, as_json=as_json)


def _install(schedule: Schedule, directory: Path | None, *, dry_run: bool, cron: bool, as_json: bool) -> None:
    """Print or install the units, or print the line of cron."""
    from bench.nightly import install as units
    from bench.nightly.timer import cron_line, require_lines

    require_lines(schedule)
    if schedule.temporary:
        print_stderr(f"note: {schedule.temporary[0]} is in a folder for temporary files, which may be emptied at boot")
    if cron:
        line = cron_line(schedule)
        emit_json({"cron": line}) if as_json else print_line(line)
    elif dry_run:
        verified = units.verify(schedule)
        texts = units.texts(schedule)
        if as_json:
            emit_json({"units": texts, "verified": verified})
        else:
            for file, text in texts.items():
                print_line(f"# {(directory or units.unit_folder(user=schedule.user)) / file}\n{text}")
            print_stderr(
                "systemd accepts these units"
                if verified
                else "these units were not verified: systemd-analyze is missing or failed"
            )
    else:
        _create_store(schedule.writes[0])
        _print_result(units.install(schedule, directory), "wrote", as_json=as_json)


def _create_store(store: Path) -> None:
    """Create the store: systemd does not start a service with a ReadWritePaths= that does not exist."""
    from bench.store_lock import make_folder

    try:
        make_folder(store)
    except OSError as failure:
        raise StoreError(
            f"cannot create {store}: {failure.strerror}", remedy="Name another folder, or correct this one."
        ) from None


def uninstall(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME", help="Name of the units: the --name given to install, or the name of the sweep."
        ),
    ],
    user: User = False,
    directory: UninstallFolder = None,
    as_json: common.Json = False,
) -> None:
    """Stop the timer and remove its units.

    Results are kept, and a running night is not interrupted.
    """
    from bench.nightly import install as units
    from bench.nightly.timer import unit_name

    _print_result(units.uninstall(unit_name(name), directory, user=user), "removed", as_json=as_json)


def _print_result(result: Installed, verb: str, *, as_json: bool) -> None:
    """Print what was done, and what is left to do by hand."""
    if as_json:
        emit_json(
            {
                "files": [str(path) for path in result.files],
                "verified": result.verified,
                "started": result.started,
                "next": list(result.next_steps),
            }
        )
        return
    for path in result.files:
        print_line(f"{verb} {path}")
    if result.started:
        print_line("started the timer; hint: systemctl list-timers 'stripelab-nightly-*'")
    for step in result.next_steps:
        print_line(f"next: {step}")


def _load_sweep(sweep: Path) -> Sweep:
    """The sweep; an invalid file fails here and not at night."""
    from bench.vocabulary import vocabulary
    from permutations.sweep import Sweep

    return Sweep.load(sweep, vocabulary())


def _output_folders(store: Path, files: list[Path]) -> tuple[Path, ...]:
    """Every folder that a night writes into, the store first."""
    return tuple(dict.fromkeys([store.absolute(), *(path.absolute().parent for path in files)]))


def _input_paths(sweep: Sweep, paths: Iterable[Path], command: Sequence[str]) -> tuple[Path, ...]:
    """Every path that a night reads: ``paths``, the sweep's job files, the program, and paths in its options."""
    from bench.nightly import visible

    job_files = [Path(workload.job_file) for workload in sweep.workloads if workload.job_file is not None]
    return visible.ways([*paths, *job_files, *visible.program(), *visible.words(command)])


def _program() -> tuple[str, ...]:
    """This installation of stripelab, by absolute paths: a service has another PATH."""
    script = Path(sys.executable).with_name("stripelab")
    return (str(script),) if script.is_file() else (sys.executable, "-m", "bench")
