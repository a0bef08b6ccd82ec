"""A nightly run as systemd units, and as a line of cron: text, and nothing but text.

systemd.service(5), systemd.timer(5), systemd.exec(5), systemd.kill(5), systemd.time(7), crontab(5).

The service is of type ``exec``: ``RuntimeMaxSec`` has no effect on ``oneshot``.  A timer does not start a service that
still runs, and a run by hand finds the store locked, so two nights never measure at once.
"""

from __future__ import annotations

import hashlib
import re
import shlex
from dataclasses import dataclass
from pathlib import Path

from bench.errors import UnitError
from results.text import plain, shows

PREFIX = "stripelab-nightly-"
MARK = "# Written by `stripelab nightly install`. Change it with `systemctl edit`, or install again. sha256 "
GRACE_S = 900
"""After its budget a night still takes its stack down; only then systemd sends the signal."""

STOP_S = 900
"""From SIGTERM to SIGKILL: the time that taking a stack down may need (a filesystem with much to write back)."""

BUSY_STATUS, KNOWN_STATUS = 9, 20
_DROPPED = (
    "CAP_SYS_TIME",
    "CAP_WAKE_ALARM",
    "CAP_SYS_BOOT",
    "CAP_SYSLOG",
    "CAP_MAC_ADMIN",
    "CAP_MAC_OVERRIDE",
    "CAP_AUDIT_CONTROL",
    "CAP_AUDIT_READ",
    "CAP_AUDIT_WRITE",
    "CAP_BPF",
    "CAP_LEASE",
    "CAP_LINUX_IMMUTABLE",
)
"""What no layer of a stack, no engine and no lab uses."""

_TEMPORARY = (Path("/tmp"), Path("/var/tmp"))  # noqa: S108 - folders that PrivateTmp= hides


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """A nightly run: the command line with absolute paths, when, and for how long.

    ``at`` is a calendar event of systemd.time(7); ``delay_s`` the most that its start is put off at random;
    ``budget_s`` the time after which the night ends by itself.  ``writes`` are folders that it writes into, ``reads``
    every other path it needs, the program itself included, so that no sandbox hides them
    (:mod:`bench.nightly.visible`).
    """

    name: str
    command: tuple[str, ...]
    at: str
    delay_s: int
    budget_s: int
    user: bool
    writes: tuple[Path, ...]
    reads: tuple[Path, ...] = ()

    @property
    def unit(self) -> str:
        """Name of the units, without ``.service`` or ``.timer``."""
        return f"{PREFIX}{self.name}"

    @property
    def temporary(self) -> tuple[Path, ...]:
        """What it needs of the system's folders for temporary files."""
        needed = (*self.writes, *self.reads)
        return tuple(path for path in needed if any(path.is_relative_to(folder) for folder in _TEMPORARY))


def require_lines(schedule: Schedule) -> None:
    """Raise UnitError where a unit or a crontab, which are lines of UTF-8, could not hold a word of the schedule."""
    for text in (*schedule.command, schedule.at, *map(str, schedule.writes)):
        if not all(map(shows, text)):  # a byte that is not UTF-8 is a surrogate, which does not show
            raise UnitError(
                f"“{plain(text)}” cannot be scheduled: it has bytes that are not UTF-8, or control characters",
                remedy="Rename that file or folder, or correct the option.",
            )


def unit_name(text: str) -> str:
    """A sweep's name as part of a unit's: lower case letters, digits and hyphens; never empty."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:100] or "sweep"


def service(schedule: Schedule) -> str:
    """The service unit, its mark on the first line."""
    lines = [
        "[Unit]",
        f"Description=stripelab nightly: {specifier(schedule.name)}",
        "Documentation=man:systemd.service(5)",
        *_order(schedule),
        "",
        "[Service]",
        "Type=exec",
        f"ExecStart={' '.join(word(each) for each in schedule.command)}",
        "# The night ends by itself after its budget; this is for one that cannot.",
        f"RuntimeMaxSec={schedule.budget_s + GRACE_S}",
        "# SIGTERM goes to stripelab alone, which takes the stack down, and SIGKILL to all that is left after that.",
        "KillMode=mixed",
        f"TimeoutStopSec={STOP_S}",
        "# Status 1 is a regression, 18 an incomplete night: the unit fails, and `systemctl --failed` shows it.",
        "# Another run holds the store, or every regression is acknowledged:",
        f"SuccessExitStatus={BUSY_STATUS} {KNOWN_STATUS}",
        "UMask=0022",
        "Environment=PYTHONUNBUFFERED=1",
        *(_user_sandbox() if schedule.user else _sandbox(schedule)),
    ]
    return marked("\n".join(lines) + "\n")


def _order(schedule: Schedule) -> list[str]:
    """What the system has up first; a user's manager has no such targets."""
    if schedule.user:
        return []
    network = ["Wants=network-online.target"] if "--webhook" in schedule.command else []
    return [*network, "After=local-fs.target network-online.target time-sync.target"]


def _user_sandbox() -> list[str]:
    """What a user's manager can do without namespaces, which many systems deny to users."""
    return ["NoNewPrivileges=yes", "RestrictRealtime=yes"]


def _sandbox(schedule: Schedule) -> list[str]:
    """As much as can be closed while disks, arrays, mounts, queue settings and the virtual lab still work.

    Not closed, each for a reason: PrivateDevices, DeviceAllow and ProtectClock (which implies DeviceAllow=char-rtc)
    take the disks away; ProtectKernelTunables makes /sys/block read-only; ProtectKernelModules keeps md and
    filesystems from being loaded; RestrictNamespaces, LockPersonality and system call filters keep the virtual lab
    from starting.
    """
    lines = [
        "# Sandbox: devices, /sys and modules stay open, since arrays are built and queues are set.",
        "NoNewPrivileges=yes",
        "ProtectSystem=strict",
        "ProtectHome=read-only",
        "ReadWritePaths=/run",
        *(f"ReadWritePaths={path_value(each)}" for each in schedule.writes),
        "ProtectHostname=yes",
        "RestrictRealtime=yes",
        "RestrictSUIDSGID=yes",
        "RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK",
        f"CapabilityBoundingSet=~{' '.join(_DROPPED)}",
    ]
    hidden = schedule.temporary
    return [*lines, f"# No PrivateTmp=, which would hide {specifier(str(hidden[0]))}" if hidden else "PrivateTmp=yes"]


def timer(schedule: Schedule) -> str:
    """The timer unit, its mark on the first line."""
    lines = [
        "[Unit]",
        f"Description=When stripelab nightly runs: {specifier(schedule.name)}",
        "Documentation=man:systemd.timer(5)",
        "",
        "[Timer]",
        f"OnCalendar={specifier(schedule.at)}",
        "# Not every machine at the same second, but each at its own time every night.",
        f"RandomizedDelaySec={schedule.delay_s}",
        "FixedRandomDelay=yes",
        "AccuracySec=1min",
        "# A night that was missed while the machine was off is made up for when it is on again.",
        "Persistent=yes",
        "",
        "[Install]",
        "WantedBy=timers.target",
    ]
    return marked("\n".join(lines) + "\n")


def marked(body: str) -> str:
    """Text with a first line that says who wrote it, and the digest of the rest."""
    return f"{MARK}{hashlib.sha256(body.encode()).hexdigest()}\n{body}"


def is_ours(text: str) -> bool:
    """Whether this was written by :func:`marked`, changed since or not."""
    return text.startswith(MARK)


def is_unchanged(text: str) -> bool:
    """Whether this is, to the letter, what was written by :func:`marked`."""
    first, _, body = text.partition("\n")
    return is_ours(text) and first == marked(body).partition("\n")[0]


def cron_line(schedule: Schedule) -> str:
    """A line for ``crontab -e``; the minutes after the hour are the machine's own, and ``timeout`` ends a long night.

    Cron knows no calendar events, so the line is for 02:00 and what ``delay_s`` allows.
    """
    spread = int(hashlib.sha256(shlex.join(schedule.command).encode(errors="backslashreplace")).hexdigest(), 16)
    after_min = spread % (min(schedule.delay_s, 7200) // 60 + 1)
    limit = ["timeout", "--signal=TERM", f"--kill-after={STOP_S}", str(schedule.budget_s + GRACE_S)]
    line = shlex.join([*limit, *schedule.command]).replace("%", r"\%")  # a bare % ends the command (crontab(5))
    return f"{after_min % 60} {2 + after_min // 60} * * * {line}"


def specifier(text: str) -> str:
    """Text in which no specifier is expanded (systemd.unit(5)) and no line ends."""
    return re.sub(r"[\x00-\x1f\x7f]", " ", text).replace("%", "%%")


def word(text: str) -> str:
    """A word of ``ExecStart=``: quoted, and neither specifiers nor variables are expanded (systemd.service(5))."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t")
    return f'"{escaped.replace("%", "%%").replace("$", "$$")}"'


def path_value(path: Path) -> str:
    """A path in a setting that takes several: quoted, specifiers not expanded."""
    escaped = str(path).replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t")
    return f'"{escaped.replace("%", "%%")}"'
