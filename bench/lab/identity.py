"""The user of the host as whom the guest runs where root runs the lab: one that no account has.

Root without capabilities still owns root's files.  A user without an account owns nothing, so that even
a guest that broke out of every other limit has only what everybody may do.  The shared folders belong to
root all the same: they are mounted with the two users exchanged (mount_setattr(2), ID-mapped mounts) in a
mount namespace of the sandbox alone.  No owner of a file is changed, so that nothing has to be taken back,
whatever ends the run.

Where the guest could not read what it needs as that user, or the kernel or the file system cannot map, it
runs as root without capabilities.
"""

from __future__ import annotations

import ctypes
import errno
import os
import pwd
import stat
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TypeVar

from bench import proc
from bench.lab.check import namespaces_switched_off

CANDIDATES = range(59500, 59600)
"""Neither Debian nor systemd hands these out (Debian Policy 9.2.2; systemd's UIDS-GIDS)."""
ALL_IDS = (1 << 32) - 1

CLONE_NEWNS = 0x20000
MS_REC, MS_PRIVATE = 1 << 14, 1 << 18
OPEN_TREE, MOVE_MOUNT, MOUNT_SETATTR = 428, 429, 442
OPEN_TREE_CLONE, MOVE_MOUNT_F_EMPTY_PATH, MOUNT_ATTR_IDMAP = 1, 4, 0x100000
AT_FDCWD, AT_EMPTY_PATH = -100, 0x1000

Result = TypeVar("Result")
libc = ctypes.CDLL(None, use_errno=True)


class MountAttributes(ctypes.Structure):
    """``struct mount_attr`` of mount_setattr(2)."""

    _fields_ = (("set", ctypes.c_uint64), ("clear", ctypes.c_uint64), ("how", ctypes.c_uint64), ("ns", ctypes.c_uint64))


def own_uid() -> int | None:
    """The lab's own user: the first candidate without an account; None where there is none."""
    for candidate in CANDIDATES:
        try:
            pwd.getpwuid(candidate)
        except KeyError:
            return candidate
    return None


def for_program(argv: Sequence[str], cwd: Path, shared: Iterable[Path]) -> int | None:
    """The user to run the guest as; None for the user that this process has."""
    user = own_uid()
    if user is None or os.geteuid() != 0 or not _maps_all_users() or namespaces_switched_off() is not None:
        return None
    needed = [cwd, *map(Path, {sys.executable, os.path.realpath(sys.executable), sys.prefix, sys.base_prefix})]
    needed += [Path(word) for word in argv if word.startswith("/")]
    needed += [entry for folder in map(Path, sys.path) if folder.is_dir() for entry in (folder, *folder.iterdir())]
    folders = tuple(shared)
    theirs = (path for path in needed if not any(path.is_relative_to(folder) for folder in folders))
    if not all(map(_open_to_all, theirs)) or not all(_passable(folder) for folder in folders):
        return None
    try:
        with_own_mounts(folders, user, lambda: None)
    except OSError:
        return None
    return user


def _maps_all_users() -> bool:
    """Whether this is the host's root, and not that of a container, which has only some users."""
    return Path("/proc/self/uid_map").read_text(encoding="ascii").split() == ["0", "0", str(ALL_IDS)]


def _passable(path: Path) -> bool:
    """Whether everybody can pass the folders on the way to ``path``."""
    return all(folder.stat().st_mode & stat.S_IXOTH for folder in path.parents)


def _open_to_all(path: Path) -> bool:
    """Whether everybody can read ``path``; what is not there closes nothing."""
    try:
        real = path.resolve(strict=True)
    except OSError:
        return True
    mode = real.stat().st_mode
    wanted = stat.S_IROTH | (stat.S_IXOTH if stat.S_ISDIR(mode) else 0)
    return mode & wanted == wanted and _passable(real) and _passable(path.absolute())


@contextmanager
def images_given_to(uid: int | None, images: Sequence[int]) -> Iterator[None]:
    """While it lasts, root's disk images belong to the user of the guest, which opens them anew.

    An image that a killed run left to that user is root's again afterwards.
    """
    if os.geteuid() != 0:
        yield
        return
    given = [image for image in images if os.fstat(image).st_uid in {0, own_uid()}]
    for image in given:
        os.fchown(image, uid or 0, uid or 0)
    try:
        yield
    finally:
        for image in given:
            os.fchown(image, 0, 0)


def becoming(uid: int) -> list[str]:
    """Words before a command that give it the user ``uid``, no group and no capability."""
    return [proc.require("setpriv"), f"--reuid={uid}", f"--regid={uid}", "--clear-groups", "--inh-caps=-all"]


@contextmanager
def user_namespace(uid: int) -> Iterator[int]:
    """Descriptor of a user namespace in which root is ``uid`` and every other user itself."""
    ready = ["unshare", "--user", "sh", "-c", "echo; read -r _"]
    holder = proc.start(ready, piped=True)
    with proc.closing_pipes(holder):
        try:
            if holder.stdout is None or not holder.stdout.read(1):
                raise OSError(errno.EPERM, "no user namespace can be made")
            table = f"0 {uid} 1\n1 1 {uid - 1}\n{uid + 1} {uid + 1} {ALL_IDS - uid - 1}\n"
            for kind in ("uid_map", "gid_map"):
                Path(f"/proc/{holder.pid}/{kind}").write_text(table, encoding="ascii")
            namespace = os.open(f"/proc/{holder.pid}/ns/user", os.O_RDONLY | os.O_CLOEXEC)
        finally:
            proc.end_family(holder, ready)
    try:
        yield namespace
    finally:
        os.close(namespace)


def with_own_mounts(folders: Sequence[Path], uid: int | None, action: Callable[[], Result]) -> Result:
    """What ``action`` returns, called where ``folders`` are mounts of their own, and ``uid``'s in place of root's.

    What is mounted below them is left out, and no later mount of the host gets in: a /proc there would come
    along, writable.  A thread has a mount namespace of its own, which what it starts inherits, and ends.  OSError
    where the kernel or the file system cannot give the folders to ``uid``.
    """

    def apart(namespace: int | None) -> Result:
        try:
            _check(libc.unshare(CLONE_NEWNS), "unshare")
            _check(libc.mount(b"none", b"/", None, MS_REC | MS_PRIVATE, None), "mount")
            for folder in folders:
                _mount_alone(os.fsencode(folder), namespace)
        except OSError:
            if uid is not None:
                raise
            # root of a container, who may not mount: that nothing is mounted below was seen (bench.lab.shares)
        return action()

    with ExitStack() as stack:
        namespace = None if uid is None else stack.enter_context(user_namespace(uid))
        return stack.enter_context(ThreadPoolExecutor(1)).submit(apart, namespace).result()


def _mount_alone(folder: bytes, namespace: int | None) -> None:
    """Mount a folder over itself without what is mounted below it, its owners mapped by ``namespace``."""
    tree = _call(OPEN_TREE, AT_FDCWD, folder, OPEN_TREE_CLONE | os.O_CLOEXEC)
    try:
        if namespace is not None:
            attributes = MountAttributes(set=MOUNT_ATTR_IDMAP, ns=namespace)
            size = ctypes.sizeof(attributes)
            _call(MOUNT_SETATTR, tree, b"", AT_EMPTY_PATH, ctypes.byref(attributes), size)
        _call(MOVE_MOUNT, tree, b"", AT_FDCWD, folder, MOVE_MOUNT_F_EMPTY_PATH)
    finally:
        os.close(tree)


def _call(number: int, *arguments: object) -> int:
    words = (ctypes.c_long(word) if isinstance(word, int) else word for word in arguments)
    return _check(libc.syscall(ctypes.c_long(number), *words), f"system call {number}")


def _check(result: int, what: str) -> int:
    if result < 0:
        raise OSError(ctypes.get_errno(), f"{what}: {os.strerror(ctypes.get_errno())}")
    return result
