"""The array layer: Linux software RAID, md(4), driven through mdadm(8) and sysfs."""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path

from bench import inventory, proc
from bench.acts import Act, ArrayAct
from bench.errors import MissingToolError, StackError
from bench.inventory import Disk
from bench.journal import Entry, effect
from bench.lease import Lease
from bench.nodes import through
from bench.stack.blocks import read_at
from bench.stack.modules import load_module
from bench.stack.spec import ArrayState, Geometry, Site, StackSpec, Volume
from stripelab.raid import DEFAULT_CHUNK_KIB, LEVELS, Level

RESYNC_TIMEOUT_S = 7 * 86400.0
POLL_S = 0.05
PERSONALITIES = Path("/proc/mdstat")
NODE_TIMEOUT_S = 10.0
SUPERBLOCK_OFFSET = 4096
SUPERBLOCK_MAGIC = (0xA92B4EFC).to_bytes(4, "little")


class Md:
    """Driver of levels of md; ``modules`` has the kernel module of each."""

    programs = ("mdadm",)

    def __init__(self, modules: Mapping[Level, str]) -> None:
        self.levels = tuple(modules)
        self.modules = tuple(dict.fromkeys(modules.values()))
        self._module_of = {level.name: module for level, module in modules.items()}

    def require(self, level: Level) -> None:
        """Load the personality of the level where the kernel has it as a module."""
        module = self._module_of[level.name]
        if _has_personality(level.name):
            return
        load_module(module)
        if not _has_personality(level.name):
            raise MissingToolError(
                f"this kernel's md has no {level.name}",
                remedy=f"Load or install the kernel module {module}; in the virtual lab (--lab) it is there.",
            )

    def array(self, site: Site, spec: StackSpec, members: tuple[Disk, ...]) -> AbstractContextManager[Volume]:
        """Create the array, and wait for its first resync where the sweep asks for that."""
        return array(site, spec, members)

    def undo_table(self, lease: Lease) -> Mapping[type[Act], Callable[[Entry], None]]:
        """Arrays are the only act."""
        return {ArrayAct: lambda entry: undo(entry, lease)}


@contextmanager
def array(site: Site, spec: StackSpec, members: tuple[Disk, ...]) -> Iterator[Volume]:
    """Create the array over ``members``, yield its device, stop it and clear its superblocks."""
    act = ArrayAct(f"stripelab-{site.tag}", str(uuid.uuid4()), tuple(disk.id or "" for disk in members))

    def create() -> None:
        with site.lease.destroying(f"mdadm --create {act.name}", members) as opened:
            argv = create_argv(act.name, spec, [str(through(each)) for each in opened], act.uuid)
            site.commands.append(proc.run_on_disks(argv, descriptors=opened).command)

    site.apply += apply_lines(spec)
    with effect(site.journal, act, create, lambda entry: undo(entry, site.lease)):
        kernel_name = find(act)
        if kernel_name is None:
            raise StackError(
                f"mdadm reported success, but there is no array named {act.name}", command=site.commands[-1]
            )
        if spec.initial_sync == "wait":
            wait_for_resync(kernel_name)
        device = Path("/dev") / kernel_name
        yield Volume((device,), members, geometry(spec), kernel_name, lambda: state(kernel_name))


def create_argv(name: str, spec: StackSpec, devices: list[str], array_uuid: str | None = None) -> list[str]:
    """Command line of ``mdadm --create``; by the UUID an array is known again as one that we made.

    The bitmap is left out: it is a factor of its own in write cost, and mdadm from 4.4 on asks about it unless told.
    The default chunk is passed explicitly, so that it is on record.  ``--run`` answers the question about leftover
    metadata, which the safety checks have already asked.
    """
    argv = ["mdadm", "--create", f"/dev/md/{name}", "--run", "--metadata=1.2", "--homehost=stripelab"]
    argv += [f"--name={name}", f"--level={spec.level.removeprefix('raid')}", f"--raid-devices={len(devices)}"]
    if array_uuid is not None:
        argv.append(f"--uuid={array_uuid}")
    if LEVELS[spec.level].striped:
        argv.append(f"--chunk={spec.chunk_kib or DEFAULT_CHUNK_KIB}")
    if spec.level == "raid10":
        argv.append(f"--layout={spec.raid10_layout or 'n2'}")
    if LEVELS[spec.level].redundant:
        argv.append("--bitmap=none")
        if spec.initial_sync == "assume-clean":
            argv.append("--assume-clean")
    return [*argv, *devices]


def apply_lines(spec: StackSpec) -> list[str]:
    """The array for good: without ``--assume-clean``, and recorded in mdadm.conf."""
    devices = [f"/dev/disk/by-id/DISK{number}" for number in range(1, spec.disks + 1)]
    argv = create_argv("data", spec, devices)
    kept = [word for word in argv if word not in {"--run", "--assume-clean", "--homehost=stripelab"}]
    return [" ".join(kept), "mdadm --detail --scan >> /etc/mdadm/mdadm.conf && update-initramfs -u"]


def geometry(spec: StackSpec) -> Geometry | None:
    """Stripe geometry of the array; None where the level has no stripes."""
    if not LEVELS[spec.level].striped:
        return None
    data_disks = LEVELS[spec.level].data_disks(spec.disks, spec.raid10_layout)
    return Geometry(spec.chunk_kib or DEFAULT_CHUNK_KIB, data_disks)


def find(act: ArrayAct) -> str | None:
    """Kernel name of the running array that an act made; None where there is none.

    It is the one that holds a member and has the act's UUID, whatever a link in /dev/md says.
    """
    deadline = time.monotonic() + NODE_TIMEOUT_S
    while True:
        candidates = [entry.name for entry in inventory.SYS_BLOCK.glob("md*")]
        ours = next((each for each in candidates if _uuid_of(each) == act.uuid), None)
        if ours is not None or not candidates or time.monotonic() > deadline:
            return ours
        time.sleep(POLL_S)


def _uuid_of(kernel_name: str) -> str | None:
    """UUID in the superblock of a running array, as uuid(7) writes one."""
    finished = proc.run(["mdadm", "--detail", "--export", f"/dev/{kernel_name}"], check=False)
    pairs = (line.partition("=") for line in finished.stdout.splitlines())
    told = next((value for key, _, value in pairs if key == "MD_UUID"), "").replace(":", "")
    return str(uuid.UUID(told)) if re.fullmatch(r"[0-9a-f]{32}", told) else None


def state(kernel_name: str) -> ArrayState:
    """State of the array now."""
    return ArrayState(
        attribute(kernel_name, "array_state") or "unknown",
        attribute(kernel_name, "sync_action"),
        _whole_number(attribute(kernel_name, "degraded")),
    )


def wait_for_resync(kernel_name: str) -> None:
    """Wait until nothing is being synchronised; ``mdadm --wait`` cannot tell "done" from "missing"."""
    deadline = time.monotonic() + RESYNC_TIMEOUT_S
    while True:
        now = state(kernel_name)
        if now.clean and attribute(kernel_name, "resync_start") in {None, "none"}:
            return
        if now.degraded and now.sync_action == "idle":
            raise StackError(f"{kernel_name} is degraded ({now.degraded} missing) and nothing rebuilds it")
        if time.monotonic() > deadline:
            raise StackError(f"{kernel_name}: the initial resync did not end within a week")
        time.sleep(POLL_S)


def attribute(kernel_name: str, name: str) -> str | None:
    """A file of the array's ``md`` folder in sysfs; None where this level has none."""
    try:
        return (inventory.SYS_BLOCK / kernel_name / "md" / name).read_text(encoding="ascii").strip()
    except OSError:
        return None


def undo(entry: Entry, lease: Lease) -> None:
    """Stop our array if it runs, remove its node, and clear our superblocks from its members.

    Arrays with another UUID are not touched: the act may have been refused because of them.
    """
    act = entry.act
    assert isinstance(act, ArrayAct)  # noqa: S101 - the table of undos is by type
    members = lease.of(act.disks)
    node = Path("/dev/md") / act.name
    for kernel_name in sorted({holder for disk in members for holder in _md_holders(disk)}):
        if _uuid_of(kernel_name) == act.uuid:
            _stop(kernel_name)
    if node.is_symlink() and not node.exists():  # it led to what was stopped
        node.unlink()
    with lease.opened(members) as opened:
        ours = [disk for disk, each in zip(members, opened, strict=True) if uuid_on(through(each)) == act.uuid]
    if ours:
        with lease.destroying(f"mdadm --zero-superblock ({act.name})", ours) as opened:
            proc.run_on_disks(["mdadm", "--zero-superblock", *map(through, opened)], descriptors=opened)


def _md_holders(disk: Disk) -> list[str]:
    return [holder.name for holder in (disk.sys / "holders").glob("md*")]


def _stop(kernel_name: str) -> None:
    """``mdadm --stop``, again while a last opener lets go; the node goes too, lest it starts the array anew."""
    device = Path("/dev") / kernel_name
    deadline = time.monotonic() + NODE_TIMEOUT_S
    while True:
        finished = proc.run(["mdadm", "--stop", device], check=False)
        if finished.status == 0:
            break
        if time.monotonic() > deadline:
            raise StackError(f"the array cannot be stopped: {finished.stderr.strip()}", command=finished.command)
        time.sleep(POLL_S)
    with suppress(FileNotFoundError):
        device.unlink()


def uuid_on(device: Path) -> str | None:
    """UUID of the array in the md superblock of a device; None where there is none.

    Version 1.2 stands 4 KiB into the disk: the magic first, 16 bytes of UUID from byte 16 on
    (include/uapi/linux/raid/md_p.h, struct mdp_superblock_1).
    """
    superblock = read_at(device, SUPERBLOCK_OFFSET, 64)
    return str(uuid.UUID(bytes=superblock[16:32])) if superblock[:4] == SUPERBLOCK_MAGIC else None


def _whole_number(text: str | None) -> int | None:
    return int(text) if text and text.isdigit() else None


def _has_personality(level: str) -> bool:
    try:
        first = PERSONALITIES.read_text(encoding="ascii").partition("\n")[0]
    except FileNotFoundError:
        return False
    return f"[{level}]" in first


ARRAYS = Md(
    {
        LEVELS["raid0"]: "raid0",
        LEVELS["raid1"]: "raid1",
        LEVELS["raid10"]: "raid10",
        LEVELS["raid5"]: "raid456",
        LEVELS["raid6"]: "raid456",
    }
)
