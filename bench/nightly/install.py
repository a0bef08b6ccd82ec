"""Units on the machine: verified before they are put in place, and never over what somebody else wrote."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bench import proc
from bench.errors import UnitError
from bench.nightly import timer
from bench.nightly.timer import Schedule
from results import outfile
from results.errors import ResultsError
from results.store.files import Folder, file_at

SYSTEM_FOLDER = Path("/etc/systemd/system")
_LINGER = "loginctl enable-linger    # or nights run only while you are logged in"
_RUNNING = Path("/run/systemd/system")  # sd_booted(3): it exists where systemd is the manager


@dataclass(frozen=True)
class Installed:
    """What was done: the files, whether the timer runs already, and what is left to do by hand."""

    files: tuple[Path, ...]
    verified: bool
    started: bool
    next_steps: tuple[str, ...]


def unit_folder(*, user: bool, environment: Mapping[str, str] = os.environ) -> Path:
    """Where the administrator's or the user's units are (systemd.unit(5))."""
    if not user:
        return SYSTEM_FOLDER
    home = environment.get("XDG_CONFIG_HOME", "")
    return (Path(home) if Path(home).is_absolute() else Path.home() / ".config") / "systemd" / "user"


def texts(schedule: Schedule) -> dict[str, str]:
    """Both units by their file names."""
    return {
        f"{schedule.unit}.service": timer.service(schedule),
        f"{schedule.unit}.timer": timer.timer(schedule),
    }


def verify(schedule: Schedule) -> bool:
    """Ask ``systemd-analyze verify`` of both units; False where this machine has no systemd to ask.

    Raises:
        UnitError: it found something wrong, such as a calendar event that is none.
    """
    if shutil.which("systemd-analyze", path=proc.SYSTEM_PATH) is None:
        return False
    with tempfile.TemporaryDirectory(prefix="stripelab-units-") as folder:
        paths = []
        for name, text in texts(schedule).items():
            path = Path(folder) / name
            path.write_text(text, encoding="utf-8")
            paths.append(path)
        found = proc.run([*_verifier(folder, user=schedule.user), *paths], error=UnitError, check=False)
    # Its status and some of its lines are about other units of the machine, which are not ours to judge.
    said = [line.replace(f"{folder}/", "") for line in found.stderr.splitlines() if schedule.unit in line]
    if said:
        raise UnitError(
            f"systemd does not accept the units: {' | '.join(said)}",
            command=found.command,
            remedy="Correct what it names; `systemd-analyze calendar EVENT` checks a time.",
        )
    return found.status == 0


def _verifier(folder: str, *, user: bool) -> list[str]:
    """The user's manager reads its units only where there is a runtime folder, which a cron job or root has not."""
    verify_ = ["systemd-analyze", "verify", "--man=no"]
    return ["env", f"XDG_RUNTIME_DIR={folder}", *verify_, "--user"] if user else [*verify_, "--system"]


def install(schedule: Schedule, folder: Path | None = None, *, start: bool = True) -> Installed:
    """Write both units, and start the timer where systemd runs; with ``folder`` nothing is started.

    Raises:
        UnitError: the folder holds units of these names that somebody else wrote or changed, systemd does not accept
            them, or they cannot be written.
    """
    target = folder or unit_folder(user=schedule.user)
    for name in texts(schedule):
        _refuse_foreign(target / name)
    verified = verify(schedule)
    files = _write(schedule, target)
    unit = f"{schedule.unit}.timer"
    control = _systemctl(user=schedule.user)
    steps = [[*control, "daemon-reload"], [*control, "enable", "--now", unit]]
    linger = (_LINGER,) if schedule.user else ()
    if folder is not None or not start or not _RUNNING.is_dir():
        return Installed(files, verified, started=False, next_steps=(*(" ".join(step) for step in steps), *linger))
    for step in steps:
        proc.run(step, error=UnitError)
    return Installed(files, verified, started=True, next_steps=linger)


def _write(schedule: Schedule, target: Path) -> tuple[Path, ...]:
    """Both files or neither of them new: the service first, since the timer names it."""
    try:
        target.mkdir(parents=True, exist_ok=True)
        for name, text in texts(schedule).items():
            outfile.write(target / name, text.encode(), public=True)
    except OSError as failure:
        raise UnitError(f"{target}: {failure.strerror}", remedy=_WITH_ROOT) from None
    except ResultsError as failure:
        raise UnitError(failure.message, remedy=_WITH_ROOT) from None
    return tuple(target / name for name in texts(schedule))


_WITH_ROOT = "Run it as root, or with --user for units of your own."


def _refuse_foreign(path: Path) -> None:
    """Raise UnitError where the file is there and not, to the letter, as it was written by us."""
    try:
        folder, name = file_at(path)
        text = folder.read(name).decode()
    except FileNotFoundError:
        return
    except (OSError, UnicodeDecodeError) as failure:
        raise UnitError(f"{path} cannot be read: {failure}") from None
    if not timer.is_ours(text):
        raise UnitError(
            f"{path} was not written by stripelab: it was left alone",
            remedy="Give another --name, or move that file away.",
        )
    if not timer.is_unchanged(text):
        raise UnitError(
            f"{path} was changed since stripelab wrote it: it was left alone",
            remedy=f"Keep the change as a drop-in (systemctl edit {path.name}), then remove {path} and try again.",
        )


def uninstall(name: str, folder: Path | None = None, *, user: bool) -> Installed:
    """Stop the timer and remove both units; a night that runs is left to end by itself.

    Raises:
        UnitError: there is no such unit, or it is not ours, or it cannot be removed.
    """
    target = folder or unit_folder(user=user)
    unit = f"{timer.PREFIX}{name}"
    paths = tuple(path for path in (target / f"{unit}.timer", target / f"{unit}.service") if os.path.lexists(path))
    if not paths:
        others = _names(target)
        raise UnitError(
            f"{target} has no units of the name {unit}",
            remedy=f"Installed are: {', '.join(others)}." if others else "There is nothing to remove in that folder.",
        )
    for path in paths:
        _refuse_foreign(path)
    control = _systemctl(user=user)
    running = folder is None and _RUNNING.is_dir()
    if running:
        proc.run([*control, "disable", "--now", f"{unit}.timer"], error=UnitError)
    for path in paths:
        try:
            path.unlink()
        except OSError as failure:
            raise UnitError(f"{path} cannot be removed: {failure.strerror}", remedy=_WITH_ROOT) from None
    if running:
        proc.run([*control, "daemon-reload"], error=UnitError)
    steps = () if running else (" ".join([*control, "daemon-reload"]),)
    return Installed(paths, verified=False, started=False, next_steps=steps)


def _names(folder: Path) -> list[str]:
    """Names of the timers in a folder; none where it cannot be read."""
    try:
        timers = Folder(folder).regular_names(suffix=".timer")
    except OSError:
        return []
    return [name.removeprefix(timer.PREFIX).removesuffix(".timer") for name in timers if name.startswith(timer.PREFIX)]


def _systemctl(*, user: bool) -> list[str]:
    """``systemctl`` of the system's or of the user's manager, which is found by its runtime folder."""
    if not user:
        return ["systemctl"]
    folder = os.environ.get("XDG_RUNTIME_DIR") or f"/run/user/{os.getuid()}"
    return ["env", f"XDG_RUNTIME_DIR={folder}", "systemctl", "--user"]
