"""A defect: an exception that nobody foresaw, as one line and a file with its traceback to attach to a report."""

from __future__ import annotations

import os
import platform
import shlex
import sys
import tempfile
import traceback
from collections.abc import Sequence

from bench.version import stripelab_version
from results.text import plain_lines

TRACEBACK_VARIABLE = "STRIPELAB_TRACEBACK"


def report(error: BaseException, arguments: Sequence[str]) -> tuple[str, str]:
    """Keep the traceback in a file; the message, and what to do next."""
    trace = "".join(traceback.format_exception(error))
    words = shlex.join(["stripelab", *arguments])
    system = f"stripelab {stripelab_version()}, Python {platform.python_version()}, {platform.platform()}"
    if os.environ.get(TRACEBACK_VARIABLE) == "1":
        sys.stderr.write(plain_lines(trace))
    message = f"defect of stripelab: {type(error).__name__}: {error}"
    try:
        with tempfile.NamedTemporaryFile(
            "w", prefix="stripelab-defect-", suffix=".txt", delete=False, encoding="utf-8"
        ) as kept:
            kept.write(plain_lines(f"{words}\n{system}\n\n{trace}"))
    except OSError:
        return message, (
            f"{TRACEBACK_VARIABLE}=1 shows the traceback (no report could be written to the folder of temporary files)"
        )
    return message, f"please report it with {kept.name}"
