"""Loop files as disks: for trying a sweep without spare disks, on the host's own kernel.

Nothing measured on them says anything of a disk; every row is marked with the substrate ``loop``.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from bench import inventory, proc
from bench.errors import StackError
from bench.journal import Act, Journal, effect

FOLDER = "loop-disks"


@contextmanager
def loop_disks(store: Path, journal: Journal, count: int, size_bytes: int) -> Iterator[tuple[str, ...]]:
    """``count`` files of ``size_bytes`` in the store, attached as loop devices; yields their identities."""
    folder = store / FOLDER
    folder.mkdir(exist_ok=True)
    with ExitStack() as stack:
        stack.callback(_remove_if_empty, folder)
        files = [folder / f"disk{number}.img" for number in range(1, count + 1)]
        for file in files:
            stack.enter_context(_attached(journal, file, size_bytes))
        yield tuple(identity(file) for file in files)


def identity(file: Path) -> str:
    """Identity of the loop device on a file, as :mod:`bench.inventory` gives it."""
    return f"loop:{file.resolve()}"


def attached(store: Path) -> tuple[str, ...]:
    """Identities of this store's loop files that an earlier run left attached."""
    prefix = identity(store / FOLDER) + "/"
    return tuple(disk.id for disk in inventory.disks() if disk.id is not None and disk.id.startswith(prefix))


def _remove_if_empty(folder: Path) -> None:
    with suppress(OSError):
        folder.rmdir()


@contextmanager
def _attached(journal: Journal, file: Path, size_bytes: int) -> Iterator[None]:
    def attach() -> None:
        descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            os.posix_fallocate(descriptor, 0, size_bytes)
        except OSError as failure:
            raise StackError(
                f"{file}: {failure.strerror}", remedy="Free space, or take fewer or smaller disks."
            ) from failure
        finally:
            os.close(descriptor)
        proc.run(["losetup", "--find", "--nooverlap", "--direct-io=on", file])

    with effect(journal, "loop", {"file": str(file)}, attach, undo):
        yield


def undo(act: Act) -> None:
    """Detach the file's loop devices and remove the file."""
    file = Path(act.facts["file"])
    for disk in inventory.disks():
        if disk.id == identity(file):
            proc.run(["losetup", "--detach", disk.path])
    with suppress(FileNotFoundError):
        file.unlink()
