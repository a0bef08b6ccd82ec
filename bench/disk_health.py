"""Temperature and wear of the leased disks: read after a trial, kept in its telemetry, and no part of any figure.

Temperature comes from the kernel's sensor (hwmon of ``nvme`` and ``drivetemp``, millidegrees Celsius:
Documentation/hwmon/sysfs-interface.rst), which costs nothing, and else from smartctl; wear from smartctl, where that is
installed.  Disks of the virtual lab and loop files have neither, and are not asked.  What could not be read is said.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

from bench import smartctl
from bench.errors import EnvironmentUnknownError, MissingToolError
from bench.inventory import Disk
from bench.smartctl import Smart

SENSORS = ("device/hwmon*/temp1_input", "device/hwmon/hwmon*/temp1_input", "device/nvme*/hwmon*/temp1_input")
"""Below a disk's folder in sysfs: NVMe; SCSI and ATA by drivetemp; NVMe that has several paths."""

NO_SENSOR = "temperature: the kernel has no sensor (nvme, drivetemp)"


@dataclass(frozen=True, kw_only=True)
class Health:
    """What was read of a disk; fields as in TelemetryRow.  ``not_read`` says what is missing, and why."""

    second: float
    device: str
    disk_id: str | None
    temperature_c: float | None = None
    used_pct: int | None = None
    power_on_hours: int | None = None
    media_errors: int | None = None
    reallocated_sectors: int | None = None
    not_read: str | None = None


def read(disks: Sequence[Disk], *, second: float, wear: bool) -> list[Health]:
    """Temperature of each disk, with ``wear`` all that smartctl tells; ``second`` is the time since the trial began.

    Without ``wear`` a disk that has no sensor gives no row.
    """
    return [found for disk in disks if disk.substrate == "disk" for found in _of(disk, second, wear=wear)]


def _of(disk: Disk, second: float, *, wear: bool) -> Iterator[Health]:
    sensor_c = sensor(disk)
    if not wear:
        if sensor_c is not None:
            yield Health(second=second, device=disk.name, disk_id=disk.id, temperature_c=sensor_c)
        return
    missing = []
    try:
        told = smartctl.ask(disk)
    except (MissingToolError, EnvironmentUnknownError) as failure:
        told = Smart()
        missing.append(f"wear: {failure.message}")
    temperature_c = sensor_c if sensor_c is not None else told.temperature_c
    if temperature_c is None:
        missing.append(NO_SENSOR)
    yield Health(
        second=second,
        device=disk.name,
        disk_id=disk.id,
        temperature_c=temperature_c,
        used_pct=told.used_pct,
        power_on_hours=told.power_on_hours,
        media_errors=told.media_errors,
        reallocated_sectors=told.reallocated_sectors,
        not_read="; ".join(missing) or None,
    )


def sensor(disk: Disk) -> float | None:
    """Degrees Celsius that the kernel's sensor in the disk shows; None where there is none, or it cannot be read."""
    for pattern in SENSORS:
        for path in sorted(disk.sys.glob(pattern)):
            with suppress(OSError, ValueError):
                return int(path.read_text(encoding="ascii")) / 1000
    return None
