"""The array layer: Linux software RAID, md(4), driven through mdadm(8) and sysfs."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from bench import inventory, proc
from bench.errors import StackError
from bench.inventory import Disk
from bench.journal import Act, effect
from bench.lease import Lease
from bench.stack.blocks import read_at
from bench.stack.spec import ArrayState, Geometry, Site, StackSpec, Volume
from permutations import arithmetic

DEFAULT_CHUNK_KIB = 512
"""mdadm's own default, passed explicitly so that it is on record; mdadm(8), --chunk."""
RESYNC_TIMEOUT_S = 7 * 86400.0
POLL_S = 0.05
NODE_TIMEOUT_S = 10.0
SUPERBLOCK_OFFSET = 4096
SUPERBLOCK_MAGIC = (0xA92B4EFC).to_bytes(4, "little")
STRIPED = frozenset({"raid0", "raid5", "raid6", "raid10"})


@contextmanager
def array(site: Site, spec: StackSpec, members: tuple[Disk, ...]) -> Iterator[Volume]:
    """Create the array over ``members``, yield its device, stop it and clear its superblocks."""
    name = f"stripelab-{site.tag}"
    facts = {"name": name, "disks": [disk.id for disk in members]}

    def create() -> None:
        with site.lease.destroying(f"mdadm --create {name}", members):
            finished = proc.run(create_argv(name, spec, [str(disk.path) for disk in members]))
        site.commands.append(finished.command)

    site.apply += apply_lines(spec)
    with effect(site.journal, "md", facts, create, lambda act: undo(act, site.lease)):
        kernel_name = find(name)
        if kernel_name is None:
            raise StackError(f"mdadm reported success, but there is no array named {name}", command=site.commands[-1])
        if spec.initial_sync == "wait":
            wait_for_resync(kernel_name)
        yield Volume((Path("/dev") / kernel_name,), members, geometry(spec), kernel_name)


def create_argv(name: str, spec: StackSpec, devices: list[str]) -> list[str]:
    """Command line of ``mdadm --create``.

    The bitmap is left out: it is a factor of its own in write cost, and mdadm from 4.4 on asks
    about it unless told.  ``--run`` answers the question about leftover metadata, which the rails
    have already asked.
    """
    argv = ["mdadm", "--create", f"/dev/md/{name}", "--run", "--metadata=1.2", "--homehost=stripelab"]
    argv += [f"--name={name}", f"--level={spec.level.removeprefix('raid')}", f"--raid-devices={len(devices)}"]
    if spec.level in STRIPED:
        argv.append(f"--chunk={spec.chunk_kib or DEFAULT_CHUNK_KIB}")
    if spec.level == "raid10":
        argv.append(f"--layout={spec.raid10_layout or 'n2'}")
    if spec.level != "raid0":
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
    if spec.level not in STRIPED:
        return None
    data_disks = arithmetic.data_disks(spec.level, spec.disks, spec.raid10_layout)
    return Geometry(spec.chunk_kib or DEFAULT_CHUNK_KIB, data_disks)


def find(name: str) -> str | None:
    """Kernel name of the running array called ``name``; None where there is none.

    The name in the superblock is asked for, through the symlink that mdadm or udev makes; without
    either, through sysfs' own list of arrays.
    """
    deadline = time.monotonic() + NODE_TIMEOUT_S
    while True:
        link = Path("/dev/md") / name
        if link.exists():
            return link.resolve().name
        candidates = [entry.name for entry in inventory.SYS_BLOCK.glob("md*")]
        if not candidates or time.monotonic() > deadline:
            return next((each for each in candidates if _name_of(each) == name), None)
        time.sleep(POLL_S)


def _name_of(kernel_name: str) -> str | None:
    """Name in the superblock of a running array, without its homehost."""
    finished = proc.run(["mdadm", "--detail", "--export", f"/dev/{kernel_name}"], check=False)
    pairs = (line.partition("=") for line in finished.stdout.splitlines())
    return next((value.rpartition(":")[2] for key, _, value in pairs if key == "MD_NAME"), None)


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


def undo(act: Act, lease: Lease) -> None:
    """Stop our array if it runs, remove its node, and clear our superblocks from its members.

    Arrays of another name are not touched: the act may have been refused because of them.
    """
    name = str(act.facts["name"])
    members = lease.of(act.facts["disks"])
    for kernel_name in sorted({holder for disk in members for holder in _md_holders(disk)}):
        if _name_of(kernel_name) == name:
            _stop(kernel_name)
    node = Path("/dev/md") / name
    if node.is_symlink() or node.exists():
        node.unlink()
    ours = [disk for disk in members if name_on(disk) == name]
    if ours:
        with lease.destroying(f"mdadm --zero-superblock ({name})", ours):
            proc.run(["mdadm", "--zero-superblock", *(disk.path for disk in ours)])


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


def name_on(disk: Disk) -> str | None:
    """Name of the array, without its homehost, in the disk's md superblock; None where there is none.

    Version 1.2 stands 4 KiB into the disk: the magic first, 32 bytes of name from byte 32 on
    (include/uapi/linux/raid/md_p.h, struct mdp_superblock_1).
    """
    superblock = read_at(disk.path, SUPERBLOCK_OFFSET, 64)
    if superblock[:4] != SUPERBLOCK_MAGIC:
        return None
    return superblock[32:64].rstrip(b"\0").decode("utf-8", errors="replace").rpartition(":")[2]


def _whole_number(text: str | None) -> int | None:
    return int(text) if text and text.isdigit() else None
