"""What the machine is: without this, no figure means anything, and nothing is measured."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import platform
import re
from collections.abc import Sequence
from pathlib import Path

from bench import proc
from bench.errors import EnvironmentUnknownError
from bench.inventory import Disk
from bench.lab.inside import inside
from bench.version import stripelab_version
from results.store.schema import EnvironmentRow

VERSION_COMMANDS: dict[str, tuple[str, ...]] = {
    "fio": ("fio", "--version"),
    "dd": ("dd", "--version"),
    "mdadm": ("mdadm", "--version"),
    "mkfs.ext4": ("mkfs.ext4", "-V"),
    "mkfs.xfs": ("mkfs.xfs", "-V"),
    "mkfs.btrfs": ("mkfs.btrfs", "--version"),
}
MEMORY = Path("/sys/devices/system/memory")
COMMAND_LINE = Path("/proc/cmdline")
GOVERNOR = Path("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")


def describe(disks: Sequence[Disk], substrate: str, programs: Sequence[str]) -> EnvironmentRow:
    """The environment of a run over these disks with these programs.

    Raises :class:`EnvironmentUnknownError` naming what could not be found out.
    """
    system = platform.uname()
    unnamed = EnvironmentRow(
        environment_id="",
        hostname="",
        substrate=substrate,
        kernel=f"{system.release} {system.version}",
        architecture=system.machine,
        os_release=known("distribution", os_release()),
        cpu_model=known("CPU model", cpu_model()),
        cpus=os.cpu_count() or 0,
        cpu_governor=GOVERNOR.read_text(encoding="ascii").strip() if GOVERNOR.exists() else None,
        memory_bytes=installed_memory_bytes(),
        disk_ids=tuple(known(f"identity of {disk.path}", disk.id or "") for disk in disks),
        disk_models=tuple(disk.model for disk in disks),
        disk_firmwares=tuple(disk.firmware for disk in disks),
        disk_sizes_bytes=tuple(disk.size_bytes for disk in disks),
        disk_logical_block_bytes=tuple(disk.logical_block_bytes for disk in disks),
        disk_rotational=tuple(disk.rotational for disk in disks),
        tools=tuple(f"{program}: {tool_version(program)}" for program in sorted(set(programs))),
        stripelab_version=stripelab_version(),
    )
    identity = json.dumps(dataclasses.asdict(unnamed), sort_keys=True, separators=(",", ":"))
    return dataclasses.replace(
        unnamed,
        environment_id=hashlib.sha256(identity.encode()).hexdigest()[:16],
        hostname=system.node or "unnamed",
    )


def installed_memory_bytes() -> int:
    """Memory that the machine has: the same at every boot, unlike what its kernel has left of it.

    The lab's is on its kernel's command line; elsewhere sysfs counts blocks of memory
    (Documentation/admin-guide/mm/memory-hotplug.rst), and where it does not the kernel's figure must do.
    """
    if inside() and (asked := re.search(r"\bmem=([0-9]+)M\b", COMMAND_LINE.read_text(encoding="ascii"))):
        return int(asked[1]) << 20
    try:
        block_bytes = int((MEMORY / "block_size_bytes").read_text(encoding="ascii"), 16)
        online = [each.read_text(encoding="ascii").strip() == "1" for each in MEMORY.glob("memory*/online")]
    except (OSError, ValueError):
        online = []
    if any(online):
        return block_bytes * sum(online)
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def known(what: str, value: str) -> str:
    """``value``, or :class:`EnvironmentUnknownError` where it is empty."""
    if not value:
        raise EnvironmentUnknownError(f"the {what} of this machine could not be found out")
    return value


def os_release() -> str:
    """Name of the distribution; os-release(5)."""
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except (OSError, KeyError):
        return ""


def cpu_model() -> str:
    """Model of the CPU; proc_cpuinfo(5), whose keys differ by architecture."""
    pairs = (line.partition(":") for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines())
    fields = {key.strip().lower(): value.strip() for key, _, value in pairs}
    return fields.get("model name") or fields.get("cpu part") or fields.get("cpu") or ""


def tool_version(program: str) -> str:
    """First line of what a program says of its version (mdadm and mke2fs say it on stderr)."""
    finished = proc.run(VERSION_COMMANDS[program], error=EnvironmentUnknownError)
    said = (finished.stdout or finished.stderr).strip()
    return known(f"version of {program}", said.partition("\n")[0])
