"""The sandbox around the guest: bubblewrap with the host read-only and no capabilities.

Inside it are: the host's files, read-only and without devices; a ``/dev`` with null, zero and the
like; a tmpfs on ``/dev/shm`` for the guest's memory; a tmpfs on ``/sys`` for what the guest reads at
its start; the shared folders under ``/sys/stripelab/share``, the only place that can be written; and
the open descriptors of the disk images.  There is no network, no process of the host is visible,
and everything in it dies with the process that started it.
"""

from __future__ import annotations

import os
import resource
import select
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from bench import proc
from bench.errors import HostTaintedError, LabError

HERE = "/sys/stripelab"
"""The guest's private folder within the sandbox; it does not exist on the host."""

MEMORY_SPARE_BYTES = 64 << 20
"""Room on the sandbox's tmpfs beyond the guest's memory."""

END_GRACE_S = 10.0


@dataclass(frozen=True)
class Sandbox:
    """What a sandbox is given: folders to share, memory, files to put into HERE, descriptors to keep."""

    shared: tuple[Path, ...]
    memory_bytes: int
    files: tuple[tuple[str, str], ...]
    descriptors: tuple[int, ...]

    def share(self, index: int) -> str:
        """Where the shared folder ``index`` lies inside."""
        return f"{HERE}/share/{index}"


@dataclass(frozen=True)
class Contained:
    """A program that runs in a sandbox: process id of its outermost bubblewrap."""

    pid: int

    def poll(self) -> int | None:
        """Exit status, or None while it runs; a signal is 128 + its number."""
        pid, status = os.waitpid(self.pid, os.WNOHANG)
        if pid == 0:
            return None
        code = os.waitstatus_to_exitcode(status)
        return code if code >= 0 else 128 - code


@contextmanager
def started(sandbox: Sandbox, command: Sequence[str], *, console: tuple[int, int]) -> Iterator[Contained]:
    """Run ``command`` in the sandbox, with ``console`` as its standard input and output.

    On any exit everything in it is killed and gone before this returns.  The thread that calls
    this must live as long as the sandbox does: the kernel ties the sandbox to that thread.
    """
    with _Pipe() as ready, _Pipe() as alive, _Files(sandbox.files) as files:
        argv = [proc.require("bwrap"), *_arguments(sandbox, ready.write, files), *command]
        keep = (ready.write, alive.write, *(pipe.read for pipe in files.pipes), *sandbox.descriptors)
        guest = Contained(_spawn(argv, keep, console))
        try:
            ready.close_write()
            alive.close_write()
            if not os.read(ready.read, 1):
                raise LabError("bubblewrap could not make the sandbox", command="bwrap --ro-bind / / true")
            # Only now is the sandbox tied to us.  Had we been killed before, the files would be
            # empty and the guest would end at once, for want of a first process.
            files.fill()
            yield guest
        finally:
            _end(guest, alive.read)


def _arguments(sandbox: Sandbox, ready: int, files: _Files) -> list[str]:
    """Arguments of bwrap up to the command."""
    shm_bytes = sandbox.memory_bytes + MEMORY_SPARE_BYTES
    arguments = ["--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc"]
    arguments += ["--size", str(shm_bytes), "--tmpfs", "/dev/shm", "--tmpfs", "/sys", "--dir", f"{HERE}/root"]  # noqa: S108
    for index, folder in enumerate(sandbox.shared):
        arguments += ["--bind", str(folder), sandbox.share(index)]
    for name, pipe in zip(files.names, files.pipes, strict=True):
        arguments += ["--perms", "0755", "--file", str(pipe.read), f"{HERE}/{name}"]
    arguments += [
        "--unshare-user-try",
        "--unshare-pid",
        "--unshare-ipc",
        "--unshare-net",
        "--unshare-uts",
        "--die-with-parent",
    ]
    arguments += ["--new-session", "--cap-drop", "ALL", "--chdir", "/", "--json-status-fd", str(ready), "--"]
    return arguments


class _Pipe:
    """A pipe whose ends are closed at most once each."""

    def __init__(self) -> None:
        self.read, self.write = os.pipe()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self.close_write()
        if self.read >= 0:
            os.close(self.read)
            self.read = -1

    def close_write(self) -> None:
        if self.write >= 0:
            os.close(self.write)
            self.write = -1


class _Files:
    """Contents of the files in HERE, each on its way through a pipe."""

    def __init__(self, files: Sequence[tuple[str, str]]) -> None:
        self.names = [name for name, _ in files]
        self.contents = [content.encode() for _, content in files]
        self.pipes = [_Pipe() for _ in files]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for pipe in self.pipes:
            pipe.close()

    def fill(self) -> None:
        """Write every file and close it; bubblewrap reads them in the same order."""
        for pipe, content in zip(self.pipes, self.contents, strict=True):
            os.close(pipe.read)
            pipe.read = -1
            with suppress(BrokenPipeError), os.fdopen(pipe.write, "wb") as stream:
                pipe.write = -1
                stream.write(content)


def _spawn(argv: list[str], keep: Sequence[int], console: tuple[int, int]) -> int:
    """Start bubblewrap in a session of its own with the descriptors ``keep`` under their own numbers.

    Not through :func:`bench.proc.start`, which gives a program no descriptors but three pipes.
    """
    limits = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (0, limits[1]))  # a panic must not dump the guest's memory
    try:
        return os.posix_spawn(
            argv[0],
            argv,
            {"PATH": proc.SYSTEM_PATH, "HOME": "/", "TMPDIR": "/dev/shm"},  # noqa: S108 - the sandbox's own tmpfs
            file_actions=[
                (os.POSIX_SPAWN_DUP2, console[0], 0),
                (os.POSIX_SPAWN_DUP2, console[1], 1),
                (os.POSIX_SPAWN_DUP2, console[1], 2),
                *((os.POSIX_SPAWN_DUP2, descriptor, descriptor) for descriptor in keep),
            ],
            setsid=True,
            setsigdef=(signal.SIGINT, signal.SIGPIPE, signal.SIGTERM),
        )
    finally:
        resource.setrlimit(resource.RLIMIT_CORE, limits)


def _end(guest: Contained, alive: int) -> None:
    """Kill the sandbox, if it still runs, and wait until it has gone.

    Every process of the guest holds the other end of the pipe ``alive``: its end of file means
    that the last one has gone, and with it the images, their locks and the mounts.
    """
    with suppress(ChildProcessError):
        if guest.poll() is None:
            os.killpg(guest.pid, signal.SIGKILL)
    if not select.select([alive], [], [], END_GRACE_S)[0]:
        raise HostTaintedError(f"the sandbox (pid {guest.pid}) survives SIGKILL: it is stuck in the kernel")
    with suppress(ChildProcessError):
        os.waitpid(guest.pid, 0)
