"""A process that does one run, for what a test must not do to its own: signals, another user, forbidden calls.

``python -m tests.bench.native.child JSON PATH`` prints ``running`` once it runs, and at its end a line of JSON.
"""

from __future__ import annotations

import ctypes
import json
import os
import platform
import resource
import signal
import struct
import subprocess
import sys
import time
from pathlib import Path
from threading import Timer
from typing import Any

ROOT = Path(__file__).parents[3]
NOBODY = 65534
START_S = 0.3
"""After so long a run is under way."""

SYSTEM_CALLS = {"x86_64": {"io_setup": 206}, "aarch64": {"io_setup": 0}}.get(platform.machine(), {})
SYSTEM_CALLS |= {"io_uring_setup": 425}
PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 38, 22, 2
RETURN_ALLOW, RETURN_ERRNO = 0x7FFF0000, 0x00050000
LOAD_WORD, JUMP_EQUAL, RETURN = 0x20, 0x15, 0x06
"""Of classic BPF: the number of the system call is the first word (linux/seccomp.h)."""


class Program(ctypes.Structure):
    """``struct sock_fprog`` of linux/filter.h."""

    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_char_p))


def forbid(calls: list[str], code: int) -> None:
    """Have the kernel answer these system calls with an errno, in every thread that is started from now on."""
    steps = [struct.pack("=HBBI", LOAD_WORD, 0, 0, 0)]
    for call in calls:
        steps.append(struct.pack("=HBBI", JUMP_EQUAL, 0, 1, SYSTEM_CALLS[call]))
        steps.append(struct.pack("=HBBI", RETURN, 0, 0, RETURN_ERRNO | code))
    steps.append(struct.pack("=HBBI", RETURN, 0, 0, RETURN_ALLOW))
    program = Program(len(steps), b"".join(steps))
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    if prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) or prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(program)):
        raise OSError(ctypes.get_errno(), "no filter of system calls")


def become_nobody() -> None:
    """No privilege and no locked memory."""
    resource.setrlimit(resource.RLIMIT_MEMLOCK, (0, 0))
    if os.geteuid() == 0:
        os.setgroups([])
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)


def start(path: Path, implementation: str = "c", **spec: Any) -> subprocess.Popen[str]:
    """Start the process; ``spec``: words of the run, and unprivileged, forbidden and code."""
    words = [sys.executable, "-m", __name__, json.dumps({"implementation": implementation, **spec}), str(path)]
    return subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def ended(process: subprocess.Popen[str]) -> dict[str, Any]:
    """What it said at its end."""
    said, complaints = process.communicate(timeout=120)
    assert process.returncode == 0, complaints
    found: dict[str, Any] = json.loads(said.splitlines()[-1])
    return found


def main() -> None:
    spec, path = json.loads(sys.argv[1]), sys.argv[2]
    if spec["implementation"] == "python":
        sys.modules["bench.native._engine"] = None  # type: ignore[assignment]
    from bench import native
    from bench.native.api import NativeRunError, RunInterrupted

    if spec.get("unprivileged"):
        become_nobody()
    if spec.get("forbidden"):
        forbid(spec["forbidden"], spec["code"])
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background processes ignore it
    notice = Timer(START_S, print, ("running",), {"flush": True})
    notice.start()
    outcome, message = "done", ""
    result: native.Result | None
    try:
        result = native.run(path, **spec["words"])
    except RunInterrupted as interrupted:
        outcome, result = "interrupted", interrupted.result
    except NativeRunError as failure:
        outcome, result, message = "failed", failure.result, str(failure)
    ended_ns = time.monotonic_ns()
    notice.cancel()
    found: dict[str, Any] = {"outcome": outcome, "ended_ns": ended_ns, "message": message}
    if result is not None:
        lat = [each.lat for each in result.directions]
        found |= {
            "implementation": result.implementation,
            "stopped": result.stopped,
            "ios": sum(each.ios for each in result.directions),
            "ioengine": result.jobs[0].ioengine,
            "iodepth": result.jobs[0].iodepth,
            "detail": result.jobs[0].detail,
            "abandoned": result.jobs[0].abandoned,
            "max_ns": max((each.max_ns for each in lat), default=0),
            "p50_ns": [each.percentile_ns(50) for each in lat],
        }
    sys.stdout.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    main()
