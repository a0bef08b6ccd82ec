"""The sandbox around the guest: bubblewrap with the host read-only and no capabilities.

Inside it are: the host's files, read-only and without devices; ``/proc`` and a ``/dev`` with null, zero
and the like, both read-only; an empty ``/run``; a tmpfs on ``/dev/shm`` for the guest's memory; a tmpfs
on ``/sys`` for what the guest reads at its start; the shared folders under ``/sys/stripelab/share``, the
only place that can be written; and the open descriptors of the disk images.  There is no network, and no
process of the host is visible.

Mounts do not limit everything: a FIFO or a socket of the host takes what is written to it on a read-only
mount too, and root without capabilities still owns root's files.  So a seccomp filter
(:mod:`bench.lab.seccomp`) and Landlock (:mod:`bench.lab.landlock`) stand behind them, for every program
in the sandbox and not only for the guest's kernel as it was installed.

Everything in it dies with the process that started it: a watcher inside holds one end of a pipe,
we hold the other, and when ours is closed, by whatever end of ours, the watcher kills all.
(bubblewrap's own ``--die-with-parent`` leaves a process behind for good when the parent is killed
in the first milliseconds: its child then waits for word from a bubblewrap that is dead.)
"""

from __future__ import annotations

import os
import resource
import select
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from bench import proc
from bench.errors import HostTaintedError
from bench.lab import identity, landlock, seccomp
from bench.lab.inside import HERE

MEMORY_SPARE_BYTES = 64 << 20
"""Room on the sandbox's tmpfs beyond the guest's memory."""
OWN_BYTES = 1 << 20
"""Room for the files of HERE, a few kilobytes."""

END_GRACE_S = 10.0

Files = tuple[tuple[str, str | bytes], ...]
"""Files for HERE: name and content."""

WATCHER = '(read -r -u "$1"; kill -KILL -1) & "${@:2}"; exit'
"""Run by bash within the sandbox's own process namespace, where -1 is everything in it."""


@dataclass(frozen=True)
class Sandbox:
    """What a sandbox is given: folders to share, memory, files to put into HERE, descriptors to keep."""

    shared: tuple[Path, ...]
    memory_bytes: int
    files: Files
    descriptors: tuple[int, ...]
    images: tuple[int, ...] = ()
    """Further descriptors, which the guest opens anew, for writing."""
    uid: int | None = None
    """The user of the host that it runs as, in place of this process's."""

    def share(self, index: int) -> str:
        """Where the shared folder ``index`` lies inside."""
        return f"{HERE}/share/{index}"


@dataclass
class Contained:
    """A program that runs in a sandbox."""

    pid: int
    """Of the outermost bubblewrap, which leads a session and a process group of its own."""
    ended: int
    """Descriptor that can be read when the outermost bubblewrap has ended; pidfd_open(2)."""
    _life: int

    def kill(self) -> None:
        """Kill everything; may be called again, and after its end."""
        if self._life < 0:
            return
        os.close(self._life)
        self._life = -1
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)

    def reap(self, alive: int) -> None:
        """Wait until the last process has gone, and with it the images, their locks and the mounts.

        Every process holds the other end of the pipe ``alive``, and may have written to it.
        """
        deadline = time.monotonic() + END_GRACE_S
        while select.select([alive], [], [], max(0.0, deadline - time.monotonic()))[0]:
            if not os.read(alive, 65536):
                os.waitpid(self.pid, 0)
                return
        raise HostTaintedError(f"the sandbox (pid {self.pid}) survives SIGKILL: it is stuck in the kernel")


@contextmanager
def started(sandbox: Sandbox, command: Sequence[str], *, console: tuple[int, int]) -> Iterator[Contained]:
    """Run ``command`` in the sandbox, with ``console`` as its standard input and output.

    On any exit everything in it is killed, and gone before this returns.
    """
    bwrap, bash = proc.require("bwrap"), proc.require("bash")
    with ExitStack() as closing:
        alive, alive_inside = _pipe(closing)
        life_inside, life = _pipe(closing)
        files = [(name, _memory_file(os.fsencode(content), closing)) for name, content in sandbox.files]
        denials = _memory_file(seccomp.program(), closing)
        keep = (alive_inside, life_inside, denials, *(descriptor for _, descriptor in files), *sandbox.descriptors)
        arguments = ["--seccomp", str(denials), *_arguments(sandbox, files)]
        watched = [bash, "-c", WATCHER, "watcher", str(life_inside), *_confined(sandbox, command)]
        try:
            pid = _spawn_as(sandbox, [bwrap, *arguments, *watched], (*keep, *sandbox.images), console)
        except BaseException:
            os.close(life)  # what was started before the interruption ends
            raise
        finally:
            os.close(alive_inside)
        guest = Contained(pid, os.pidfd_open(pid), life)
        closing.callback(os.close, guest.ended)
        try:
            yield guest
        finally:
            guest.kill()
            guest.reap(alive)


def _pipe(closing: ExitStack) -> tuple[int, int]:
    """A pipe whose reading end is closed at the end; the caller closes the other."""
    read, write = os.pipe()
    closing.callback(os.close, read)
    return read, write


def _memory_file(content: bytes, closing: ExitStack) -> int:
    """Descriptor of a file in memory, to be read from its beginning."""
    descriptor = os.memfd_create("stripelab")
    closing.callback(os.close, descriptor)
    os.write(descriptor, content)
    os.lseek(descriptor, 0, os.SEEK_SET)
    return descriptor


def _arguments(sandbox: Sandbox, files: Sequence[tuple[str, int]]) -> list[str]:
    """Arguments of bwrap up to the command.

    bubblewrap covers what is writable in /proc only as far as it sees that by access(2), which for user 0
    says no of a folder whose files it can write; a read-only /proc needs no list.
    """
    shm_bytes = sandbox.memory_bytes + MEMORY_SPARE_BYTES
    arguments = ["--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc", "--remount-ro", "/proc"]
    arguments += ["--size", str(shm_bytes), "--tmpfs", "/dev/shm", "--remount-ro", "/dev"]  # noqa: S108
    if Path("/run").is_dir():
        arguments += ["--size", str(OWN_BYTES), "--tmpfs", "/run", "--remount-ro", "/run"]
    arguments += ["--size", str(OWN_BYTES), "--tmpfs", "/sys", "--dir", f"{HERE}/root"]
    for index, folder in enumerate(sandbox.shared):
        arguments += ["--bind", str(folder), sandbox.share(index)]
    for name, descriptor in files:
        arguments += ["--perms", "0755", "--file", str(descriptor), f"{HERE}/{name}"]
    arguments += ["--remount-ro", "/sys"]
    if sandbox.uid is not None:
        arguments += ["--uid", "0", "--gid", "0"]
    arguments += ["--unshare-user-try", "--unshare-pid", "--unshare-ipc", "--unshare-net", "--unshare-uts"]
    return [*arguments, "--new-session", "--cap-drop", "ALL", "--chdir", "/", "--"]


def _confined(sandbox: Sandbox, command: Sequence[str]) -> list[str]:
    """``command`` behind the words that leave it nothing to write but what is the sandbox's."""
    shares = [sandbox.share(index) for index in range(len(sandbox.shared))]
    return [*landlock.within(["/dev/shm", *shares], sandbox.images), *command]  # noqa: S108


def _spawn_as(sandbox: Sandbox, argv: list[str], keep: Sequence[int], console: tuple[int, int]) -> int:
    """Start bubblewrap as the sandbox's user, to whom the shared folders then belong.

    bubblewrap binds a folder with all that is mounted below it, so that root takes the folders by themselves
    first.  Another user cannot; what is mounted there is writable to that user alone.
    """
    uid = sandbox.uid
    words = argv if uid is None else [*identity.becoming(uid), *argv]
    if os.geteuid() != 0:
        return _spawn(words, keep, console)
    return identity.with_own_mounts(sandbox.shared, uid, lambda: _spawn(words, keep, console))


def _spawn(argv: list[str], keep: Sequence[int], console: tuple[int, int]) -> int:
    """Start bubblewrap in a session of its own with the descriptors ``keep`` under their own numbers.

    Not through :func:`bench.proc.start`, since the limits and the descriptors of the guest are its own.
    """
    for descriptor in [int(entry.name) for entry in Path("/proc/self/fd").iterdir()]:
        with suppress(OSError):  # the one that listed them is closed again
            if descriptor > 2:  # what this process inherited itself is none of the guest's
                os.set_inheritable(descriptor, False)
    with _limits_of_the_guest():
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


@contextmanager
def _limits_of_the_guest() -> Iterator[None]:
    """The limits that a program started now inherits; ours are put back.

    A panic must not dump the guest's memory, and hostfs keeps a file of the host open for each that
    the guest has looked at: the usual soft limit of 1,024 is not enough for one Python program.
    """
    core, files = resource.getrlimit(resource.RLIMIT_CORE), resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_CORE, (0, core[1]))
        resource.setrlimit(resource.RLIMIT_NOFILE, (files[1], files[1]))
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_CORE, core)
        resource.setrlimit(resource.RLIMIT_NOFILE, files)
