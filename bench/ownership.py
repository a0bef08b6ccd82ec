"""Whose a store is: root writes to none that another user could change under its hands.

Root follows no link in a store and overwrites nothing in place, but who owns a folder of it, or one on the way to
it, can rename, link and swap files while root works, and what root reads from the journal it does as root.
"""

from __future__ import annotations

import errno
import os
import shlex
import stat
from collections.abc import Collection, Iterator
from pathlib import Path

from bench.errors import StoreError
from bench.lab.inside import inside

ROOT = 0
_MOST_LINKS = 40  # as the kernel, path_resolution(7)
_DEEPEST = 2
"""A store has folders, and these have files."""


def refuse_foreign(store: Path, trusted_uids: Collection[int] = (ROOT,)) -> None:
    """Raise StoreError where root would write to a store that a user not in ``trusted_uids`` may change.

    Of a store that is not there yet the way is asked about, as far as it exists.  Nothing is asked of other users, who
    risk their own files alone, nor in the virtual lab, whose guest reaches the store and no more.

    Raises:
        OSError: something on the way to the store cannot be looked at.
    """
    if os.geteuid() != ROOT or inside():
        return
    checks = [(path, status, True) for path, status in _way(store)]
    if store.exists():
        itself = Path(os.path.realpath(store))
        checks += [(path, status, False) for path, status in ((itself, os.lstat(itself)), *_within(itself))]
    for path, status, sticky in checks:
        why = _why_foreign(path, status, trusted_uids, sticky=sticky)
        if why is not None:
            raise StoreError(f"{path} {why}: root does not write to the store {store}", remedy=_remedy(store))


def _why_foreign(path: Path, status: os.stat_result, trusted_uids: Collection[int], *, sticky: bool) -> str | None:
    """Why another user could change a file, folder or link; None where none could.

    On the way to a store a ``sticky`` folder such as /tmp will do, where others rename none but their own files; in
    the store they may not add any either.
    """
    if status.st_uid not in trusted_uids:
        return f"belongs to user {status.st_uid}"
    if stat.S_ISLNK(status.st_mode):
        return None  # its mode says nothing, and nobody else can change where it leads
    if sticky and status.st_mode & stat.S_ISVTX:
        return None
    if status.st_mode & stat.S_IWOTH:
        return "may be written by every user"
    if status.st_mode & stat.S_IWGRP and status.st_gid != ROOT:
        return f"may be written by group {status.st_gid}"
    if status.st_mode & stat.S_IWGRP and _has_access_list(path):
        return "may be written by those whom its access control list names (getfacl)"
    return None


def _has_access_list(path: Path) -> bool:
    """Whether the bits of the group are the most that anybody whom a list names may do (acl(5))."""
    try:
        os.getxattr(path, "system.posix_acl_access", follow_symlinks=False)
    except OSError as error:
        if error.errno in {errno.ENODATA, errno.ENOTSUP, errno.ENOENT}:
            return False
        raise
    return True


def _remedy(store: Path) -> str:
    named = shlex.quote(str(store))
    return (
        f"Name a store of root's own in a folder of root's, or make this one root's: "
        f"chown -R root:root {named} && chmod -R go-w {named}; or run with --lab as the owner of the store."
    )


def _way(path: Path) -> Iterator[tuple[Path, os.stat_result]]:
    """Every folder and link that leads to ``path``, and that itself, as the kernel walks there, while they exist."""
    left = list(reversed(path.absolute().parts[1:]))
    here = Path("/")
    links = 0
    yield here, os.lstat(here)
    while left:
        part = left.pop()
        if part == "..":
            here = here.parent
            continue
        try:
            status = os.lstat(here / part)
        except FileNotFoundError:
            if ".." in left:
                raise
            return
        yield here / part, status
        if not stat.S_ISLNK(status.st_mode):
            here /= part
            continue
        links += 1
        if links > _MOST_LINKS:
            raise StoreError(f"{path}: too many symbolic links lead there")
        target = (here / part).readlink()
        if target.is_absolute():
            here = Path("/")
        left += reversed([each for each in target.parts if each != "/"])


def _within(folder: Path, depth: int = 0) -> Iterator[tuple[Path, os.stat_result]]:
    """Every file and folder of the store."""
    with os.scandir(folder) as entries:
        for entry in entries:
            try:
                status = entry.stat(follow_symlinks=False)
            except FileNotFoundError:
                continue
            yield Path(entry.path), status
            if stat.S_ISDIR(status.st_mode) and depth < _DEEPEST:
                yield from _within(Path(entry.path), depth + 1)
