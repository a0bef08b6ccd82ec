"""What this machine has of all that stripelab may need."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass

from bench import native, privileges, proc
from bench.errors import MissingToolError, StripelabError
from bench.lab.check import problems
from bench.stack import arrays, filesystems


@dataclass(frozen=True)
class Finding:
    """One part: there, or missing with the remedy; ``needed`` parts decide the exit status."""

    what: str
    ok: bool
    detail: str
    needed: bool = True


def checkup() -> tuple[Finding, ...]:
    """Every part, the needed ones first."""
    return (*programs(), *lab(), *host())


def programs() -> Iterator[Finding]:
    """Programs that a sweep calls."""
    wanted = {"fio": None, "dd": None, "mdadm": None, "wipefs": None, "losetup": None, "setpriv": "util-linux"}
    kinds = (filesystems.by_name(name) for name in filesystems.names())
    for program, package in {**wanted, **{kind.program: kind.package for kind in kinds}}.items():
        try:
            yield Finding(program, ok=True, detail=proc.require(program, package))
        except MissingToolError as missing:
            yield Finding(program, ok=False, detail=missing.next_step)


def lab() -> Iterator[Finding]:
    """The virtual lab."""
    found = problems()
    for problem in found:
        yield Finding("virtual lab", ok=False, detail=problem)
    if not found:
        yield Finding("virtual lab", ok=True, detail="User-Mode Linux boots in a sandbox (--lab)")


def host() -> Iterator[Finding]:
    """What only runs on this host's own disks need, and what only makes things faster."""
    root = os.geteuid() == 0
    detail = "yes" if root else "no: only the virtual lab can be used"
    yield Finding("root, for disks of this host", ok=root, detail=detail, needed=False)
    if root:
        yield capabilities()
    for level in (level for driver in arrays.drivers() for level in driver.levels if level.array and root):
        try:
            arrays.of_level(level.name).require(level)
        except MissingToolError as missing:
            yield Finding(f"md {level.name} in this host's kernel", ok=False, detail=missing.next_step, needed=False)
        else:
            yield Finding(f"md {level.name} in this host's kernel", ok=True, detail="there", needed=False)
    yield smartctl()
    compiled = native.IMPLEMENTATION == "c"
    yield Finding("C extension", ok=compiled, detail=f"the {native.IMPLEMENTATION} implementation runs", needed=False)
    yield from native_interfaces()


def capabilities() -> Finding:
    """Whether programs that root starts lose what they do not need."""
    taken = privileges.gives_up()
    detail = "docs/privileges.md lists what each keeps" if taken else "no CAP_SETPCAP: each keeps all that root has"
    return Finding("capabilities taken from programs", ok=taken, detail=detail, needed=False)


def smartctl() -> Finding:
    """What nights ask for the wear of disks."""
    try:
        return Finding("smartctl, for the wear of disks", ok=True, detail=proc.require("smartctl"), needed=False)
    except MissingToolError as missing:
        return Finding("smartctl, for the wear of disks", ok=False, detail=missing.next_step, needed=False)


def native_interfaces() -> Iterator[Finding]:
    """Ways to the kernel that the native engine finds here, each tried on a file of one block."""
    with tempfile.NamedTemporaryFile(prefix="stripelab-doctor-") as file:
        file.write(bytes(4096))
        file.flush()
        for ioengine in ("io_uring", "libaio", "psync"):
            what = f"native engine by {ioengine}"
            try:
                result = native.run(file.name, ioengine=ioengine, direct=False, io_size=4096)
            except StripelabError as failure:
                yield Finding(what, ok=False, detail=f"{failure.message}: another way is taken", needed=False)
            else:
                yield Finding(what, ok=True, detail=result.jobs[0].detail or "works", needed=False)
