"""Loop files as disks: for trying a sweep without spare disks, on the host's own kernel.

Nothing measured on them says anything of a disk; every row is marked with the substrate ``loop``.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from bench import inventory, nodes, probes, proc
from bench.acts import LoopAct
from bench.errors import StackError
from bench.journal import Entry, Journal, effect
from bench.nodes import through
from bench.openers import thing_of
from results.store.files import Folder, OddFileError

FOLDER = "loop-disks"


@contextmanager
def loop_disks(store: Path, journal: Journal, count: int, size_bytes: int) -> Iterator[tuple[str, ...]]:
    """``count`` files of ``size_bytes`` in the store, attached as loop devices; yields their identities."""
    folder = store / FOLDER
    with suppress(OddFileError):  # said where it is used
        Folder(store).make_folder(FOLDER)
    with ExitStack() as stack:
        stack.callback(_remove_if_empty, folder)
        names = [f"disk{number}.img" for number in range(1, count + 1)]
        for name in names:
            stack.enter_context(_attached(journal, store, name, size_bytes))
        yield tuple(identity(folder / name) for name in names)


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
def _attached(journal: Journal, store: Path, name: str, size_bytes: int) -> Iterator[None]:
    if (store / FOLDER / name).is_symlink() or (store / FOLDER / name).exists():
        raise StackError(  # before the act is journalled: what is taken back is removed
            f"{store / FOLDER / name} is in the way: no run of this store made it", remedy="Move it to another folder."
        )

    def attach() -> None:
        with _folder(store) as folder:
            flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
            descriptor = -1
            try:
                descriptor = os.open(name, flags, 0o600, dir_fd=folder)
                os.posix_fallocate(descriptor, 0, size_bytes)
                argv = ["losetup", "--find", "--nooverlap", "--direct-io=on", str(through(descriptor))]
                proc.run(argv, descriptors=[descriptor])
            except OSError as failure:
                raise StackError(
                    f"{store / FOLDER / name}: {failure.strerror}",
                    remedy="Free space, or take fewer or smaller disks.",
                ) from failure
            finally:
                if descriptor >= 0:
                    os.close(descriptor)

    with effect(journal, LoopAct(name), attach, lambda entry: undo(entry, store)):
        yield


@contextmanager
def _folder(store: Path) -> Iterator[int]:
    """The folder of loop files, which must be one and no link."""
    try:
        with Folder(store).opened(FOLDER) as descriptor:
            yield descriptor
    except OddFileError as failure:
        raise StackError(f"{store / FOLDER}: {failure.strerror}", remedy="Move it away.") from failure


def undo(entry: Entry, store: Path) -> None:
    """Detach the file's loop devices and remove the file."""
    assert isinstance(entry.act, LoopAct)  # noqa: S101 - the table of undos is by type
    if not (store / FOLDER).exists() and not (store / FOLDER).is_symlink():
        return
    with _folder(store) as folder, suppress(FileNotFoundError):
        found = os.stat(entry.act.file, dir_fd=folder, follow_symlinks=False)
        thing = thing_of(found)
        if thing is None or thing.kind != "file" or found.st_nlink != 1:
            return  # a link, a device or somebody's other name for a file of theirs: not what was made
        for backing in probes.loops()[0]:
            if backing.thing == thing:
                _detach(backing.loop)
        os.unlink(entry.act.file, dir_fd=folder)


def _detach(name: str) -> None:
    number = probes.number_of(probes.SYS_CLASS_BLOCK / name)
    try:
        with nodes.opened([(inventory.node(name), number, "")]) as (descriptor,):
            proc.run(["losetup", "--detach", through(descriptor)], descriptors=[descriptor])
    except OSError as failure:
        raise StackError(f"{failure.filename}: {failure.strerror}") from failure
