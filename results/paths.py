"""What lies at a path that a user named: a question that is answered, and never raises as those of Path do.

A name that is too long or a folder that is closed means no; whoever then opens the path says why.
"""

from __future__ import annotations

import os
from pathlib import Path


def exists(path: Path) -> bool:
    """Whether something lies there, links followed."""
    return os.path.exists(path)  # noqa: PTH110 - Path.exists raises on a name that is too long


def is_folder(path: Path) -> bool:
    """Whether a folder lies there, links followed."""
    return os.path.isdir(path)  # noqa: PTH112 - as above


def is_file(path: Path) -> bool:
    """Whether a regular file lies there, links followed."""
    return os.path.isfile(path)  # noqa: PTH113 - as above


def expanded(path: Path) -> Path:
    """The path with the home folder for ``~``; as it is where there is no such user."""
    return Path(os.path.expanduser(path))  # noqa: PTH111 - Path.expanduser raises there
