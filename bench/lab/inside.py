"""Whether this process runs in the virtual lab's guest, where root's powers end at the guest."""

from __future__ import annotations

import os
from pathlib import Path

HERE = "/sys/stripelab"
"""The guest's private folder within the sandbox; it does not exist on the host."""
INIT = f"init={HERE}/init"
"""Word of the guest kernel's command line."""
VARIABLE = "STRIPELAB_LAB"
"""Environment variable that is 1 for every program that the guest's init starts."""

_COMMAND_LINE = Path("/proc/cmdline")
_PROCESSOR = Path("/proc/cpuinfo")


def inside() -> bool:
    """Whether this is the guest: its kernel must say so too, since anybody may set a variable."""
    if os.environ.get(VARIABLE) != "1":
        return False
    try:
        command_line, processor = (path.read_text(errors="replace") for path in (_COMMAND_LINE, _PROCESSOR))
    except OSError:
        return False
    return INIT in command_line.split() and "User Mode Linux" in processor
