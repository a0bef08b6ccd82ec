"""Kernel modules of the User-Mode Linux guest, in the order in which they must be loaded."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from bench import proc
from bench.errors import LabError, MissingToolError
from bench.stack import arrays
from bench.stack.modules import SCHEDULERS

ROOT = Path("/usr/lib/uml/modules")
REQUIRED = ("overlay", "raid0", "raid1", "raid10", "raid456")


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
    for name in map(_bare, names):
        if name in inside:
            continue
        if name not in needs:
            raise LabError(f"the guest's kernel {kernel} has no module {name}", remedy="Name a module it has.")
        ordered.update(dict.fromkeys(folder / path for path in reversed(needs[name])))
    return tuple(ordered)


def schedulers(kernel: str, root: Path = ROOT) -> frozenset[str]:
    """I/O schedulers that the guest's kernel has, built in or as a module that the lab loads."""
    needs, inside = _known(root / kernel, kernel)
    found = {name for name, module in SCHEDULERS.items() if _bare(module) in needs.keys() | inside}
    return frozenset({"none", *found})


def loaded(kernel: str, root: Path = ROOT) -> tuple[str, ...]:
    """Names of the modules that every guest loads: those it needs, and those of stacks that the kernel has."""
    needs, inside = _known(root / kernel, kernel)
    of_arrays = (module for driver in arrays.drivers() for module in driver.modules)
    wanted = dict.fromkeys((*of_arrays, *SCHEDULERS.values()))
    return (*REQUIRED, *(name for name in wanted if name not in REQUIRED and _bare(name) in needs.keys() | inside))


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
    return _bare(path.rpartition("/")[2].partition(".ko")[0])


def _bare(module: str) -> str:
    """A module's name as the kernel has it."""
    return module.replace("-", "_")
