"""What ``smartctl --json`` says of a disk's temperature and wear, as values.

Keys are those of smartmontools 7 (smartctl(8), ``--json``).  Where a standard has the figure it is taken from there:
the SMART / Health Information log of NVMe (NVM Express Base Specification, log 02h), the Device Statistics of ATA
(ACS-4, log 04h), the log pages of SCSI (SPC-5, SBC-4).  Of the attributes of ATA, which each vendor numbers and scales
for itself, only 5 and 187 are used, whose raw values count the same everywhere.  What is not told is None, never zero.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from bench import proc
from bench.errors import EnvironmentUnknownError
from bench.inventory import Disk

TIMEOUT_S = 60.0
OPTIONS = ("--json", "--all", "--log=devstat")
"""``--all`` has no Device Statistics; for other kinds of disk than ATA the second option does nothing."""

_NOT_ASKED = 0b11
"""Exit status bits of smartctl(8): the command line is wrong, the device could not be opened or identified.  The
other bits tell of the disk's state, or of a log that it does not have, and come with everything else."""

_REALLOCATED, _ERRORS, _ENDURANCE = (3, 32), (4, 8), (7, 8)
"""Page and offset in the Device Statistics (ACS-4, 9.5): number of reallocated logical sectors, number of reported
uncorrectable errors, percentage used endurance indicator."""


@dataclass(frozen=True, kw_only=True)
class Smart:
    """Temperature and wear of a disk; ``used_pct`` is the share of its rated endurance, which may exceed 100."""

    temperature_c: float | None = None
    used_pct: int | None = None
    power_on_hours: int | None = None
    media_errors: int | None = None
    reallocated_sectors: int | None = None


@dataclass(frozen=True)
class _Message:
    string: str = ""
    severity: str = ""


@dataclass(frozen=True)
class _Program:
    exit_status: int = 0
    messages: tuple[_Message, ...] = ()


@dataclass(frozen=True)
class _Device:
    protocol: str = ""


@dataclass(frozen=True)
class _Temperature:
    current: int | None = None


@dataclass(frozen=True)
class _PowerOn:
    hours: int | None = None


@dataclass(frozen=True)
class _Endurance:
    current_percent: int | None = None


@dataclass(frozen=True)
class _Nvme:
    percentage_used: int | None = None
    media_errors: int | None = None


@dataclass(frozen=True)
class _Raw:
    string: str = ""


@dataclass(frozen=True)
class _Attribute:
    id: int
    raw: _Raw = field(default_factory=_Raw)


@dataclass(frozen=True)
class _Attributes:
    table: tuple[_Attribute, ...] = ()


@dataclass(frozen=True)
class _Flags:
    valid: bool = False


@dataclass(frozen=True)
class _Statistic:
    offset: int = 0
    value: int | None = None
    flags: _Flags = field(default_factory=_Flags)


@dataclass(frozen=True)
class _Page:
    number: int = 0
    table: tuple[_Statistic, ...] = ()


@dataclass(frozen=True)
class _Statistics:
    pages: tuple[_Page, ...] = ()

    def value(self, place: tuple[int, int]) -> int | None:
        """A statistic that the disk supports and calls valid."""
        page, offset = place
        found = (each for own in self.pages if own.number == page for each in own.table if each.offset == offset)
        return next((each.value for each in found if each.flags.valid), None)


@dataclass(frozen=True)
class _Counter:
    total_uncorrected_errors: int | None = None


@dataclass(frozen=True)
class _Counters:
    read: _Counter = field(default_factory=_Counter)
    write: _Counter = field(default_factory=_Counter)
    verify: _Counter = field(default_factory=_Counter)

    @property
    def uncorrected(self) -> int | None:
        """Errors that were not corrected, of all kinds of access that the disk counts."""
        counted = [each.total_uncorrected_errors for each in (self.read, self.write, self.verify)]
        known = [each for each in counted if each is not None]
        return sum(known) if known else None


@dataclass(frozen=True)
class _Document:
    """What is read of smartctl's answer."""

    smartctl: _Program = field(default_factory=_Program)
    device: _Device = field(default_factory=_Device)
    temperature: _Temperature = field(default_factory=_Temperature)
    power_on_time: _PowerOn = field(default_factory=_PowerOn)
    endurance_used: _Endurance = field(default_factory=_Endurance)
    nvme_smart_health_information_log: _Nvme = field(default_factory=_Nvme)
    ata_smart_attributes: _Attributes = field(default_factory=_Attributes)
    ata_device_statistics: _Statistics = field(default_factory=_Statistics)
    scsi_percentage_used_endurance_indicator: int | None = None
    scsi_grown_defect_list: int | None = None
    scsi_error_counter_log: _Counters = field(default_factory=_Counters)

    def attribute(self, number: int) -> int | None:
        """Raw value of an ATA attribute: the number that its text begins with, since some pack more into the bytes."""
        texts = (each.raw.string for each in self.ata_smart_attributes.table if each.id == number)
        found = re.match(r"\d+", next(texts, ""))
        return int(found.group()) if found else None


def ask(disk: Disk) -> Smart:
    """Ask smartctl about a disk.

    Raises:
        EnvironmentUnknownError: it does not know the disk, did not answer, or answered what is not understood.
        MissingToolError: it is not installed.
    """
    asked = proc.run(["smartctl", *OPTIONS, disk.path], timeout_s=TIMEOUT_S, check=False, error=EnvironmentUnknownError)
    return parse(asked.stdout, command=asked.command)


def parse(text: str, *, command: str | None = None) -> Smart:
    """The figures in smartctl's answer.

    Raises:
        EnvironmentUnknownError: the answer is of another form, or says that the disk could not be asked.
    """
    import msgspec  # late: `stripelab --help` does not need it

    try:
        found = msgspec.json.decode(text, type=_Document)
    except (msgspec.DecodeError, UnicodeError) as error:
        raise EnvironmentUnknownError(f"smartctl's answer is not understood: {error}", command=command) from None
    if found.smartctl.exit_status & _NOT_ASKED:
        said = "; ".join(each.string for each in found.smartctl.messages) or "the disk cannot be asked"
        raise EnvironmentUnknownError(f"smartctl: {said}", command=command)
    nvme, statistics = found.nvme_smart_health_information_log, found.ata_device_statistics
    scsi = found.scsi_error_counter_log.uncorrected
    return Smart(
        temperature_c=_temperature(found),
        used_pct=_first(
            nvme.percentage_used,
            found.scsi_percentage_used_endurance_indicator,
            statistics.value(_ENDURANCE),
            found.endurance_used.current_percent,
        ),
        power_on_hours=found.power_on_time.hours,
        media_errors=_first(nvme.media_errors, scsi, found.attribute(187), statistics.value(_ERRORS)),
        reallocated_sectors=_first(found.scsi_grown_defect_list, found.attribute(5), statistics.value(_REALLOCATED)),
    )


def _first(*values: int | None) -> int | None:
    """The first that is known."""
    return next((value for value in values if value is not None), None)


def _temperature(found: _Document) -> float | None:
    """Degrees Celsius; a SCSI disk without a sensor answers 0, and no disk that works is that cold."""
    current = found.temperature.current
    if current is None or (current == 0 and found.device.protocol == "SCSI"):
        return None
    return float(current)
