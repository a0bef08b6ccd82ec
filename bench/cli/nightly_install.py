"""``stripelab nightly install`` and ``uninstall``: the timer that runs a sweep every night."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bench.cli import nightly_options as to
from bench.cli.output import emit_json, note, say
from bench.cli.usage import budget_s, exactly_one
from bench.errors import StoreError

if TYPE_CHECKING:
    from bench.nightly.install import Installed
    from bench.nightly.timer import Schedule
    from permutations.sweep import Sweep

AT = "*-*-* 02:00:00"

User = Annotated[bool, typer.Option("--user", help="Units of your own user's systemd, without root: the lab only.")]
Folder = Annotated[
    Path | None,
    typer.Option("--directory", help="Write the units into this folder instead, and start nothing.", file_okay=False),
]


def register(group: typer.Typer) -> None:
    """Add the verbs."""
    group.command("install")(install)
    group.command("uninstall")(uninstall)


def install(
    sweep: Annotated[Path, typer.Argument(help="Sweep file (TOML).")],
    store: Annotated[Path, typer.Option(help="Folder that keeps the results of all nights.")],
    further: Annotated[
        list[str] | None, typer.Argument(help="Further options of the nightly run, after --.", metavar="[-- OPTION…]")
    ] = None,
    lab: Annotated[bool, typer.Option("--lab", help="Run in the virtual lab.")] = False,
    disks: Annotated[
        str, typer.Option(help="Serials or WWNs of the disks to use, comma-separated: THEIR CONTENT IS DESTROYED.")
    ] = "",
    at: Annotated[str, typer.Option("--at", help="When: a calendar event of systemd.time(7).")] = AT,
    delay_min: Annotated[int, typer.Option("--delay-min", help="Start up to so many minutes later.", min=0)] = 30,
    budget: Annotated[float, typer.Option("--budget", help="Hours after which the night ends.", min=0.1)] = 6.0,
    name: Annotated[str | None, typer.Option("--name", help="Name of the units; that of the sweep.")] = None,
    user: User = False,
    directory: Folder = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the units, and write nothing.")] = False,
    cron: Annotated[bool, typer.Option("--cron", help="Print a line for crontab instead; no systemd needed.")] = False,
    junit: to.Junit = None,
    openmetrics: to.OpenMetrics = None,
    markdown: to.Markdown = None,
    code_quality: to.CodeQuality = None,
    html: to.Html = None,
    mail: to.Mail = None,
    mail_from: to.MailFrom = None,
    mail_to: to.MailTo = None,
    webhook: to.Webhook = None,
    webhook_secret: to.WebhookSecret = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print what was written, or the units, as JSON.")] = False,
) -> None:
    """Run a sweep every night: write a systemd service and its timer, verified, and start the timer."""
    exactly_one({"--lab": lab, "--disks": bool(disks)})
    if cron and at != AT:
        raise typer.BadParameter(
            "cron knows no calendar events: change the line's first five fields", param_hint="--at"
        )
    if user and not lab:
        raise typer.BadParameter("disks need root: give --lab, or leave --user out", param_hint="--user")
    asked = to.outputs(
        junit, openmetrics, markdown, code_quality, html, mail, mail_from, mail_to, None, webhook, webhook_secret
    )
    asked.check(store)
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
        *asked.arguments(),
        *(further or ()),
    )
    from bench.nightly.timer import Schedule, unit_name

    loaded = _load(sweep)
    writes = _folders(store, [path for _, path in asked.files()])
    schedule = Schedule(
        name=unit_name(name or loaded.name),
        command=command,
        at=at,
        delay_s=delay_min * 60,
        budget_s=round(budget_s(budget)),
        user=user,
        writes=writes,
        reads=_needed(loaded, [*writes, sweep], command),
    )
    _carry_out(schedule, directory, dry_run=dry_run, cron=cron, as_json=as_json)


def _carry_out(schedule: Schedule, directory: Path | None, *, dry_run: bool, cron: bool, as_json: bool) -> None:
    """Print or write it."""
    from bench.nightly import install as units
    from bench.nightly.timer import cron_line, require_lines

    require_lines(schedule)
    if schedule.temporary:
        note(f"note: {schedule.temporary[0]} is in a folder for temporary files, which the system empties at boot")
    if cron:
        line = cron_line(schedule)
        emit_json({"cron": line}) if as_json else say(line)
    elif dry_run:
        verified = units.verify(schedule)
        texts = units.texts(schedule)
        if as_json:
            emit_json({"units": texts, "verified": verified})
        else:
            for file, text in texts.items():
                say(f"# {(directory or units.unit_folder(user=schedule.user)) / file}\n{text}")
            note("systemd accepts these units" if verified else "systemd could not be asked about these units")
    else:
        _make(schedule.writes[0])
        _report(units.install(schedule, directory), "wrote", as_json=as_json)


def _make(store: Path) -> None:
    """Make the store: systemd starts no service with a ReadWritePaths= that does not exist."""
    from bench.store_lock import make_folder

    try:
        make_folder(store)
    except OSError as failure:
        raise StoreError(f"{store}: {failure.strerror}", remedy="Name another folder, or correct this one.") from None


def uninstall(
    name: Annotated[str, typer.Argument(help="Name of the units, as install was given or made from the sweep's.")],
    user: User = False,
    directory: Folder = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print what was removed as JSON.")] = False,
) -> None:
    """Stop the timer and remove its units; results and a night that runs are left alone."""
    from bench.nightly import install as units
    from bench.nightly.timer import unit_name

    _report(units.uninstall(unit_name(name), directory, user=user), "removed", as_json=as_json)


def _report(done: Installed, verb: str, *, as_json: bool) -> None:
    """What was done, and what is left to do."""
    if as_json:
        emit_json(
            {
                "files": [str(path) for path in done.files],
                "verified": done.verified,
                "started": done.started,
                "next": list(done.next_steps),
            }
        )
        return
    for path in done.files:
        say(f"{verb} {path}")
    if done.started:
        say("the timer is started: systemctl list-timers 'stripelab-nightly-*'")
    for step in done.next_steps:
        say(f"next: {step}")


def _load(sweep: Path) -> Sweep:
    """The sweep; a file that cannot be read is found here and not at night."""
    from bench.vocabulary import vocabulary
    from permutations.sweep import Sweep

    return Sweep.load(sweep, vocabulary())


def _folders(store: Path, files: list[Path]) -> tuple[Path, ...]:
    """Every folder that a night writes into, the store first."""
    return tuple(dict.fromkeys([store.absolute(), *(path.absolute().parent for path in files)]))


def _needed(sweep: Sweep, paths: Iterable[Path], command: Sequence[str]) -> tuple[Path, ...]:
    """Every path that a night needs: ``paths``, the sweep's job files, the program, and what its options name."""
    from bench.nightly import visible

    job_files = [Path(workload.job_file) for workload in sweep.workloads if workload.job_file is not None]
    return visible.ways([*paths, *job_files, *visible.program(), *visible.words(command)])


def _program() -> tuple[str, ...]:
    """This very stripelab, by absolute paths: a service has another PATH."""
    script = Path(sys.executable).with_name("stripelab")
    return (str(script),) if script.is_file() else (sys.executable, "-m", "bench")
