"""The queue layer: scheduler, queue length, read-ahead and md's stripe cache, read back and put back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from bench import inventory
from bench.errors import StackError
from bench.journal import Act, effect
from bench.stack.spec import Site, StackSpec, Volume


@contextmanager
def queue_settings(site: Site, spec: StackSpec, volume: Volume) -> Iterator[None]:
    """Set what the point asks for; scheduler and length on the members, the others on the top device."""
    members = [inventory.SYS_BLOCK / disk.name / "queue" for disk in volume.members]
    tops = [inventory.SYS_BLOCK / device.name / "queue" for device in volume.devices]
    arrays = [inventory.SYS_BLOCK / volume.array / "md"] if volume.array is not None else []
    # The scheduler comes first: changing it resets the length of the queue.
    wanted: list[tuple[Path, str | int | None]] = [(queue / "scheduler", spec.scheduler) for queue in members]
    wanted += [(queue / "nr_requests", spec.nr_requests) for queue in members]
    wanted += [(queue / "read_ahead_kb", spec.read_ahead_kib) for queue in tops]
    wanted += [(array / "stripe_cache_size", spec.stripe_cache_pages) for array in arrays]
    with ExitStack() as stack:
        for place, value in wanted:
            if value is not None:
                stack.enter_context(_setting(site, place, str(value)))
        site.apply += apply_lines(spec)
        yield


def apply_lines(spec: StackSpec) -> list[str]:
    """Rules of udev(7) that apply the settings at every boot."""
    lines = []
    for attribute, value in (("scheduler", spec.scheduler), ("nr_requests", spec.nr_requests)):
        if value is not None:
            lines.append(
                'udev: ACTION=="add|change", SUBSYSTEM=="block", ENV{DEVTYPE}=="disk", '
                f'ENV{{ID_SERIAL}}=="DISK*", ATTR{{queue/{attribute}}}="{value}"'
            )
    if spec.read_ahead_kib is not None:
        top = "sd*|nvme*" if spec.level == "jbod" else "md*"
        lines.append(
            f'udev: ACTION=="add|change", SUBSYSTEM=="block", KERNEL=="{top}", '
            f'ATTR{{queue/read_ahead_kb}}="{spec.read_ahead_kib}"'
        )
    if spec.stripe_cache_pages is not None:
        lines.append(
            'udev: SUBSYSTEM=="block", KERNEL=="md*", ACTION=="add|change", '
            f'ATTR{{md/stripe_cache_size}}="{spec.stripe_cache_pages}"'
        )
    return lines


def value_of(place: Path) -> str:
    """The value in force; where sysfs lists the choices, the one in brackets."""
    text = place.read_text(encoding="ascii").strip()
    return text.partition("[")[2].partition("]")[0] if "[" in text else text


@contextmanager
def _setting(site: Site, place: Path, value: str) -> Iterator[None]:
    try:
        before = value_of(place)
    except OSError as failure:
        raise StackError(f"{place}: {failure.strerror}") from failure

    def write() -> None:
        site.commands.append(f"echo {value} > {place}")
        put(place, value, site.commands[-1])

    facts = {"place": str(place), "before": before}
    with effect(site.journal, "queue", facts, write, undo):
        yield


def put(place: Path, value: str, command: str) -> None:
    """Write a setting and read it back: a kernel may refuse it, or round it, in silence."""
    try:
        place.write_text(value, encoding="ascii")
        now = value_of(place)
    except OSError as failure:
        raise StackError(f"{place} refuses {value}: {failure.strerror}", command=command) from failure
    if now != value:
        raise StackError(f"{place}: wrote {value}, read back {now}", command=command)


def undo(act: Act) -> None:
    """Put the setting back; after a reboot, or without the device, there is nothing to put back."""
    place = Path(act.facts["place"])
    if act.of_this_boot and place.exists():
        put(place, str(act.facts["before"]), f"echo {act.facts['before']} > {place}")
