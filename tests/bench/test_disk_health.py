"""Temperature from the kernel's sensors and wear from smartctl, of disks made of files in the form of sysfs."""

from __future__ import annotations

import pytest

from bench import disk_health, inventory, proc, smartctl
from bench.errors import EnvironmentUnknownError, MissingToolError
from bench.inventory import Disk
from bench.smartctl import Smart

TOLD = Smart(temperature_c=41.0, used_pct=7, power_on_hours=8712, media_errors=0)


def disk(name, substrate="disk"):
    return Disk(
        name=name,
        id=f"SERIAL-{name}",
        serial=f"SERIAL-{name}",
        wwn=None,
        model="",
        firmware="",
        size_bytes=1 << 30,
        logical_block_bytes=512,
        rotational=False,
        removable=False,
        read_only=False,
        diskseq="1",
        device_number="8:0",
        substrate=substrate,
    )


@pytest.fixture
def sysfs(tmp_path, monkeypatch):
    monkeypatch.setattr(inventory, "SYS_BLOCK", tmp_path)
    return tmp_path


def heat(folder, millidegrees):
    folder.mkdir(parents=True)
    (folder / "temp1_input").write_text(f"{millidegrees}\n")


def told(monkeypatch, answer):
    def ask(_):
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(smartctl, "ask", ask)


@pytest.mark.parametrize(
    "place", ["device/hwmon3", "device/hwmon/hwmon3", "device/nvme0/hwmon3"], ids=["nvme", "drivetemp", "multipath"]
)
def test_the_kernels_sensor_is_read_wherever_the_driver_has_it(sysfs, place):
    heat(sysfs / "sda" / place, 36850)
    assert disk_health.sensor(disk("sda")) == 36.85
    (row,) = disk_health.read([disk("sda")], second=12.5, wear=False)
    assert (row.temperature_c, row.second, row.disk_id, row.not_read) == (36.85, 12.5, "SERIAL-sda", None)


def test_a_sensor_that_shows_no_number_or_is_none_is_not_known(sysfs):
    heat(sysfs / "sda/device/hwmon1", "N/A")
    assert disk_health.sensor(disk("sda")) is None
    assert disk_health.read([disk("sda"), disk("sdb")], second=1.0, wear=False) == []


def test_wear_comes_from_smartctl_and_so_does_the_temperature_where_there_is_no_sensor(sysfs, monkeypatch):
    told(monkeypatch, TOLD)
    heat(sysfs / "nvme0n1/device/hwmon1", 44000)
    sensed, other = disk_health.read([disk("nvme0n1"), disk("sdb")], second=1.0, wear=True)
    assert (sensed.temperature_c, sensed.used_pct, sensed.power_on_hours, sensed.media_errors) == (44.0, 7, 8712, 0)
    assert (other.temperature_c, other.reallocated_sectors, other.not_read) == (41.0, None, None)


@pytest.mark.parametrize(
    ("failure", "said"),
    [
        (MissingToolError("smartctl is not installed"), "wear: smartctl is not installed"),
        (EnvironmentUnknownError("smartctl: Unable to detect device type"), "wear: smartctl: Unable to detect"),
    ],
)
def test_what_could_not_be_read_is_said_and_is_never_zero(sysfs, monkeypatch, failure, said):
    told(monkeypatch, failure)
    (row,) = disk_health.read([disk("sda")], second=1.0, wear=True)
    assert (row.temperature_c, row.used_pct, row.media_errors, row.reallocated_sectors) == (None,) * 4
    assert row.not_read.startswith(said)
    assert row.not_read.endswith(disk_health.NO_SENSOR)
    heat(sysfs / "sda/device/hwmon1", 30000)
    (row,) = disk_health.read([disk("sda")], second=1.0, wear=True)
    assert (row.temperature_c, disk_health.NO_SENSOR in row.not_read) == (30.0, False)


def test_disks_of_the_lab_and_loop_files_are_not_asked(sysfs, monkeypatch):
    told(monkeypatch, AssertionError("asked"))
    assert disk_health.read([disk("ubda", "uml"), disk("loop0", "loop")], second=1.0, wear=True) == []


def test_the_command_is_the_one_that_was_recorded(monkeypatch):
    asked = []

    def run(argv, **_):
        asked.append([str(word) for word in argv])
        return proc.Finished(tuple(map(str, argv)), 0, "{}", "", 0.1)

    monkeypatch.setattr(proc, "run", run)
    assert smartctl.ask(disk("sda")) == Smart()
    assert asked == [["smartctl", "--json", "--all", "--log=devstat", "/dev/sda"]]
