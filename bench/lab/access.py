"""What root without capabilities can reach.

In the sandbox, root has no capabilities: it reads and writes what the mode bits give to user 0, so
a folder of another user that is closed to others is closed to it.  That is found out before the
guest is booted, where it can be said in words.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from bench.errors import LabError
from results.paths import exists, is_folder


def allowed(path: Path, bits: int) -> bool:
    """Whether this user, without capabilities, has ``bits`` (of rwx = 4, 2, 1) on ``path``."""
    status = path.stat()
    if status.st_uid == os.geteuid():
        shift = 6
    elif status.st_gid == os.getegid() or status.st_gid in os.getgroups():
        shift = 3
    else:
        shift = 0
    return (stat.S_IMODE(status.st_mode) >> shift) & bits == bits


def closed_folder(path: Path) -> Path | None:
    """The first folder on the way to ``path`` that this user cannot pass without capabilities.

    A folder that is missing closes nothing: whoever needs it will say so.
    """
    folders = (folder for folder in reversed(path.parents) if exists(folder))
    return next((folder for folder in folders if not allowed(folder, 1)), None)


def require_reachable(program: str, cwd: Path) -> None:
    """LabError where the guest could not reach the program or the folder to run it in."""
    for path in (Path(program), cwd / "."):
        if not path.is_absolute():
            continue
        closed = closed_folder(Path(os.path.realpath(path)))
        if closed is not None:
            raise LabError(
                f"the virtual lab cannot reach {path}: {closed} belongs to another user and is closed to others",
                remedy=f"Run as the owner of {closed} (the lab needs no root), or move the project elsewhere.",
            )


def require_writable(folder: Path) -> None:
    """LabError where the guest could not write to a shared folder."""
    if not is_folder(folder):
        raise LabError(f"{folder} is not a folder", remedy="Make it, or name another one.")
    closed = closed_folder(folder) or (None if allowed(folder, 7) else folder)
    if closed is not None:
        raise LabError(
            f"the virtual lab cannot write to {folder}: {closed} does not allow it to this user",
            remedy="Run as the owner of the folder (the lab needs no root), or name a folder of this user's.",
        )
