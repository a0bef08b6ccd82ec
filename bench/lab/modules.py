"""Kernel modules of the User-Mode Linux guest, in the order in which they must be loaded."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from bench import proc
from bench.errors import LabError, MissingToolError

ROOT = Path("/usr/lib/uml/modules")
REQUIRED = ("overlay", "raid0", "raid1", "raid10", "raid456")

SCHEDULERS = {"mq-deadline": "mq-deadline", "kyber": "kyber-iosched", "bfq": "bfq"}
"""I/O schedulers of Linux by the name in sysfs, with their modules; ``none`` is always there."""


def release() -> str:
    """Kernel release of the guest, as ``linux.uml`` tells it."""
    return proc.run(["linux.uml", "--version"], timeout_s=10, error=LabError).stdout.strip()


def load_order(names: Iterable[str], kernel: str, root: Path = ROOT) -> tuple[Path, ...]:
    """Files of the modules ``names`` and of all that they need, dependencies first.

    A name that is built into the kernel has no file and is left out.  The dependencies are read
    from ``modules.dep``, whose lines are in loading order from right to left (modules.dep(5)).
    """
    folder = root / kernel
    needs, inside = _known(folder, kernel)
    ordered: dict[Path, None] = {}
    for name in (wanted.replace("-", "_") for wanted in names):
        if name in inside:
            continue
        if name not in needs:
            raise LabError(f"the guest's kernel {kernel} has no module {name}", remedy="Name a module it has.")
        ordered.update(dict.fromkeys(folder / path for path in reversed(needs[name])))
    return tuple(ordered)


def schedulers(kernel: str, root: Path = ROOT) -> frozenset[str]:
    """I/O schedulers that the guest's kernel has, built in or as a module that the lab loads."""
    needs, inside = _known(root / kernel, kernel)
    found = {name for name, module in SCHEDULERS.items() if module.replace("-", "_") in needs.keys() | inside}
    return frozenset({"none", *found})


def loaded(kernel: str, root: Path = ROOT) -> tuple[str, ...]:
    """Names of the modules that every guest loads: those it needs, and the schedulers that the kernel has."""
    return (*REQUIRED, *(SCHEDULERS[name] for name in sorted(schedulers(kernel, root) - {"none"})))


def _known(folder: Path, kernel: str) -> tuple[dict[str, tuple[str, ...]], frozenset[str]]:
    """The modules of a kernel, each with what it needs, and the names of what is built in."""
    try:
        table = (folder / "modules.dep").read_text(encoding="utf-8").splitlines()
        built_in = (folder / "modules.builtin").read_text(encoding="utf-8").splitlines()
    except OSError as failure:
        raise MissingToolError(
            f"the modules of the guest's kernel {kernel} are not in {folder}: {failure.strerror}",
            remedy="Reinstall it (Debian, Ubuntu: apt-get install --reinstall user-mode-linux).",
        ) from None
    needs = {_name(path): (path, *rest.split()) for path, _, rest in (line.partition(":") for line in table)}
    return needs, frozenset(map(_name, built_in))


def _name(path: str) -> str:
    return path.rpartition("/")[2].partition(".ko")[0].replace("-", "_")
