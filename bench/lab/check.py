"""What the virtual lab lacks on this machine, each with its remedy."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator
from pathlib import Path

from bench import proc
from bench.errors import LabError, StripelabError
from bench.lab import modules, preload

CPUINFO = Path("/proc/cpuinfo")
MEMINFO = Path("/proc/meminfo")
PTRACE_SCOPE = Path("/proc/sys/kernel/yama/ptrace_scope")
MIN_FREE_BYTES = 1280 << 20
"""Memory of a guest, 1 GiB, and room for the host beside it."""


def problems() -> tuple[str, ...]:
    """A line for each thing that is missing; empty where the lab can boot.  Boots nothing."""
    return tuple(_problems())


def _problems() -> Iterator[str]:
    if platform.machine() != "x86_64":
        yield f"User-Mode Linux runs on x86_64, and this machine is {platform.machine()}: run on another machine."
        return
    for program in ("bwrap", "linux.uml", "bash", "perl"):
        try:
            proc.require(program)
        except StripelabError as missing:
            yield f"{missing.message}: {missing.next_step}"
            if program == "linux.uml":
                return
    yield from _vector_registers()
    yield from _modules()
    yield from _sandbox()
    yield from _tracing()
    yield from _memory()


def _vector_registers() -> Iterator[str]:
    """User-Mode Linux before 6.11 needs help on CPUs with AMX; see preload.c."""
    if preload.library() is None and " amx_tile" in CPUINFO.read_text(encoding="ascii", errors="replace"):
        yield (
            "User-Mode Linux does not run on CPUs with AMX without the library bench/lab/_preload, which was not "
            "built: Install a C compiler (apt-get install gcc libc6-dev), then install stripelab again."
        )


def _modules() -> Iterator[str]:
    try:
        kernel = modules.release()
        paths = modules.load_order(modules.loaded(kernel), kernel)
    except StripelabError as failure:
        yield f"{failure.message}: {failure.next_step}"
        return
    for path in paths:
        if not path.exists():
            yield f"{path} is missing: Reinstall it (apt-get install --reinstall user-mode-linux)."


def _sandbox() -> Iterator[str]:
    """Whether bubblewrap can make a sandbox here; it says itself why not."""
    probe = ["bwrap", "--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc", "--unshare-pid", "--unshare-net"]
    try:
        proc.run([*probe, "--cap-drop", "ALL", "/bin/true"], timeout_s=10, error=LabError)
    except StripelabError as failure:
        yield f"{failure.message}: {_sandbox_remedy()}"


def _sandbox_remedy() -> str:
    if os.geteuid() == 0:
        return "This is probably a container: give it CAP_SYS_ADMIN and an unmasked /proc, or run outside of it."
    setting = namespaces_switched_off()
    if setting is not None:
        return f"Unprivileged user namespaces are switched off: as root, sysctl -w {setting}, or run as root."
    return "Unprivileged user namespaces do not work here: run as root."


def namespaces_switched_off() -> str | None:
    """The setting that lets an ordinary user make a user namespace, where it is off; None otherwise."""
    switches = (
        ("/proc/sys/kernel/unprivileged_userns_clone", "0", "kernel.unprivileged_userns_clone=1"),
        (
            "/proc/sys/kernel/apparmor_restrict_unprivileged_userns",
            "1",
            "kernel.apparmor_restrict_unprivileged_userns=0",
        ),
        ("/proc/sys/user/max_user_namespaces", "0", "user.max_user_namespaces=10000"),
    )
    for path, off, setting in switches:
        if Path(path).exists() and Path(path).read_text(encoding="ascii").strip() == off:
            return setting
    return None


def _tracing() -> Iterator[str]:
    """User-Mode Linux traces its own children; Yama (Documentation/admin-guide/LSM/Yama.rst) can forbid it."""
    if PTRACE_SCOPE.exists() and int(PTRACE_SCOPE.read_text(encoding="ascii")) >= 2:
        yield f"{PTRACE_SCOPE} forbids what User-Mode Linux does: as root, sysctl -w kernel.yama.ptrace_scope=1."


def _memory() -> Iterator[str]:
    """Guest memory lies on a tmpfs of the sandbox's, so only the host's free memory counts."""
    free = available_bytes()
    if free < MIN_FREE_BYTES:
        yield f"{free >> 20} MiB of memory are free, the lab wants {MIN_FREE_BYTES >> 20} MiB: end other programs."


def available_bytes() -> int:
    """Memory that can be had without swapping: MemAvailable of proc_meminfo(5)."""
    lines = MEMINFO.read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) << 10 for line in lines if line.startswith("MemAvailable:"))
